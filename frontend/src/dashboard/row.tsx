// One booking of a list: when, who, what, how it stands, and what can be done about it at once.

import type { VNode } from "preact";
import { civilDate, clock, dateWords, hours, longDay, money, whoseClock, yearOf } from "../core/format";
import { Actions } from "./actions";
import { undecided } from "./money";
import { bookingAddress } from "./place";
import type { Detail, Row, Shown, Todo } from "./types";
import { shortDate } from "./when";
import { t } from "./words";

export type Tone = "good" | "wait" | "bad" | "off";

interface Standing {
  text: string;
  tone: Tone;
}

/** How a booking stands, in a word or two. */
function statusOf(booking: Row): Standing {
  const words = t.booking.status;
  switch (booking.status) {
    case "pending": {
      if (undecided(booking)) return { text: words.undecided, tone: "wait" };
      const lapsed = booking.hold_expires_at !== null && Date.parse(booking.hold_expires_at) < Date.now();
      return lapsed ? { text: words.lapsed, tone: "off" } : { text: words.pending, tone: "wait" };
    }
    case "confirmed":
      return booking.payment_status === "unpaid"
        ? { text: words.unpaid, tone: "good" }
        : { text: words.confirmed, tone: "good" };
    case "completed":
      return booking.no_show ? { text: words.missed, tone: "bad" } : { text: words.completed, tone: "off" };
    case "cancelled": {
      const why = t.booking.reason[booking.cancel_reason ?? ""];
      return { text: why ? `${words.cancelled}, ${why}` : words.cancelled, tone: "off" };
    }
  }
}

/** What is the matter with its money, if anything is: a bank's word before a refund's. */
function matterOf({ dispute, dispute_lost, payment_status, payment_problem }: Row): Standing | null {
  const words = t.booking.matter;
  if (dispute?.inquiry) return { text: words.inquiry, tone: "wait" };
  if (dispute?.needs_response)
    return { text: dispute.due_by ? words.answer(shortDate(dispute.due_by)) : words.dispute, tone: "bad" };
  if (dispute) return { text: words.reviewed, tone: "wait" };
  if (dispute_lost || payment_status === "lost") return { text: words.lost, tone: "bad" };
  if (payment_status !== "refund_pending") return null;
  return payment_problem === "refund_failed"
    ? { text: words.refundFailed, tone: "bad" }
    : { text: words.refunding, tone: "wait" };
}

/** What became of the deposit, in a few words. */
function moneyOf(booking: Shown): string {
  const words = t.booking;
  switch (booking.payment_status) {
    case "paid": {
      const here = inHand(booking);
      return here === booking.deposit_cents ? words.depositPaid(money(here)) : words.inHand(money(here));
    }
    case "refund_pending":
      return booking.money ? words.owed(money(booking.money.on_its_way_cents + booking.money.owed_cents)) : "";
    case "refunded":
      return words.refunded;
    case "disputed":
      return words.disputed;
    case "lost":
      return words.lost;
    case "unpaid":
      if (undecided(booking)) return words.otherwise;
      if (booking.status === "pending") return words.deposit(money(booking.deposit_cents));
      return booking.rest_cents === null ? words.noDeposit : words.onSite(money(booking.rest_cents));
  }
}

/** What is here of the deposit. A list has no ledger: there it is what need not be paid on site. */
function inHand({
  money: ledger,
  payment_problem: problem,
  price_cents: price,
  rest_cents: rest,
  ...row
}: Shown): number {
  if (ledger && problem === null) return ledger.balance_cents;
  return price !== null && rest !== null && rest > 0 ? price - rest : row.deposit_cents;
}

/** How a booking stands, and its money. */
export function State({ booking }: { booking: Shown }): VNode {
  const chips = [statusOf(booking), matterOf(booking)].filter((each) => each !== null);
  const until = booking.status === "pending" && booking.hold_expires_at;
  return (
    <p class="state">
      {chips.map(({ text, tone }) => (
        <>
          <span class={`chip ${tone}`} key={text}>
            {text}
          </span>{" "}
        </>
      ))}
      <span>{moneyOf(booking)}</span>
      {until && Date.parse(until) > Date.now() && <span>, {t.booking.holdUntil(clock(until))}</span>}
    </p>
  );
}

/** What waits for the artist; in red what has gone wrong. */
export function Due({ todo }: { todo: readonly Todo[] }): VNode | null {
  if (todo.length === 0) return null;
  return (
    <ul class="dues">
      {todo.map((each) => (
        <li class={each === "confirm" || each === "outcome" ? "due" : "due bad"} key={each}>
          {t.booking.todo[each]}
        </li>
      ))}
    </ul>
  );
}

interface Props {
  booking: Shown;
  changed: (booking: Detail) => void;
}

export function BookingRow({ booking, changed }: Props): VNode {
  const date = civilDate(booking.start);
  return (
    <li class={booking.status === "cancelled" ? "row void" : "row"}>
      <p class="day" aria-hidden="true">
        <span>{dateWords(date, { weekday: "short" })}</span>
        <strong>{Number(date.slice(8))}</strong>
        <span>{dateWords(date, { month: "short" })}</span>
        {yearOf(date).year && <span>{date.slice(0, 4)}</span>}
      </p>
      <div class="what">
        <h3>
          <a href={bookingAddress(booking.id)}>{booking.client.name}</a>
        </h3>
        <p>
          <span class="only-heard">{longDay(date)}, </span>
          <time dateTime={booking.start}>
            {hours(booking).join(" – ")}
            {booking.clock && `, ${whoseClock(booking.clock)}`}
          </time>
          , {booking.title || t.booking.project}
        </p>
        <State booking={booking} />
        <Due todo={booking.todo} />
      </div>
      <Actions booking={booking} changed={changed} />
    </li>
  );
}
