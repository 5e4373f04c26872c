// The free slots that were asked for on this page, so that a card and the dialog share one answer.

import { type Artist, type Day, type Flash, getSlots } from "./api";

export const DAYS = 7;

const FRESH = 60_000;

export interface Week {
  days: readonly Day[];
  loadedAt: number;
  /** The last date that can be booked, where the answer said it. */
  until: string | null;
}

const asked = new Map<string, Promise<Week>>();

/** True once an answer should not be relied on any more. */
export function isStale(week: Week): boolean {
  return Date.now() - week.loadedAt > FRESH;
}

/** The latest date that the studio was heard to have: a page may lie open over midnight. */
let latest = "";

/** The studio's date. */
export function today(artist: Artist): string {
  return artist.today > latest ? artist.today : latest;
}

/** The days from a date on. Slots depend on the length of the appointment only, so flashes of one length share them. */
export async function daysFrom(artist: Artist, flash: Flash | null, date: string, days = DAYS): Promise<Week> {
  const key = keyOf(artist, flash, date, days);
  const earlier = await asked.get(key)?.catch(() => null);
  if (earlier && !isStale(earlier)) return earlier;
  const query = { artist: artist.slug, date, days: String(days), ...(flash && { flash: flash.id }) };
  const answer = getSlots(query).then((slots) => {
    if (slots.today > latest) latest = slots.today;
    return { days: slots.days, loadedAt: Date.now(), until: slots.bookable_until };
  });
  asked.set(key, answer);
  return answer;
}

/** Keeps days that came with another answer, as if they had been asked for. */
export function keepDays(artist: Artist, flash: Flash | null, days: readonly Day[]): void {
  const from = days[0]?.date;
  if (from)
    asked.set(keyOf(artist, flash, from, days.length), Promise.resolve({ days, loadedAt: Date.now(), until: null }));
}

function keyOf(artist: Artist, flash: Flash | null, date: string, days: number): string {
  return [flash?.duration_minutes ?? artist.project.duration_minutes, date, days].join();
}

/** Forgets all answers: a slot was taken, so that none can be trusted. */
export function forgetWeeks(): void {
  asked.clear();
}
