// Free slots: opening hours on the artist's wall clock, minus what is taken.
import { DateTime } from 'luxon';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** The columns that free slots are cut from; `$1` is the artist, `$2` the flash, `$3` and `$4` bound the window. */
export const AGENDA = `
  a.id as artist_id, a.slug, a.timezone, a.project_deposit::text, a.deposit_percent, a.deposit_minimum::text, a.project_duration_minutes,
  a.policy_full_refund_hours, a.policy_late_refund_percent, a.policy_free_moves, a.deposit_nature, a.stripe_account_id,
  a.buffer_minutes, a.minimum_notice_minutes, a.slot_step_minutes,
  f.id as flash_id, f.title as flash_title, f.price::text as flash_price, f.deposit::text as flash_deposit,
  f.duration_minutes as flash_duration_minutes, f.repeatable as flash_repeatable,
  (select jsonb_build_object('status', h.status, 'hold_expires_at', h.hold_expires_at) from bookings h
    where h.unique_flash_id = f.id and h.status in ('pending', 'confirmed', 'completed')) as flash_holder,
  (select coalesce(jsonb_agg(jsonb_build_array(v.weekday, v.opens_minute, v.closes_minute)), '[]')
    from availability v where v.artist_id = a.id) as hours,
  (select coalesce(jsonb_agg(jsonb_build_array(t.starts_at, t.ends_at)), '[]')
    from time_off t where t.artist_id = a.id and t.ends_at > $3 and t.starts_at < $4) as time_off,
  (select coalesce(jsonb_agg(jsonb_build_object('start', o.scheduled_at, 'end', o.ends_at, 'status', o.status, 'hold_expires_at', o.hold_expires_at)), '[]')
    from bookings o where o.artist_id = a.id and o.status in ('pending', 'confirmed', 'completed')
      and tstzrange(o.scheduled_at, o.ends_at, '[)') && tstzrange($3, $4, '[)')) as occupied`;

/** Where they come from. */
export const AGENDA_FROM = `from artists a left join flashes f on f.id = $2::uuid and f.artist_id = a.id and f.state = 'available'`;

/** The instants that can matter to `days` local dates from `date`, in any zone. */
export function reach(date, days) {
  const midnight = Date.parse(`${date}T00:00:00Z`);
  return [new Date(midnight - 3 * DAY), new Date(midnight + (days + 4) * DAY)];
}

/** True for a hold that has run out. */
export const hasLapsed = (booking, now) =>
  booking.status === 'pending' && booking.hold_expires_at !== null && Date.parse(booking.hold_expires_at) <= now;

/** How long the appointment takes. */
export const durationOf = (agenda) => agenda.flash_duration_minutes ?? agenda.project_duration_minutes;

/** The free slots of `days` local dates from `from`, as instants in milliseconds. */
export function freeSlots(agenda, from, days, now) {
  const zone = agenda.timezone;
  const duration = durationOf(agenda) * MINUTE;
  const first = DateTime.fromISO(from, { zone });
  const openings = openingsBetween(agenda, first.minus({ days: 1 }), days + 3);
  const closed = agenda.time_off.map(([start, end]) => [Date.parse(start), Date.parse(end)]);
  const busy = agenda.occupied.filter((booking) => !hasLapsed(booking, now)).map(({ start, end }) => [Date.parse(start), Date.parse(end)]);
  const buffer = agenda.buffer_minutes * MINUTE;
  const soonest = now + agenda.minimum_notice_minutes * MINUTE;
  return Array.from({ length: days }, (_, index) => {
    const day = first.plus({ days: index });
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
    if (start.hour * 60 + start.minute === minute % 1440) starts.push(...start.getPossibleOffsets().map((one) => one.toMillis()));
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
  minute === 1440 ? day.plus({ days: 1 }).startOf('day') : day.set({ hour: Math.floor(minute / 60), minute: minute % 60 });
