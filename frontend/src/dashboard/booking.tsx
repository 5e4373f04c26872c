// One booking, whole: who, when, the money, what happened, and what still has to.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { Address, mailto } from "../core/address";
import { amountIn } from "../booking/currency";
import { civilDate, hours, longDay, money, span, whoseClock } from "../core/format";
import { Actions, secondsToUndo } from "./actions";
import { readBooking, writeNote } from "./api";
import { Jobs, Mails } from "./deliveries";
import { DisputeAlert, Disputes } from "./disputes";
import { Submit, TextField } from "./fields";
import { useDraft, useSending } from "./form";
import { useLive } from "./live";
import { Money, cameAs, told, undecided } from "./money";
import { Facts, Heading, Part, Waiting } from "./parts";
import { is } from "./problems";
import { Due, State } from "./row";
import type { Detail, Happening } from "./types";
import { shortMoment } from "./when";
import { t } from "./words";

export function BookingView({ id }: { id: string }): VNode {
  const [open, setOpen] = useState(false);
  const { data, problem, refresh, take } = useLive<Detail>(`booking:${id}`, () => readBooking(id), { still: open });
  const changed = (after: Detail): void => {
    take(after);
    setOpen(secondsToUndo(after) > 0);
  };
  return (
    <>
      <p class="trail">
        <a class="link" href="#/bookings">
          ← {t.detail.all}
        </a>
      </p>
      {data ? (
        <Whole booking={data} changed={changed} />
      ) : is(problem, "not-found") ? (
        <Unknown />
      ) : (
        <Waiting problem={problem} again={refresh} lines={4} />
      )}
    </>
  );
}

function Unknown(): VNode {
  return (
    <div class="nothing">
      <Heading tab={t.list.title}>{t.problem.notFound}</Heading>
    </div>
  );
}

function Whole({ booking, changed }: { booking: Detail; changed: (after: Detail) => void }): VNode {
  const { client, project } = booking;
  const minutes = (Date.parse(booking.end) - Date.parse(booking.start)) / 60_000;
  return (
    <article class={booking.status === "cancelled" ? "whole void" : "whole"}>
      <header class="top">
        <div>
          <Heading tab={client.name}>{client.name}</Heading>
          <p class="when">
            <span>{longDay(civilDate(booking.start))}</span>
            <span>
              {hours(booking).join(" – ")}
              {booking.clock && `, ${whoseClock(booking.clock)}`} ({span(minutes)})
            </span>
          </p>
          <State booking={booking} />
        </div>
        {booking.flash_image && <img src={booking.flash_image} alt="" width={160} height={160} />}
      </header>
      <Due todo={booking.todo.filter((each) => each !== "payment")} />
      <Trouble booking={booking} />
      <DisputeAlert booking={booking} />
      <Lost booking={booking} />
      <Actions booking={booking} whole={booking} changed={changed} />
      <Jobs booking={booking} changed={changed} />
      <div class="columns">
        <Part title={t.detail.client}>
          <Facts
            facts={[
              [
                t.detail.email,
                <a href={mailto(client.email)}>
                  <Address of={client.email} />
                </a>,
              ],
              [t.detail.phone, <a href={`tel:${client.phone}`}>{client.phone_written}</a>],
              [t.detail.language, t.detail.languages[client.locale] ?? client.locale],
            ]}
          />
        </Part>
        {project ? (
          <Part title={t.detail.project}>
            <p class="told">{project.description}</p>
            <Facts
              facts={[
                [t.detail.zone, project.body_zone],
                [t.detail.budget, project.budget_cents === null ? t.detail.noBudget : money(project.budget_cents)],
              ]}
            />
          </Part>
        ) : (
          <Part title="Flash">
            <Facts
              facts={[
                [booking.title || t.booking.project, booking.price_cents === null ? "" : money(booking.price_cents)],
              ]}
            />
          </Part>
        )}
        <Money booking={booking} />
        <Disputes booking={booking} />
        <Note booking={booking} changed={changed} />
        <Calendar booking={booking} />
        <Mails booking={booking} changed={changed} />
        <Timeline booking={booking} />
      </div>
    </article>
  );
}

