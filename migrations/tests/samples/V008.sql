-- What V008 made, in use: a picture that waits, one that is shown, one that was refused.
insert into images (id, artist_id, kind, content_type, size, status, reason, width, height, created_at, updated_at) values
    ('00000000-0000-7000-8000-0000000000e1', '00000000-0000-7000-8000-0000000000a1', 'flash', 'image/jpeg', 120000,
     'waiting', null, null, null, '2026-11-20T10:00:00Z', '2026-11-20T10:00:00Z'),
    ('00000000-0000-7000-8000-0000000000e2', '00000000-0000-7000-8000-0000000000a1', 'hero', 'image/png', 900000,
     'ready', null, 1600, 1200, '2026-11-20T10:00:00Z', '2026-11-20T10:00:05Z'),
    ('00000000-0000-7000-8000-0000000000e3', '00000000-0000-7000-8000-0000000000a1', 'flash', 'image/webp', 10,
     'refused', 'unreadable', null, null, '2026-11-20T10:00:00Z', '2026-11-20T10:00:05Z');
