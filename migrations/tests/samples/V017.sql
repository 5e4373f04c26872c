-- What V017 made, in use: an answer of Cal.com that was kept, and an appointment that was called off there.
insert into calendar_answers (artist_id, event_type, minutes, window_start, window_end, starts, asked_at)
    select id, 5, 120, '2026-11-20T00:00:00Z', '2026-11-27T00:00:00Z', '{2026-11-20T09:00:00Z}', '2026-11-20T08:00:00Z'
    from artists where slug = 'zoe-martin';
update bookings set calendar_state = 'called_off', calendar_hint = 'reschedule:uid-1', checkout_attempt = 2,
        calendar_missing_since = '2026-11-20T10:07:00Z', updated_at = '2026-11-20T10:07:00Z'
    where id = '00000000-0000-7000-8000-0000000000b1';
