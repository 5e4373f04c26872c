// What every form keeps and sends: what is typed over what is stored, where a refusal belongs, and amounts as people write them.

import { useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "../core/api";
import { recall, remember } from "../core/memory";
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

/** Euros as somebody writes them, in cents; null when it is no amount. */
export function cents(text: string): number | null {
  const [, whole, part = ""] = /^(\d{1,6})(?:[.,](\d{1,2}))?$/.exec(text.replace(/[\s€]/g, "")) ?? [];
  return whole === undefined ? null : Number(whole + part.padEnd(2, "0"));
}

/** Cents as somebody would write them into a field. */
export function euros(amount: number, decimal: string): string {
  const digits = String(amount).padStart(3, "0");
  return amount % 100 === 0 ? digits.slice(0, -2) : digits.slice(0, -2) + decimal + digits.slice(-2);
}

export function whole(text: string, least: number, most: number): number | null {
  if (!/^\d{1,6}$/.test(text.trim())) return null;
  const number = Number(text);
  return number >= least && number <= most ? number : null;
}
