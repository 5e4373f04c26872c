-- Every Stripe event that was ever accepted, once. The primary key is the guard against doubles.
create table stripe_events (
    id text primary key,
    type text not null,
    api_version text,
    account text,
    livemode boolean not null,
    created_at timestamptz not null,
    received_at timestamptz not null,
    booking_id uuid references bookings (id) on delete restrict,
    -- What came of it, in one word (shared::domain::booking::Outcome).
    outcome text not null,
    payload jsonb not null
);
create index stripe_events_by_booking on stripe_events (booking_id) where booking_id is not null;

-- Cal.com signs its webhooks but gives them no id: the three fields together stand for one.
create table calcom_events (
    uid text not null,
    trigger_event text not null,
    created_at timestamptz not null,
    received_at timestamptz not null,
    booking_id uuid references bookings (id) on delete restrict,
    outcome text not null,
    payload jsonb not null,
    constraint calcom_events_once primary key (uid, trigger_event, created_at)
);

-- Jobs, written with the state they follow from. The queue carries only their id.
create table outbox (
    id uuid primary key,
    kind text not null,
    booking_id uuid references bookings (id) on delete restrict,
    args jsonb not null default '{}',
    -- One wish, one job: the same transition said twice leaves one row.
    dedupe_key text not null,
    created_at timestamptz not null,
    -- The function sends the job right after its commit. What is still not done at this time was
    -- lost on the way (or its queue was down): the sweeper sends it again.
    relay_at timestamptz not null,
    attempts integer not null default 0,
    -- The lease. A worker that dies keeps it until this time, then another may take the job.
    locked_until timestamptz,
    done_at timestamptz,
    outcome text,
    last_error text,
    constraint outbox_kind_known check (kind in ('sync_calendar', 'send_email', 'refund', 'settle_refunds', 'expire_checkout')),
    constraint outbox_dedupe unique (dedupe_key),
    constraint outbox_attempts_not_negative check (attempts >= 0),
    -- 'dead': given up after the last attempt, kept with its reason until somebody redrives it.
    constraint outbox_outcome_known check (outcome in ('done', 'discarded', 'dead')),
    constraint outbox_outcome_goes_with_done check ((done_at is null) = (outcome is null))
);
-- Small however many jobs were ever done.
create index outbox_to_relay on outbox (relay_at) where done_at is null;
create index outbox_by_booking on outbox (booking_id) where booking_id is not null;

create table email_deliveries (
    id uuid primary key,
    booking_id uuid not null references bookings (id) on delete restrict,
    template text not null,
    -- Tells two wanted mails of one template apart (the second reminder, a mail sent again by hand).
    occurrence text not null,
    recipient text not null,
    status text not null,
    message_id text,
    error text,
    created_at timestamptz not null,
    sent_at timestamptz,
    constraint email_deliveries_status_known check (status in ('sending', 'sent', 'refused')),
    -- One mail per occasion, however often its job runs.
    constraint email_deliveries_once unique (booking_id, template, occurrence)
);

-- The header Idempotency-Key of a POST. The booking itself is the recovery record; this only ties the
-- client's key to it.
create table idempotency_keys (
    scope text not null,
    key text not null,
    request_hash bytea not null,
    booking_id uuid references bookings (id) on delete cascade,
    created_at timestamptz not null,
    constraint idempotency_keys_once primary key (scope, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);

-- Fixed windows, counted here because functions share nothing else.
create table rate_limits (
    bucket text not null,
    window_start timestamptz not null,
    count integer not null,
    constraint rate_limits_once primary key (bucket, window_start)
);
create index rate_limits_by_age on rate_limits (window_start);
