-- A hold that is given back early is no sin: people change their mind. But whoever holds for nine minutes, gives back, and holds
-- again keeps a flash, or a network's share, from everybody as surely as by letting it lapse. So the time adds up: twenty minutes
-- of holds that were given back early are as good as one that lapsed.

-- How long a hold was held that was given back early. Null: it lapsed, was given back late, or is one that was kept.
alter table hold_endings add column given_back_after interval;

create or replace function bookings_hold_ended() returns trigger
language plpgsql
set search_path = pg_catalog, public
as $$
declare
    early boolean := false;
begin
    if new.cancel_reason = 'hold_expired' then
        -- Somebody comes to release it a while after it has run out.
        new.let_go_at := least(old.hold_expires_at, new.updated_at);
    elsif new.cancel_reason = 'client' and new.updated_at >= old.created_at + interval '10 minutes' then
        new.let_go_at := new.updated_at;
    elsif new.cancel_reason = 'client' then
        early := true;
    end if;
    if new.status = 'confirmed' or new.let_go_at is not null or early then
        insert into hold_endings (artist_id, flash_id, network, ended_at, kept, given_back_after)
        select new.artist_id, new.unique_flash_id, n.network, coalesce(new.let_go_at, new.updated_at), new.status = 'confirmed',
            case when early then greatest(new.updated_at - old.created_at, interval '0') end
        from (select distinct unnest(array[old.client_origin, old.client_wide])) n (network) where n.network is not null;
    end if;
    new.client_origin := null;
    new.client_wide := null;
    return new;
end
$$;

-- How many holds that lapsed such times are as good as.
create function as_good_as_lapsed(held interval) returns bigint
language sql immutable
return coalesce(floor(extract(epoch from held) / 1200), 0)::bigint;

create or replace function hold_load(
    of_artist uuid, of_mail text, of_phone text, of_origin bytea, of_wide bytea, of_flash uuid, moment timestamptz
)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, public
as $$
declare
    load jsonb;
    day_before constant timestamptz := moment - interval '24 hours';
begin
    -- A hold that has run out counts as lapsed from that moment on, whenever somebody comes to release it.
    select jsonb_build_object(
        'by_mail', count(*) filter (where l.is_live and l.client_email = of_mail),
        'by_phone', count(*) filter (where l.is_live and l.client_phone = of_phone),
        'on_artist', count(*) filter (where l.is_live and l.artist_id = of_artist),
        'near', jsonb_build_object(
            'live', count(*) filter (where l.is_live and l.client_origin = of_origin),
            'ends', to_jsonb(coalesce((array_agg(l.hold_expires_at order by l.hold_expires_at)
                filter (where l.is_live and l.client_origin = of_origin))[1:100], '{}')),
            'lapsed', count(*) filter (where not l.is_live and l.artist_id = of_artist and l.client_origin = of_origin)
                + (select count(*) filter (where e.given_back_after is null) + as_good_as_lapsed(sum(e.given_back_after))
                    from hold_endings e where e.network = of_origin and e.artist_id = of_artist
                    and not e.kept and e.ended_at > day_before),
            'kept', (select count(*) from hold_endings e where e.network = of_origin and e.artist_id = of_artist
                and e.kept and e.ended_at > day_before)
        ),
        'wide', jsonb_build_object(
            'live', count(*) filter (where l.is_live and l.client_wide = of_wide),
            'ends', to_jsonb(coalesce((array_agg(l.hold_expires_at order by l.hold_expires_at)
                filter (where l.is_live and l.client_wide = of_wide))[1:100], '{}')),
            'lapsed', count(*) filter (where not l.is_live and l.artist_id = of_artist and l.client_wide = of_wide)
                + (select count(*) filter (where e.given_back_after is null) + as_good_as_lapsed(sum(e.given_back_after))
                    from hold_endings e where e.network = of_wide and e.artist_id = of_artist
                    and not e.kept and e.ended_at > day_before),
            'kept', (select count(*) from hold_endings e where e.network = of_wide and e.artist_id = of_artist
                and e.kept and e.ended_at > day_before)
        )
    ) into load
    from (
        select b.*, b.hold_expires_at > moment as is_live
        from bookings b where b.status = 'pending' and b.hold_expires_at is not null
    ) l;
    if of_flash is not null then
        -- Of a unique flash only: what is repeatable is not kept from anybody.
        load := load || jsonb_build_object('flash', (
            select jsonb_build_object(
                -- One IPv4 address may be many people: it counts as the wide network that it is.
                'own', greatest(p.times, case when of_origin is distinct from of_wide then e.near else 0 end), 'wide', e.wide, 'last', greatest(p.last, e.last)
            )
            from (
                select count(*) filter (where not h.early) + as_good_as_lapsed(sum(h.ended - h.created_at) filter (where h.early)) as times,
                    max(h.ended) as last
                from (
                    select b.created_at, b.let_go_at is null and b.status = 'cancelled' as early,
                        coalesce(b.let_go_at, case when b.status = 'cancelled' then b.cancelled_at else b.hold_expires_at end) as ended
                    from bookings b
                    where b.flash_id = of_flash and b.unique_flash_id is not null
                        and (b.client_email = of_mail or b.client_phone = of_phone)
                        and (b.status = 'pending'
                            or b.status = 'cancelled' and (b.let_go_at is not null or b.cancel_reason = 'client' and b.payment_status = 'unpaid'))
                ) h
                where h.ended between day_before and moment
            ) p, (
                select count(*) filter (where h.network = of_origin and h.given_back_after is null)
                        + as_good_as_lapsed(sum(h.given_back_after) filter (where h.network = of_origin)) as near,
                    count(*) filter (where h.network = of_wide and h.given_back_after is null)
                        + as_good_as_lapsed(sum(h.given_back_after) filter (where h.network = of_wide)) as wide,
                    max(h.ended_at) as last
                from hold_endings h
                where h.network in (of_origin, of_wide) and h.artist_id = of_artist and h.flash_id = of_flash
                    and not h.kept and h.ended_at > day_before
            ) e
        ));
    end if;
    return load;
end
$$;

do $$
declare
    f constant regprocedure := 'public.as_good_as_lapsed(interval)';
    api_role text;
begin
    execute format('revoke execute on function %s from public', f);
    execute format('grant execute on function %s to inkflow_app', f);
    foreach api_role in array array['anon', 'authenticated'] loop
        if exists (select from pg_roles where rolname = api_role) then
            execute format('revoke execute on function %s from %I', f, api_role);
        end if;
    end loop;
end
$$;
