// One booking of a list: when, who, what, how it stands, and what can be done about it at once.

import type { VNode } from "preact";
import { civilDate, clock, dateWords, hours, longDay, money, whoseClock, yearOf } from "../core/format";
import { Actions } from "./actions";
import { bookingAddress } from "./place";
import type { Detail, Row, Shown, Todo } from "./types";
import { t } from "./words";

export type Tone = "good" | "wait" | "bad" | "off";

/** How a booking stands, in a word or two. */
export function statusOf(booking: Row): { text: string; tone: Tone } {
  const words = t.booking.status;
  switch (booking.status) {
    case "pending": {
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

/** What became of the deposit, in a few words. */
export function moneyOf(booking: Row): string {
  const amount = money(booking.deposit_cents);
  switch (booking.payment_status) {
    case "paid":
      return t.booking.depositPaid(amount);
    case "refund_pending":
      return t.booking.refunding(amount);
    case "refunded":
      return t.booking.refunded;
    case "disputed":
      return t.booking.disputed;
    case "lost":
      return t.booking.disputeLost;
    case "unpaid":
      if (booking.status === "pending") return t.booking.deposit(amount);
      return booking.rest_cents === null ? t.booking.noDeposit : t.booking.onSite(money(booking.rest_cents));
  }
}

export function Status({ booking }: { booking: Row }): VNode {
  const { text, tone } = statusOf(booking);
  return <span class={`chip ${tone}`}>{text}</span>;
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
  const until = booking.status === "pending" && booking.hold_expires_at;
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
        <p class="state">
          <Status booking={booking} /> <span>{moneyOf(booking)}</span>
          {until && Date.parse(until) > Date.now() && <span>, {t.booking.holdUntil(clock(until))}</span>}
        </p>
        <Due todo={booking.todo} />
      </div>
      <Actions booking={booking} changed={changed} />
    </li>
  );
}
