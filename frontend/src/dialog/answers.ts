// What the client typed, what is wrong with it, and the request it becomes.

import type { Artist, BookingRequest, Flash, Slot } from "../core/api";
import { language } from "../core/language";
import { recall, remember } from "../core/memory";
import { t } from "./words";

export type FieldName = "name" | "email" | "phone" | "description" | "body_zone" | "budget";

export type Answers = Partial<Record<FieldName, string>>;

/** What is wrong, by field. */
export type Mistakes = Partial<Record<FieldName, string>>;

export interface Field {
  name: FieldName;
  /** Where the request has it. */
  pointer: string;
  label: string;
  help?: string;
  type?: "email" | "tel";
  autocomplete?: "name" | "email" | "tel";
  inputmode?: "decimal";
  lines?: number;
  optional?: boolean;
  most: number;
  /** What begins with this field. */
  heading?: string;
  /** What to do about an answer that will not do. */
  wrong: string;
  willDo: (text: string) => boolean;
}

export function fields(flash: Flash | null): Field[] {
  const project: Field[] = [
    {
      name: "description",
      pointer: "#/project/description",
      label: t.description,
      help: t.descriptionHelp,
      lines: 4,
      most: 2000,
      wrong: t.descriptionWrong,
      willDo: (text) => text.length >= 10,
    },
    {
      name: "body_zone",
      pointer: "#/project/body_zone",
      label: t.bodyZone,
      help: t.bodyZoneHelp,
      most: 80,
      wrong: t.bodyZoneWrong,
      willDo: (text) => text.length >= 1,
    },
    {
      name: "budget",
      pointer: "#/project/budget",
      label: t.budget,
      help: t.budgetHelp,
      inputmode: "decimal",
      optional: true,
      most: 12,
      wrong: t.budgetWrong,
      willDo: (text) => text === "" || euros(text) > 0,
    },
  ];
  return [
    ...(flash ? [] : project),
    {
      name: "name",
      pointer: "#/client/name",
      label: t.name,
      autocomplete: "name",
      most: 100,
      ...(!flash && { heading: t.detailsTitle }),
      wrong: t.nameWrong,
      willDo: (text) => text.length >= 2,
    },
    {
      name: "email",
      pointer: "#/client/email",
      label: t.email,
      help: t.emailHelp,
      type: "email",
      autocomplete: "email",
      most: 254,
      wrong: t.emailWrong,
      willDo: (text) => /^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/.test(text),
    },
    {
      name: "phone",
      pointer: "#/client/phone",
      label: t.phone,
      help: t.phoneHelp,
      type: "tel",
      autocomplete: "tel",
      most: 40,
      wrong: t.phoneWrong,
      // Six digits of any script. Whose number it is, the server knows.
      willDo: (text) => (text.match(/\p{Nd}/gu)?.length ?? 0) >= 6 && !/\p{L}/u.test(text),
    },
  ];
}

/** What somebody means by an amount they typed. */
export function euros(text: string): number {
  return Number(text.replace(/[\s€]/g, "").replace(",", "."));
}

/** What to do about each field that will not do. The server decides in the end. */
export function mistakes(answers: Answers, flash: Flash | null): Mistakes {
  const found: Mistakes = {};
  for (const { name, willDo, wrong } of fields(flash)) {
    if (!willDo(answers[name]?.trim() ?? "")) found[name] = wrong;
  }
  return found;
}

/** After the first try, a field that is typed into says at once when it is right. */
export function mend(wrong: Mistakes, name: FieldName, answers: Answers, flash: Flash | null): Mistakes {
  const { [name]: before, ...others } = wrong;
  const still = before && mistakes(answers, flash)[name];
  return still ? { ...others, [name]: still } : others;
}

/** The request as it is sent: the same answers always give the same bytes. */
export function requestOf(artist: Artist, flash: Flash | null, answers: Answers, slot: Slot): string {
  const text = (name: FieldName): string => answers[name]?.trim() ?? "";
  const budget = text("budget");
  const request: BookingRequest = {
    artist: artist.slug,
    type: flash ? "flash" : "project",
    ...(flash
      ? { flash_id: flash.id }
      : {
          project: {
            description: text("description"),
            body_zone: text("body_zone"),
            budget: budget === "" ? null : euros(budget),
          },
        }),
    client: { name: text("name"), email: text("email"), phone: text("phone") },
    start: slot.start,
    locale: language,
  };
  return JSON.stringify(request);
}

/** One key for one request: sent again it is the same booking, and any other request has another key. */
export function keyFor(body: string): string {
  const kept = recall<{ body: string; key: string }>("key");
  if (kept?.body === body) return kept.key;
  const key = crypto.randomUUID();
  remember("key", { body, key });
  return key;
}

export function forgetKey(): void {
  remember("key", null);
}
