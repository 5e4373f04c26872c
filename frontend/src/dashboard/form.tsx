// The parts of every form: fields with their errors, what is typed and not saved, and the button that saves it.

import type { ComponentChildren, VNode } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Problem } from "../core/api";
import { recall, remember } from "../core/memory";
import { Told } from "./parts";
import { sentence } from "./problems";
import { t } from "./words";

export type Wrong<Name extends string> = Partial<Record<Name, string>>;

let owner = "";

/** Whose drafts this tab keeps. */
export function draftsOf(user: string): void {
  owner = user;
}

/** What is typed over what is stored, field by field. It survives a reload; saving ends it. */
export function useDraft<T extends object>(
  key: string,
  stored: T,
): { values: T; set: (change: Partial<T>) => void; clear: () => void; dirty: boolean } {
  const place = `draft:${owner}:${key}`;
  const [draft, setDraft] = useState<Partial<T>>(() => recall<Partial<T>>(place) ?? {});
  const same = JSON.stringify({ ...stored, ...draft }) === JSON.stringify(stored);
  return {
    values: { ...stored, ...draft },
    set: (change) =>
      setDraft((before) => {
        const next = { ...before, ...change };
        remember(place, next);
        return next;
      }),
    clear: () => {
      remember(place, null);
      setDraft({});
    },
    dirty: !same,
  };
}

export interface Saying {
  good: boolean;
  text: string;
}

interface FieldError {
  pointer: string;
  detail: string;
  suggestions?: string[];
}

interface Sending<Name extends string> {
  wrong: Wrong<Name>;
  /** What would do in place of what was refused. */
  suggestions: readonly string[];
  saying: Saying | null;
  busy: boolean;
  form: { current: HTMLFormElement | null };
  /** Checks, then sends; gives what to say afterwards. */
  send: (check: () => Wrong<Name>, action: () => Promise<string>) => Promise<void>;
  say: (saying: Saying | null) => void;
  /** A field that was wrong is looked at anew while it is corrected. */
  mend: (name: Name) => void;
}

/** `pointers` says which field a pointer of the API means, where it is not the field's own name. */
export function useSending<Name extends string>(pointers: Record<string, Name> = {}): Sending<Name> {
  const [wrong, setWrong] = useState<Wrong<Name>>({});
  const [saying, say] = useState<Saying | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement | null>(null);
  const [focus, setFocus] = useState(0);
  const [suggestions, setSuggestions] = useState<readonly string[]>([]);

  useEffect(() => {
    if (focus > 0) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [focus]);

  const refuse = (mistakes: Wrong<Name>, text: string): void => {
    setWrong(mistakes);
    say({ good: false, text });
    setFocus((n) => n + 1);
  };

  return {
    wrong,
    suggestions,
    saying,
    busy,
    form,
    say,
    mend: (name) => {
      say(null);
      setSuggestions([]);
      setWrong((before) => {
        if (!(name in before)) return before;
        const { [name]: _, ...rest } = before;
        return rest as Wrong<Name>;
      });
    },
    send: async (check, action) => {
      if (busy) return;
      const mistakes = check();
      if (Object.keys(mistakes).length > 0) return refuse(mistakes, t.problem.invalid);
      setBusy(true);
      setWrong({});
      say(null);
      try {
        say({ good: true, text: await action() });
      } catch (problem) {
        const found: Wrong<Name> = {};
        const rest: string[] = [];
        const errors: readonly FieldError[] = problem instanceof Problem ? problem.errors : [];
        setSuggestions(errors.flatMap((error) => error.suggestions ?? []));
        for (const { pointer, detail } of errors) {
          const name = pointers[pointer] ?? (pointer.split("/")[1] as Name | undefined);
          if (name && form.current?.querySelector(`[data-field="${CSS.escape(name)}"]`))
            found[name] = detail || t.problem.wrong;
          else if (detail) rest.push(detail);
        }
        refuse(found, [sentence(problem), ...rest].join(" "));
      } finally {
        setBusy(false);
      }
    },
  };
}

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

/** Euros as somebody writes them, in cents; null when it is no amount. */
export function cents(text: string): number | null {
  const plain = text.replace(/[\s€]/g, "").replace(",", ".");
  return /^\d{1,6}(\.\d{1,2})?$/.test(plain) ? Math.round(Number(plain) * 100) : null;
}

/** Cents as somebody would write them into a field. */
export function euros(amount: number, decimal: string): string {
  return amount % 100 === 0 ? String(amount / 100) : (amount / 100).toFixed(2).replace(".", decimal);
}

export function whole(text: string, least: number, most: number): number | null {
  if (!/^\d{1,6}$/.test(text.trim())) return null;
  const number = Number(text);
  return number >= least && number <= most ? number : null;
}
