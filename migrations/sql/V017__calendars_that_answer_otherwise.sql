-- What Cal.com and Stripe may answer otherwise than asked: an appointment that was called off there by somebody we do not
-- know, one that is not found any more, a page that has to be opened anew, and a quota that visitors share.

alter table bookings
    -- Counts the wishes for a page at Stripe. A wish that Stripe has refused for its age is never sent again under its key.
    add column checkout_attempt integer not null default 1,
    -- What a signed webhook of Cal.com said of a cancellation and Cal.com itself does not tell: `cancelled` or
    -- `reschedule`, and of which uid.
    add column calendar_hint text,
    -- Since when Cal.com does not find an appointment that it had.
    add column calendar_missing_since timestamptz,
    drop constraint bookings_calendar_state_known,
    add constraint bookings_calendar_state_known check (
        calendar_state in ('off', 'waiting', 'synced', 'removed', 'conflict', 'failed', 'called_off')
    );

drop index bookings_to_compare;
create index bookings_to_compare on bookings (calendar_checked_at)
    where calendar_state in ('synced', 'waiting', 'called_off', 'failed');
-- Confirmed by hand while its page at Stripe was open: it may be paid all the same.
create index bookings_page_open on bookings (checkout_expires_at)
    where status = 'confirmed' and payment_status = 'unpaid' and checkout_url is not null;

-- What Cal.com said of an artist's free times a moment ago, shared by all who look at the same days. Nothing is lost with
-- it, so it is not written to the log.
create unlogged table calendar_answers (
    artist_id uuid not null references artists (id) on delete cascade,
    event_type bigint not null,
    minutes integer not null,
    window_start timestamptz not null,
    window_end timestamptz not null,
    starts timestamptz[] not null,
    asked_at timestamptz not null,
    constraint calendar_answers_once primary key (artist_id, event_type, minutes, window_start, window_end)
);
create index calendar_answers_by_age on calendar_answers (asked_at);
alter table calendar_answers enable row level security;
create policy functions on calendar_answers to inkflow_app using (true) with check (true);
revoke all on calendar_answers from public;
do $$
declare
    api_role text;
begin
    foreach api_role in array array['anon', 'authenticated'] loop
        if exists (select from pg_roles where rolname = api_role) then
            execute format('revoke all on public.calendar_answers from %I', api_role);
        end if;
    end loop;
end
$$;
grant select, insert, update, delete on calendar_answers to inkflow_app;

-- What is known of an artist's free times before Cal.com is asked, and how often it is asked in this minute, for the artist
-- and for this visitor. A function, so that its plans are kept (V012). `told` is what a sandbox has learnt since its last
-- question: it travels with the next one, and costs no way of its own.
create function calendar_known(
    of_artist uuid, of_event_type bigint, of_minutes int, since timestamptz, until timestamptz,
    told jsonb, visitor text, this_minute timestamptz, fresh_since timestamptz, known_since timestamptz, for_one int
)
returns table (kept_starts timestamptz[], kept_at timestamptz, asked_by_all int, asked_by_one int)
language plpgsql volatile rows 1
set search_path = pg_catalog, public
as $$
begin
    asked_by_all := 0;
    asked_by_one := 0;
    if jsonb_array_length(told) > 0 then
        insert into calendar_answers (artist_id, event_type, minutes, window_start, window_end, starts, asked_at)
        select t.artist_id, t.event_type, t.minutes, t.window_start, t.window_end,
            array(select jsonb_array_elements_text(t.starts)::timestamptz), t.asked_at
        from jsonb_to_recordset(told) as t (artist_id uuid, event_type bigint, minutes int, window_start timestamptz,
            window_end timestamptz, starts jsonb, asked_at timestamptz)
        where exists (select from artists x where x.id = t.artist_id)
        order by 1, 2, 3, 4, 5
        on conflict on constraint calendar_answers_once do update set starts = excluded.starts, asked_at = excluded.asked_at
            where calendar_answers.asked_at < excluded.asked_at;
    end if;
    if of_event_type is null then
        return next;
        return;
    end if;
    select k.starts, k.asked_at into kept_starts, kept_at from calendar_answers k
    where k.artist_id = of_artist and k.event_type = of_event_type and k.minutes = of_minutes
        and k.window_start = since and k.window_end = until and k.asked_at > known_since;
    if kept_at is null or kept_at <= fresh_since then
        insert into rate_limits as l (bucket, window_start, count)
        values ('calcom:' || of_artist || ':' || visitor, this_minute, 1)
        on conflict on constraint rate_limits_once do update set count = l.count + 1 returning l.count into asked_by_one;
        -- Whoever has had their share is not asked for, and takes nothing from the others.
        if asked_by_one <= for_one then
            insert into rate_limits as l (bucket, window_start, count) values ('calcom:' || of_artist, this_minute, 1)
            on conflict on constraint rate_limits_once do update set count = l.count + 1 returning l.count into asked_by_all;
        end if;
    end if;
    return next;
end
$$;
do $$
declare
    f constant regprocedure := 'public.calendar_known(uuid, bigint, int, timestamptz, timestamptz, jsonb, text, timestamptz, timestamptz, timestamptz, int)';
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

-- As in V013, and what was called off in Cal.com waits for the artist's word. A cancelled appointment that Cal.com keeps is
-- the calendar's business too.
create or replace function dashboard_todo(b bookings, moment timestamptz) returns text[]
language sql stable
return array_remove(array[
    -- Somebody holds a slot and has not paid yet.
    case when b.status = 'pending' and b.payment_status = 'unpaid' and b.hold_expires_at > moment then 'confirm' end,
    -- The bank contests a payment, or money that came otherwise than asked is still here.
    case when (b.payment_status = 'disputed' and not exists (
            select from public.payments d
            where d.booking_id = b.id and d.kind = 'dispute_lost' and d.stripe_payment_intent_id = b.stripe_payment_intent_id
        ))
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
        select m.id from public.bookings m
        where m.artist_id = of_artist and (m.payment_problem is not null or m.payment_status = 'disputed')
        union
        select r.id from public.bookings r
        where r.artist_id = of_artist and r.scheduled_at > moment - interval '30 days'
            and (r.calendar_state in ('conflict', 'failed', 'called_off') or exists (
                select from public.outbox o
                where o.booking_id = r.id and o.outcome in ('dead', 'discarded') and public.job_failed(o.outcome, o.last_error)
            ))
    )) and cardinality(t.todo) > 0;
end;
