-- What the dashboard asks: lists that stay fast however long they grow, a search, what waits for the artist, the figures.

-- pg_trgm finds a word within a word by index. As btree_gist in V001.
do $$
begin
    if exists (select from pg_namespace where nspname = 'extensions') then
        create extension if not exists pg_trgm with schema extensions;
    else
        create extension if not exists pg_trgm;
    end if;
end
$$;

-- "lea" finds "Léa". `unaccent` would need a dictionary, and is not immutable.
create function folded(words text) returns text
language sql immutable parallel safe
return translate(lower(words), 'àáâãäåçèéêëìíîïñòóôõöùúûüýÿ’', 'aaaaaaceeeeiiiinooooouuuuyy''');

alter table bookings
    -- What the artist searches in. Generated, so that it is erased with what it is made of.
    add column search text not null generated always as (
        public.folded(client_name || ' ' || client_email || ' ' || client_phone || ' ' || title)
    ) stored;
do $$
begin
    -- Whoever migrates need not have the schema of the extensions in the path.
    execute format('create index bookings_search on bookings using gin (search %I.gin_trgm_ops)',
        (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_trgm'));
end
$$;

-- A page of a list begins where the last one ended: by start, then by id.
drop index bookings_by_artist;
create index bookings_by_artist on bookings (artist_id, scheduled_at, id);
create index bookings_cancelled on bookings (artist_id, scheduled_at, id) where status = 'cancelled';
create index bookings_pending on bookings (artist_id, scheduled_at, id) where status = 'pending';
create index bookings_confirmed on bookings (artist_id, ends_at, id) where status = 'confirmed';
create index bookings_troubled on bookings (artist_id)
    where payment_problem is not null or payment_status = 'disputed';

-- Small however many jobs were ever done.
create index outbox_ended_badly on outbox (booking_id) where outcome in ('dead', 'discarded');

-- A job that will not be done by itself. What was taken back, or is not wanted any more, has not failed.
create function job_failed(outcome text, why text) returns boolean
language sql immutable parallel safe
return outcome = 'dead'
    or (outcome = 'discarded' and why is distinct from 'taken back' and coalesce(why, '') not like '% any more');

-- What an artist must do about a booking, in the order of the list: the one definition.
create function dashboard_todo(b bookings, moment timestamptz) returns text[]
language sql stable
return array_remove(array[
    -- Somebody holds a slot and has not paid yet.
    case when b.status = 'pending' and b.payment_status = 'unpaid' and b.hold_expires_at > moment then 'confirm' end,
    -- The bank contests a payment, or money that came otherwise than asked is still here.
    case when b.payment_status = 'disputed'
        or (b.payment_problem is not null and (
            b.status = 'pending'
            or b.payment_status = 'refund_pending'
            or exists (
                select from public.payments p
                where p.booking_id = b.id and p.stripe_payment_intent_id is distinct from b.stripe_payment_intent_id
                group by p.stripe_payment_intent_id having sum(p.amount_cents) > 0
            )
        )) then 'payment' end,
    case when b.calendar_state in ('conflict', 'failed') and b.status in ('pending', 'confirmed') and b.ends_at > moment
        then 'calendar' end,
    -- A mail or a refund that was never made; not dragged along for ever.
    case when b.scheduled_at > moment - interval '30 days' and exists (
        select from public.outbox o
        where o.booking_id = b.id and o.outcome in ('dead', 'discarded') and public.job_failed(o.outcome, o.last_error)
    ) then 'job' end,
    -- It is over: did the client come?
    case when b.status = 'confirmed' and b.ends_at <= moment then 'outcome' end
], null);

-- The bookings of which that is true. The inner question only gathers, by index, all that can be; a test compares.
create function dashboard_waiting(of_artist uuid, moment timestamptz)
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
        select m.id from public.bookings m
        where m.artist_id = of_artist and (m.payment_problem is not null or m.payment_status = 'disputed')
        union
        select r.id from public.bookings r
        where r.artist_id = of_artist and r.scheduled_at > moment - interval '30 days'
            and (r.calendar_state in ('conflict', 'failed') or exists (
                select from public.outbox o
                where o.booking_id = r.id and o.outcome in ('dead', 'discarded') and public.job_failed(o.outcome, o.last_error)
            ))
    )) and cardinality(t.todo) > 0;
end;

