-- What V021 made, in use: a session that has ended everywhere, and one that Supabase has not heard of.
insert into ended_sessions (session_id, ended_at, confirmed) values
    ('00000000-0000-4000-8000-0000000000e1', '2026-11-20T10:00:00Z', true),
    ('00000000-0000-4000-8000-0000000000e2', '2026-11-20T10:05:00Z', false);
