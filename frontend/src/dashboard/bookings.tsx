// The list of bookings: filtered and searched by the address, read page by page, acted upon in place.

import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "../core/api";
import { secondsToUndo } from "./actions";
import { type Query, readBookings, tableOf } from "./api";
import { useLive } from "./live";
import { CopyLink, Heading, Waiting } from "./parts";
import { VIEWS, bookingsAddress } from "./place";
import { sentence } from "./problems";
import { BookingRow } from "./row";
import type { Detail, Shown } from "./types";
import { t } from "./words";

const PAGE = 20;

interface Rows {
  rows: Shown[];
  next: string | null;
}

/** Reads again as many rows as are shown, so that a refresh takes nothing away. */
async function read(query: Query, least: number): Promise<Rows> {
  const rows: Shown[] = [];
  let next: string | null = null;
  do {
    const page = await readBookings(query, next, Math.max(PAGE, Math.min(100, least - rows.length)));
    rows.push(...page.bookings);
    next = page.next_cursor;
  } while (next !== null && rows.length < least);
  return { rows, next };
}

export function Bookings({ query, page }: { query: Query; page: string }): VNode {
  const shown = useRef(0);
  const [open, setOpen] = useState(false);
  const key = bookingsAddress(query);
  const { data, problem, refresh, take } = useLive<Rows>(key, () => read(query, shown.current), { still: open });
  const [more, setMore] = useState<{ busy: boolean; trouble: string }>({ busy: false, trouble: "" });
  shown.current = data?.rows.length ?? 0;

  const changed = (after: Detail): void => {
    if (!data) return;
    const rows = data.rows.map((row) => (row.id === after.id ? after : row));
    take({ ...data, rows });
    // While a confirmation can be taken back its row stays where it is.
    setOpen(rows.some((row) => secondsToUndo(row) > 0));
  };

  const showMore = async (): Promise<void> => {
    if (!data?.next || more.busy) return;
    setMore({ busy: true, trouble: "" });
    try {
      const page = await readBookings(query, data.next, PAGE);
      const known = new Set(data.rows.map((row) => row.id));
      take({ rows: [...data.rows, ...page.bookings.filter((row) => !known.has(row.id))], next: page.next_cursor });
      setMore({ busy: false, trouble: "" });
    } catch (failure) {
      setMore({ busy: false, trouble: sentence(failure instanceof Problem ? failure : null) });
    }
  };

  return (
    <>
      <Heading tab={t.list.title}>{t.list.title}</Heading>
      <div class="sieve">
        <nav class="tabs" aria-label={t.list.filters}>
          {VIEWS.map((view) => (
            <a
              key={view}
              href={bookingsAddress({ ...query, view })}
              {...(view === query.view && { "aria-current": "true" as const })}
            >
              {t.list[view]}
            </a>
          ))}
        </nav>
        <Search query={query} />
      </div>
      {!data ? (
        <Waiting problem={problem} again={refresh} lines={5} />
      ) : data.rows.length === 0 ? (
        <Nothing query={query} page={page} />
      ) : (
        <>
          <p class="only-heard" role="status">
            {t.list.found(data.rows.length, data.next !== null)}
          </p>
          <h2 class="only-heard">{t.list[query.view]}</h2>
          <ul class="rows">
            {data.rows.map((booking) => (
              <BookingRow key={booking.id} booking={booking} changed={changed} />
            ))}
          </ul>
          {more.trouble && (
            <p class="alert" role="alert">
              {more.trouble}
            </p>
          )}
          {data.next !== null && (
            <p class="more">
              <button type="button" class="button quiet" aria-disabled={more.busy} onClick={() => void showMore()}>
                {more.busy ? t.moment : t.list.showMore}
              </button>
            </p>
          )}
          <p>
            <a class="link" href={tableOf(query)} download>
              {t.list.csv}
            </a>
          </p>
        </>
      )}
    </>
  );
}

function Search({ query }: { query: Query }): VNode {
  const [text, setText] = useState(query.q);
  const sent = useRef(query.q);
  const look = (how: (address: string) => void): void => {
    sent.current = text.trim();
    if (sent.current !== query.q) how(bookingsAddress({ ...query, q: sent.current }));
  };
  useEffect(() => {
    // The address changed by itself: Back, or a link.
    if (query.q !== sent.current) setText((sent.current = query.q));
  }, [query.q]);
  useEffect(() => {
    if (text.trim() === sent.current) return;
    // A pause in the typing is a search; the address takes it without a new entry in the history.
    const timer = setTimeout(() => look((address) => location.replace(address)), 500);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        look((address) => location.assign(address));
      }}
    >
      <label class="only-heard" for="search">
        {t.list.search}
      </label>
      <input
        id="search"
        type="search"
        value={text}
        placeholder={t.list.searchButton}
        autocomplete="off"
        enterkeyhint="search"
        maxLength={100}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="button quiet">
        {t.list.searchButton}
      </button>
    </form>
  );
}

function Nothing({ query, page }: { query: Query; page: string }): VNode {
  if (query.q) {
    return (
      <div class="nothing">
        <p class="lead" role="status">
          {t.list.noneFound(query.q)}
        </p>
        <a class="button quiet" href={bookingsAddress({ ...query, q: "" })}>
          {t.list.clear}
        </a>
      </div>
    );
  }
  const words = {
    all: t.list.noneAll,
    todo: t.list.noneTodo,
    upcoming: t.list.noneUpcoming,
    past: t.list.nonePast,
    cancelled: t.list.noneCancelled,
  };
  return (
    <div class="nothing">
      <p class="lead">{words[query.view]}</p>
      {query.view === "all" && (
        <>
          <p>{t.list.noneAllText}</p>
          <CopyLink address={page} label={t.overview.link} />
        </>
      )}
    </div>
  );
}
