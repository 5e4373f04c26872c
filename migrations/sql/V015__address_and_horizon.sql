-- Who is told where the studio is, and how far ahead it can be booked: both the artist's to say.
alter table artists
    -- 'after_payment': once the deposit is in hand or the artist has confirmed; 'with_summary': from the moment a client
    -- holds a slot; 'public': to everybody. The town is always public.
    add column address_shown text not null default 'after_payment',
    -- The last day that can be booked, counted from today on the artist's calendar.
    add column horizon_days integer not null default 180,
    add constraint artists_address_shown_known check (address_shown in ('after_payment', 'with_summary', 'public')),
    add constraint artists_horizon_in_range check (horizon_days between 7 and 730);

grant update (address_shown, horizon_days), insert (address_shown) on artists to inkflow_app;

-- As in V012, with the two columns.
drop function agenda(text, uuid, timestamptz, timestamptz);
create function agenda(of_slug text, of_flash uuid, window_start timestamptz, window_end timestamptz)
returns table (
    artist_id uuid, slug text, display_name text, bio text, city text, address text,
    address_shown text, hero_image text, locale text,
    timezone text, deposit_percent smallint, deposit_minimum text, project_deposit text, project_duration_minutes int,
    policy_full_refund_hours int, policy_late_refund_percent smallint, policy_free_moves smallint, deposit_nature text,
    cal_com_event_type_id bigint, cal_com_api_key bytea, cal_com_create_at text, stripe_account_id text,
    buffer_minutes int, minimum_notice_minutes int, slot_step_minutes int, horizon_days int,
    flash_id uuid, flash_title text, flash_image text, flash_price text, flash_deposit text, flash_duration_minutes int,
    flash_repeatable boolean, flash_holder jsonb, hours jsonb, time_off jsonb, occupied jsonb
)
language plpgsql stable rows 1
set search_path = pg_catalog, public
as $$
#variable_conflict use_column
begin
    return query
    select a.id, a.slug, a.display_name, a.bio, a.city, a.address,
        a.address_shown, a.hero_image, a.locale,
        a.timezone, a.deposit_percent, a.deposit_minimum::text, a.project_deposit::text, a.project_duration_minutes,
        a.policy_full_refund_hours, a.policy_late_refund_percent, a.policy_free_moves, a.deposit_nature,
        a.cal_com_event_type_id, a.cal_com_api_key, a.cal_com_create_at, a.stripe_account_id,
        a.buffer_minutes, a.minimum_notice_minutes, a.slot_step_minutes, a.horizon_days,
        f.id, f.title, f.image, f.price::text, f.deposit::text, f.duration_minutes, f.repeatable,
        -- Who has the flash, when it is unique and somebody does.
        (select jsonb_build_object('id', h.id, 'start', h.scheduled_at, 'end', h.ends_at, 'status', h.status,
                'hold_expires_at', h.hold_expires_at)
            from bookings h where h.unique_flash_id = f.id and h.status in ('pending', 'confirmed', 'completed')),
        (select coalesce(jsonb_agg(jsonb_build_array(v.weekday, v.opens_minute, v.closes_minute)), '[]')
            from availability v where v.artist_id = a.id),
        (select coalesce(jsonb_agg(jsonb_build_array(t.starts_at, t.ends_at)), '[]')
            from time_off t where t.artist_id = a.id and t.ends_at > window_start and t.starts_at < window_end),
        -- Bookings and holds, lapsed ones included.
        (select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'start', o.scheduled_at, 'end', o.ends_at,
                'status', o.status, 'hold_expires_at', o.hold_expires_at)), '[]')
            from bookings o where o.artist_id = a.id and o.status in ('pending', 'confirmed', 'completed')
                and tstzrange(o.scheduled_at, o.ends_at, '[)') && tstzrange(window_start, window_end, '[)'))
    from artists a left join flashes f on f.id = of_flash and f.artist_id = a.id and f.state = 'available'
    where a.slug = of_slug and a.active;
end
$$;

do $$
declare
    f constant regprocedure := 'public.agenda(text, uuid, timestamptz, timestamptz)';
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
