create table bookings (
    id uuid primary key,
    artist_id uuid not null references artists (id) on delete restrict,
    type text not null,
    status text not null default 'pending',
    scheduled_at timestamptz not null,
    ends_at timestamptz not null,

    -- Euros, exact. Snapshots: a later change of the flash or of the rules moves no booking.
    acompte_amount numeric(10, 2) not null,
    price numeric(10, 2),
    currency text not null default 'eur',
    title text not null,
    policy jsonb not null,

    payment_status text not null default 'unpaid',
    -- The deposit is in hand. Generated, so that it can never contradict payment_status.
    acompte_paid boolean not null generated always as (
        payment_status in ('paid', 'refund_pending', 'disputed')
    ) stored,
    -- Something a person must look at: the money came, but not as asked.
    payment_problem text,

    flash_id uuid references flashes (id) on delete restrict,
    -- The flash when it is a unique piece, else null: what the "sold once" index is built on.
    unique_flash_id uuid references flashes (id) on delete restrict,
    project_description text,
    project_body_zone text,
    project_budget numeric(10, 2),

    client_name text not null,
    client_email text not null,
    client_phone text not null,
    client_locale text not null default 'fr',
    -- Hash of the client's network address, to cap live holds; forgotten with the hold.
    client_origin bytea,

    -- Null: the booking does not lapse (paid, or waiting for a person).
    hold_expires_at timestamptz,
    cancel_reason text,

    stripe_checkout_session_id text,
    checkout_url text,
    -- Covered by Stripe's idempotency check, hence stored before the first call.
    checkout_expires_at timestamptz,
    stripe_payment_intent_id text,
    stripe_account_id text,
    -- When the sweeper last asked Stripe about this hold: the least recently asked goes first.
    stripe_checked_at timestamptz,

    -- Cal.com's uid, which every later call uses.
    cal_com_booking_id text,
    calendar_state text not null default 'off',
    calendar_note text,
    -- The lease of the worker that is writing to Cal.com for this booking: it has no idempotency key, so
    -- two that both look and then write could book twice.
    calendar_locked_until timestamptz,

    -- Counts every change of state; a writer that read an older one changes nothing.
    version integer not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    confirmed_at timestamptz,
    cancelled_at timestamptz,

    constraint bookings_type_known check (type in ('flash', 'project')),
    constraint bookings_status_known check (status in ('pending', 'confirmed', 'cancelled', 'completed')),
    constraint bookings_payment_status_known check (
        payment_status in ('unpaid', 'paid', 'refund_pending', 'refunded', 'disputed')
    ),
    constraint bookings_payment_problem_known check (payment_problem in ('mismatch', 'duplicate', 'refund_failed')),
    constraint bookings_cancel_reason_known check (
        cancel_reason in ('hold_expired', 'payment_failed', 'client', 'artist', 'calendar')
    ),
    -- A cancelled booking says why; a live one has no reason left over from before.
    constraint bookings_cancel_reason_goes_with_cancelled check ((status = 'cancelled') = (cancel_reason is not null)),
    constraint bookings_calendar_state_known check (
        calendar_state in ('off', 'waiting', 'synced', 'removed', 'conflict', 'failed')
    ),
    constraint bookings_currency_known check (currency = 'eur'),
    constraint bookings_ends_after_it_starts check (ends_at > scheduled_at),
    -- Stripe refuses less than 50 cents.
    constraint bookings_deposit_is_payable check (acompte_amount >= 0.50),
    constraint bookings_deposit_at_most_price check (price is null or acompte_amount <= price),
    constraint bookings_budget_not_negative check (project_budget is null or project_budget >= 0),
    -- A flash booking names its flash and its price; a project says what it is.
    constraint bookings_type_has_its_fields check (
        case type
            when 'flash' then flash_id is not null and price is not null
            when 'project' then flash_id is null and unique_flash_id is null and project_description is not null
        end
    ),
    constraint bookings_unique_flash_is_the_flash check (unique_flash_id is null or unique_flash_id = flash_id),
    -- Only an unpaid hold runs out.
    constraint bookings_only_pending_lapses check (hold_expires_at is null or status = 'pending'),
    -- One payment pays one booking.
    constraint bookings_payment_intent_unique unique (stripe_payment_intent_id),
    constraint bookings_checkout_session_unique unique (stripe_checkout_session_id),

    -- The chair is taken once. The database is the only judge that sees two clients at once: any check
    -- in a function is a guess. Half-open, so that one appointment may start when another ends.
    constraint bookings_no_overlap exclude using gist (
        artist_id with =, tstzrange(scheduled_at, ends_at, '[)') with &&
    ) where (status in ('pending', 'confirmed', 'completed'))
);

