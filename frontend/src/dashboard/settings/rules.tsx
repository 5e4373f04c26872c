// What holds a slot, how long before it can be booked, and how the day is cut.

import type { VNode } from "preact";
import { money } from "../../core/format";
import { language } from "../../core/language";
import { write } from "../api";
import { SelectField, Submit, TextField } from "../fields";
import { cents, euros, useDraft, useSending, whole } from "../form";
import type { Rules } from "../types";
import { lengthOf } from "../when";
import { t } from "../words";

type Field = "deposit_percent" | "deposit_minimum_cents" | "project_deposit_cents";

const DECIMAL = language === "fr" ? "," : ".";
const EXAMPLE = 200_00;

export function RulesForm({ stored, saved }: { stored: Rules; saved: (after: Rules) => void }): VNode {
  const typed = {
    deposit_percent: String(stored.deposit_percent),
    deposit_minimum_cents: euros(stored.deposit_minimum_cents, DECIMAL),
    project_deposit_cents: euros(stored.project_deposit_cents, DECIMAL),
    project_duration_minutes: String(stored.project_duration_minutes),
    minimum_notice_minutes: String(stored.minimum_notice_minutes),
    buffer_minutes: String(stored.buffer_minutes),
    slot_step_minutes: String(stored.slot_step_minutes),
    horizon_days: String(stored.horizon_days),
  };
  const { values, set, clear, dirty } = useDraft("rules", typed);
  const { wrong, saying, busy, form, send, mend } = useSending<Field>();
  const percent = whole(values.deposit_percent, 0, 100);
  const minimum = cents(values.deposit_minimum_cents);
  const project = cents(values.project_deposit_cents);
  const text = (name: Field) => ({
    name,
    value: values[name],
    error: wrong[name],
    narrow: true,
    set: (value: string) => {
      mend(name);
      set({ [name]: value });
    },
  });
  const lengths = (minutes: readonly number[]) =>
    minutes.map((each) => ({ value: String(each), text: lengthOf(each) }));
  return (
    <form
      class="fields"
      noValidate
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        void send(
          () => ({
            ...(percent === null && { deposit_percent: t.rules.percentWrong }),
            ...((minimum === null || minimum < 50) && { deposit_minimum_cents: t.rules.amountWrong }),
            ...((project === null || project < 50) && { project_deposit_cents: t.rules.amountWrong }),
          }),
          async () => {
            const after = await write<Rules>("rules", {
              deposit_percent: percent,
              deposit_minimum_cents: minimum,
              project_deposit_cents: project,
              project_duration_minutes: Number(values.project_duration_minutes),
              minimum_notice_minutes: Number(values.minimum_notice_minutes),
              buffer_minutes: Number(values.buffer_minutes),
              slot_step_minutes: Number(values.slot_step_minutes),
              horizon_days: Number(values.horizon_days),
            });
            clear();
            saved(after);
            return t.saved;
          },
        );
      }}
    >
      <TextField {...text("deposit_percent")} label={t.rules.percent} inputmode="numeric" most={3} />
      <TextField {...text("deposit_minimum_cents")} label={t.rules.minimum} inputmode="decimal" most={9} />
      {percent !== null && minimum !== null && (
        <p class="help">
          {t.rules.example(
            money(EXAMPLE),
            money(Math.min(EXAMPLE, Math.max(minimum, Math.round((EXAMPLE * percent) / 100)))),
          )}
        </p>
      )}
      <TextField {...text("project_deposit_cents")} label={t.rules.project} inputmode="decimal" most={9} />
      <SelectField
        narrow
        name="project_duration_minutes"
        label={t.rules.duration}
        value={values.project_duration_minutes}
        set={(project_duration_minutes) => set({ project_duration_minutes })}
        options={lengths([30, 60, 90, 120, 150, 180, 240, 300, 360, 420, 480])}
      />
      <SelectField
        narrow
        name="minimum_notice_minutes"
        label={t.rules.notice}
        help={t.rules.noticeHelp}
        value={values.minimum_notice_minutes}
        set={(minimum_notice_minutes) => set({ minimum_notice_minutes })}
        options={[0, 60, 180, 360, 720, 1440, 2880, 4320, 7200, 10080, 20160].map((each) => ({
          value: String(each),
          text: each === 0 ? t.rules.anyTime : t.rules.before(lengthOf(each)),
        }))}
      />
      <SelectField
        narrow
        name="horizon_days"
        label={t.rules.horizon}
        help={t.rules.horizonHelp}
        value={values.horizon_days}
        set={(horizon_days) => set({ horizon_days })}
        options={[14, 30, 60, 90, 180, 365, 730].map((each) => ({ value: String(each), text: t.rules.ahead(each) }))}
      />
      <SelectField
        narrow
        name="buffer_minutes"
        label={t.rules.buffer}
        value={values.buffer_minutes}
        set={(buffer_minutes) => set({ buffer_minutes })}
        options={[0, 10, 15, 20, 30, 45, 60, 90, 120].map((each) => ({
          value: String(each),
          text: each === 0 ? t.rules.none : lengthOf(each),
        }))}
      />
      <SelectField
        narrow
        name="slot_step_minutes"
        label={t.rules.step}
        value={values.slot_step_minutes}
        set={(slot_step_minutes) => set({ slot_step_minutes })}
        options={lengths([10, 15, 20, 30, 60, 90, 120])}
      />
      <Submit busy={busy} saying={saying} dirty={dirty} />
    </form>
  );
}
