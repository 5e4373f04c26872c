-- Pictures that artists upload. The browser puts the file straight into the bucket; `image-intake` checks it, makes the
-- sizes that pages show, and says here what became of it.
create table images (
    id uuid primary key,
    artist_id uuid not null references artists (id) on delete cascade,
    kind text not null,
    -- As announced: the upload is signed for exactly this type and this many bytes.
    content_type text not null,
    size integer not null,
    status text not null default 'waiting',
    -- Why it was refused, in one word (shared::domain::picture::Refused).
    reason text,
    -- The widest size there is; its path is what `flashes.image` and `artists.hero_image` hold.
    width integer,
    height integer,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint images_kind_known check (kind in ('flash', 'hero')),
    constraint images_content_type_known check (content_type in ('image/jpeg', 'image/png', 'image/webp')),
    constraint images_size_in_range check (size between 1 and 15728640),
    constraint images_status_known check (status in ('waiting', 'ready', 'refused')),
    -- One that is refused says why; one that is ready has its measures; one that waits has neither.
    constraint images_status_has_its_fields check (
        case status
            when 'waiting' then reason is null and width is null and height is null
            -- What is unknown passes a check, so nulls are named.
            when 'ready' then reason is null and coalesce(width > 0 and height > 0, false)
            when 'refused' then reason is not null and width is null and height is null
        end
    )
);
create index images_by_artist on images (artist_id, created_at);

alter table images enable row level security;
create policy functions on images to inkflow_app using (true) with check (true);
revoke all on images from public;
do $$
declare
    api_role text;
begin
    foreach api_role in array array['anon', 'authenticated'] loop
        if exists (select from pg_roles where rolname = api_role) then
            execute format('revoke all on public.images from %I', api_role);
        end if;
    end loop;
end
$$;

-- What an artist sets in the dashboard, column by column. Not among them: whose account a page is, once it is made, and
-- where its money goes (`stripe_account_id`); whether it is shown at all (`active`) is the operator's word.
grant insert (id, user_id, slug, display_name, email, bio, city, address, locale, timezone, created_at, updated_at)
    on artists to inkflow_app;
grant update (
    slug, display_name, email, bio, city, address, hero_image, locale, timezone,
    deposit_percent, deposit_minimum, project_deposit, project_duration_minutes,
    minimum_notice_minutes, buffer_minutes, slot_step_minutes,
    policy_full_refund_hours, policy_late_refund_percent, policy_free_moves, deposit_nature,
    cal_com_username, cal_com_event_type_id, cal_com_api_key, cal_com_webhook_secret, cal_com_create_at, updated_at
) on artists to inkflow_app;
-- A week is replaced as a whole.
grant insert (id, artist_id, weekday, opens_minute, closes_minute), delete on availability to inkflow_app;
grant insert (id, artist_id, starts_at, ends_at, note), delete on time_off to inkflow_app;
-- A flash is archived, never deleted: bookings name it. It stays with its artist.
grant insert (id, artist_id, title, image, price, deposit, duration_minutes, repeatable, position, created_at, updated_at)
    on flashes to inkflow_app;
grant update (title, image, price, deposit, duration_minutes, repeatable, state, position, updated_at)
    on flashes to inkflow_app;
grant select, insert (id, artist_id, kind, content_type, size, created_at, updated_at) on images to inkflow_app;
grant update (status, reason, width, height, updated_at) on images to inkflow_app;
