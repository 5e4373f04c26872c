// What a booking's state is called, what is said of it, and whether it may still change by itself.

import type { Booking } from "../core/api";
import { deadline, money } from "../core/format";
import { amountIn } from "./currency";
import { t } from "./words";

export interface Face {
  tone: "good" | "wait" | "bad";
  title: string;
  text: string[];
  /** It may still be paid, or be found paid, at any moment. */
  open?: boolean;
  /** It may still change by itself, and that takes its time. */
  watched?: boolean;
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
  const { payment_status: payment, cancel_reason: reason, received_otherwise: otherwise } = booking;
  if (otherwise) {
    const [came, asked] = [amountIn(otherwise.amount_cents, otherwise.currency), money(booking.deposit_cents)];
    const text = [t.otherwiseText(came, asked), t.otherwiseNext(booking.artist.display_name)];
    return { tone: "wait", title: t.otherwiseTitle, text, watched: true };
  }
  const moved = movedOf(booking);
  const watched = payment === "refund_pending";
  switch (booking.status) {
    case "completed":
      if (payment === "disputed") return disputedFace(moved);
      return { tone: "good", title: t.doneTitle, text: [t.doneText, ...moved], watched };
    case "confirmed":
      return payment === "disputed"
        ? disputedFace([...moved, t.stillStands])
        : { ...standingFace(booking, moved), watched };
    case "cancelled":
      return {
        ...(reason === "hold_expired" || reason === "payment_failed"
          ? lapsedFace(booking, moved)
          : cancelledFace(booking, moved)),
        watched,
      };
    case "pending":
      return pendingFace(booking, awaited);
  }
}

/** What has gone back of the client's money, or should: by a bank, by a refund, and what has not left. */
function movedOf(booking: Booking): string[] {
  const { payment_status: payment, lost_cents: lost, on_its_way_cents: coming } = booking;
  const arrived = booking.refunded_cents - coming;
  const text: string[] = [];
  if (lost > 0) text.push(t.byBank(money(lost)));
  else if (payment === "lost") text.push(t.byBankAll);
  if (arrived > 0) text.push(t.refunded(money(arrived)));
  if (coming > 0) text.push(t.refundComing(money(coming)));
  // Money of another currency is in none of the sums.
  if (payment === "refunded" && text.length === 0) text.push(t.refundedAll);
  if (payment === "refund_pending" && coming === 0) text.push(t.refundOwed);
  return text;
}

function standingFace(booking: Booking, moved: string[]): Face {
  const { paid_cents: paid, deposit_cents: deposit, payment_status: payment } = booking;
  // A second payment that went back takes nothing from the deposit.
  if (payment === "paid" && (moved.length === 0 || paid >= deposit))
    return { tone: "good", title: t.paidTitle, text: [t.paidText(money(paid)), ...moved] };
  const text = payment === "unpaid" ? [t.confirmedText, ...moved] : [...moved, t.stillStands];
  return { tone: "good", title: t.confirmedTitle, text };
}

function disputedFace(more: string[]): Face {
  return { tone: "bad", title: t.disputedTitle, text: [t.disputedText, ...more] };
}

/** The payment may be on its way, or never have been made. Who comes from the payment is never asked to pay again. */
function pendingFace(booking: Booking, { payable, unpaid, long }: Awaited): Face {
  if (booking.hold_lapsed) return { tone: "wait", title: t.overdueTitle, text: [t.overdueText], open: true };
  if (payable && booking.hold_expires_at) {
    const until = deadline(booking.hold_expires_at, booking);
    return { tone: "wait", title: t.stoppedTitle, text: [t.stoppedText(until)], open: true };
  }
  if (unpaid) return { tone: "wait", title: t.checkingTitle, text: [t.notPaid], open: true };
  // What nobody has paid yet has a time to be paid in: without one, it is no matter of seconds.
  const patient = long || !booking.hold_expires_at;
  return { tone: "wait", title: t.checkingTitle, text: [patient ? t.checkingLong : t.checkingText], open: true };
}

export function unknownFace(): Face {
  return { tone: "bad", title: t.unknownTitle, text: [t.unknownText] };
}

export function unreadFace(): Face {
  return { tone: "wait", title: t.yourBooking, text: [t.unreadText] };
}

function lapsedFace(booking: Booking, moved: string[]): Face {
  const failed = booking.cancel_reason === "payment_failed";
  if (booking.payment_status === "disputed")
    return { tone: "bad", title: t.cancelledTitle, text: [...moved, t.disputedCancelled] };
  if (moved.length > 0) {
    return failed
      ? { tone: "bad", title: t.backTitle, text: moved }
      : { tone: "bad", title: t.lateTitle, text: [t.lateText, ...moved] };
  }
  return { tone: "bad", title: failed ? t.failedTitle : t.lapsedTitle, text: [t.lapsedText] };
}

function cancelledFace(booking: Booking, moved: string[]): Face {
  const { cancel_reason: reason, payment_status: payment, paid_cents: kept } = booking;
  if (reason === "client" && payment === "unpaid" && moved.length === 0) {
    return { tone: "wait", title: t.givenBackTitle, text: [t.givenBackText] };
  }
  const text: string[] = [];
  if (reason === "client") text.push(t.cancelledByClient);
  if (reason === "artist") text.push(t.cancelledByArtist);
  if (reason === "calendar") text.push(t.cancelledByCalendar);
  text.push(...moved);
  if (payment === "disputed") text.push(t.disputedCancelled);
  if ((payment === "paid" || payment === "refunded") && kept > 0)
    text.push(moved.length > 0 ? t.keptPart(money(kept)) : t.notRefunded);
  return { tone: "bad", title: t.cancelledTitle, text };
}
