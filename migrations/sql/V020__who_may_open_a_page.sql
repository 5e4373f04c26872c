-- Who may open a page here, who may take money on it, what becomes of an address that is given up, and how long what people
-- left here is kept.

alter table artists
    -- Whether clients may pay deposits: the operator's word, for the money of whoever has no Stripe account of their own
    -- arrives at the operator's. Those who are here may.
    add column takes_deposits boolean not null default true;
alter table artists alter column takes_deposits set default false;

-- What Cal.com is told of an unpaid hold it mails to its attendee, whose address nobody has confirmed. So a new calendar hears
-- of what is paid, unless its artist wishes otherwise.
alter table artists alter column cal_com_create_at set default 'payment';

-- Whom the operator has asked to open a page.
create table invitations (
    -- In small letters: the address of the account.
    email text primary key,
    takes_deposits boolean not null default false,
    invited_at timestamptz not null,
    constraint invitations_email_is_small check (email = lower(email) and email <> '')
);
grant select on invitations to inkflow_app;

-- Addresses of pages that were given up. For a year they lead to where the artist went, and are nobody else's.
create table former_slugs (
    slug text primary key,
    artist_id uuid not null references artists (id) on delete cascade,
    freed_at timestamptz not null
);
create index former_slugs_by_artist on former_slugs (artist_id);
grant select, insert, update, delete on former_slugs to inkflow_app;

-- A page begins with what its invitation says about money. Its address is its own, and was nobody else's for a year.
create function artists_open() returns trigger
language plpgsql
set search_path = pg_catalog, public
as $$
begin
    if tg_op = 'INSERT' and not new.takes_deposits then
        new.takes_deposits := exists (
            select from invitations i where i.email = lower(new.account_email) and i.takes_deposits
        );
    end if;
    if tg_op = 'INSERT' or new.slug <> old.slug then
        if exists (
            select from former_slugs f where f.slug = new.slug and f.artist_id <> new.id
                and f.freed_at > new.updated_at - interval '1 year'
        ) then
            raise exception 'the address % rests', new.slug
                using errcode = 'check_violation', constraint = 'artists_slug_rests';
        end if;
        delete from former_slugs f where f.slug = new.slug;
        if tg_op = 'UPDATE' then
            insert into former_slugs (slug, artist_id, freed_at) values (old.slug, old.id, new.updated_at)
            on conflict (slug) do update set artist_id = excluded.artist_id, freed_at = excluded.freed_at;
        end if;
    end if;
    return new;
end
$$;
create trigger artists_open before insert or update of slug on artists for each row execute function artists_open();

-- No slot is held with an artist who takes no deposits yet, or any more. Bookings that are there live on.
create function bookings_begin() returns trigger
language plpgsql
set search_path = pg_catalog, public
as $$
begin
    if exists (
        select from artists a where a.id = new.artist_id
            and not (a.active and (a.takes_deposits or a.stripe_account_id is not null))
    ) then
        raise exception 'this artist takes no bookings'
            using errcode = 'check_violation', constraint = 'bookings_artist_is_open';
    end if;
    return new;
end
$$;
create trigger bookings_begin before insert on bookings for each row execute function bookings_begin();

-- What people left here and nobody needs any more. `forgotten_at`: since when a booking names nobody.
alter table bookings add column forgotten_at timestamptz;
create index bookings_to_forget on bookings (updated_at)
    where forgotten_at is null and status = 'cancelled' and payment_status = 'unpaid';
create index bookings_by_end on bookings (ends_at) where forgotten_at is null and status in ('cancelled', 'completed');
create index outbox_by_age on outbox (done_at) where done_at is not null;
create index email_deliveries_by_age on email_deliveries (created_at);
-- What arrived before only what matters was kept of it.
create index stripe_events_to_trim on stripe_events (received_at) where not payload ? 'trimmed';
create index calcom_events_by_age on calcom_events (received_at);
create index images_by_age on images (updated_at) where status <> 'ready';

-- Forgets what is older than the given days, at most `most` rows of each kind, and says how many of which. As the owner,
-- because the functions may rewrite neither history nor received events by themselves; it takes no shorter time than these,
-- whatever it is asked.
create function forget_people(
    moment timestamptz, unpaid_days int, mail_days int, job_days int, event_days int, paid_days int, most int
) returns table (what text, rows_forgotten bigint)
language plpgsql volatile security definer
set search_path = pg_catalog, public
as $$
declare
    ids uuid[];
