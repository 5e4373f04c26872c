// What a booking's state is called, what is said of it, and whether it may still change by itself.

import type { Booking } from "../core/api";
import { deadline, money } from "../core/format";
import { t } from "./words";

export interface Face {
  tone: "good" | "wait" | "bad";
  title: string;
  text: string[];
  /** It may still change by itself. */
  open?: boolean;
}

/** What is known of a payment that has not arrived. */
export interface Awaited {
  /** It can still be made. */
  payable: boolean;
  /** Stripe says that there is none. */
  unpaid: boolean;
  /** It takes longer than usual. */
  long: boolean;
}

export function faceOf(booking: Booking, awaited: Awaited): Face {
  const { payment_status: payment, cancel_reason: reason } = booking;
  if (payment === "disputed") return { tone: "bad", title: t.disputedTitle, text: [t.disputedText] };
  switch (booking.status) {
    case "completed":
      return { tone: "good", title: t.doneTitle, text: [t.doneText] };
    case "confirmed":
      return booking.acompte_paid
        ? { tone: "good", title: t.paidTitle, text: [t.paidText(money(booking.paid_cents))] }
        : { tone: "good", title: t.confirmedTitle, text: [t.confirmedText] };
    case "cancelled":
      return reason === "hold_expired" || reason === "payment_failed" ? lapsedFace(booking) : cancelledFace(booking);
    case "pending":
      return pendingFace(booking, awaited);
  }
}

/** The payment may be on its way, or never have been made. Who comes from the payment is never asked to pay again. */
function pendingFace(booking: Booking, { payable, unpaid, long }: Awaited): Face {
  if (booking.hold_lapsed) return { tone: "wait", title: t.overdueTitle, text: [t.overdueText], open: true };
  if (payable && booking.hold_expires_at) {
    const until = deadline(booking.hold_expires_at, booking);
    return { tone: "wait", title: t.stoppedTitle, text: [t.stoppedText(until)], open: true };
  }
  if (unpaid) return { tone: "wait", title: t.checkingTitle, text: [t.notPaid], open: true };
  return { tone: "wait", title: t.checkingTitle, text: [long ? t.checkingLong : t.checkingText], open: true };
}

export function unknownFace(): Face {
  return { tone: "bad", title: t.unknownTitle, text: [t.unknownText] };
}

export function unreadFace(): Face {
  return { tone: "wait", title: t.yourBooking, text: [t.unreadText] };
}

function lapsedFace(booking: Booking): Face {
  const { payment_status: payment, refunded_cents: refunded } = booking;
  if (payment === "refund_pending" || payment === "refunded" || refunded > 0) {
    return { tone: "bad", title: t.lateTitle, text: [t.lateText(money(refunded || booking.deposit_cents))] };
  }
  return {
    tone: "bad",
    title: booking.cancel_reason === "payment_failed" ? t.failedTitle : t.lapsedTitle,
    text: [t.lapsedText],
  };
}

function cancelledFace(booking: Booking): Face {
  const { cancel_reason: reason, payment_status: payment, refunded_cents: refunded } = booking;
  if (reason === "client" && payment === "unpaid" && refunded === 0) {
    return { tone: "wait", title: t.givenBackTitle, text: [t.givenBackText] };
  }
  const text: string[] = [];
  if (reason === "client") text.push(t.cancelledByClient);
  if (reason === "artist") text.push(t.cancelledByArtist);
  if (reason === "calendar") text.push(t.cancelledByCalendar);
  if (payment === "refund_pending") text.push(t.refundComing);
  else if (refunded > 0) text.push(t.refunded(money(refunded)));
  else if (booking.acompte_paid) text.push(t.notRefunded);
  return { tone: "bad", title: t.cancelledTitle, text };
}
