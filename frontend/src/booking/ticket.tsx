// The appointment, as one would pin it on the fridge.

import type { ComponentChild, VNode } from "preact";
import { Address, mailto } from "../core/address";
import type { Booking } from "../core/api";
import { civilDate, hours, longDay, money, whoseClock } from "../core/format";
import { type Language, foreign } from "../core/language";
import { t } from "./words";

export function Ticket({ booking }: { booking: Booking }): VNode {
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
        {booking.status === "pending" && booking.paid_cents === 0 && (
          <Row name={t.toPay} value={money(booking.deposit_cents)} />
        )}
        {stands && booking.paid_cents > 0 && <Row name={t.paid} value={money(booking.paid_cents)} />}
        {typeof booking.rest_cents === "number" && <Row name={t.rest} value={money(booking.rest_cents)} />}
      </dl>
    </section>
  );
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
