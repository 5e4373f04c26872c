-- A mail is handed to SES at most twice, is written to nobody who did not ask for it, and says so when it was not sent.

alter table email_deliveries
    -- How often SES may have taken it: counted before each try, and taken back when SES says that it did not. Rows of before
    -- had one.
    add column tries smallint not null default 1,
    -- When it was counted against what an address may be sent without a payment; once, however often it is tried.
    add column counted_at timestamptz,
    add constraint email_deliveries_tries_bounded check (tries between 0 and 2),
    drop constraint email_deliveries_status_known,
    -- 'unknown': SES was asked twice and never answered, so it may have arrived; 'withheld': too many to this address.
    add constraint email_deliveries_status_known check (status in ('sending', 'sent', 'refused', 'unknown', 'withheld'));
-- Small: what is on its way right now.
create index email_deliveries_open on email_deliveries (created_at) where status = 'sending';

alter table artists
    -- The address of the account, as Supabase has confirmed it. Not known of pages that were not saved since.
    add column account_email text,
    -- Where the artist wants to be written to, until the link that was mailed there is pressed. `email` is confirmed, always.
    add column email_wanted text;
grant insert (account_email, email_wanted), update (account_email, email_wanted) on artists to inkflow_app;

-- Links that confirm an artist's address. The token is made when the mail is, and is kept as a hash only.
create table contact_links (
    id uuid primary key,
    artist_id uuid not null references artists (id) on delete cascade,
    email text not null,
    -- Set when the mail is handed to SES. A link is mailed once: the artist may ask for another.
    token_hash bytea,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    constraint contact_links_token_unique unique (token_hash),
    constraint contact_links_token_is_a_hash check (length(token_hash) = 32)
);
create index contact_links_by_artist on contact_links (artist_id, created_at);
create index contact_links_by_age on contact_links (created_at);
alter table contact_links enable row level security;
create policy functions on contact_links to inkflow_app using (true) with check (true);
revoke all on contact_links from public;
grant select, insert, update, delete on contact_links to inkflow_app;

alter table outbox
    drop constraint outbox_kind_known,
    add constraint outbox_kind_known check (
        kind in ('sync_calendar', 'send_email', 'refund', 'settle_refunds', 'expire_checkout', 'send_contact_link')
    );

-- Counts one more mail to an address, and one more of an artist's, in this hour and in this day. Nothing: it may be sent.
-- Otherwise whose share is used up: 'address' or 'artist'. Atomic, however many ask at once.
create function mail_allowance(
    what text, of_address text, of_artist uuid, moment timestamptz,
    address_per_hour int, address_per_day int, artist_per_hour int, artist_per_day int
) returns text
language plpgsql volatile
set search_path = pg_catalog, public
as $$
declare
    -- An address is kept as a hash.
    address constant text := what || '-to:' || encode(sha256(convert_to(lower(of_address), 'UTF8')), 'hex');
    artist constant text := what || '-by:' || of_artist;
    -- Of UTC, by arithmetic.
    hour constant timestamptz := to_timestamp(floor(extract(epoch from moment) / 3600) * 3600);
    day constant timestamptz := to_timestamp(floor(extract(epoch from moment) / 86400) * 86400);
    counter record;
begin
    for counter in
        select * from (values
            (address || ':hour', hour, address_per_hour, 'address'),
            (address || ':day', day, address_per_day, 'address'),
            (artist || ':hour', hour, artist_per_hour, 'artist'),
            (artist || ':day', day, artist_per_day, 'artist')
        ) as c (bucket, window_start, allowed, whose)
    loop
        insert into rate_limits as l (bucket, window_start, count) values (counter.bucket, counter.window_start, 1)
        on conflict on constraint rate_limits_once do update set count = l.count + 1 where l.count < counter.allowed;
        if not found then
            return counter.whose;
        end if;
    end loop;
    return null;
end
$$;

-- Notes that a mail is about to be handed to SES. 'send': do so; 'over': it was, or nobody knows; 'unknown': as of now nobody
-- knows; 'withheld:address', 'withheld:artist': not now. `rests_on_nothing` is a mail that no payment stands behind.
create function mail_begin(
    new_id uuid, of_booking uuid, of_template text, of_occurrence text, to_address text, moment timestamptz,
    rests_on_nothing boolean, address_per_hour int, address_per_day int, artist_per_hour int, artist_per_day int
) returns text
language plpgsql volatile
set search_path = pg_catalog, public
as $$
declare
    delivery email_deliveries;
    withheld text;
begin
    insert into email_deliveries (id, booking_id, template, occurrence, recipient, status, tries, created_at)
    values (new_id, of_booking, of_template, of_occurrence, to_address, 'sending', 0, moment)
    on conflict on constraint email_deliveries_once do nothing;
    select * into strict delivery from email_deliveries e
    where e.booking_id = of_booking and e.template = of_template and e.occurrence = of_occurrence for update;
    if delivery.status in ('sent', 'unknown') then
        return 'over';
    end if;
    if delivery.tries >= 2 then
        update email_deliveries e set status = 'unknown' where e.id = delivery.id;
        return 'unknown';
    end if;
    if rests_on_nothing and delivery.counted_at is null then
        withheld := mail_allowance('mail', to_address, (select b.artist_id from bookings b where b.id = of_booking), moment,
            address_per_hour, address_per_day, artist_per_hour, artist_per_day);
        if withheld is not null then
            update email_deliveries e set status = 'withheld', recipient = to_address, error = withheld where e.id = delivery.id;
            return 'withheld:' || withheld;
        end if;
    end if;
    update email_deliveries e set status = 'sending', recipient = to_address, error = null, tries = e.tries + 1,
        counted_at = coalesce(e.counted_at, case when rests_on_nothing then moment end)
    where e.id = delivery.id;
    return 'send';
end
$$;

do $$
declare
    f regprocedure;
    api_role text;
begin
    foreach f in array array[
        'public.mail_allowance(text, text, uuid, timestamptz, int, int, int, int)'::regprocedure,
        'public.mail_begin(uuid, uuid, text, text, text, timestamptz, boolean, int, int, int, int)'::regprocedure
    ] loop
        execute format('revoke execute on function %s from public', f);
        execute format('grant execute on function %s to inkflow_app', f);
        foreach api_role in array array['anon', 'authenticated'] loop
            if exists (select from pg_roles where rolname = api_role) then
                execute format('revoke execute on function %s from %I', f, api_role);
            end if;
        end loop;
    end loop;
    foreach api_role in array array['anon', 'authenticated'] loop
        if exists (select from pg_roles where rolname = api_role) then
            execute format('revoke all on public.contact_links from %I', api_role);
        end if;
    end loop;
end
$$;
