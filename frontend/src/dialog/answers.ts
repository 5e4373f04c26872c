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
}

export function fields(flash: Flash | null): Field[] {
  const project: Field[] = [
    { name: "description", pointer: "#/project/description", label: t.description, help: t.descriptionHelp, lines: 4, most: 2000 },
    { name: "body_zone", pointer: "#/project/body_zone", label: t.bodyZone, help: t.bodyZoneHelp, most: 80 },
    { name: "budget", pointer: "#/project/budget", label: t.budget, help: t.budgetHelp, inputmode: "decimal", optional: true, most: 12 },
  ];
  return [
    ...(flash ? [] : project),
    { name: "name", pointer: "#/client/name", label: t.name, autocomplete: "name", most: 100, ...(!flash && { heading: t.detailsTitle }) },
    { name: "email", pointer: "#/client/email", label: t.email, help: t.emailHelp, type: "email", autocomplete: "email", most: 254 },
    { name: "phone", pointer: "#/client/phone", label: t.phone, help: t.phoneHelp, type: "tel", autocomplete: "tel", most: 40 },
  ];
}

/** What somebody means by an amount they typed. */
export function euros(text: string): number {
  return Number(text.replace(/[\s€]/g, "").replace(",", "."));
}

/** Six digits of any script. Whose number it is, the server knows. */
function isPhone(text: string): boolean {
  return (text.match(/\p{Nd}/gu)?.length ?? 0) >= 6 && !/\p{L}/u.test(text);
}

const CHECKS: Record<FieldName, (text: string) => boolean> = {
  name: (text) => text.length >= 2,
  email: (text) => /^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/.test(text),
  phone: isPhone,
  description: (text) => text.length >= 10,
  body_zone: (text) => text.length >= 1,
  budget: (text) => text === "" || euros(text) > 0,
};

/** What to do about each field that will not do. The server decides in the end. */
export function mistakes(answers: Answers, flash: Flash | null): Mistakes {
  const words: Record<FieldName, string> = {
    name: t.nameWrong,
    email: t.emailWrong,
    phone: t.phoneWrong,
    description: t.descriptionWrong,
    body_zone: t.bodyZoneWrong,
    budget: t.budgetWrong,
  };
  const found: Mistakes = {};
  for (const { name } of fields(flash)) {
    if (!CHECKS[name](answers[name]?.trim() ?? "")) found[name] = words[name];
  }
  return found;
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
      : { project: { description: text("description"), body_zone: text("body_zone"), budget: budget === "" ? null : euros(budget) } }),
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
