-- What V003 made, in use: a paid booking of a unique flash, a hold for a project, a hold that ran out.
insert into bookings (id, artist_id, type, status, scheduled_at, ends_at, acompte_amount, price, title, policy,
                      payment_status, flash_id, unique_flash_id, client_name, client_email, client_phone,
                      stripe_checkout_session_id, stripe_payment_intent_id, created_at, updated_at, confirmed_at)
values ('00000000-0000-7000-8000-0000000000b1', '00000000-0000-7000-8000-0000000000a1', 'flash', 'confirmed',
        '2026-12-01T09:00:00Z', '2026-12-01T11:00:00Z', 50.00, 150.00, 'Dague', '{}',
        'paid', '00000000-0000-7000-8000-0000000000f1', '00000000-0000-7000-8000-0000000000f1',
        'Ana Roy', 'ana@roy.example', '+33600000001',
        'cs_sample_1', 'pi_sample_1', '2026-11-20T10:00:00Z', '2026-11-20T10:05:00Z', '2026-11-20T10:05:00Z');
insert into bookings (id, artist_id, type, scheduled_at, ends_at, acompte_amount, title, policy,
                      project_description, project_body_zone, project_budget, client_name, client_email, client_phone,
                      hold_expires_at, created_at, updated_at)
values ('00000000-0000-7000-8000-0000000000b2', '00000000-0000-7000-8000-0000000000a1', 'project',
        '2026-12-01T11:00:00Z', '2026-12-01T13:00:00Z', 80.00, 'Projet', '{}',
        'Un renard endormi', 'avant-bras', 400.00, 'Lou Sy', 'lou@sy.example', '+33600000002',
        '2026-11-20T10:30:00Z', '2026-11-20T10:00:00Z', '2026-11-20T10:00:00Z');
insert into bookings (id, artist_id, type, status, cancel_reason, scheduled_at, ends_at, acompte_amount, price, title,
                      policy, flash_id, client_name, client_email, client_phone, created_at, updated_at, cancelled_at)
values ('00000000-0000-7000-8000-0000000000b3', '00000000-0000-7000-8000-0000000000a1', 'flash', 'cancelled',
        'hold_expired', '2026-12-01T09:30:00Z', '2026-12-01T10:30:00Z', 30.00, 80.00, 'Lune',
        '{}', '00000000-0000-7000-8000-0000000000f2', 'Max Ba', 'max@ba.example', '+33600000003',
        '2026-11-19T10:00:00Z', '2026-11-19T10:31:00Z', '2026-11-19T10:31:00Z');

insert into booking_events (booking_id, at, actor, kind, data) values
    ('00000000-0000-7000-8000-0000000000b1', '2026-11-20T10:05:00Z', 'stripe', 'payment_received', '{"amount_cents": 5000}');
insert into payments (id, booking_id, artist_id, kind, amount_cents, currency, stripe_id, stripe_payment_intent_id,
                      occurred_at, recorded_at) values
    ('00000000-0000-7000-8000-0000000000e1', '00000000-0000-7000-8000-0000000000b1',
     '00000000-0000-7000-8000-0000000000a1', 'capture', 5000, 'eur', 'pi_sample_1', 'pi_sample_1',
     '2026-11-20T10:04:58Z', '2026-11-20T10:05:00Z');
