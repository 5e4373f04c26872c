// What an artist opens each morning: what waits for them, what comes, what was earned.

import type { ComponentChildren, VNode } from "preact";
import { useRef, useState } from "preact/hooks";
import { civilDate, clock, longDay, money } from "../core/format";
import { secondsToUndo } from "./actions";
import { read, readBookings, readStats } from "./api";
import { Chart } from "./chart";
import { useLive } from "./live";
import { CopyLink, Heading, Waiting } from "./parts";
import { bookingAddress, bookingsAddress, settingsAddress } from "./place";
import { BookingRow } from "./row";
import { Suspects } from "./suspects";
import type { Detail, Profile, Shown, Stats } from "./types";
import { capital, monthWords } from "./when";
import { t } from "./words";

const TURN = 5;

export function Overview({ name }: { name: string }): VNode {
  const stats = useLive<Stats>("stats", readStats);
  const profile = useLive<Profile>("profile", () => read("profile"), { once: true });
  const [first] = name.split(" ");
  // What one holds is not suspicious. Once there were more they stay, and with them what became of them.
  const several = useRef(false);
  several.current ||= (stats.data?.pending_count ?? 0) > 1;
  return (
    <>
      <header class="top hello">
        <p class="date">{stats.data ? capital(longDay(stats.data.today)) : "\u00a0"}</p>
        <Heading tab={t.nav.overview}>{t.overview.hello(first || name)}</Heading>
      </header>
      {profile.data && !profile.data.complete && <SetUp profile={profile.data} />}
      {profile.data?.complete && !profile.data.takes_bookings && <NotYet />}
      <YourTurn after={stats.refresh} />
      {several.current && <Suspects after={stats.refresh} />}
      {stats.data ? <Figures stats={stats.data} /> : <Waiting problem={stats.problem} again={stats.refresh} />}
      {stats.data && <Chart curve={stats.data.curve} />}
      {profile.data && (
        <section class="share" aria-labelledby="share-title">
          <h2 id="share-title">{t.overview.share}</h2>
          <p>{profile.data.takes_bookings ? t.overview.shareText : t.overview.shareSoon}</p>
          <CopyLink address={profile.data.public_url} label={t.overview.link} />
        </section>
      )}
    </>
  );
}

/** How many steps an account still has to go before anybody can book. */
export function stepsLeft({ has_hours, has_calendar, has_flash }: Profile): number {
  return Number(!has_hours && !has_calendar) + Number(!has_flash);
}

function SetUp({ profile }: { profile: Profile }): VNode {
  const left = stepsLeft(profile);
  return (
    <aside class="set-up">
      <div>
        <p class="lead">{left > 0 ? t.overview.setUp(left) : t.overview.noAddress}</p>
        <p>{left > 0 ? t.overview.setUpText : t.overview.noAddressText}</p>
      </div>
      <a class="button" href={left > 0 ? "#/start" : settingsAddress("profile")}>
        {t.overview.goOn}
      </a>
    </aside>
  );
}

/** All that the artist has to do is done, and it is for whoever runs the site to let the page take deposits. */
function NotYet(): VNode {
  return (
    <aside class="set-up">
      <div>
        <p class="lead">{t.overview.notYet}</p>
        <p>{t.overview.notYetText}</p>
      </div>
    </aside>
  );
}

function YourTurn({ after }: { after: () => Promise<void> }): VNode {
  const query = { view: "todo" as const, q: "" };
  const [open, setOpen] = useState(false);
  const { data, problem, refresh, take } = useLive<{ rows: Shown[]; more: boolean }>(
    "turn",
    async () => {
      const { bookings, next_cursor } = await readBookings(query, null, TURN);
      return { rows: bookings, more: next_cursor !== null };
    },
    { still: open },
  );
  const changed = (booking: Detail): void => {
    if (!data) return;
    const rows = data.rows.map((row) => (row.id === booking.id ? booking : row));
    take({ ...data, rows });
    setOpen(rows.some((row) => secondsToUndo(row) > 0));
    void after();
  };
  return (
    <section class="yours" aria-labelledby="turn-title">
      <h2 id="turn-title">{t.overview.yourTurn}</h2>
      {!data ? (
        <Waiting problem={problem} again={refresh} lines={2} />
      ) : data.rows.length === 0 ? (
        <p class="calm">
          <strong>{t.overview.nothing}</strong> {t.overview.nothingText}
        </p>
      ) : (
        <ul class="rows">
          {data.rows.map((booking) => (
            <BookingRow key={booking.id} booking={booking} changed={changed} />
          ))}
        </ul>
      )}
      {data?.more && (
        <p class="more">
          <a class="link" href={bookingsAddress(query)}>
            {t.list.showMore}
          </a>
        </p>
      )}
    </section>
  );
}

function Figures({ stats }: { stats: Stats }): VNode {
  const { next, cancellations, no_shows: missed } = stats;
  const month = monthWords(stats.month, "long");
  return (
    <section class="figures" aria-labelledby="figures-title">
      <h2 id="figures-title">{t.overview.figures}</h2>
      <dl class="kpis">
        <Kpi name={t.overview.revenue(month)} value={money(stats.revenue_cents)} main>
          {stats.refunded_cents > 0
            ? t.overview.revenueDetail(money(stats.captured_cents), money(stats.refunded_cents))
            : t.overview.revenuePlain}
        </Kpi>
        <Kpi
          name={t.overview.upcoming}
          value={String(stats.upcoming_count)}
          href={bookingsAddress({ view: "upcoming", q: "" })}
        >
          {t.overview.upcomingDetail(stats.upcoming_count)}
        </Kpi>
        <Kpi name={t.overview.pending} value={String(stats.pending_count)}>
          {t.overview.pendingDetail(stats.pending_count)}
        </Kpi>
        <Kpi name={t.overview.held} value={money(stats.deposits_held_cents)}>
          {t.overview.heldDetail}
        </Kpi>
      </dl>
      <div class="asides">
        <div>
          <h3>{t.overview.next}</h3>
          {next ? (
            <p>
              <a href={bookingAddress(next.id)}>
                {capital(longDay(civilDate(next.start)))}, {clock(next.start, next.start_turn)}
              </a>
              <br />
              {next.client_name}, {next.title || t.booking.project}
            </p>
          ) : (
            <p>{t.overview.noNext}</p>
          )}
        </div>
        <div>
          <h3>{t.overview.rates}</h3>
          {cancellations.ended === 0 && missed.ended === 0 ? (
            <p>{t.overview.noRates}</p>
          ) : (
            <p>
              {t.overview.cancelled(cancellations.cancelled, cancellations.ended)}
              <br />
              {t.overview.missed(missed.no_show, missed.ended)}
            </p>
          )}
        </div>
      </div>
    </section>
  );
}

function Kpi({
  name,
  value,
  href,
  main,
  children,
}: {
  name: string;
  value: string;
  href?: string;
  main?: boolean;
  children: ComponentChildren;
}): VNode {
  return (
    <div class={main ? "kpi main" : "kpi"}>
      <dt>{href ? <a href={href}>{name}</a> : name}</dt>
      <dd class="amount">{value}</dd>
      <dd class="help">{children}</dd>
    </div>
  );
}
