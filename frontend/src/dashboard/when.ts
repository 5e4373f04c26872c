// Dates and lengths of time, in the words of the dashboard.

import { civilDate, clock, dateWords, longDay, span, wall } from "../core/format";
import { language } from "../core/language";
import { t } from "./words";

const region = language === "fr" ? "fr-FR" : "en-GB";

/** "mardi 24 novembre, 14 h 30". */
export function moment(instant: string, zone: string): string {
  return `${longDay(civilDate(instant, zone))}, ${clock(instant, zone)}`;
}

/** "24 nov., 14 h 30"; with the year when it is another one. */
export function shortMoment(instant: string, zone: string): string {
  const date = civilDate(instant, zone);
  const year = date.slice(0, 4) === civilDate(Date.now(), zone).slice(0, 4) ? {} : { year: "numeric" as const };
  return `${dateWords(date, { day: "numeric", month: "short", ...year })}, ${clock(instant, zone)}`;
}

/** "novembre", or "novembre 2025" when the year must be said. */
export function monthWords(month: string, form: "long" | "short", year = false): string {
  return dateWords(`${month}-15`, { month: form, ...(year && { year: "numeric" }) });
}

export function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase(region) + text.slice(1);
}

/** "2 h 30", "45 min", "3 jours". */
export function lengthOf(minutes: number): string {
  return minutes >= 1440 && minutes % 1440 === 0 ? t.rules.days(minutes / 1440) : span(minutes);
}

/** The instant of a civil date and a wall-clock time in a zone, also when the clocks change that day. */
export function instantOf(date: string, time: string, zone: string): string {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  const wanted = Date.parse(`${date}T00:00:00Z`) + (hours * 60 + minutes) * 60_000;
  let guess = wanted;
  // The zone's distance from UTC at the guess corrects the guess; twice, because the first may lie beyond a change.
  for (let turn = 0; turn < 2; turn += 1) guess = wanted - distance(guess, zone);
  return new Date(guess).toISOString();
}

function distance(at: number, zone: string): number {
  const { year, month, day, hour, minute, second } = wall(at, zone);
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) - Math.floor(at / 1000) * 1000;
}

/** HH:MM of an instant in a zone. */
export function wallClock(instant: string, zone: string): string {
  const { hour, minute } = wall(instant, zone);
  return `${hour}:${minute}`;
}
