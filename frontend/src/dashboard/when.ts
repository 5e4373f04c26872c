// Dates and lengths of time, in the words of the dashboard.

import { civilDate, clock, dateWords, longDay, span, yearOf } from "../core/format";
import { language } from "../core/language";
import { t } from "./words";

const region = language === "fr" ? "fr-FR" : "en-GB";

/** "mardi 24 novembre, 14 h 30". */
export function moment(time: string): string {
  return `${longDay(civilDate(time))}, ${clock(time)}`;
}

/** "24 nov."; with the year when it is another one. */
export function shortDate(time: string): string {
  const date = civilDate(time);
  return dateWords(date, { day: "numeric", month: "short", ...yearOf(date) });
}

/** "24 nov., 14 h 30". */
export function shortMoment(time: string): string {
  return `${shortDate(time)}, ${clock(time)}`;
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
