// Dates, hours and money as people write them. Days are civil days of the studio's zone, never the visitor's.

import { language } from "./language";

export const region = language === "fr" ? "fr-FR" : "en-GB";

/** An amount of cents; no decimals when there are none. */
export function money(cents: number): string {
  const digits = cents % 100 === 0 ? 0 : 2;
  return new Intl.NumberFormat(region, {
    style: "currency",
    currency: "EUR",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(cents / 100);
}

/**
 * Times of a studio come from the API as its clock shows them, "2026-12-01T10:00:00-07:00", and are printed as they stand:
 * which offset a zone has is a matter of tables, and those of browsers are often years old.
 */
export function civilDate(time: string): string {
  return time.slice(0, 10);
}

export function noon(date: string): Date {
  return new Date(`${date}T12:00:00Z`);
}

/** French counts the first of a month as an ordinal, and Intl does not. */
export function written(parts: readonly Intl.DateTimeFormatPart[]): string {
  return parts
    .map(({ type, value }) => (language === "fr" && type === "day" && value === "1" ? "1er" : value))
    .join("");
}

/** Parts of a civil date, in words. */
export function dateWords(date: string, options: Intl.DateTimeFormatOptions): string {
  const parts = new Intl.DateTimeFormat(region, { timeZone: "UTC", ...options }).formatToParts(noon(date));
  return options.month === "long" ? written(parts) : parts.map(({ value }) => value).join("");
}

/** The year, for a date that could be taken for one of another: next year's, and one that is almost a year away. */
export function yearOf(date: string): Intl.DateTimeFormatOptions {
  const isNear = noon(date).getTime() - Date.now() < 300 * 86_400_000;
  return isNear && date.startsWith(String(new Date().getFullYear())) ? {} : { year: "numeric" };
}

/** "mardi 24 novembre"; "mardi 12 janvier 2027" in another year. */
export function longDay(date: string): string {
  return dateWords(date, { weekday: "long", day: "numeric", month: "long", ...yearOf(date) });
}

/** "mar. 24 nov.". */
export function shortDay(date: string): string {
  return dateWords(date, { weekday: "short", day: "numeric", month: "short", ...yearOf(date) });
}

/** The civil date some days later. */
export function addDays(date: string, days: number): string {
  const at = noon(date);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

/** "14 h 30" in French, "14:30" in English; an hour that comes twice that night with which of the two it is. */
export function clock(time: string, turn?: string | null): string {
  const words = clockWords(time.slice(11, 13), time.slice(14, 16));
  return turn ? `${words} ${TURNS[turn] ?? turn}` : words;
}

/** What is said of an hour that a clock shows twice; any other turn is a distance from UTC. */
const TURNS: Record<string, string> =
  language === "fr"
    ? { summer: "heure d’été", winter: "heure d’hiver" }
    : { summer: "summer time", winter: "winter time" };

/** When something takes place, on the studio's clock. */
interface Appointment {
  start: string;
  end: string;
  start_turn?: string | null;
  end_turn?: string | null;
}

/** "14 h 30" and "16 h 00": from when to when. */
export function hours({ start, end, start_turn: first, end_turn: second }: Appointment): [from: string, to: string] {
  return [clock(start, first), clock(end, second)];
}

/** Hour and minute in words, both of two digits. */
export function clockWords(hour: string, minute: string): string {
  return language === "fr" ? `${Number(hour)}\u00a0h\u00a0${minute}` : `${hour}:${minute}`;
}

/** "2 h 30"; "45 min". */
export function span(minutes: number): string {
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours === 0) return `${rest}\u00a0min`;
  if (rest === 0) return `${hours}\u00a0h`;
  const padded = String(rest).padStart(2, "0");
  return language === "fr" ? `${hours}\u00a0h\u00a0${padded}` : `${hours}\u00a0h\u00a0${padded}\u00a0min`;
}

/** Whether the reader's own clock shows another hour than the studio's. */
export function isElsewhere(time: string): boolean {
  return !new Date(time).toTimeString().startsWith(time.slice(11, 16));
}

/** Until when: "14 h 30", and whose clock says so where the reader's own says otherwise. */
export function deadline(time: string, whose: Parameters<typeof whoseClock>[0]): string {
  return isElsewhere(time) ? `${clock(time)}, ${whoseClock(whose)}` : clock(time);
}

/** Whose clock it is: "heure de Paris". */
export function whoseClock({ timezone_fr: fr, timezone_en: en }: { timezone_fr: string; timezone_en: string }): string {
  return language === "fr" ? fr : en;
}
