// What only the choice of a slot asks of dates, and of two clocks, the studio's and the visitor's.

import { clockWords, noon, region, written, yearOf } from "../core/format";

/** "23 – 29 novembre", "1er – 7 décembre", "30 novembre – 6 décembre", "28 décembre 2026 – 3 janvier 2027". */
export function dayRange(from: string, to: string): string {
  const format = new Intl.DateTimeFormat(region, { timeZone: "UTC", day: "numeric", month: "long", ...yearOf(to) });
  return written(format.formatRangeToParts(noon(from), noon(to)));
}

/** The hour of a studio's time, from 0 to 23. */
export function hourOf(time: string): number {
  return Number(time.slice(11, 13));
}

/** True if two times are the same instant, on whichever clock each is told. */
export function isSame(time: string | undefined, other: string | undefined): boolean {
  return time !== undefined && other !== undefined && Date.parse(time) === Date.parse(other);
}

/**
 * The same instant on the visitor's own clock. From parts, never from a text: how a locale writes an hour changes between
 * releases of ICU.
 */
export function clockHere(time: string): string {
  const digits = "2-digit";
  const parts = new Intl.DateTimeFormat("en", { hour: digits, minute: digits, hourCycle: "h23" }).formatToParts(
    new Date(time),
  );
  const part = (unit: string): string => (parts.find(({ type }) => type === unit)?.value ?? "").padStart(2, "0");
  return clockWords(part("hour"), part("minute"));
}
