create table artists (
    id uuid primary key,
    -- The user of Supabase Auth. No foreign key: `auth.users` exists only on Supabase, and an account
    -- that is deleted there must not take bookings and money records with it.
    user_id uuid,
    slug text not null,
    display_name text not null,
    email text not null,
    bio text not null default '',
    city text not null default '',
    address text not null default '',
    hero_image text,
    locale text not null default 'fr',
    -- IANA name. Opening hours are wall clock in this zone; instants are stored in UTC.
    timezone text not null default 'Europe/Paris',

    -- The deposit of a flash that names none of its own: a share of the price, but at least the minimum.
    deposit_percent smallint not null default 30,
    deposit_minimum numeric(10, 2) not null default 30,
    -- A custom project has no price yet, so its deposit and its duration are fixed.
    project_deposit numeric(10, 2) not null default 50,
    project_duration_minutes integer not null default 120,

    minimum_notice_minutes integer not null default 1440,
    buffer_minutes integer not null default 0,
    slot_step_minutes integer not null default 30,

    policy_full_refund_hours integer not null default 72,
    policy_late_refund_percent smallint not null default 0,
    policy_free_moves smallint not null default 1,
    -- Code de la consommation L214-1: money paid ahead is "arrhes" unless the contract says otherwise.
    deposit_nature text not null default 'acompte',

    cal_com_username text,
    cal_com_event_type_id bigint,
    -- AES-256-GCM: nonce, ciphertext, tag (shared::vault). Never readable with the database alone.
    cal_com_api_key bytea,
    cal_com_webhook_secret bytea,
    -- 'booking': written to Cal.com when the hold is taken; 'payment': only once the deposit is paid.
    cal_com_create_at text not null default 'booking',

    -- Stripe Connect account; null means the platform's own account.
    stripe_account_id text,

    active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    -- One page, one address.
    constraint artists_slug_unique unique (slug),
    -- Lower-case words and hyphens: the slug is a path segment and is never escaped.
    constraint artists_slug_is_a_path_segment check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 60),
    -- One account, one artist: authorisation goes from the token's subject to exactly one row.
    constraint artists_user_unique unique (user_id),
    constraint artists_locale_known check (locale in ('fr', 'en')),
    constraint artists_deposit_percent_in_range check (deposit_percent between 0 and 100),
    -- Stripe refuses a euro payment under 50 cents.
    constraint artists_deposit_minimum_is_payable check (deposit_minimum >= 0.50),
    constraint artists_project_deposit_is_payable check (project_deposit >= 0.50),
    constraint artists_project_duration_in_range check (project_duration_minutes between 15 and 1440),
    constraint artists_notice_not_negative check (minimum_notice_minutes between 0 and 525600),
    constraint artists_buffer_in_range check (buffer_minutes between 0 and 1440),
    -- A zero step would list slots for ever.
    constraint artists_slot_step_in_range check (slot_step_minutes between 5 and 1440),
    constraint artists_policy_hours_in_range check (policy_full_refund_hours between 0 and 8760),
    constraint artists_policy_percent_in_range check (policy_late_refund_percent between 0 and 100),
    constraint artists_policy_moves_in_range check (policy_free_moves between 0 and 20),
    constraint artists_deposit_nature_known check (deposit_nature in ('acompte', 'arrhes')),
    constraint artists_cal_com_create_at_known check (cal_com_create_at in ('booking', 'payment')),
    -- A half-configured calendar would silently offer slots that Cal.com never agreed to.
    constraint artists_cal_com_complete check (
        (cal_com_event_type_id is null and cal_com_api_key is null)
        or (cal_com_event_type_id is not null and cal_com_api_key is not null)
    )
);

-- Weekly opening hours, wall clock in the artist's zone.
create table availability (
    id uuid primary key,
    artist_id uuid not null references artists (id) on delete cascade,
    -- ISO 8601: 1 is Monday, 7 is Sunday.
    weekday smallint not null,
    -- Minutes since local midnight, so that "until 24:00" has a value (1440) that `time` lacks.
    opens_minute integer not null,
    closes_minute integer not null,
    constraint availability_weekday_is_iso check (weekday between 1 and 7),
    constraint availability_opens_before_it_closes check (
        opens_minute >= 0 and opens_minute < closes_minute and closes_minute <= 1440
    ),
    -- Two overlapping openings of one day would list a slot twice.
    constraint availability_no_overlap exclude using gist (
        artist_id with =, weekday with =, int4range(opens_minute, closes_minute) with &&
    )
);

create table time_off (
    id uuid primary key,
    artist_id uuid not null references artists (id) on delete cascade,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    note text not null default '',
    constraint time_off_ends_after_it_starts check (ends_at > starts_at)
);
create index time_off_by_artist on time_off (artist_id, ends_at);

create table flashes (
    id uuid primary key,
    artist_id uuid not null references artists (id) on delete cascade,
    title text not null,
    image text not null,
    price numeric(10, 2) not null,
    -- Null: the artist's deposit rule decides.
    deposit numeric(10, 2),
    duration_minutes integer not null,
    -- False: a unique piece, sold once (see bookings_one_live_per_unique_flash).
    repeatable boolean not null default false,
    state text not null default 'available',
    position integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint flashes_state_known check (state in ('available', 'archived')),
    constraint flashes_price_is_payable check (price >= 0.50),
    -- Nobody pays more ahead than the whole.
    constraint flashes_deposit_at_most_price check (deposit is null or (deposit >= 0.50 and deposit <= price)),
    constraint flashes_duration_in_range check (duration_minutes between 15 and 1440)
);
create index flashes_by_artist on flashes (artist_id, position);
