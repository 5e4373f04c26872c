// The appointment, as one would pin it on the fridge.

import type { ComponentChild, VNode } from "preact";
import { Address, mailto } from "../core/address";
import type { Booking } from "../core/api";
import { civilDate, hours, longDay, money, whoseClock } from "../core/format";
import { type Language, foreign } from "../core/language";
import { amountIn } from "./currency";
import { t } from "./words";

/** `payable` says that the deposit can be paid from this very page. */
export function Ticket({ booking, payable }: { booking: Booking; payable: boolean }): VNode {
  const { artist } = booking;
  // The town alone, for as long as the street is not told.
  const street = artist.address ?? "";
  const place = street.includes(artist.city) ? street : [street, artist.city].filter(Boolean).join(", ");
  const stands = booking.status !== "cancelled";
  return (
    <section class={stands ? "ticket" : "ticket void"} aria-label={t.yourBooking}>
      <p class="when">
        <span>{longDay(civilDate(booking.start))}</span>
        <span>{t.fromTo(...hours(booking), whoseClock(booking))}</span>
      </p>
      <dl>
        <Row
          name={booking.type === "flash" ? "Flash" : t.project}
          value={titleOf(booking)}
          lang={booking.type === "flash" ? foreign(artist.locale) : undefined}
        />
        <Row name={t.with} value={artist.display_name} />
        {place && <Row name={t.place} value={place} map={artist.map_url} />}
        {artist.email && (
          <Row
            name={t.write}
            value={
              <a href={mailto(artist.email)}>
                <Address of={artist.email} />
              </a>
            }
          />
        )}
        {moneyOf(booking, payable).map(([name, value]) => (
          <Row key={name} name={name} value={value} />
        ))}
      </dl>
    </section>
  );
}

/** Where the client's money is, as long as the appointment is to take place; of another the page says it in words. */
function moneyOf(booking: Booking, payable: boolean): [name: string, value: string][] {
  const { received_otherwise: otherwise, deposit_cents: deposit, paid_cents: paid, lost_cents: lost } = booking;
  const { refunded_cents: refunded, on_its_way_cents: coming, rest_cents: rest } = booking;
  if (otherwise) {
    return [
      [t.asked, money(deposit)],
      [t.came, amountIn(otherwise.amount_cents, otherwise.currency)],
    ];
  }
  const rows: [string, string][] = [];
  if (booking.status === "pending" && paid === 0) rows.push([payable ? t.toPay : t.asked, money(deposit)]);
  if (booking.status !== "cancelled") {
    const less = refunded + lost > 0 && paid < deposit;
    if (paid > 0) rows.push([less ? t.left : t.paid, money(paid)]);
    if (refunded > coming) rows.push([t.returned, money(refunded - coming)]);
    if (coming > 0) rows.push([t.onItsWay, money(coming)]);
    if (lost > 0) rows.push([t.fromBank, money(lost)]);
  }
  if (typeof rest === "number") rows.push([t.rest, money(rest)]);
  return rows;
}

function Row({
  name,
  value,
  map,
  lang,
}: {
  name: string;
  value: ComponentChild;
  map?: string | null;
  lang?: Language | undefined;
}): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd lang={lang}>
        {value}
        {map && (
          <>
            <br />
            <a href={map} rel="noopener noreferrer">
              {t.onMap}
            </a>
          </>
        )}
      </dd>
    </div>
  );
}

/** What is booked, without the artist's name that mails put behind it. */
function titleOf({ title, artist }: Booking): string {
  if (!title) return t.custom;
  const name = ` · ${artist.display_name}`;
  return title.endsWith(name) ? title.slice(0, -name.length) : title;
}
