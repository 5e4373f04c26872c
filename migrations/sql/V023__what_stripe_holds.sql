-- What Stripe holds of a booking's money, object by object. The ledger (`payments`) has what moved; these have what is still open.

-- A refund takes days where it may, and can fail after it was made.
create table refunds (
    -- Stripe's.
    id text primary key,
    booking_id uuid not null references bookings (id) on delete restrict,
    payment_intent text not null,
    amount_cents bigint not null,
    currency text not null,
    -- Stripe's word, whatever it is.
    status text not null,
    made_at timestamptz not null,
    constraint refunds_give_something check (amount_cents > 0)
);
create index refunds_by_booking on refunds (booking_id);

-- A bank contests a payment, or asks about it. One payment may have several.
create table disputes (
    -- Stripe's.
    id text primary key,
    booking_id uuid not null references bookings (id) on delete restrict,
    payment_intent text not null,
    amount_cents bigint not null,
    currency text not null,
    -- Stripe's words, whatever they are.
    reason text not null,
    status text not null,
    -- Stripe would carry out a refund all the same.
    refundable boolean not null,
    -- Until when an answer counts.
    due_by timestamptz,
    opened_at timestamptz not null,
    closed boolean not null,
    -- When Stripe was asked about it last.
    asked_at timestamptz not null,
    constraint disputes_amount_not_negative check (amount_cents >= 0)
);
create index disputes_by_booking on disputes (booking_id);
create index disputes_open on disputes (asked_at) where not closed;

do $$
declare
    t text;
    api_role text;
begin
    foreach t in array array['refunds', 'disputes'] loop
        execute format('alter table public.%I enable row level security', t);
        execute format('create policy functions on public.%I to inkflow_app using (true) with check (true)', t);
        execute format('revoke all on public.%I from public', t);
        execute format('grant select, insert, update on public.%I to inkflow_app', t);
        foreach api_role in array array['anon', 'authenticated'] loop
            if exists (select from pg_roles where rolname = api_role) then
                execute format('revoke all on public.%I from %I', t, api_role);
            end if;
        end loop;
    end loop;
end
$$;

-- Refunds of before, as far as they were known: what had failed, and what had not.
insert into refunds (id, booking_id, payment_intent, amount_cents, currency, status, made_at)
select r.stripe_id, r.booking_id, r.stripe_payment_intent_id, -r.amount_cents, r.currency,
    case when exists (select from payments f where f.kind = 'refund_failed' and f.stripe_id = r.stripe_id)
        then 'failed' else 'succeeded' end, r.occurred_at
from payments r where r.kind = 'refund';

-- A bank's money leaves and comes back, each movement by itself. Functions of before write `dispute_lost`, which is one that left.
alter table payments drop constraint payments_kind_known;
alter table payments add constraint payments_kind_known check (
    kind in ('capture', 'refund', 'refund_failed', 'dispute_lost', 'dispute_withdrawn', 'dispute_reinstated')
) not valid;
alter table payments drop constraint payments_sign_fits_kind;
alter table payments add constraint payments_sign_fits_kind check (
    (kind in ('capture', 'refund_failed', 'dispute_reinstated') and amount_cents > 0)
    or (kind in ('refund', 'dispute_lost', 'dispute_withdrawn') and amount_cents < 0)
) not valid;

-- `lost`: a bank took it for good. It counts as paid no more (bookings.acompte_paid).
alter table bookings drop constraint bookings_payment_status_known;
alter table bookings add constraint bookings_payment_status_known check (
    payment_status in ('unpaid', 'paid', 'refund_pending', 'refunded', 'disputed', 'lost')
) not valid;
-- What is kept of a payment may be said of a booking that stands, too, once a part of it was given back by hand.
alter table bookings drop constraint bookings_kept_of_cancelled;
alter table bookings add constraint bookings_kept_not_negative check (kept_cents >= 0) not valid;

-- Everything about a payment is read at once. Functions of before write `settle_refunds`.
alter table outbox drop constraint outbox_kind_known;
alter table outbox add constraint outbox_kind_known check (
    kind in ('sync_calendar', 'send_email', 'refund', 'settle_refunds', 'settle_payment', 'expire_checkout', 'send_contact_link')
) not valid;

-- As in V017; a dispute is the artist's business while it waits for an answer, whatever else is open.
create or replace function dashboard_todo(b bookings, moment timestamptz) returns text[]
language sql stable
return array_remove(array[
    -- Somebody holds a slot and has not paid yet.
    case when b.status = 'pending' and b.payment_status = 'unpaid' and b.hold_expires_at > moment then 'confirm' end,
    -- A bank waits for an answer, or money that came otherwise than asked is still here.
    case when exists (
            select from public.disputes d where d.booking_id = b.id and not d.closed
                and d.status not in ('under_review', 'warning_under_review', 'appeal_under_review')
        )
        or (b.payment_problem is not null and (
            b.status = 'pending'
            or b.payment_status = 'refund_pending'
            or exists (
                select from public.payments p
                where p.booking_id = b.id and p.stripe_payment_intent_id is distinct from b.stripe_payment_intent_id
                group by p.stripe_payment_intent_id having sum(p.amount_cents) > 0
            )
        )) then 'payment' end,
    -- Gone from Cal.com, and kept here until the artist decides about chair and money.
    case when b.calendar_state = 'called_off' and b.status in ('pending', 'confirmed') and b.ends_at > moment
        then 'called_off' end,
    case when b.ends_at > moment and (
            (b.calendar_state in ('conflict', 'failed') and b.status in ('pending', 'confirmed'))
            -- Called off here, and Cal.com did not let us: the artist's time stays blocked there.
            or (b.calendar_state = 'failed' and b.status = 'cancelled')
        ) then 'calendar' end,
    -- A mail or a refund that was never made; not dragged along for ever.
    case when b.scheduled_at > moment - interval '30 days' and exists (
        select from public.outbox o
        where o.booking_id = b.id and o.outcome in ('dead', 'discarded') and public.job_failed(o.outcome, o.last_error)
    ) then 'job' end,
    -- It is over: did the client come?
    case when b.status = 'confirmed' and b.ends_at <= moment then 'outcome' end
], null);

create or replace function dashboard_waiting(of_artist uuid, moment timestamptz)
returns table (id uuid, scheduled_at timestamptz, todo text[])
language sql stable
begin atomic
    select b.id, b.scheduled_at, t.todo
    -- An array, so that each is fetched by its key: how many there will be is beyond guessing.
    from public.bookings b
    cross join lateral (select public.dashboard_todo(b, moment) as todo) t
    where b.id = any (array(
        select p.id from public.bookings p where p.artist_id = of_artist and p.status = 'pending'
        union
        select c.id from public.bookings c where c.artist_id = of_artist and c.status = 'confirmed' and c.ends_at <= moment
        union
        select m.id from public.bookings m where m.artist_id = of_artist and m.payment_problem is not null
        union
        select o.id from public.disputes d join public.bookings o on o.id = d.booking_id
        where not d.closed and o.artist_id = of_artist
        union
        select r.id from public.bookings r
        where r.artist_id = of_artist and r.scheduled_at > moment - interval '30 days'
            and (r.calendar_state in ('conflict', 'failed', 'called_off') or exists (
                select from public.outbox o
                where o.booking_id = r.id and o.outcome in ('dead', 'discarded') and public.job_failed(o.outcome, o.last_error)
            ))
    )) and cardinality(t.todo) > 0;
end;
