// Dates, hours and money as people write them. Days are civil days of the studio's zone, never the visitor's.

import { language } from "./language";

const region = language === "fr" ? "fr-FR" : "en-GB";

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

/** The civil date of an instant in a zone, as YYYY-MM-DD. */
export function civilDate(instant: string | number, timeZone: string): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).format(
    new Date(instant),
  );
}

/** Parts of a civil date, in words. */
export function dateWords(date: string, options: Intl.DateTimeFormatOptions): string {
  const words = new Intl.DateTimeFormat(region, { timeZone: "UTC", ...options }).format(new Date(`${date}T12:00:00Z`));
  // French counts the first of a month as an ordinal, and Intl does not.
  return language === "fr" && options.month === "long" ? words.replace(/(^|\s)1 /, "$11er ") : words;
}

/** "mardi 24 novembre". */
export function longDay(date: string): string {
  return dateWords(date, { weekday: "long", day: "numeric", month: "long" });
}

/** "mar. 24 nov.". */
export function shortDay(date: string): string {
  return dateWords(date, { weekday: "short", day: "numeric", month: "short" });
}

/** "23 – 29 novembre", "30 novembre – 6 décembre". */
export function dayRange(from: string, to: string): string {
  const format = new Intl.DateTimeFormat(region, { timeZone: "UTC", day: "numeric", month: "long" });
  return format.formatRange(new Date(`${from}T12:00:00Z`), new Date(`${to}T12:00:00Z`));
}

/** The civil date some days later. */
export function addDays(date: string, days: number): string {
  const at = new Date(`${date}T12:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

/** "14 h 30" in French, "14:30" in English; in the visitor's own zone when none is given. */
export function clock(instant: string | number, timeZone?: string): string {
  const text = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit" }).format(
    new Date(instant),
  );
  return language === "fr" ? text.replace(/^0?(\d+):/, "$1\u00a0h\u00a0") : text;
}

/** The hour of an instant in a zone, from 0 to 23. */
export function hourOf(instant: string, timeZone: string): number {
  return Number(new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit" }).format(new Date(instant)));
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

/** The town that names a zone: "Paris" for "Europe/Paris". */
export function zoneTown(timeZone: string): string {
  return timeZone.slice(timeZone.lastIndexOf("/") + 1).replaceAll("_", " ");
}
