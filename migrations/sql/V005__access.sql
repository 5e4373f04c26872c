-- Row level security on every table, and one policy: the functions' role. Supabase's API roles have
-- none, so they see nothing even where an old project granted them the table.
do $$
declare
    t text;
    api_role text;
begin
    foreach t in array array[
        'artists', 'availability', 'time_off', 'flashes', 'bookings', 'booking_events', 'payments',
        'stripe_events', 'calcom_events', 'outbox', 'email_deliveries', 'idempotency_keys', 'rate_limits'
    ] loop
        execute format('alter table public.%I enable row level security', t);
        execute format('create policy functions on public.%I to inkflow_app using (true) with check (true)', t);
        execute format('revoke all on public.%I from public', t);
        foreach api_role in array array['anon', 'authenticated'] loop
            if exists (select from pg_roles where rolname = api_role) then
                execute format('revoke all on public.%I from %I', t, api_role);
            end if;
        end loop;
    end loop;
end
$$;
-- The list of applied migrations was made before the first of them could shut the door. Its owner alone reads it.
alter table refinery_schema_history enable row level security;
revoke all on refinery_schema_history from public;
revoke execute on function bookings_guard() from public;
do $$
declare
    api_role text;
begin
    foreach api_role in array array['anon', 'authenticated'] loop
        if exists (select from pg_roles where rolname = api_role) then
            execute format('revoke all on public.refinery_schema_history from %I', api_role);
            execute format('revoke execute on function public.bookings_guard() from %I', api_role);
            execute format('revoke all on sequence public.booking_events_id_seq from %I', api_role);
        end if;
    end loop;
end
$$;

-- A project that began on Postgres 14 or older lets everybody make tables in `public`.
revoke create on schema public from public;
grant usage on schema public to inkflow_app;
grant select on artists, availability, time_off, flashes to inkflow_app;
grant select, insert, update on bookings, outbox, email_deliveries to inkflow_app;
-- History, ledger and received events are written once.
grant select, insert on booking_events, payments, stripe_events, calcom_events to inkflow_app;
grant select, insert, update, delete on idempotency_keys, rate_limits to inkflow_app;
