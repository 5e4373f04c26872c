// The parts of every form as they are drawn: fields with their errors, and the button with what came of it.

import type { ComponentChildren, VNode } from "preact";
import { useId } from "preact/hooks";
import type { Saying } from "./form";
import { Told } from "./parts";
import { t } from "./words";

interface Described {
  label: ComponentChildren;
  help?: ComponentChildren;
  error?: string | undefined;
}

interface TextProps extends Described {
  name: string;
  value: string;
  set: (value: string) => void;
  type?: "text" | "email" | "password" | "search" | "date" | "time";
  lines?: number;
  most?: number;
  /** "unsaid" where a single field makes it plain. */
  optional?: boolean | "unsaid";
  autocomplete?: string;
  inputmode?: "decimal" | "numeric";
  narrow?: boolean;
  spellcheck?: boolean;
}

export function TextField({
  name,
  label,
  help,
  error,
  value,
  set,
  type = "text",
  lines,
  most,
  optional,
  autocomplete,
  inputmode,
  narrow,
  spellcheck,
}: TextProps): VNode {
  const id = useId();
  const described = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ");
  const shared = {
    id,
    value,
    "data-field": name,
    "aria-invalid": Boolean(error),
    ...(most && { maxLength: most }),
    ...(!optional && { "aria-required": true }),
    ...(described && { "aria-describedby": described }),
    ...(spellcheck === false && { spellcheck: false, autocapitalize: "none" as const }),
    onInput: (event: { currentTarget: { value: string } }) => set(event.currentTarget.value),
  };
  return (
    <div class={narrow ? "field narrow" : "field"}>
      <label for={id}>
        {label} {optional === true && <span class="optional">({t.optional})</span>}
      </label>
      {help && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
      {lines ? (
        <textarea rows={lines} {...shared} />
      ) : (
        // The JSX types know each kind of input on its own, not the choice between them.
        <input
          type={type as "text"}
          {...(autocomplete && { autocomplete })}
          {...(inputmode && { inputMode: inputmode })}
          {...shared}
        />
      )}
      {error && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps extends Described {
  name: string;
  value: string;
  set: (value: string) => void;
  options: readonly { value: string; text: string }[];
  narrow?: boolean;
}

export function SelectField({ name, label, help, error, value, set, options, narrow }: ChoiceProps): VNode {
  const id = useId();
  const all = options.some((option) => option.value === value) ? options : [...options, { value, text: value }];
  return (
    <div class={narrow ? "field narrow" : "field"}>
      <label for={id}>{label}</label>
      {help && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
      <select
        id={id}
        data-field={name}
        value={value}
        aria-invalid={Boolean(error)}
        {...(help && { "aria-describedby": `${id}-help` })}
        onChange={(event) => set(event.currentTarget.value)}
      >
        {all.map((option) => (
          <option key={option.value} value={option.value} selected={option.value === value}>
            {option.text}
          </option>
        ))}
      </select>
      {error && <p class="error">{error}</p>}
    </div>
  );
}

interface RadioProps<Value extends string> {
  legend: string;
  value: Value;
  set: (value: Value) => void;
  options: readonly { value: Value; text: string; help: string }[];
}

export function RadioField<Value extends string>({ legend, value, set, options }: RadioProps<Value>): VNode {
  const id = useId();
  return (
    <fieldset class="field choice">
      <legend>{legend}</legend>
      {options.map((option) => (
        <div class="option" key={option.value}>
          <input
            type="radio"
            id={`${id}-${option.value}`}
            name={id}
            value={option.value}
            checked={option.value === value}
            aria-describedby={`${id}-${option.value}-help`}
            onChange={() => set(option.value)}
          />
          <label for={`${id}-${option.value}`}>{option.text}</label>
          <p class="help" id={`${id}-${option.value}-help`}>
            {option.help}
          </p>
        </div>
      ))}
    </fieldset>
  );
}

export function CheckField({
  label,
  help,
  checked,
  set,
}: {
  label: string;
  help?: string;
  checked: boolean;
  set: (checked: boolean) => void;
}): VNode {
  const id = useId();
  return (
    <div class="field choice">
      <div class="option">
        <input
          type="checkbox"
          id={id}
          checked={checked}
          {...(help && { "aria-describedby": `${id}-help` })}
          onChange={(event) => set(event.currentTarget.checked)}
        />
        <label for={id}>{label}</label>
        {help && (
          <p class="help" id={`${id}-help`}>
            {help}
          </p>
        )}
      </div>
    </div>
  );
}

/** What came of an action; heard at once. */
export function Said({ saying }: { saying: Saying | null }): VNode {
  return (
    <div class="said" role={saying && !saying.good ? "alert" : "status"}>
      {saying && (
        <p class={saying.good ? "done" : "alert"}>
          <Told text={saying.text} />
        </p>
      )}
    </div>
  );
}

/** The last line of a form: what came of it, and the button. */
export function Submit({
  busy,
  saying,
  text,
  dirty,
  children,
}: {
  busy: boolean;
  saying: Saying | null;
  text?: string;
  dirty?: boolean;
  children?: ComponentChildren;
}): VNode {
  return (
    <div class="submit">
      <Said saying={saying} />
      <div class="actions">
        <button type="submit" class="button" aria-disabled={busy}>
          {busy ? t.saving : (text ?? t.save)}
        </button>
        {children}
        {dirty && !busy && !saying && <p class="help">{t.settings.unsaved}</p>}
      </div>
    </div>
  );
}