/** What is wrong with the money, for as long as it is. */
function Trouble({ booking }: { booking: Detail }): VNode | null {
  const { payment_problem: problem, money: ledger } = booking;
  const words = t.detail;
  if (undecided(booking)) {
    const asked = money(booking.deposit_cents);
    const canAccept = booking.actions.includes("accept");
    return (
      <div class="alert">
        <p>{words.otherwise(cameAs(booking) ?? words.another, asked)}</p>
        <p>{canAccept ? words.acceptOrNot(money(ledger.balance_cents)) : words.notAcceptable}</p>
      </div>
    );
  }
  // What came otherwise than asked and is called off goes back by itself: the money's own part tells.
  const isOver = booking.status === "cancelled" && problem === "mismatch";
  if (!problem || isOver || !booking.todo.includes("payment")) return null;
  return <p class="alert">{words.problem[problem] ?? t.booking.todo.payment}</p>;
}

/** Once a bank has decided against the artist. */
function Lost({ booking }: { booking: Detail }): VNode | null {
  if (!booking.dispute_lost) return null;
  const { lost_cents: lost } = booking.money;
  return (
    <p class="alert">
      {t.detail.disputeLost(lost > 0 ? money(lost) : null)} {booking.status !== "cancelled" && t.detail.stillStands}
    </p>
  );
}

function Note({ booking, changed }: { booking: Detail; changed: (after: Detail) => void }): VNode {
  const draft = useDraft(`note:${booking.id}`, { note: booking.note });
  const { saying, busy, form, send, mend } = useSending();
  return (
    <Part title={t.detail.note}>
      <form
        class="fields"
        ref={form}
        onSubmit={(event) => {
          event.preventDefault();
          void send(
            () => ({}),
            async () => {
              changed(await writeNote(booking.id, draft.values.note));
              draft.clear();
              return t.saved;
            },
          );
        }}
      >
        <TextField
          name="note"
          label={t.detail.noteHelp}
          optional="unsaid"
          lines={3}
          most={2000}
          value={draft.values.note}
          set={(note) => {
            mend("note" as never);
            draft.set({ note });
          }}
        />
        <Submit busy={busy} saying={saying} text={t.detail.noteSave} dirty={draft.dirty} />
      </form>
    </Part>
  );
}

function Calendar({ booking: { calendar } }: { booking: Detail }): VNode | null {
  if (calendar.state === "off") return null;
  return (
    <Part title={t.detail.calendar}>
      <p class={["conflict", "failed", "called_off"].includes(calendar.state) ? "due" : ""}>
        {t.detail.calendarState[calendar.state]}
      </p>
      {calendar.note && <p class="help">{t.detail.calendarNote[calendar.note] ?? calendar.note}</p>}
      {calendar.url && /^https?:\/\//.test(calendar.url) && (
        <a class="link" href={calendar.url} rel="noopener">
          {t.detail.openCalendar}
        </a>
      )}
    </Part>
  );
}

function Timeline({ booking }: { booking: Detail }): VNode {
  // The newest first would hide how it began: a story is read from its start.
  return (
    <Part title={t.detail.timeline}>
      <ol class="story">
        {booking.timeline.map((each, index) => (
          <li key={index}>
            <span>{eventOf(each)}</span>
            <small>
              <time dateTime={each.at}>{shortMoment(each.at)}</time>, {t.detail.actor[each.actor]}
            </small>
          </li>
        ))}
      </ol>
    </Part>
  );
}

/** A line of the history; what a bank asks is no dispute yet. */
function eventOf({ kind, data }: Happening): string {
  const { amount, currency, inquiry } = told(data);
  const words = kind === "dispute_opened" && inquiry ? t.detail.inquiryOpened : t.detail.event[kind];
  return amount === null ? words : `${words}, ${amountIn(amount, currency)}`;
}
