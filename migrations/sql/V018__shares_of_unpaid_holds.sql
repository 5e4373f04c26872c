-- Unpaid holds cost strangers nothing, so they are shared out: by mail, by telephone, and by network. Here is what that is
-- decided from. The rule itself is `shared::domain::shares`.

alter table bookings
    -- The wide network of the client (IPv6 /48, or the IPv4 address itself), hashed as `client_origin` is; forgotten with the
    -- hold.
    add column client_wide bytea,
    -- When the client let the hold go: it ran out, or was given back late.
    add column let_go_at timestamptz;
comment on column bookings.client_origin is 'Keyed hash of the client''s network: IPv6 /64, or the IPv4 address.';

-- What became of the unpaid holds of a network, for a day: nothing in a row says whose booking it was.
create table hold_endings (
    artist_id uuid not null references artists (id) on delete cascade,
    -- The unique flash that was held, if it was one.
    flash_id uuid references flashes (id) on delete cascade,
    -- As in bookings.client_origin or bookings.client_wide.
    network bytea not null,
    ended_at timestamptz not null,
    -- It was paid, or the artist took it as good; else it lapsed.
    kept boolean not null
);
create index hold_endings_by_network on hold_endings (network, artist_id);
create index hold_endings_by_age on hold_endings (ended_at);
alter table hold_endings enable row level security;
create policy functions on hold_endings to inkflow_app using (true) with check (true);
revoke all on hold_endings from public;
grant select, insert, delete on hold_endings to inkflow_app;

-- Whoever ends a hold, the networks are forgotten with it, and what became of it is noted. Given back after ten minutes is as
-- good as lapsed: else a machine would hold for 29 minutes, give back, and hold again.
create function bookings_hold_ended() returns trigger
language plpgsql
set search_path = pg_catalog, public
as $$
begin
    if new.cancel_reason = 'hold_expired' then
        -- Somebody comes to release it a while after it has run out.
        new.let_go_at := least(old.hold_expires_at, new.updated_at);
    elsif new.cancel_reason = 'client' and new.updated_at >= old.created_at + interval '10 minutes' then
        new.let_go_at := new.updated_at;
    end if;
    if new.status = 'confirmed' or new.let_go_at is not null then
        insert into hold_endings (artist_id, flash_id, network, ended_at, kept)
        select new.artist_id, new.unique_flash_id, n.network, coalesce(new.let_go_at, new.updated_at), new.status = 'confirmed'
        from (select distinct unnest(array[old.client_origin, old.client_wide])) n (network) where n.network is not null;
    end if;
    new.client_origin := null;
    new.client_wide := null;
    return new;
end
$$;
create trigger bookings_hold_ended before update of status on bookings
    for each row when (old.status = 'pending' and new.status <> 'pending') execute function bookings_hold_ended();

-- How many unpaid holds there are beside one that is asked for, and what became of those of before.
create function hold_load(
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
                + (select count(*) from hold_endings e where e.network = of_origin and e.artist_id = of_artist
                    and not e.kept and e.ended_at > day_before),
            'kept', (select count(*) from hold_endings e where e.network = of_origin and e.artist_id = of_artist
                and e.kept and e.ended_at > day_before)
        ),
        'wide', jsonb_build_object(
            'live', count(*) filter (where l.is_live and l.client_wide = of_wide),
            'ends', to_jsonb(coalesce((array_agg(l.hold_expires_at order by l.hold_expires_at)
                filter (where l.is_live and l.client_wide = of_wide))[1:100], '{}')),
            'lapsed', count(*) filter (where not l.is_live and l.artist_id = of_artist and l.client_wide = of_wide)
                + (select count(*) from hold_endings e where e.network = of_wide and e.artist_id = of_artist
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
                select count(*) as times, max(coalesce(b.let_go_at, b.hold_expires_at)) as last
                from bookings b
                where b.flash_id = of_flash and b.unique_flash_id is not null
                    and (b.client_email = of_mail or b.client_phone = of_phone)
                    and (b.status = 'pending' or b.status = 'cancelled')
                    and coalesce(b.let_go_at, b.hold_expires_at) between day_before and moment
            ) p, (
                select count(*) filter (where h.network = of_origin) as near,
                    count(*) filter (where h.network = of_wide) as wide, max(h.ended_at) as last
                from hold_endings h
                where h.network in (of_origin, of_wide) and h.artist_id = of_artist and h.flash_id = of_flash
                    and not h.kept and h.ended_at > day_before
            ) e
        ));
    end if;
    return load;
end
$$;

-- The same once more inside the statement that takes the slot, in turn with everybody who could change the counts: of twenty
-- requests at once, each of which saw none before it, as many get through as there is room for.
--
-- The client's locks come before the artist's and in one order, so that nobody waits in a circle. `most` is how many there
-- may be of each, this hold not among them.
create function hold_room(
    of_artist uuid, of_mail text, of_phone text, of_origin bytea, of_wide bytea, of_flash uuid, moment timestamptz, most jsonb
)
returns table (fits boolean, load jsonb)
language plpgsql volatile rows 1
set search_path = pg_catalog, public
as $$
begin
    perform pg_advisory_xact_lock(k.key) from (
        select distinct hashtextextended(w.whose, 2) as key
        from unnest(array['mail ' || of_mail, 'phone ' || of_phone, encode(of_origin, 'hex'), encode(of_wide, 'hex')]) w (whose)
        where w.whose is not null order by 1
    ) k;
    perform pg_advisory_xact_lock(hashtextextended(of_artist::text, 1));
    load := hold_load(of_artist, of_mail, of_phone, of_origin, of_wide, of_flash, moment);
    fits := (load->>'by_mail')::bigint <= (most->>'by_mail')::bigint
        and (load->>'by_phone')::bigint <= (most->>'by_phone')::bigint
        and (load->>'on_artist')::bigint <= (most->>'on_artist')::bigint
        and (load->'near'->>'live')::bigint <= (most->>'near')::bigint
        and (load->'wide'->>'live')::bigint <= (most->>'wide')::bigint
        -- Who lets this flash go is known by telephone as well, which is read only by now.
        and (most->'flash' is null or load->'flash' = most->'flash');
    return next;
end
$$;

do $$
declare
    f regprocedure;
    api_role text;
begin
    foreach f in array array[
        'public.hold_load(uuid, text, text, bytea, bytea, uuid, timestamptz)'::regprocedure,
        'public.hold_room(uuid, text, text, bytea, bytea, uuid, timestamptz, jsonb)'::regprocedure
    ] loop
        execute format('revoke execute on function %s from public', f);
        execute format('grant execute on function %s to inkflow_app', f);
    end loop;
    revoke execute on function bookings_hold_ended() from public;
    foreach api_role in array array['anon', 'authenticated'] loop
        if exists (select from pg_roles where rolname = api_role) then
            execute format('revoke all on public.hold_endings from %I', api_role);
            execute format('revoke execute on function public.hold_load(uuid, text, text, bytea, bytea, uuid, timestamptz) from %I', api_role);
            execute format('revoke execute on function public.hold_room(uuid, text, text, bytea, bytea, uuid, timestamptz, jsonb) from %I', api_role);
            execute format('revoke execute on function public.bookings_hold_ended() from %I', api_role);
        end if;
    end loop;
end
$$;
