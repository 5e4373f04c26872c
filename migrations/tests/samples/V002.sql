-- What V002 made, in use: an artist with everything, one with nothing but the defaults.
insert into artists (id, slug, display_name, email, user_id, cal_com_username, cal_com_event_type_id, cal_com_api_key)
values ('00000000-0000-7000-8000-0000000000a1', 'zoe-martin', 'Zoé Martin', 'zoe@martin.example',
        '00000000-0000-7000-8000-0000000000aa', 'zoe', 42, '\x00112233');
insert into artists (id, slug, display_name, email)
values ('00000000-0000-7000-8000-0000000000a2', 'sacha-petit', 'Sacha Petit', 'sacha@petit.example');

insert into availability (id, artist_id, weekday, opens_minute, closes_minute) values
    ('00000000-0000-7000-8000-0000000000c1', '00000000-0000-7000-8000-0000000000a1', 2, 600, 780),
    ('00000000-0000-7000-8000-0000000000c2', '00000000-0000-7000-8000-0000000000a1', 2, 780, 1440);
insert into time_off (id, artist_id, starts_at, ends_at, note) values
    ('00000000-0000-7000-8000-0000000000d1', '00000000-0000-7000-8000-0000000000a1',
     '2026-12-24T00:00:00Z', '2027-01-02T00:00:00Z', 'Fêtes');
insert into flashes (id, artist_id, title, image, price, deposit, duration_minutes, repeatable) values
    ('00000000-0000-7000-8000-0000000000f1', '00000000-0000-7000-8000-0000000000a1', 'Dague', '/flash/dague.svg',
     150.00, 50.00, 120, false),
    ('00000000-0000-7000-8000-0000000000f2', '00000000-0000-7000-8000-0000000000a1', 'Lune', '/flash/lune.svg',
     80.00, null, 60, true);
