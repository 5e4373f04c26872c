// Times without appointments: whole days in most cases, hours when it must be.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { addDays, civilDate, clock, dateWords } from "../../core/format";
import { addTimeOff, removeTimeOff } from "../api";
import { CheckField, Said, Submit, TextField } from "../fields";
import { type Saying, useDraft, useSending } from "../form";
import { bookingAddress } from "../place";
import { sentence } from "../problems";
import type { TimeOff } from "../types";
import { t } from "../words";

interface Input {
  from: string;
  until: string;
  partial: boolean;
  fromHour: string;
  untilHour: string;
  note: string;
}

const EMPTY: Input = { from: "", until: "", partial: false, fromHour: "14:00", untilHour: "18:00", note: "" };

/** "mardi 24 novembre", "Du 24 au 28 décembre", or with the hours when days are not whole. */
export function daysOff({ starts_at: starts, ends_at: ends }: TimeOff): string {
  const day = (date: string): string =>
    dateWords(date, { weekday: "short", day: "numeric", month: "long", year: "numeric" });
  const from = civilDate(starts);
  const whole = [starts, ends].every((end) => end.slice(11, 16) === "00:00");
  if (whole) return t.off.allDay(day(from), day(addDays(civilDate(ends), -1)));
  if (from === civilDate(ends)) return t.off.sameDay(day(from), clock(starts), clock(ends));
  return t.off.hours(day(from), clock(starts), day(civilDate(ends)), clock(ends));
}

export function TimeOffList({
  stored,
  zone,
  refresh,
}: {
  stored: readonly TimeOff[];
  zone: string;
  refresh: () => Promise<void>;
}): VNode {
  const draft = useDraft<Input>("time-off", EMPTY);
  const { values, set } = draft;
  const { wrong, saying, busy, form, send, mend } = useSending<"from" | "until">({
    "#/starts_at": "from",
    "#/ends_at": "until",
  });
  const [conflicts, setConflicts] = useState<string[]>([]);
  const [said, say] = useState<Saying | null>(null);

  /** As the studio's clock shows them: the API knows which instants these are. */
  const ends = (): { starts_at: string; ends_at: string } => ({
    starts_at: `${values.from}T${(values.partial && values.fromHour) || "00:00"}`,
    ends_at: values.partial
      ? `${values.until || values.from}T${values.untilHour || "00:00"}`
      : `${addDays(values.until || values.from, 1)}T00:00`,
  });

  const check = (): Partial<Record<"from" | "until", string>> => {
    if (!/^\d{4}-\d\d-\d\d$/.test(values.from)) return { from: t.off.wrongDay };
    if (values.until && !/^\d{4}-\d\d-\d\d$/.test(values.until)) return { until: t.off.wrongDay };
    const { starts_at, ends_at } = ends();
    return ends_at <= starts_at ? { until: t.off.wrongOrder } : {};
  };

  const remove = async (id: string): Promise<void> => {
    say(null);
    try {
      await removeTimeOff(id);
      await refresh();
      say({ good: true, text: t.off.removed });
    } catch (problem) {
      say({ good: false, text: sentence(problem) });
    }
  };

  const sorted = [...stored].sort((a, b) => Date.parse(a.starts_at) - Date.parse(b.starts_at));
  return (
    <>
      {sorted.length === 0 ? (
        <p class="calm">
          <strong>{t.off.empty}</strong> {t.off.emptyText}
        </p>
      ) : (
        <ul class="lines">
          {sorted.map((off) => (
            <li key={off.id}>
              <span>
                {daysOff(off)}
                {off.note && <small>{off.note}</small>}
              </span>
              <button
                type="button"
                class="link"
                aria-label={t.off.removeOf(daysOff(off))}
                onClick={() => void remove(off.id)}
              >
                {t.remove}
              </button>
            </li>
          ))}
        </ul>
      )}
      <Said saying={said} />
      <form
        class="fields boxed"
        noValidate
        ref={form}
        onSubmit={(event) => {
          event.preventDefault();
          void send(check, async () => {
            const made = await addTimeOff({ ...ends(), timezone: zone, note: values.note.trim() });
            draft.clear();
            setConflicts(made.conflicts);
            await refresh();
            return t.off.added;
          });
        }}
      >
        <div class="pair">
          <TextField
            name="from"
            type="date"
            label={t.off.from}
            value={values.from}
            error={wrong.from}
            set={(from) => {
              mend("from");
              set({ from, ...(values.until < from && { until: from }) });
            }}
          />
          <TextField
            name="until"
            type="date"
            label={t.off.until}
            value={values.until}
            error={wrong.until}
            set={(until) => {
              mend("until");
              set({ until });
            }}
          />
        </div>
        <CheckField label={t.off.partial} checked={values.partial} set={(partial) => set({ partial })} />
        {values.partial && (
          <div class="pair">
            <TextField
              name="fromHour"
              type="time"
              label={t.off.fromHour}
              value={values.fromHour}
              set={(fromHour) => set({ fromHour })}
            />
            <TextField
              name="untilHour"
              type="time"
              label={t.off.untilHour}
              value={values.untilHour}
              set={(untilHour) => set({ untilHour })}
            />
          </div>
        )}
        <TextField
          name="note"
          label={t.off.note}
          help={t.off.noteHelp}
          optional
          most={200}
          value={values.note}
          set={(note) => set({ note })}
        />
        <Submit busy={busy} saying={saying} text={t.off.add} />
        {conflicts.length > 0 && (
          <div class="alert" role="alert">
            <p>{t.off.conflicts(conflicts.length)}</p>
            {conflicts.map((id, n) => (
              <a class="link" key={id} href={bookingAddress(id)}>
                {t.off.seeConflict(n + 1)}
              </a>
            ))}
          </div>
        )}
      </form>
    </>
  );
}