begin
    -- Holds that were never paid: nobody's name, address, number or words.
    ids := array(
        select b.id from bookings b
        where b.forgotten_at is null and b.status = 'cancelled' and b.payment_status = 'unpaid'
            and b.updated_at < moment - make_interval(days => greatest(unpaid_days, 7))
            and not exists (select from payments p where p.booking_id = b.id)
        order by b.updated_at limit most for update skip locked
    );
    -- Appointments of ten years ago, paid or by hand: accounting needs them no more.
    ids := ids || array(
        select b.id from bookings b
        where b.forgotten_at is null and b.ends_at < moment - make_interval(days => greatest(paid_days, 3653))
            and b.status in ('cancelled', 'completed')
        order by b.ends_at limit most for update skip locked
    );
    update bookings b set client_name = '', client_email = '', client_phone = '', note = '', calendar_note = null,
            project_description = case when b.project_description is not null then '' end,
            project_body_zone = case when b.project_body_zone is not null then '' end,
            client_origin = null, forgotten_at = moment
        where b.id = any (ids);
    delete from email_deliveries e where e.booking_id = any (ids);
    delete from booking_events e where e.booking_id = any (ids);
    -- Their idempotency keys have gone after three days.
    what := 'bookings';
    rows_forgotten := cardinality(ids);
    return next;

    what := 'mails';
    delete from email_deliveries e where e.id in (
        select m.id from email_deliveries m where m.created_at < moment - make_interval(days => greatest(mail_days, 30))
            and m.status <> 'sending' order by m.created_at limit most
    );
    get diagnostics rows_forgotten = row_count;
    return next;

    what := 'jobs';
    delete from outbox o where o.id in (
        select j.id from outbox j where j.done_at < moment - make_interval(days => greatest(job_days, 30))
            order by j.done_at limit most
    );
    get diagnostics rows_forgotten = row_count;
    return next;

    what := 'events';
    -- Of Stripe's the id stays, so that none is heard twice; the page, the payment and the amount with it.
    update stripe_events e set payload = jsonb_strip_nulls(jsonb_build_object(
            'id', e.payload->'id', 'object', e.payload->'object', 'amount', e.payload->'amount',
            'amount_total', e.payload->'amount_total', 'currency', e.payload->'currency', 'status', e.payload->'status',
            'payment_intent', e.payload->'payment_intent', 'trimmed', true))
        where e.id in (
            select s.id from stripe_events s where s.received_at < moment - make_interval(days => greatest(event_days, 1))
                and not s.payload ? 'trimmed' order by s.received_at limit most
        );
    get diagnostics rows_forgotten = row_count;
    delete from calcom_events c where c.ctid in (
        select d.ctid from calcom_events d where d.received_at < moment - make_interval(days => greatest(mail_days, 30))
            order by d.received_at limit most
    );
    return next;

    what := 'links';
    delete from contact_links l where l.id in (
        select c.id from contact_links c where c.created_at < moment - interval '30 days' order by c.created_at limit most
    );
    get diagnostics rows_forgotten = row_count;
    delete from former_slugs f where f.freed_at < moment - interval '1 year';
    return next;

    what := 'images';
    delete from images i where i.id in (
        select g.id from images g where g.status <> 'ready' and g.updated_at < moment - interval '90 days'
            order by g.updated_at limit most
    );
    get diagnostics rows_forgotten = row_count;
    return next;
end
$$;

do $$
declare
    t text;
    api_role text;
begin
    foreach t in array array['invitations', 'former_slugs'] loop
        execute format('alter table public.%I enable row level security', t);
        execute format('create policy functions on public.%I to inkflow_app using (true) with check (true)', t);
        execute format('revoke all on public.%I from public', t);
    end loop;
    revoke execute on function artists_open(), bookings_begin() from public;
    revoke execute on function forget_people(timestamptz, int, int, int, int, int, int) from public;
    grant execute on function forget_people(timestamptz, int, int, int, int, int, int) to inkflow_app;
    foreach api_role in array array['anon', 'authenticated'] loop
        if exists (select from pg_roles where rolname = api_role) then
            execute format('revoke all on public.invitations, public.former_slugs from %I', api_role);
            execute format('revoke execute on function public.artists_open(), public.bookings_begin() from %I', api_role);
            execute format('revoke execute on function public.forget_people(timestamptz, int, int, int, int, int, int) from %I', api_role);
        end if;
    end loop;
end
$$;
