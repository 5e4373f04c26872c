// Opening hours, weekday by weekday: as many ranges as a day has, and a day may end at 24:00.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { span } from "../../core/format";
import { write } from "../api";
import { Submit } from "../fields";
import { useDraft, useSending } from "../form";
import type { Opening } from "../types";
import { t } from "../words";

interface Range {
  opens: string;
  closes: string;
}

type Week = Record<string, Range[]>;

const DAYS = [1, 2, 3, 4, 5, 6, 7] as const;
const USUAL: Range = { opens: "10:00", closes: "19:00" };

/** Tuesday to Saturday: what most studios begin with. */
export const FIRST_WEEK: readonly Opening[] = [2, 3, 4, 5, 6].map((weekday) => ({ weekday, ...USUAL }));

function weekOf(hours: readonly Opening[]): Week {
  return Object.fromEntries(
    DAYS.map((day) => [
      day,
      hours
        .filter(({ weekday }) => weekday === day)
        .map(({ opens, closes }) => ({ opens, closes }))
        .sort((a, b) => a.opens.localeCompare(b.opens)),
    ]),
  );
}

function minutes(time: string): number {
  const [hours = 0, rest = 0] = time.split(":").map(Number);
  return hours * 60 + rest;
}

function timeAt(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

/** Each quarter of an hour of a day, and 24:00 for closing. */
function times(closing: boolean): string[] {
  return Array.from({ length: 96 + Number(closing) }, (_, quarter) => timeAt(quarter * 15)).slice(closing ? 1 : 0);
}

/** What is wrong with a day, if anything. */
function mistake(ranges: readonly Range[]): string | null {
  if (ranges.some(({ opens, closes }) => minutes(closes) <= minutes(opens))) return t.hours.wrongOrder;
  const sorted = [...ranges].sort((a, b) => minutes(a.opens) - minutes(b.opens));
  if (sorted.some((range, n) => n > 0 && minutes(range.opens) < minutes(sorted[n - 1]?.closes ?? "00:00")))
    return t.hours.overlap;
  return null;
}

interface Props {
  stored: readonly Opening[];
  /** Whose clock the hours are on. */
  clock: string;
  text?: string;
  /** Stored hours that are only a proposal are always worth sending. */
  saved: (after: { hours: Opening[] }) => void;
}

export function HoursForm({ stored, clock, text, saved }: Props): VNode {
  const { values: week, set, clear, dirty } = useDraft<Week>("hours", weekOf(stored));
  const { wrong, saying, busy, form, send, mend } = useSending<string>();
  const [moved, setMoved] = useState("");
  const change = (day: number, ranges: Range[]): void => {
    mend(String(day));
    mend("hours");
    setMoved("");
    set({ [day]: ranges });
  };
  const total = DAYS.reduce(
    (sum, day) =>
      sum +
      (week[day] ?? []).reduce((all, { opens, closes }) => all + Math.max(0, minutes(closes) - minutes(opens)), 0),
    0,
  );

  const check = (): Record<string, string> => {
    const found: Record<string, string> = {};
    for (const day of DAYS) {
      const text = mistake(week[day] ?? []);
      if (text) found[day] = text;
    }
    if (total === 0 && Object.keys(found).length === 0) found["hours"] = t.hours.none;
    return found;
  };

  return (
    <form
      class="fields hours-form"
      noValidate
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        void send(check, async () => {
          const hours = DAYS.flatMap((weekday) => (week[weekday] ?? []).map((range) => ({ weekday, ...range })));
          const after = await write<{ hours: Opening[] }>("hours", { hours });
          clear();
          saved(after);
          return t.saved;
        });
      }}
    >
      <p class="help">
        {t.hours.zone(clock)} {total > 0 && t.hours.total(span(total))}
      </p>
      {DAYS.map((day) => {
        const ranges = week[day] ?? [];
        const name = t.hours.days[day - 1] ?? "";
        const error = wrong[day];
        return (
          <div
            role="group"
            aria-labelledby={`weekday-${day}`}
            class={ranges.length > 0 ? "weekday" : "weekday closed"}
            key={day}
            data-field={day}
          >
            <p class="name" id={`weekday-${day}`}>
              {name}
            </p>
            <div class="ranges">
              {ranges.length === 0 && <p class="help">{t.hours.closed}</p>}
              {ranges.map((range, n) => {
                const put = (part: Partial<Range>): void =>
                  change(
                    day,
                    ranges.map((each, at) => (at === n ? { ...each, ...part } : each)),
                  );
                return (
                  <div class="range" key={n}>
                    <Time
                      label={t.hours.fromOf(name, n + 1)}
                      value={range.opens}
                      options={times(false)}
                      invalid={Boolean(error)}
                      set={(opens) => put({ opens })}
                    />
                    <span aria-hidden="true">{t.hours.until}</span>
                    <Time
                      label={t.hours.untilOf(name, n + 1)}
                      value={range.closes}
                      options={times(true)}
                      invalid={Boolean(error)}
                      set={(closes) => put({ closes })}
                    />
                    <button
                      type="button"
                      class="close"
                      aria-label={t.hours.removeOf(name, n + 1)}
                      onClick={() =>
                        change(
                          day,
                          ranges.filter((_, at) => at !== n),
                        )
                      }
                    >
                      ×
                    </button>
                  </div>
                );
              })}
              {error && <p class="error">{error}</p>}
            </div>
            <div class="range-deeds">
              <button
                type="button"
                class="link"
                aria-label={ranges.length > 0 ? t.hours.addOf(name) : t.hours.openOf(name)}
                onClick={() => change(day, [...ranges, following(ranges)])}
              >
                {ranges.length > 0 ? t.hours.add : t.hours.open}
              </button>
            </div>
          </div>
        );
      })}
      <p class="only-heard" role="status">
        {moved}
      </p>
      {wrong["hours"] && <p class="error">{wrong["hours"]}</p>}
      <Submit busy={busy} saying={saying} dirty={dirty} {...(text && { text })} />
    </form>
  );
}

/** The next range of a day: after the last one, with an hour between, or the usual one. */
function following(ranges: readonly Range[]): Range {
  const last = Math.max(...ranges.map(({ closes }) => minutes(closes)), 0);
  if (last === 0) return USUAL;
  const opens = Math.min(last + 60, 1380);
  return { opens: timeAt(opens), closes: timeAt(Math.min(opens + 180, 1440)) };
}

function Time({
  label,
  value,
  options,
  invalid,
  set,
}: {
  label: string;
  value: string;
  options: string[];
  invalid: boolean;
  set: (value: string) => void;
}): VNode {
  const all = options.includes(value) ? options : [...options, value].sort();
  return (
    <select
      aria-label={label}
      aria-invalid={invalid}
      value={value}
      onChange={(event) => set(event.currentTarget.value)}
    >
      {all.map((time) => (
        <option key={time} value={time} selected={time === value}>
          {time}
        </option>
      ))}
    </select>
  );
}
