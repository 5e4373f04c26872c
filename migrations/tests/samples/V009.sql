-- What V009 made, in use: a look that is under way, and a booking that was compared with Cal.com.
insert into reconcilers (name, due_at, state) values ('stripe_events', '2026-11-20T10:10:00Z', '{"seen_to": null}');
update bookings set calendar_checked_at = '2026-11-20T10:07:00Z', calendar_start = scheduled_at, updated_at = '2026-11-20T10:07:00Z'
    where id = '00000000-0000-7000-8000-0000000000b1';
