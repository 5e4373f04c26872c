// Step 3: what it costs, and the payment.

import type { ComponentChildren, VNode } from "preact";
import { Address } from "../core/address";
import type { Artist, Flash, Slot } from "../core/api";
import { civilDate, clock, deadline, hours, longDay, money, shortDay, span } from "../core/format";
import type { OwnHold } from "../core/hold";
import { language } from "../core/language";
import { type Answers, euros } from "./answers";
import { holdsFirst } from "./book";
import { isSame } from "./clocks";
import type { Reader } from "./reading";
import type { Step } from "./step";
import { t } from "./words";

interface Props {
  artist: Artist;
  flash: Flash | null;
  own: OwnHold | null;
  slot: Slot;
  answers: Answers;
  /** Has the number in groups, where the server has read it. */
  reader: Reader | null;
  /** The street, once the hold has told it. */
  street: string | null;
  sending: boolean;
  /** What is said while the browser does what the server asked for. */
  checking: string | null;
  pay: (event: Event) => void;
  backTo: (step: Step) => void;
}

export function SummaryStep({
  artist,
  flash,
  own,
  slot,
  answers,
  reader,
  street,
  sending,
  checking,
  pay,
  backTo,
}: Props): VNode {
  const deposit = flash?.deposit_cents ?? artist.project.deposit_cents;
  const arrhes = artist.deposit_nature === "arrhes";
  const minutes = (Date.parse(slot.end) - Date.parse(slot.start)) / 60_000;
  const mine = own && isSame(own.start, slot.start) ? own.until : null;
  const place =
    artist.address ??
    street ??
    `${artist.city}\n${artist.address_shown === "with_summary" ? t.placeAtHold : t.placeLater}`;
  const payNow = (arrhes ? t.payArrhes : t.pay)(money(deposit));
  return (
    <form class="summary" onSubmit={pay}>
      <div class="appointment">
        <p class="when">
          <span>{longDay(civilDate(slot.start))}</span>
          <span>{t.fromTo(...hours(slot), span(minutes))}</span>
        </p>
        <button type="button" class="link" aria-label={t.changeSlot} onClick={() => backTo(2)}>
          {t.change}
        </button>
      </div>
      <dl>
        <Row name={t.with} value={artist.display_name} />
        <Row name={t.place} value={place} />
        {!flash && <Row name={t.ideaTitle} value={answers.description} as="told" />}
        {!flash && <Row name={t.bodyZone} value={answers.body_zone} />}
        {!flash && answers.budget?.trim() && (
          <Row name={t.yourBudget} value={money(Math.round(euros(answers.budget) * 100))} />
        )}
        <Row
          name={t.details}
          value={[
            answers.name,
            "\n",
            <Address key="email" of={answers.email ?? ""} />,
            "\n",
            reader?.phone ?? answers.phone,
          ]}
        />
        <Row name={t.price} value={flash ? money(flash.price_cents) : t.priceLater} />
        {flash && <Row name={t.rest} value={money(flash.price_cents - deposit)} />}
        <Row name={arrhes ? t.arrhesNow : t.depositNow} value={money(deposit)} as="strong" />
      </dl>
      <div class="terms">
        <p>
          {refund(artist, slot)} {language === "fr" ? artist.policy.way_fr : artist.policy.way_en}
        </p>
        <p>{mine ? t.heldUntil(deadline(mine, artist)) : t.holdNote(artist.hold_minutes)}</p>
        <p>{t.secure}</p>
        <p role="status">{sending && checking}</p>
      </div>
      <footer>
        <button type="button" class="link" onClick={() => backTo(2)}>
          {t.back}
        </button>
        <button type="submit" class="button" aria-disabled={sending}>
          {holdsFirst(artist, street) ? (sending ? t.holding : t.hold) : sending ? t.opening : payNow}
        </button>
      </footer>
    </form>
  );
}

function Row({ name, value, as }: { name: string; value: ComponentChildren; as?: "strong" | "told" }): VNode {
  return (
    <div class={as ?? ""}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** What comes back if this very appointment is cancelled: until a date, or not any more. */
function refund({ policy, deposit_nature: nature }: Artist, { refundable_until: until }: Slot): string {
  const { full_refund_hours: hours, late_refund_percent: late } = policy;
  const arrhes = nature === "arrhes";
  if (!until) return t.notRefundable(hours, late, arrhes);
  return t.refundable(`${shortDay(civilDate(until))}, ${clock(until)}`, late, arrhes);
}
