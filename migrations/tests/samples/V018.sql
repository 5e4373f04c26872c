-- What V018 made, in use: a hold that is counted by its wide network, and one of before that has lapsed.
update bookings set client_wide = '\x0a' where status = 'pending';
insert into hold_endings (artist_id, flash_id, network, ended_at, kept)
    select id, null, '\x0a', '2026-11-20T09:30:00Z', false from artists where slug = 'zoe-martin';
