select
/* listed_columns */
    b.status, b.payment_status, b.cancel_reason, b.hold_expires_at, b.stripe_payment_intent_id, b.payment_problem,
    b.kept_cents, b.no_show, b.undo_until, b.undo_hold_expires_at, b.id, b.artist_id, b.version, b.scheduled_at,
    b.ends_at, b.acompte_amount::text, b.currency, b.stripe_checkout_session_id, b.cal_com_booking_id,
    a.cal_com_create_at, b.policy, a.cal_com_event_type_id is not null as has_calendar, (select
    coalesce(jsonb_agg(jsonb_build_object('kind', p.kind, 'amount_cents', p.amount_cents, 'currency', p.currency,
    'stripe_id', p.stripe_id, 'payment_intent', p.stripe_payment_intent_id, 'occurred_at', p.occurred_at) order by
    p.recorded_at), '[]') from payments p where p.booking_id = b.id) as ledger, (select
    coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'payment_intent', r.payment_intent, 'amount', r.amount_cents,
    'currency', r.currency, 'status', r.status, 'at', r.made_at) order by r.made_at, r.id), '[]') from refunds r where
    r.booking_id = b.id) as refunds, (select coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'payment_intent',
    d.payment_intent, 'amount', d.amount_cents, 'currency', d.currency, 'reason', d.reason, 'status', d.status,
    'refundable', d.refundable, 'due_by', d.due_by, 'opened_at', d.opened_at) order by d.opened_at, d.id), '[]') from
    disputes d where d.booking_id = b.id) as disputes, b.type, b.title, b.price::text, b.client_name, b.client_email,
    b.client_phone, b.client_locale, b.calendar_state, b.created_at, coalesce(b.timezone, a.timezone) as zone, a.timezone
    as home, f.image as flash_image, dashboard_todo(b, $2) as todo, (select count(*) from outbox o where o.booking_id =
    b.id and o.outcome in ('dead', 'discarded') and job_failed(o.outcome, o.last_error)) as failed_jobs
/* end */
, b.note, b.calendar_note, b.project_description, b.project_body_zone,
b.project_budget::text, b.id is null as missing,
(select coalesce(jsonb_agg(jsonb_build_object('at', e.at, 'actor', e.actor, 'kind', e.kind, 'data', e.data)
    order by e.id), '[]') from booking_events e where e.booking_id = b.id) as timeline,
(select coalesce(jsonb_agg(jsonb_build_object('template', m.template, 'occasion', m.occurrence,
    'recipient', m.recipient, 'status', m.status, 'sent_at', m.sent_at, 'error', m.error)
    order by m.created_at, m.id), '[]') from email_deliveries m where m.booking_id = b.id) as mails,
(select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'kind',
    -- As functions of before called it.
    case o.kind when 'settle_refunds' then 'settle_payment' else o.kind end, 'template', o.args->'template',
    'occasion', o.args->'occurrence', 'attempts', o.attempts, 'locked_until', o.locked_until,
    'outcome', o.outcome, 'last_error', o.last_error,
    'failed', coalesce(job_failed(o.outcome, o.last_error), false)) order by o.created_at, o.id), '[]')
    from outbox o where o.booking_id = b.id) as jobs
from artists a left join bookings b on b.id = $3 and b.artist_id = a.id left join flashes f on f.id = b.flash_id
where a.user_id = account($1)
