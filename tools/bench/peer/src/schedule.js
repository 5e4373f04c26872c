// Free slots: opening hours on the artist's wall clock, minus what is taken.
import { DateTime } from "luxon";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** An instant on the clock of a zone, without the milliseconds that it does not have. */
export const local = (ms, zone) => DateTime.fromMillis(ms, { zone }).toISO({ suppressMilliseconds: true });

/** The instants that can matter to `days` local dates from `date`, in any zone. */
export function reach(date, days) {
  const midnight = Date.parse(`${date}T00:00:00Z`);
  return [new Date(midnight - 3 * DAY), new Date(midnight + (days + 4) * DAY)];
}

/** True for a hold that has run out. */
export const hasLapsed = (booking, now) =>
  booking.status === "pending" && booking.hold_expires_at !== null && Date.parse(booking.hold_expires_at) <= now;

/** How long the appointment takes. */
export const durationOf = (agenda) => agenda.flash_duration_minutes ?? agenda.project_duration_minutes;

/** The last local date that can be booked. */
export const bookableUntil = (agenda, now) =>
  DateTime.fromMillis(now, { zone: agenda.timezone }).plus({ days: agenda.horizon_days }).toISODate();

/** The free slots of `days` local dates from `from`, as instants in milliseconds. */
export function freeSlots(agenda, from, days, now) {
  const zone = agenda.timezone;
  const duration = durationOf(agenda) * MINUTE;
  const first = DateTime.fromISO(from, { zone });
  const openings = openingsBetween(agenda, first.minus({ days: 1 }), days + 3);
  const closed = agenda.time_off.map(([start, end]) => [Date.parse(start), Date.parse(end)]);
  const busy = agenda.occupied
    .filter((booking) => !hasLapsed(booking, now))
    .map(({ start, end }) => [Date.parse(start), Date.parse(end)]);
  const buffer = agenda.buffer_minutes * MINUTE;
  const soonest = now + agenda.minimum_notice_minutes * MINUTE;
  const last = bookableUntil(agenda, now);
  return Array.from({ length: days }, (_, index) => {
    const day = first.plus({ days: index });
    if (day.toISODate() > last) return { date: day.toISODate(), slots: [] };
    const starts = agenda.hours
      .filter(([weekday]) => weekday === day.weekday)
      .flatMap(([, opens, closes]) => grid(day, opens, closes, agenda.slot_step_minutes))
      .sort((a, b) => a - b);
    const slots = starts
      .filter((start, at) => start !== starts[at - 1] && start >= soonest)
      .filter((start) => openings.some(([opens, closes]) => opens <= start && start + duration <= closes))
      .filter((start) => !closed.some(([begins, ends]) => begins < start + duration && start < ends))
      .filter((start) => !busy.some(([begins, ends]) => begins - buffer < start + duration && start < ends + buffer))
      .map((start) => [start, start + duration]);
    return { date: day.toISODate(), slots };
  });
}

/** The grid of one opening. Only where the clocks change is each of its minutes asked for by itself. */
function grid(day, opens, closes, step) {
  const [begin, end] = [at(day, opens), at(day, closes)];
  const starts = [];
  if (end - begin === (closes - opens) * MINUTE) {
    for (let start = begin.toMillis(); start < end.toMillis(); start += step * MINUTE) starts.push(start);
    return starts;
  }
  for (let minute = opens; minute < closes; minute += step) {
    const start = at(day, minute);
    if (start.hour * 60 + start.minute === minute % 1440)
      starts.push(...start.getPossibleOffsets().map((one) => one.toMillis()));
  }
  return starts;
}

/** The stretches of time during which the artist is open, merged where they touch. */
function openingsBetween(agenda, first, days) {
  const pieces = Array.from({ length: days }, (_, index) => first.plus({ days: index })).flatMap((day) =>
    agenda.hours
      .filter(([weekday]) => weekday === day.weekday)
      .map(([, opens, closes]) => [at(day, opens).toMillis(), at(day, closes).toMillis()]),
  );
  pieces.sort((a, b) => a[0] - b[0]);
  const merged = [];
  for (const piece of pieces) {
    const last = merged.at(-1);
    if (last && piece[0] <= last[1]) last[1] = Math.max(last[1], piece[1]);
    else merged.push(piece);
  }
  return merged;
}

const at = (day, minute) =>
  minute === 1440
    ? day.plus({ days: 1 }).startOf("day")
    : day.set({ hour: Math.floor(minute / 60), minute: minute % 60 });
