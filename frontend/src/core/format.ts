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

type Unit = "year" | "month" | "day" | "hour" | "minute" | "second";

/**
 * What calendar and clock of a zone show at an instant, two digits at least; in the visitor's own zone when none is given.
 * From parts, never from a text: in which order a locale writes a date changes between releases of ICU.
 */
export function wall(instant: string | number, timeZone?: string): Record<Unit, string> {
  const digits = "2-digit";
  const parts = new Intl.DateTimeFormat("en", {
    timeZone, year: "numeric", month: digits, day: digits, hour: digits, minute: digits, second: digits, hourCycle: "h23",
  }).formatToParts(new Date(instant));
  return Object.fromEntries(parts.map(({ type, value }) => [type, value.padStart(2, "0")])) as Record<Unit, string>;
}

/** The civil date of an instant in a zone, as YYYY-MM-DD. */
export function civilDate(instant: string | number, timeZone: string): string {
  const { year, month, day } = wall(instant, timeZone);
  return `${year}-${month}-${day}`;
}

function noon(date: string): Date {
  return new Date(`${date}T12:00:00Z`);
}

/** French counts the first of a month as an ordinal, and Intl does not. */
function written(parts: readonly Intl.DateTimeFormatPart[]): string {
  return parts.map(({ type, value }) => (language === "fr" && type === "day" && value === "1" ? "1er" : value)).join("");
}

/** Parts of a civil date, in words. */
export function dateWords(date: string, options: Intl.DateTimeFormatOptions): string {
  const parts = new Intl.DateTimeFormat(region, { timeZone: "UTC", ...options }).formatToParts(noon(date));
  return options.month === "long" ? written(parts) : parts.map(({ value }) => value).join("");
}

/** "mardi 24 novembre". */
export function longDay(date: string): string {
  return dateWords(date, { weekday: "long", day: "numeric", month: "long" });
}

/** "mar. 24 nov.". */
export function shortDay(date: string): string {
  return dateWords(date, { weekday: "short", day: "numeric", month: "short" });
}

/** "23 – 29 novembre", "1er – 7 décembre", "30 novembre – 6 décembre". */
export function dayRange(from: string, to: string): string {
  const format = new Intl.DateTimeFormat(region, { timeZone: "UTC", day: "numeric", month: "long" });
  return written(format.formatRangeToParts(noon(from), noon(to)));
}

/** The civil date some days later. */
export function addDays(date: string, days: number): string {
  const at = noon(date);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

/** "14 h 30" in French, "14:30" in English; in the visitor's own zone when none is given. */
export function clock(instant: string | number, timeZone?: string): string {
  const { hour, minute } = wall(instant, timeZone);
  return language === "fr" ? `${Number(hour)}\u00a0h\u00a0${minute}` : `${hour}:${minute}`;
}

/** The hour of an instant in a zone, from 0 to 23. */
export function hourOf(instant: string, timeZone: string): number {
  return Number(wall(instant, timeZone).hour);
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