-- A unique flash is sold once, whatever the slot.
create unique index bookings_one_live_per_unique_flash on bookings (unique_flash_id)
    where unique_flash_id is not null and status in ('pending', 'confirmed', 'completed');

-- The sweeper's question: which holds may still be paid or have run out?
create index bookings_holds on bookings (hold_expires_at) where status = 'pending';
create index bookings_by_artist on bookings (artist_id, scheduled_at);
create index bookings_by_flash on bookings (flash_id) where flash_id is not null;

-- Section "The booking's life" of ARCHITECTURE.md. The domain type decides; this refuses any writer
-- that forgot to ask it, a person with psql included.
create function bookings_guard() returns trigger
language plpgsql
set search_path = pg_catalog, public
as $$
begin
    if new.status <> old.status
        and not (
            (old.status = 'pending' and new.status in ('confirmed', 'cancelled'))
            or (old.status = 'confirmed' and new.status in ('cancelled', 'completed'))
            -- Money that arrives after the hold ran out revives the booking, when the slot is still free.
            or (old.status = 'cancelled' and new.status = 'confirmed'
                and old.cancel_reason in ('hold_expired', 'payment_failed'))
        )
    then
        raise exception 'a booking cannot go from % to %', old.status, new.status
            using errcode = 'check_violation', constraint = 'bookings_status_transition';
    end if;
    if (new.status, new.payment_status, new.scheduled_at, new.ends_at)
        is distinct from (old.status, old.payment_status, old.scheduled_at, old.ends_at)
        and new.version <= old.version
    then
        raise exception 'a booking changes state only with a higher version'
            using errcode = 'check_violation', constraint = 'bookings_version_rises';
    end if;
    if new.id <> old.id or new.artist_id <> old.artist_id or new.acompte_amount <> old.acompte_amount then
        raise exception 'a booking keeps its id, its artist and its deposit'
            using errcode = 'check_violation', constraint = 'bookings_terms_are_fixed';
    end if;
    return new;
end
$$;
create trigger bookings_guard before update on bookings
    for each row execute function bookings_guard();

-- Append-only history: the dashboard's timeline, and the evidence in a dispute.
create table booking_events (
    id bigint generated always as identity primary key,
    booking_id uuid not null references bookings (id) on delete restrict,
    at timestamptz not null,
    actor text not null,
    kind text not null,
    data jsonb not null default '{}',
    constraint booking_events_actor_known check (actor in ('client', 'artist', 'stripe', 'calcom', 'system'))
);
create index booking_events_by_booking on booking_events (booking_id, id);

-- The ledger: one row per euro that moved. Signed cents; never changed, never deleted.
create table payments (
    id uuid primary key,
    booking_id uuid not null references bookings (id) on delete restrict,
    artist_id uuid not null references artists (id) on delete restrict,
    kind text not null,
    amount_cents bigint not null,
    currency text not null,
    -- The payment intent of a capture, the refund of a refund, the dispute of a dispute.
    stripe_id text not null,
    stripe_payment_intent_id text not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    constraint payments_kind_known check (kind in ('capture', 'refund', 'refund_failed', 'dispute_lost')),
    -- Money in is positive, money out negative; a failed refund comes back.
    constraint payments_sign_fits_kind check (
        (kind in ('capture', 'refund_failed') and amount_cents > 0)
        or (kind in ('refund', 'dispute_lost') and amount_cents < 0)
    ),
    -- One movement at Stripe is one row here, however often we hear of it.
    constraint payments_stripe_movement_unique unique (kind, stripe_id)
);
create index payments_by_booking on payments (booking_id);
create index payments_by_artist_and_time on payments (artist_id, occurred_at);
