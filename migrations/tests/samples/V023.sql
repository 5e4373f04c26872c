-- What V023 made, in use: a refund that has arrived and one on its way, a dispute that is over and one that waits for an answer.
insert into refunds (id, booking_id, payment_intent, amount_cents, currency, status, made_at) values
    ('re_sample_1', '00000000-0000-7000-8000-0000000000b1', 'pi_sample_1', 1000, 'eur', 'succeeded', '2026-11-20T11:00:00Z'),
    ('re_sample_2', '00000000-0000-7000-8000-0000000000b1', 'pi_sample_1', 500, 'eur', 'pending', '2026-11-20T12:00:00Z')
on conflict (id) do nothing;
insert into disputes (id, booking_id, payment_intent, amount_cents, currency, reason, status, refundable, due_by, opened_at,
    closed, asked_at) values
    ('du_sample_1', '00000000-0000-7000-8000-0000000000b1', 'pi_sample_1', 1000, 'eur', 'fraudulent', 'won', false, null,
        '2026-11-20T13:00:00Z', true, '2026-11-20T14:00:00Z'),
    ('du_sample_2', '00000000-0000-7000-8000-0000000000b1', 'pi_sample_1', 500, 'eur', 'general', 'warning_needs_response', true,
        '2026-12-01T00:00:00Z', '2026-11-20T13:00:00Z', false, '2026-11-20T14:00:00Z');
