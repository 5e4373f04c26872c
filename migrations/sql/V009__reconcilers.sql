-- What the sweeper remembers between two runs: how far a look at somebody else's list has come, and when the next one
-- is due. Small: one row per reconciler.
create table reconcilers (
    name text primary key,
    -- Also the lease of the sweep that is looking: two never look at the same list at once.
    due_at timestamptz not null,
    -- Where to go on. Empty between two looks.
    state jsonb not null default '{}'
);
alter table reconcilers enable row level security;
create policy functions on reconcilers to inkflow_app using (true) with check (true);
revoke all on reconcilers from public;
do $$
declare
    api_role text;
begin
    foreach api_role in array array['anon', 'authenticated'] loop
        if exists (select from pg_roles where rolname = api_role) then
            execute format('revoke all on public.reconcilers from %I', api_role);
        end if;
    end loop;
end
$$;
grant select, insert, update on reconcilers to inkflow_app;

-- The money that is on its way back: few rows at any time, asked about by stripe_checked_at.
create index bookings_refunds_open on bookings (stripe_checked_at) where payment_status = 'refund_pending';

-- The jobs that were given up, which somebody must see.
create index outbox_dead on outbox (done_at) where outcome = 'dead';

alter table bookings
    -- When the sweeper last compared this booking with Cal.com: the least recently compared goes first.
    add column calendar_checked_at timestamptz,
    -- The start that Cal.com and we agreed on last. When the two differ it tells who moved the appointment: the side
    -- that is still there did not.
    add column calendar_start timestamptz;
update bookings set calendar_start = scheduled_at where calendar_state = 'synced' and calendar_note is null;
create index bookings_by_calendar_uid on bookings (cal_com_booking_id) where cal_com_booking_id is not null;
create index bookings_to_compare on bookings (calendar_checked_at) where calendar_state in ('synced', 'waiting');
-- The appointments that are over and not yet closed.
create index bookings_not_closed on bookings (ends_at) where status = 'confirmed';
