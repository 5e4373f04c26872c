with wanted as materialized (select id, booking_id, kind from outbox where id = $1 and done_at is null),
calendar as (
    update bookings b set calendar_locked_until = $3 from wanted w
    where b.id = w.booking_id and w.kind = 'sync_calendar'
        and (b.calendar_locked_until is null or b.calendar_locked_until <= $2)
    returning b.id
), ours as (
    update outbox o set locked_until = $3, attempts = o.attempts + 1, relay_at = greatest(o.relay_at, $3)
    from wanted w where o.id = w.id and o.done_at is null and (o.locked_until is null or o.locked_until <= $2)
        and (w.kind <> 'sync_calendar' or exists (select from calendar))
    returning o.id, o.args, o.attempts
)
select ours.args, ours.attempts,
    greatest((select o.locked_until from outbox o where o.id = w.id),
             (select b.calendar_locked_until from bookings b where b.id = w.booking_id and w.kind = 'sync_calendar')) as leased_until
from wanted w left join ours on ours.id = w.id
