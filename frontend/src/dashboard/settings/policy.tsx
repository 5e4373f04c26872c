// The cancellation policy, and the very sentence a client reads before paying.

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { language } from "../../core/language";
import { previewPolicy, write } from "../api";
import { RadioField, Submit, TextField } from "../fields";
import { useDraft, useSending, whole } from "../form";
import type { Policy, PolicyInput, Sentences } from "../types";
import { t } from "../words";

type Field = "full_refund_hours" | "late_refund_percent";

interface Typed {
  full_refund_hours: string;
  late_refund_percent: string;
  nature: PolicyInput["nature"];
}

function typedOf(policy: PolicyInput): Typed {
  return {
    full_refund_hours: String(policy.full_refund_hours),
    late_refund_percent: String(policy.late_refund_percent),
    nature: policy.nature,
  };
}

/** Moves are not asked for while no page lets a client make one: what is stored stays. */
function policyOf(typed: Typed, { free_moves }: PolicyInput): PolicyInput | null {
  const hours = whole(typed.full_refund_hours, 0, 8760);
  const percent = whole(typed.late_refund_percent, 0, 100);
  if (hours === null || percent === null) return null;
  return { full_refund_hours: hours, late_refund_percent: percent, free_moves, nature: typed.nature };
}

export function PolicyForm({ stored, saved }: { stored: Policy; saved: (after: Policy) => void }): VNode {
  const { values, set, clear, dirty } = useDraft<Typed>("policy", typedOf(stored));
  const { wrong, saying, busy, form, send, mend } = useSending<Field>();
  const policy = policyOf(values, stored);
  const text = (name: Field) => ({
    name,
    value: values[name],
    error: wrong[name],
    narrow: true,
    inputmode: "numeric" as const,
    set: (value: string) => {
      mend(name);
      set({ [name]: value });
    },
  });
  return (
    <form
      class="fields"
      noValidate
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        void send(
          () => ({
            ...(whole(values.full_refund_hours, 0, 8760) === null && { full_refund_hours: t.policy.hoursWrong }),
            ...(whole(values.late_refund_percent, 0, 100) === null && { late_refund_percent: t.policy.percentWrong }),
          }),
          async () => {
            const after = await write<Policy>("policy", policy);
            clear();
            saved(after);
            return t.saved;
          },
        );
      }}
    >
      <p>{t.policy.lead}</p>
      <fieldset class="templates">
        <legend>{t.policy.templates}</legend>
        {stored.templates.map((template) => (
          <button
            type="button"
            class="button quiet"
            key={template.id}
            aria-pressed={JSON.stringify(typedOf(template.policy)) === JSON.stringify(values)}
            onClick={() => set(typedOf(template.policy))}
          >
            {language === "fr" ? template.name_fr : template.name_en}
          </button>
        ))}
      </fieldset>
      <TextField {...text("full_refund_hours")} label={t.policy.hours} most={4} />
      <TextField {...text("late_refund_percent")} label={t.policy.percent} most={3} />
      <RadioField
        legend={t.policy.nature}
        value={values.nature}
        set={(nature) => set({ nature })}
        options={[
          { value: "acompte", text: t.policy.acompte, help: t.policy.acompteHelp },
          { value: "arrhes", text: t.policy.arrhes, help: t.policy.arrhesHelp },
        ]}
      />
      <Preview policy={policy} stored={stored} />
      <Submit busy={busy} saying={saying} dirty={dirty} />
    </form>
  );
}

/** Asks the server for the sentence, so that it is the one that clients read and the one that cancels by. */
function Preview({ policy, stored }: { policy: PolicyInput | null; stored: Policy }): VNode {
  const [sentences, setSentences] = useState<Sentences>(stored.sentences);
  const wanted = JSON.stringify(policy);
  useEffect(() => {
    if (!policy) return;
    let gone = false;
    const timer = setTimeout(() => {
      previewPolicy(policy)
        .then((found) => gone || setSentences(found))
        .catch(() => null);
    }, 250);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [wanted]);
  return (
    <section class="preview" aria-labelledby="preview-title">
      <h2 id="preview-title">{t.policy.preview}</h2>
      <div role="status">
        <p class="help">{t.policy.inFrench}</p>
        <blockquote lang="fr">{sentences.fr}</blockquote>
        <p class="help">{t.policy.inEnglish}</p>
        <blockquote lang="en">{sentences.en}</blockquote>
      </div>
    </section>
  );
}
