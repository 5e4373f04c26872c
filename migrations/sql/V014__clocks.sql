-- One table of time zones, and it is not this server's: which instants a month of the studio begins and ends with, the
-- functions know. PostgreSQL's own tables are those of its system, and may be years older.

alter table bookings
    -- The zone on whose clock the appointment is told. Null while that is the artist's present one.
    add column timezone text,
    add constraint bookings_timezone_named check (timezone <> '');

-- An artist who moves on, to a guest spot or back, takes no appointment along: each is told on the clock it was made for.
create function bookings_keep_their_clock() returns trigger
language plpgsql
set search_path = pg_catalog, public
as $$
begin
    update bookings b set timezone = old.timezone where b.artist_id = old.id and b.timezone is null;
    return null;
end
$$;
create trigger bookings_keep_their_clock after update of timezone on artists
    for each row when (old.timezone is distinct from new.timezone) execute function bookings_keep_their_clock();

-- The figures of the dashboard, as in V007, by stretches of time of which months of any zone can be made: `months` are the
-- midnights of UTC around the months in question, and each is surrounded by quarters of an hour, from fourteen hours before
-- it, where the month begins on the date line, to twelve after. Money by the day it moved. The function of before stays
-- for functions of before.
create function dashboard_stats(of_artist uuid, moment timestamptz, months timestamptz[])
returns table (
    deposits_held_cents bigint, upcoming_count bigint, pending_count bigint, to_do_count bigint, next jsonb,
    -- Of each stretch: its first instant, what was received, and what is left of that less what went back.
    moved jsonb,
    -- Of each stretch: its first instant, and how many of the appointments due in it were cancelled, had stood, were missed,
    -- and took place.
    due jsonb
)
language sql stable
begin atomic
    with edges as materialized (
        select array_agg(edge order by edge) as all_of_them, min(edge) as first
        from unnest(months) as m (month)
        cross join generate_series(-14 * 4, 12 * 4) as q (quarter)
        cross join lateral (select m.month + q.quarter * interval '15 minutes' as edge) e
    ), moved as (
        select e.all_of_them[width_bucket(p.occurred_at, e.all_of_them)] as stretch,
            coalesce(sum(p.amount_cents) filter (where p.kind = 'capture'), 0)::bigint as captured,
            sum(p.amount_cents)::bigint as left_over
        from edges e join public.payments p
            on p.artist_id = of_artist and p.currency = 'eur' and p.occurred_at >= e.first
        group by 1
    ), due as (
        -- What stood at some time.
        select e.all_of_them[width_bucket(b.scheduled_at, e.all_of_them)] as stretch,
            count(*) filter (where b.status = 'cancelled') as cancelled, count(*) as stood,
            count(*) filter (where b.no_show) as no_show,
            count(*) filter (where b.status = 'completed' or (b.status = 'confirmed' and b.ends_at <= moment)) as took_place
        from edges e join public.bookings b
            on b.artist_id = of_artist and b.scheduled_at >= e.first and b.scheduled_at <= moment and b.confirmed_at is not null
        group by 1
    ), upcoming as materialized (
        select b.id, b.title, b.client_name, b.scheduled_at, b.ends_at, b.timezone, b.stripe_payment_intent_id
        from public.bookings b where b.artist_id = of_artist and b.status = 'confirmed' and b.ends_at > moment
    )
    select
        (select coalesce(sum(p.amount_cents), 0)::bigint from upcoming u
            join public.payments p on p.booking_id = u.id and p.stripe_payment_intent_id = u.stripe_payment_intent_id),
        (select count(*) from upcoming),
        (select count(*) from public.bookings b where b.artist_id = of_artist and b.status = 'pending'
            and (b.hold_expires_at is null or b.hold_expires_at > moment)),
        (select count(*) from public.dashboard_waiting(of_artist, moment)),
        (select jsonb_build_object('id', u.id, 'title', u.title, 'client_name', u.client_name,
                'start', u.scheduled_at, 'end', u.ends_at, 'timezone', u.timezone)
            from upcoming u where u.scheduled_at > moment order by u.scheduled_at limit 1),
        (select coalesce(jsonb_agg(jsonb_build_array(m.stretch, m.captured, m.left_over)), '[]') from moved m),
        (select coalesce(jsonb_agg(jsonb_build_array(d.stretch, d.cancelled, d.stood, d.no_show, d.took_place)), '[]')
            from due d);
end;

do $$
declare
    f regprocedure;
    api_role text;
begin
    foreach f in array array[
        'public.dashboard_stats(uuid, timestamptz, timestamptz[])', 'public.bookings_keep_their_clock()'
    ]::regprocedure[] loop
        execute format('revoke execute on function %s from public', f);
        foreach api_role in array array['anon', 'authenticated'] loop
            if exists (select from pg_roles where rolname = api_role) then
                execute format('revoke execute on function %s from %I', f, api_role);
            end if;
        end loop;
    end loop;
    grant execute on function public.dashboard_stats(uuid, timestamptz, timestamptz[]) to inkflow_app;
end
$$;
