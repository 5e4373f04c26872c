with room as materialized (
    select r.fits, r.load from hold_room($1, $2->>'client_email', $2->>'client_phone', $7, $9,
        ($2->>'flash_id')::uuid, $3, $10) r
), spent as (
    insert into idempotency_keys (scope, key, request_hash, created_at)
    select 'proof', $11, decode('', 'hex'), $3 from room where fits and $11::text is not null
    on conflict (scope, key) do nothing returning key
), good as materialized (
    select from room where fits and ($11::text is null or exists (select from spent))
), claimed as (
    insert into idempotency_keys (scope, key, request_hash, booking_id, created_at)
    select 'create-booking', $4, $5, ($2->>'id')::uuid, $3 from good where $4::text is not null
    on conflict (scope, key) do nothing returning key
), held as (
    insert into bookings (id, artist_id, type, status, scheduled_at, ends_at, acompte_amount, price, title, policy,
        flash_id, unique_flash_id, project_description, project_body_zone, project_budget,
        client_name, client_email, client_phone, client_locale, client_origin, client_wide,
        hold_expires_at, checkout_expires_at, stripe_account_id, calendar_state, created_at, updated_at)
    select r.id, $1, r.type, 'pending', r.scheduled_at, r.ends_at, r.acompte_amount, r.price, r.title, r.policy,
        r.flash_id, r.unique_flash_id, r.project_description, r.project_body_zone, r.project_budget,
        r.client_name, r.client_email, r.client_phone, r.client_locale, $7, $9,
        r.hold_expires_at, r.checkout_expires_at, r.stripe_account_id, r.calendar_state, $3, $3
    from good, jsonb_to_record($2) as r(id uuid, type text, scheduled_at timestamptz, ends_at timestamptz,
        acompte_amount numeric, price numeric, title text, policy jsonb, flash_id uuid, unique_flash_id uuid,
        project_description text, project_body_zone text, project_budget numeric,
        client_name text, client_email text, client_phone text, client_locale text,
        hold_expires_at timestamptz, checkout_expires_at timestamptz, stripe_account_id text, calendar_state text)
    where $4::text is null or exists (select from claimed)
    returning id
), history as (
    insert into booking_events (booking_id, at, actor, kind) select id, $3, 'client', 'held' from held
), jobs as (
    -- Most artists want to hear of what is paid only.
/* insert_jobs */
    insert into outbox (id, kind, booking_id, args, dedupe_key, created_at, relay_at)
    select j.id, j.kind, j.booking_id, j.args, j.dedupe_key, j.created_at, j.relay_at
    from held, jsonb_to_recordset(
        (select case when a.pending_mails then $8::jsonb else '[]' end from artists a where a.id = $1) || $6
    ) as j(id uuid, kind text, booking_id uuid, args jsonb, dedupe_key text, created_at timestamptz, relay_at timestamptz)
    on conflict (dedupe_key) do nothing returning id
/* end */
) select exists (select from held) as held, array(select id from jobs) as jobs,
    r.fits, r.load, exists (select from good) as good from room r
