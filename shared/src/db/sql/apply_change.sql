with locked as materialized (
    select id, artist_id from bookings where id = $1 and version = $2 for update
), withdrawn as materialized (
    select o.id from outbox o, locked where o.dedupe_key = any($10) and o.done_at is null
        and o.attempts = 0 and o.locked_until is null for update of o
), seen as (
    insert into stripe_events (id, type, api_version, account, livemode, created_at, received_at, booking_id, outcome, payload)
    select $3->>'id', $3->>'type', $3->>'api_version', $3->>'account', ($3->>'livemode')::boolean,
           ($3->>'created_at')::timestamptz, $4, locked.id, $5, $3->'payload'
    from locked where $3 is not null
    on conflict (id) do nothing returning id
), go as materialized (
    select * from locked where ($3 is null or exists (select from seen))
        and (select count(*) from withdrawn) = cardinality($10)
), taken_back as (
    update outbox o set done_at = $4, outcome = 'discarded', last_error = 'taken back'
    from withdrawn w, go where o.id = w.id
), dropped as (
    update outbox o set done_at = $4, outcome = 'done' from go
    where o.dedupe_key = 'send_email:' || go.id || ':client_held:1' and o.done_at is null and o.attempts = 0
        and $6->>'status' <> 'pending' and $6->>'undo_until' is null
), seen_to as (
    -- Of a refund that a person has made at Stripe nothing is left to do.
    update outbox o set outcome = 'done' from go
    where o.booking_id = go.id and o.kind = 'refund' and o.outcome in ('dead', 'discarded')
        and $6->>'payment_status' in ('paid', 'refunded', 'lost') and $6->>'payment_problem' is distinct from 'refund_failed'
), moved as (
    update bookings b set
/* state_columns */
    status = ($6->>'status')::text, payment_status = ($6->>'payment_status')::text, cancel_reason =
    ($6->>'cancel_reason')::text, hold_expires_at = ($6->>'hold_expires_at')::timestamptz, stripe_payment_intent_id =
    ($6->>'stripe_payment_intent_id')::text, payment_problem = ($6->>'payment_problem')::text, kept_cents =
    ($6->>'kept_cents')::bigint, no_show = ($6->>'no_show')::boolean, undo_until = ($6->>'undo_until')::timestamptz,
    undo_hold_expires_at = ($6->>'undo_hold_expires_at')::timestamptz,
/* end */
        confirmed_at = case when $6->>'status' = 'confirmed' and b.status <> 'confirmed' then $4
                            when $6->>'status' = 'pending' then null else b.confirmed_at end,
        cancelled_at = case when $6->>'status' = 'cancelled' and b.status <> 'cancelled' then $4
                            when $6->>'status' <> 'cancelled' then null else b.cancelled_at end,
        scheduled_at = coalesce(($6->>'starts_at')::timestamptz, b.scheduled_at),
        ends_at = coalesce(($6->>'ends_at')::timestamptz, b.ends_at),
        client_origin = case when $6->>'status' = 'pending' then b.client_origin end,
        version = b.version + 1, updated_at = $4
    from go where b.id = go.id and $6 is not null
    returning b.id
), history as (
    insert into booking_events (booking_id, at, actor, kind, data)
    select go.id, $4, h.actor, h.kind, h.data from go, jsonb_to_recordset($7) as h(actor text, kind text, data jsonb)
), ledger as (
    insert into payments (id, booking_id, artist_id, kind, amount_cents, currency, stripe_id, stripe_payment_intent_id, occurred_at, recorded_at)
    select l.id, go.id, go.artist_id, l.kind, l.amount, l.currency, l.stripe_id, l.payment_intent, l.occurred_at, $4
    from go, jsonb_to_recordset($8) as l(id uuid, kind text, amount bigint, currency text, stripe_id text, payment_intent text, occurred_at timestamptz)
    on conflict (kind, stripe_id) do nothing
), refunds as (
    insert into refunds (id, booking_id, payment_intent, amount_cents, currency, status, made_at)
    select r.id, go.id, r.payment_intent, r.amount, r.currency, r.status, r.at
    from go, jsonb_to_recordset($11) as r(id text, payment_intent text, amount bigint, currency text, status text, at timestamptz)
    on conflict (id) do update set status = excluded.status
), disputes as (
    insert into disputes (id, booking_id, payment_intent, amount_cents, currency, reason, status, refundable, due_by, opened_at,
        closed, asked_at)
    select d.id, go.id, d.payment_intent, d.amount, d.currency, d.reason, d.status, d.refundable, d.due_by, d.opened_at,
        d.status in ('warning_closed', 'won', 'lost', 'prevented'), $4
    from go, jsonb_to_recordset($12) as d(id text, payment_intent text, amount bigint, currency text, reason text, status text,
        refundable boolean, due_by timestamptz, opened_at timestamptz)
    on conflict (id) do update set amount_cents = excluded.amount_cents, reason = excluded.reason, status = excluded.status,
        refundable = excluded.refundable, due_by = excluded.due_by, closed = excluded.closed, asked_at = excluded.asked_at
), jobs as (
/* insert_jobs */
    insert into outbox (id, kind, booking_id, args, dedupe_key, created_at, relay_at)
    select j.id, j.kind, j.booking_id, j.args, j.dedupe_key, j.created_at, j.relay_at
    from go, jsonb_to_recordset($9)
    as j(id uuid, kind text, booking_id uuid, args jsonb, dedupe_key text, created_at timestamptz, relay_at timestamptz)
    on conflict (dedupe_key) do nothing returning id
/* end */
) select exists (select from locked) as found, exists (select from go) as went, array(select id from jobs) as jobs
