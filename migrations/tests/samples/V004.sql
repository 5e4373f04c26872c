-- What V004 made, in use: events heard, jobs done and waiting, a mail, a key and a counter.
insert into stripe_events (id, type, api_version, livemode, created_at, received_at, booking_id, outcome, payload) values
    ('evt_sample_1', 'checkout.session.completed', '2026-09-30.endive', false, '2026-11-20T10:04:58Z',
     '2026-11-20T10:05:00Z', '00000000-0000-7000-8000-0000000000b1', 'confirmed', '{"id": "cs_sample_1"}');
insert into calcom_events (uid, trigger_event, created_at, received_at, booking_id, outcome, payload) values
    ('calsample1', 'BOOKING_CREATED', '2026-11-20T10:05:02Z', '2026-11-20T10:05:03Z',
     '00000000-0000-7000-8000-0000000000b1', 'ours', '{}');
insert into outbox (id, kind, booking_id, args, dedupe_key, created_at, relay_at, attempts, done_at, outcome) values
    ('00000000-0000-7000-8000-000000000011', 'send_email', '00000000-0000-7000-8000-0000000000b1',
     '{"template": "client_confirmed"}', 'send_email:sample:client_confirmed:1', '2026-11-20T10:05:00Z',
     '2026-11-20T10:05:30Z', 1, '2026-11-20T10:05:01Z', 'done'),
    ('00000000-0000-7000-8000-000000000012', 'sync_calendar', '00000000-0000-7000-8000-0000000000b1',
     '{}', 'sync_calendar:sample:2', '2026-11-20T10:05:00Z', '2026-11-20T10:05:30Z', 0, null, null);
insert into email_deliveries (id, booking_id, template, occurrence, recipient, status, message_id, created_at, sent_at) values
    ('00000000-0000-7000-8000-000000000021', '00000000-0000-7000-8000-0000000000b1', 'client_confirmed', '1',
     'ana@roy.example', 'sent', 'ses-sample-1', '2026-11-20T10:05:00Z', '2026-11-20T10:05:01Z');
insert into idempotency_keys (scope, key, request_hash, booking_id, created_at) values
    ('create-booking', 'sample-key', '\x00', '00000000-0000-7000-8000-0000000000b1', '2026-11-20T10:00:00Z');
insert into rate_limits (bucket, window_start, count) values ('sample', '2026-11-20T10:00:00Z', 3);