-- The figures of the dashboard: the one definition. Money by the ledger and by the day it moved, in the artist's zone.
create function dashboard_stats(of_artist uuid, moment timestamptz)
returns table (
    month text, captured_cents bigint, refunded_cents bigint, revenue_cents bigint, deposits_held_cents bigint,
    upcoming_count bigint, pending_count bigint, to_do_count bigint,
    cancelled bigint, cancelled_of bigint, no_show bigint, no_show_of bigint,
    next jsonb, curve jsonb
)
language sql stable
begin atomic
    with zone as materialized (
        select a.timezone as name, date_trunc('month', moment at time zone a.timezone) as this_month,
            (date_trunc('month', moment at time zone a.timezone) - interval '11 months') at time zone a.timezone as since,
            (date_trunc('month', moment at time zone a.timezone) + interval '1 month') at time zone a.timezone as until
        from public.artists a where a.id = of_artist
    ), moved as (
        select date_trunc('month', p.occurred_at at time zone zone.name) as month,
            coalesce(sum(p.amount_cents) filter (where p.kind = 'capture'), 0)::bigint as captured,
            sum(p.amount_cents)::bigint as left_over
        from zone join public.payments p
            on p.artist_id = of_artist and p.currency = 'eur' and p.occurred_at >= zone.since and p.occurred_at < zone.until
        group by 1
    ), curve as materialized (
        -- What was refunded or lost is all that is not left: a refund that fails comes back.
        select m.month, coalesce(moved.captured, 0) as captured,
            coalesce(moved.captured - moved.left_over, 0) as refunded, coalesce(moved.left_over, 0) as revenue
        from zone
        cross join generate_series(zone.this_month - interval '11 months', zone.this_month, interval '1 month') as m (month)
        left join moved on moved.month = m.month
    ), upcoming as materialized (
        select b.id, b.title, b.client_name, b.scheduled_at, b.ends_at, b.stripe_payment_intent_id
        from public.bookings b where b.artist_id = of_artist and b.status = 'confirmed' and b.ends_at > moment
    ), past as (
        -- What stood at some time and was due within the months of the curve.
        select
            count(*) filter (where b.status = 'cancelled') as cancelled, count(*) as stood,
            count(*) filter (where b.no_show) as no_show,
            count(*) filter (where b.status = 'completed' or (b.status = 'confirmed' and b.ends_at <= moment)) as took_place
        from zone join public.bookings b
            on b.artist_id = of_artist and b.scheduled_at >= zone.since and b.scheduled_at <= moment and b.confirmed_at is not null
    )
    select to_char(zone.this_month, 'YYYY-MM'), this.captured, this.refunded, this.revenue,
        (select coalesce(sum(p.amount_cents), 0)::bigint from upcoming u
            join public.payments p on p.booking_id = u.id and p.stripe_payment_intent_id = u.stripe_payment_intent_id),
        (select count(*) from upcoming),
        (select count(*) from public.bookings b where b.artist_id = of_artist and b.status = 'pending'
            and (b.hold_expires_at is null or b.hold_expires_at > moment)),
        (select count(*) from public.dashboard_waiting(of_artist, moment)),
        past.cancelled, past.stood, past.no_show, past.took_place,
        (select jsonb_build_object('id', u.id, 'title', u.title, 'client_name', u.client_name,
                'start', u.scheduled_at, 'end', u.ends_at)
            from upcoming u where u.scheduled_at > moment order by u.scheduled_at limit 1),
        (select jsonb_agg(jsonb_build_object('month', to_char(c.month, 'YYYY-MM'), 'captured_cents', c.captured,
            'refunded_cents', c.refunded, 'revenue_cents', c.revenue) order by c.month) from curve c)
    from zone cross join past join curve this on this.month = zone.this_month;
end;

do $$
declare
    f regprocedure;
    api_role text;
begin
    foreach f in array array[
        'public.folded(text)', 'public.job_failed(text, text)', 'public.dashboard_todo(bookings, timestamptz)',
        'public.dashboard_waiting(uuid, timestamptz)', 'public.dashboard_stats(uuid, timestamptz)'
    ]::regprocedure[] loop
        execute format('revoke execute on function %s from public', f);
        execute format('grant execute on function %s to inkflow_app', f);
        foreach api_role in array array['anon', 'authenticated'] loop
            if exists (select from pg_roles where rolname = api_role) then
                execute format('revoke execute on function %s from %I', f, api_role);
            end if;
        end loop;
    end loop;
end
$$;
