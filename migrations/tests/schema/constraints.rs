//! Every rule of the schema refuses its bad row, by its own name: the functions and the dashboard turn names into words.

use std::collections::BTreeSet;

use tokio_postgres::error::SqlState;

use crate::scratch::{
    Begin, CONFIRMED, Database, HELD, LAPSED, REPEATABLE_FLASH, SACHA, UNIQUE_FLASH, ZOE, with_database,
};

/// A good row of each table, as column and SQL. A case changes as little of it as it can.
const GOOD: &[(&str, &[(&str, &str)])] = &[
    ("artists", &[("id", NEW), ("slug", "'noor'"), ("display_name", "'Noor'"), ("email", "'noor@example.fr'")]),
    (
        "availability",
        &[("id", NEW), ("artist_id", SACHA), ("weekday", "1"), ("opens_minute", "540"), ("closes_minute", "600")],
    ),
    ("time_off", &[("id", NEW), ("artist_id", SACHA), ("starts_at", "'2026-12-01'"), ("ends_at", "'2026-12-02'")]),
    (
        "flashes",
        &[
            ("id", NEW),
            ("artist_id", ZOE),
            ("title", "'Serpent'"),
            ("image", "'/flash/serpent.svg'"),
            ("price", "100"),
            ("duration_minutes", "60"),
        ],
    ),
    (
        "images",
        &[
            ("id", NEW),
            ("artist_id", ZOE),
            ("kind", "'flash'"),
            ("content_type", "'image/png'"),
            ("size", "1000"),
            ("created_at", "now()"),
            ("updated_at", "now()"),
        ],
    ),
    (
        "bookings",
        &[
            ("id", NEW),
            ("artist_id", ZOE),
            ("type", "'flash'"),
            ("status", "'pending'"),
            ("scheduled_at", "'2026-12-05T09:00:00Z'"),
            ("ends_at", "'2026-12-05T10:00:00Z'"),
            ("acompte_amount", "30"),
            ("price", "80"),
            ("title", "'Lune'"),
            ("policy", "'{}'"),
            ("flash_id", REPEATABLE_FLASH),
            ("client_name", "'Ida'"),
            ("client_email", "'ida@example.fr'"),
            ("client_phone", "'+33600000000'"),
            ("hold_expires_at", "'2026-11-20T10:30:00Z'"),
            ("created_at", "now()"),
            ("updated_at", "now()"),
        ],
    ),
    ("booking_events", &[("booking_id", HELD), ("at", "now()"), ("actor", "'system'"), ("kind", "'seen'")]),
    (
        "payments",
        &[
            ("id", NEW),
            ("booking_id", HELD),
            ("artist_id", ZOE),
            ("kind", "'capture'"),
            ("amount_cents", "8000"),
            ("currency", "'eur'"),
            ("stripe_id", "'pi_9'"),
            ("stripe_payment_intent_id", "'pi_9'"),
            ("occurred_at", "now()"),
            ("recorded_at", "now()"),
        ],
    ),
    (
        "stripe_events",
        &[
            ("id", "'evt_9'"),
            ("type", "'ping'"),
            ("livemode", "false"),
            ("created_at", "now()"),
            ("received_at", "now()"),
            ("booking_id", HELD),
            ("outcome", "'ignored'"),
            ("payload", "'{}'"),
        ],
    ),
    (
        "calcom_events",
        &[
            ("uid", "'cal9'"),
            ("trigger_event", "'BOOKING_CREATED'"),
            ("created_at", "now()"),
            ("received_at", "now()"),
            ("booking_id", HELD),
            ("outcome", "'ours'"),
            ("payload", "'{}'"),
        ],
    ),
    (
        "outbox",
        &[
            ("id", NEW),
            ("kind", "'sync_calendar'"),
            ("booking_id", HELD),
            ("dedupe_key", "'key-9'"),
            ("created_at", "now()"),
            ("relay_at", "now()"),
            ("done_at", "null"),
            ("outcome", "null"),
        ],
    ),
    (
        "email_deliveries",
        &[
            ("id", NEW),
            ("booking_id", HELD),
            ("template", "'client_confirmed'"),
            ("occurrence", "'1'"),
            ("recipient", "'ida@example.fr'"),
            ("status", "'sending'"),
            ("created_at", "now()"),
        ],
    ),
    (
        "idempotency_keys",
        &[
            ("scope", "'create-booking'"),
            ("key", "'key-9'"),
            ("request_hash", "'\\x00'"),
            ("booking_id", HELD),
            ("created_at", "now()"),
        ],
    ),
    ("rate_limits", &[("bucket", "'bucket-9'"), ("window_start", "now()"), ("count", "1")]),
    ("reconcilers", &[("name", "'look-9'"), ("due_at", "now()")]),
    (
        "calendar_answers",
        &[
            ("artist_id", ZOE),
            ("event_type", "9"),
            ("minutes", "120"),
            ("window_start", "'2026-11-20T00:00:00Z'"),
            ("window_end", "'2026-11-27T00:00:00Z'"),
            ("starts", "'{}'"),
            ("asked_at", "now()"),
        ],
    ),
    (
        "contact_links",
        &[
            ("id", NEW),
            ("artist_id", ZOE),
            ("email", "'zoe@studio.example'"),
            ("created_at", "now()"),
            ("expires_at", "now()"),
        ],
    ),
    ("invitations", &[("email", "'sam@nouveau.example'"), ("invited_at", "now()")]),
    ("former_slugs", &[("slug", "'zoe-avant'"), ("artist_id", ZOE), ("freed_at", "now()")]),
    ("hold_endings", &[("artist_id", ZOE), ("network", "'\\x0b'"), ("ended_at", "now()"), ("kept", "false")]),
    ("ended_sessions", &[("session_id", "gen_random_uuid()"), ("ended_at", "'2026-11-20T10:00:00Z'")]),
    (
        "refunds",
        &[
            ("id", "'re_9'"),
            ("booking_id", HELD),
            ("payment_intent", "'pi_9'"),
            ("amount_cents", "100"),
            ("currency", "'eur'"),
            ("status", "'a_status_of_2031'"),
            ("made_at", "now()"),
        ],
    ),
    (
        "disputes",
        &[
            ("id", "'du_9'"),
            ("booking_id", HELD),
            ("payment_intent", "'pi_9'"),
            ("amount_cents", "0"),
            ("currency", "'eur'"),
            ("reason", "'a_reason_of_2031'"),
            ("status", "'a_status_of_2031'"),
            ("refundable", "false"),
            ("opened_at", "now()"),
            ("closed", "false"),
            ("asked_at", "now()"),
        ],
    ),
];

const NEW: &str = "gen_random_uuid()";
const NOBODY: &str = "'00000000-0000-7000-8000-00000000dead'";

/// An insert that breaks one rule: its name, the table, and what is changed in the good row.
type Bad = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const BAD_ROWS: &[Bad] = &[
    ("artists_pkey", "artists", &[("id", ZOE)]),
    ("artists_slug_unique", "artists", &[("slug", "'zoe-martin'")]),
    ("artists_slug_is_a_path_segment", "artists", &[("slug", "'Zoé/../martin'")]),
    ("artists_user_unique", "artists", &[("user_id", "'00000000-0000-7000-8000-0000000000aa'")]),
    ("artists_address_shown_known", "artists", &[("address_shown", "'friends'")]),
    ("artists_horizon_in_range", "artists", &[("horizon_days", "731")]),
    ("artists_locale_known", "artists", &[("locale", "'de'")]),
    ("artists_deposit_percent_in_range", "artists", &[("deposit_percent", "101")]),
    ("artists_deposit_minimum_is_payable", "artists", &[("deposit_minimum", "0.49")]),
    ("artists_project_deposit_is_payable", "artists", &[("project_deposit", "-50")]),
    ("artists_project_duration_in_range", "artists", &[("project_duration_minutes", "0")]),
    ("artists_notice_not_negative", "artists", &[("minimum_notice_minutes", "-1")]),
    ("artists_buffer_in_range", "artists", &[("buffer_minutes", "-1")]),
    ("artists_slot_step_in_range", "artists", &[("slot_step_minutes", "0")]),
    ("artists_policy_hours_in_range", "artists", &[("policy_full_refund_hours", "-1")]),
    ("artists_policy_percent_in_range", "artists", &[("policy_late_refund_percent", "101")]),
    ("artists_policy_moves_in_range", "artists", &[("policy_free_moves", "-1")]),
    ("artists_deposit_nature_known", "artists", &[("deposit_nature", "'don'")]),
    ("artists_cal_com_create_at_known", "artists", &[("cal_com_create_at", "'never'")]),
    ("artists_cal_com_complete", "artists", &[("cal_com_event_type_id", "42")]),
    ("availability_pkey", "availability", &[("id", "'00000000-0000-7000-8000-0000000000c1'")]),
    ("availability_artist_id_fkey", "availability", &[("artist_id", NOBODY)]),
    ("availability_weekday_is_iso", "availability", &[("weekday", "0")]),
    ("availability_opens_before_it_closes", "availability", &[("closes_minute", "1441")]),
    (
        "availability_no_overlap",
        "availability",
        &[("artist_id", ZOE), ("weekday", "2"), ("opens_minute", "779"), ("closes_minute", "781")],
    ),
    ("time_off_pkey", "time_off", &[("id", "'00000000-0000-7000-8000-0000000000d1'")]),
    ("time_off_artist_id_fkey", "time_off", &[("artist_id", NOBODY)]),
    ("time_off_ends_after_it_starts", "time_off", &[("ends_at", "'2026-12-01'")]),
    ("flashes_pkey", "flashes", &[("id", UNIQUE_FLASH)]),
    ("flashes_artist_id_fkey", "flashes", &[("artist_id", NOBODY)]),
    ("flashes_state_known", "flashes", &[("state", "'sold'")]),
    ("flashes_price_is_payable", "flashes", &[("price", "-150")]),
    ("flashes_deposit_at_most_price", "flashes", &[("deposit", "100.01")]),
    ("flashes_duration_in_range", "flashes", &[("duration_minutes", "-60")]),
    ("images_pkey", "images", &[("id", "'00000000-0000-7000-8000-0000000000e1'")]),
    ("images_artist_id_fkey", "images", &[("artist_id", NOBODY)]),
    ("images_kind_known", "images", &[("kind", "'avatar'")]),
    ("images_content_type_known", "images", &[("content_type", "'image/svg+xml'")]),
    ("images_size_in_range", "images", &[("size", "15728641")]),
    ("images_status_known", "images", &[("status", "'lost'")]),
    ("images_status_has_its_fields", "images", &[("status", "'ready'"), ("width", "800")]),
    ("bookings_pkey", "bookings", &[("id", CONFIRMED)]),
    ("bookings_artist_id_fkey", "bookings", &[("artist_id", NOBODY)]),
    ("bookings_flash_id_fkey", "bookings", &[("flash_id", NOBODY)]),
    ("bookings_type_known", "bookings", &[("type", "'walk-in'")]),
    ("bookings_status_known", "bookings", &[("status", "'maybe'"), ("hold_expires_at", "null")]),
    ("bookings_payment_status_known", "bookings", &[("payment_status", "'promised'")]),
    ("bookings_payment_problem_known", "bookings", &[("payment_problem", "'odd'")]),
    (
        "bookings_cancel_reason_known",
        "bookings",
        &[("status", "'cancelled'"), ("cancel_reason", "'mood'"), ("hold_expires_at", "null")],
    ),
    ("bookings_cancel_reason_goes_with_cancelled", "bookings", &[("cancel_reason", "'client'")]),
    ("bookings_calendar_state_known", "bookings", &[("calendar_state", "'lost'")]),
    ("bookings_currency_known", "bookings", &[("currency", "'usd'")]),
    ("bookings_ends_after_it_starts", "bookings", &[("ends_at", "'2026-12-05T09:00:00Z'")]),
    ("bookings_deposit_is_payable", "bookings", &[("acompte_amount", "0.49")]),
    ("bookings_deposit_at_most_price", "bookings", &[("acompte_amount", "80.01")]),
    (
        "bookings_budget_not_negative",
        "bookings",
        &[
            ("type", "'project'"),
            ("flash_id", "null"),
            ("price", "null"),
            ("project_description", "'Un renard'"),
            ("project_budget", "-1"),
        ],
    ),
    ("bookings_type_has_its_fields", "bookings", &[("price", "null")]),
    ("bookings_unique_flash_is_the_flash", "bookings", &[("unique_flash_id", UNIQUE_FLASH)]),
    ("bookings_only_pending_lapses", "bookings", &[("status", "'confirmed'")]),
    ("bookings_kept_not_negative", "bookings", &[("kept_cents", "-1")]),
    ("bookings_no_show_is_completed", "bookings", &[("no_show", "true")]),
    ("bookings_undo_of_unpaid", "bookings", &[("undo_until", "now()")]),
    ("bookings_undo_hold_needs_undo", "bookings", &[("undo_hold_expires_at", "now()")]),
    ("bookings_timezone_named", "bookings", &[("timezone", "''")]),
    ("bookings_note_is_short", "bookings", &[("note", "repeat('x', 2001)")]),
    ("bookings_payment_intent_unique", "bookings", &[("stripe_payment_intent_id", "'pi_sample_1'")]),
    ("bookings_checkout_session_unique", "bookings", &[("stripe_checkout_session_id", "'cs_sample_1'")]),
    (
        "bookings_no_overlap",
        "bookings",
        &[("scheduled_at", "'2026-12-01T10:59:59Z'"), ("ends_at", "'2026-12-01T11:00:00Z'")],
    ),
    (
        "bookings_one_live_per_unique_flash",
        "bookings",
        &[("flash_id", UNIQUE_FLASH), ("unique_flash_id", UNIQUE_FLASH)],
    ),
    ("booking_events_booking_id_fkey", "booking_events", &[("booking_id", NOBODY)]),
    ("booking_events_actor_known", "booking_events", &[("actor", "'ghost'")]),
    ("payments_pkey", "payments", &[("id", "'00000000-0000-7000-8000-0000000000e1'")]),
    ("payments_booking_id_fkey", "payments", &[("booking_id", NOBODY)]),
    ("payments_artist_id_fkey", "payments", &[("artist_id", NOBODY)]),
    ("payments_kind_known", "payments", &[("kind", "'tip'")]),
    ("payments_sign_fits_kind", "payments", &[("kind", "'refund'")]),
    ("payments_stripe_movement_unique", "payments", &[("stripe_id", "'pi_sample_1'")]),
    ("stripe_events_pkey", "stripe_events", &[("id", "'evt_sample_1'")]),
    ("stripe_events_booking_id_fkey", "stripe_events", &[("booking_id", NOBODY)]),
    ("calcom_events_once", "calcom_events", &[("uid", "'calsample1'"), ("created_at", "'2026-11-20T10:05:02Z'")]),
    ("calcom_events_booking_id_fkey", "calcom_events", &[("booking_id", NOBODY)]),
    ("outbox_pkey", "outbox", &[("id", "'00000000-0000-7000-8000-000000000011'")]),
    ("outbox_booking_id_fkey", "outbox", &[("booking_id", NOBODY)]),
    ("outbox_kind_known", "outbox", &[("kind", "'dance'")]),
    ("outbox_dedupe", "outbox", &[("dedupe_key", "'sync_calendar:sample:2'")]),
    ("outbox_attempts_not_negative", "outbox", &[("attempts", "-1")]),
    ("outbox_outcome_known", "outbox", &[("done_at", "now()"), ("outcome", "'whatever'")]),
    ("outbox_outcome_goes_with_done", "outbox", &[("done_at", "now()")]),
    ("email_deliveries_pkey", "email_deliveries", &[("id", "'00000000-0000-7000-8000-000000000021'")]),
    ("email_deliveries_booking_id_fkey", "email_deliveries", &[("booking_id", NOBODY)]),
    ("email_deliveries_status_known", "email_deliveries", &[("status", "'read'")]),
    ("email_deliveries_tries_bounded", "email_deliveries", &[("tries", "3")]),
    ("email_deliveries_once", "email_deliveries", &[("booking_id", CONFIRMED)]),
    ("idempotency_keys_once", "idempotency_keys", &[("key", "'sample-key'")]),
    ("idempotency_keys_booking_id_fkey", "idempotency_keys", &[("booking_id", NOBODY)]),
    ("rate_limits_once", "rate_limits", &[("bucket", "'sample'"), ("window_start", "'2026-11-20T10:00:00Z'")]),
    ("reconcilers_pkey", "reconcilers", &[("name", "'stripe_events'")]),
    ("calendar_answers_once", "calendar_answers", &[("event_type", "5")]),
    ("ended_sessions_once", "ended_sessions", &[("session_id", "'00000000-0000-4000-8000-0000000000e1'")]),
    ("calendar_answers_artist_id_fkey", "calendar_answers", &[("artist_id", NOBODY)]),
    ("contact_links_pkey", "contact_links", &[("id", "'00000000-0000-7000-8000-000000000031'")]),
    ("contact_links_artist_id_fkey", "contact_links", &[("artist_id", NOBODY)]),
    ("contact_links_token_unique", "contact_links", &[("token_hash", "sha256('sample')")]),
    ("invitations_pkey", "invitations", &[("email", "'lou@nouveau.example'")]),
    ("invitations_email_is_small", "invitations", &[("email", "'Sam@nouveau.example'")]),
    ("former_slugs_pkey", "former_slugs", &[("slug", "'zoe-ailleurs'")]),
    ("former_slugs_artist_id_fkey", "former_slugs", &[("artist_id", NOBODY)]),
    ("artists_slug_rests", "artists", &[("slug", "'zoe-ailleurs'")]),
    ("contact_links_token_is_a_hash", "contact_links", &[("token_hash", "'\\x00'")]),
    ("hold_endings_artist_id_fkey", "hold_endings", &[("artist_id", NOBODY)]),
    ("hold_endings_flash_id_fkey", "hold_endings", &[("flash_id", NOBODY)]),
    ("refunds_pkey", "refunds", &[("id", "'re_sample_1'")]),
    ("refunds_booking_id_fkey", "refunds", &[("booking_id", NOBODY)]),
    ("refunds_give_something", "refunds", &[("amount_cents", "0")]),
    ("disputes_pkey", "disputes", &[("id", "'du_sample_1'")]),
    ("disputes_booking_id_fkey", "disputes", &[("booking_id", NOBODY)]),
    ("disputes_amount_not_negative", "disputes", &[("amount_cents", "-1")]),
];

/// Rules that no insert breaks, each with a statement that does.
const BAD_STATEMENTS: &[(&str, &str)] = &[
    // `bookings_unique_flash_is_the_flash` speaks before this one at any insert.
    (
        "bookings_unique_flash_id_fkey",
        r"alter table bookings drop constraint bookings_flash_id_fkey;
         update bookings set flash_id = '00000000-0000-7000-8000-00000000dead',
             unique_flash_id = '00000000-0000-7000-8000-00000000dead' where unique_flash_id is not null",
    ),
    ("booking_events_pkey", "insert into booking_events overriding system value select * from booking_events"),
    (
        "bookings_status_transition",
        "update bookings set status = 'pending', version = version + 1 where status = 'confirmed'",
    ),
    (
        "bookings_artist_is_open",
        r"update artists set takes_deposits = false;
         insert into bookings (id, artist_id, type, scheduled_at, ends_at, acompte_amount, title, policy, project_description,
             client_name, client_email, client_phone, created_at, updated_at)
         select gen_random_uuid(), artist_id, 'project', scheduled_at + interval '1 year', ends_at + interval '1 year', 50, '', policy,
             'Un renard', client_name, client_email, client_phone, now(), now() from bookings limit 1",
    ),
    ("bookings_version_rises", "update bookings set payment_status = 'refunded' where status = 'confirmed'"),
    ("bookings_terms_are_fixed", "update bookings set acompte_amount = acompte_amount + 1, version = version + 1"),
];

fn insert(table: &str, changes: &[(&str, &str)]) -> String {
    let (_table, good) = GOOD.iter().find(|(name, _row)| *name == table).expect("a table with a good row");
    let mut row: Vec<(&str, &str)> = good.to_vec();
    for (column, value) in changes {
        match row.iter_mut().find(|(name, _value)| name == column) {
            Some(cell) => cell.1 = value,
            None => row.push((column, value)),
        }
    }
    let (columns, values): (Vec<&str>, Vec<&str>) = row.into_iter().unzip();
    format!("insert into {table} ({}) values ({})", columns.join(", "), values.join(", "))
}

/// The name under which a statement is refused; none when it is not.
async fn refused_by(database: &Database, sql: &str) -> Option<String> {
    match database.attempt(sql).await {
        Ok(()) => None,
        Err(error) => Some(error.constraint().map_or_else(|| error.to_string(), str::to_owned)),
    }
}

#[test]
fn a_good_row_of_every_table_is_taken() {
    with_database(Begin::WithSamples, async |database| {
        for (table, _row) in GOOD {
            assert_eq!(refused_by(database, &insert(table, &[])).await, None, "{table}");
        }
    });
}

#[test]
fn every_rule_refuses_its_bad_row_by_name() {
    with_database(Begin::WithSamples, async |database| {
        for (rule, table, changes) in BAD_ROWS {
            let sql = insert(table, changes);
            assert_eq!(refused_by(database, &sql).await.as_deref(), Some(*rule), "{sql}");
        }
        for (rule, sql) in BAD_STATEMENTS {
            assert_eq!(refused_by(database, sql).await.as_deref(), Some(*rule), "{sql}");
        }
    });
}

#[test]
fn no_rule_of_the_schema_is_without_a_bad_row() {
    with_database(Begin::Migrated, async |database| {
        let rules: BTreeSet<String> = database
            .column(
                r"select conname from pg_constraint where connamespace = 'public'::regnamespace
                     and contype in ('c', 'u', 'x', 'f', 'p') and conrelid <> 'refinery_schema_history'::regclass
                 union select relname from pg_index join pg_class on oid = indexrelid
                     where indisunique and relnamespace = 'public'::regnamespace
                     and indrelid <> 'refinery_schema_history'::regclass
                 union select (regexp_matches(prosrc, 'constraint = ''([a-z_]+)''', 'g'))[1] from pg_proc
                     where pronamespace = 'public'::regnamespace and prorettype = 'trigger'::regtype",
            )
            .await
            .into_iter()
            .collect();
        let cases = BAD_ROWS.iter().map(|(rule, ..)| *rule).chain(BAD_STATEMENTS.iter().map(|(rule, _sql)| *rule));
        let cases: BTreeSet<String> = cases.map(str::to_owned).collect();
        assert_eq!(rules.difference(&cases).collect::<Vec<_>>(), Vec::<&String>::new(), "rules without a bad row");
        assert_eq!(cases.difference(&rules).collect::<Vec<_>>(), Vec::<&String>::new(), "bad rows without a rule");
    });
}

#[test]
fn a_booking_moves_only_along_its_life() {
    let statuses = ["pending", "confirmed", "cancelled", "completed"];
    let legal = |from: &str, reason: &str, to: &str| match (from, to) {
        ("pending", "confirmed" | "cancelled") | ("confirmed", "cancelled" | "completed") => true,
        ("cancelled", "confirmed") => matches!(reason, "hold_expired" | "payment_failed"),
        _ => from == to,
    };
    let reasons = ["hold_expired", "payment_failed", "client", "artist", "calendar"];
    let beginnings = statuses.iter().flat_map(|status| {
        reasons
            .iter()
            .filter(move |reason| *status == "cancelled" || **reason == "client")
            .map(move |reason| (*status, *reason))
    });
    let reason_of = |status: &str, reason: &str| match status {
        "cancelled" => format!("'{reason}'"),
        _ => "null".to_owned(),
    };
    with_database(Begin::WithSamples, async |database| {
        for (from, reason) in beginnings {
            let begin = insert(
                "bookings",
                &[
                    ("status", &format!("'{from}'")),
                    ("cancel_reason", &reason_of(from, reason)),
                    ("hold_expires_at", "null"),
                ],
            );
            for to in statuses {
                let sql = format!(
                    "{begin}; update bookings set status = '{to}', cancel_reason = {}, version = 2 where title = 'Lune' and version = 1 and scheduled_at = '2026-12-05T09:00:00Z'",
                    reason_of(to, reason)
                );
                let expected = (!legal(from, reason, to)).then_some("bookings_status_transition");
                assert_eq!(refused_by(database, &sql).await.as_deref(), expected, "{from} ({reason}) -> {to}");
            }
        }
    });
}

#[test]
fn a_change_of_state_needs_a_higher_version() {
    with_database(Begin::WithSamples, async |database| {
        for change in [
            "status = 'cancelled', cancel_reason = 'client', hold_expires_at = null",
            "payment_status = 'disputed'",
            "scheduled_at = scheduled_at + interval '1 hour', ends_at = ends_at + interval '1 hour'",
        ] {
            for (version, expected) in [
                ("version", Some("bookings_version_rises")),
                ("version - 1", Some("bookings_version_rises")),
                ("version + 1", None),
            ] {
                let sql = format!("update bookings set {change}, version = {version} where id = {HELD}");
                assert_eq!(refused_by(database, &sql).await.as_deref(), expected, "{sql}");
            }
        }
        // What is noted beside the state needs none.
        let note = format!(
            "update bookings set calendar_state = 'synced', checkout_url = 'https://pay.test' where id = {HELD}"
        );
        assert_eq!(refused_by(database, &note).await, None);
        for terms in [format!("id = {NOBODY}"), format!("artist_id = {SACHA}"), "acompte_amount = 1".to_owned()] {
            let sql = format!("update bookings set {terms}, version = version + 1 where id = {HELD}");
            assert_eq!(refused_by(database, &sql).await.as_deref(), Some("bookings_terms_are_fixed"), "{sql}");
        }
    });
}

#[test]
fn acompte_paid_says_what_payment_status_says_and_nobody_can_set_it() {
    with_database(Begin::WithSamples, async |database| {
        for (status, paid) in [
            ("unpaid", "f"),
            ("paid", "t"),
            ("refund_pending", "t"),
            ("refunded", "f"),
            ("disputed", "t"),
            ("lost", "f"),
        ] {
            database
                .run(&format!(
                    "update bookings set payment_status = '{status}', version = version + 1 where id = {HELD}"
                ))
                .await;
            let told = database.column(&format!("select acompte_paid from bookings where id = {HELD}")).await;
            assert_eq!(told, [paid], "{status}");
        }
        let forged = database.attempt("update bookings set acompte_paid = true").await.expect_err("it is generated");
        assert_eq!(*forged.code(), SqlState::from_code("428C9"));
    });
}

#[test]
fn appointments_may_touch_and_cancelled_ones_block_nothing() {
    with_database(Begin::WithSamples, async |database| {
        // The samples have 9-11 confirmed and 11-13 held, which touch, and 9:30-10:30 cancelled beneath them.
        let at = |start: &str, end: &str| {
            insert(
                "bookings",
                &[("scheduled_at", &format!("'2026-12-01T{start}Z'")), ("ends_at", &format!("'2026-12-01T{end}Z'"))],
            )
        };
        for (start, end, expected) in [
            ("08:00", "09:00", None),
            ("13:00", "14:00", None),
            ("08:00", "09:00:00.000001", Some("bookings_no_overlap")),
            ("12:59:59", "14:00", Some("bookings_no_overlap")),
            ("09:30", "10:00", Some("bookings_no_overlap")),
            ("08:00", "14:00", Some("bookings_no_overlap")),
        ] {
            assert_eq!(refused_by(database, &at(start, end)).await.as_deref(), expected, "{start}-{end}");
        }
        let other_chair = insert(
            "bookings",
            &[("artist_id", SACHA), ("scheduled_at", "'2026-12-01T09:30:00Z'"), ("ends_at", "'2026-12-01T10:30:00Z'")],
        );
        assert_eq!(refused_by(database, &other_chair).await, None, "another artist has another chair");
        // Late money finds its slot taken: the revival is refused, and the money goes back.
        let revival =
            format!("update bookings set status = 'confirmed', cancel_reason = null, version = 2 where id = {LAPSED}");
        assert_eq!(refused_by(database, &revival).await.as_deref(), Some("bookings_no_overlap"));
        // Moving an appointment onto another is refused as well.
        let moved = format!(
            "update bookings set scheduled_at = scheduled_at - interval '1 hour', version = version + 1 where id = {HELD}"
        );
        assert_eq!(refused_by(database, &moved).await.as_deref(), Some("bookings_no_overlap"));
    });
}

#[test]
fn a_unique_flash_is_sold_once_and_on_sale_again_when_its_booking_is_cancelled() {
    with_database(Begin::WithSamples, async |database| {
        let again = insert("bookings", &[("flash_id", UNIQUE_FLASH), ("unique_flash_id", UNIQUE_FLASH)]);
        for status in ["confirmed", "completed"] {
            database
                .run(&format!("update bookings set status = '{status}', version = version + 1 where id = {CONFIRMED}"))
                .await;
            let refused = refused_by(database, &again).await;
            assert_eq!(refused.as_deref(), Some("bookings_one_live_per_unique_flash"), "{status}");
        }
        database
            .run(&format!("delete from email_deliveries; delete from outbox; delete from payments; delete from refunds; delete from disputes; delete from booking_events; delete from stripe_events; delete from calcom_events; delete from idempotency_keys; delete from bookings where id = {CONFIRMED}"))
            .await;
        assert_eq!(refused_by(database, &again).await, None);
        let cancelled = format!(
            r"{again}; update bookings set status = 'cancelled', cancel_reason = 'client', hold_expires_at = null, version = 2
             where unique_flash_id = {UNIQUE_FLASH}; {again}"
        );
        assert_eq!(refused_by(database, &cancelled).await, None);
    });
}

/// The prototype's trigger counted overlaps, and two open transactions both counted none.
#[test]
fn two_open_transactions_in_a_race_cannot_both_book_the_chair() {
    with_database(Begin::WithSamples, async |database| {
        let (first, second) = (database.connect().await, database.connect().await);
        let book = insert("bookings", &[]);
        first.batch_execute(&format!("begin; {book}")).await.expect("nobody is there");
        let waiting = async {
            second.batch_execute("begin").await.expect("begins");
            second.batch_execute(&book).await
        };
        let committing = async {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            first.batch_execute("commit").await.expect("commits");
        };
        let (refused, ()) = tokio::join!(waiting, committing);
        let refused = refused.expect_err("the chair is taken");
        assert_eq!(refused.as_db_error().and_then(|error| error.constraint()), Some("bookings_no_overlap"));
    });
}

/// The same race as it was found in the prototype: twenty at once, again and again.
#[test]
fn in_a_race_of_twenty_exactly_one_books_the_chair() {
    with_database(Begin::WithSamples, async |database| {
        let mut clients = Vec::new();
        for _ in 0..20 {
            clients.push(database.connect().await);
        }
        for round in 0..30 {
            let mut attempts = tokio::task::JoinSet::new();
            for (number, client) in clients.drain(..).enumerate() {
                // Each wants a different part of the same hour.
                let book = insert(
                    "bookings",
                    &[
                        (
                            "scheduled_at",
                            &format!("timestamptz '2027-01-01T09:00:00Z' + interval '{round} days {number} minutes'"),
                        ),
                        (
                            "ends_at",
                            &format!("timestamptz '2027-01-01T10:00:00Z' + interval '{round} days {number} minutes'"),
                        ),
                    ],
                );
                attempts.spawn(async move {
                    let tried = client.batch_execute(&book).await;
                    (client, tried)
                });
            }
            let mut winners = 0;
            while let Some(attempt) = attempts.join_next().await {
                let (client, tried) = attempt.expect("no panic");
                clients.push(client);
                match tried {
                    Ok(()) => winners += 1,
                    Err(error) => {
                        let constraint = error.as_db_error().and_then(|error| error.constraint());
                        assert_eq!(constraint, Some("bookings_no_overlap"), "round {round}: {error:?}");
                    }
                }
            }
            assert_eq!(winners, 1, "round {round}");
        }
    });
}

/// The page at Stripe is noted while another client wants the same slot: each new version of the row is compared with the
/// other's, and without turns each would wait for the other until Postgres fails one.
#[test]
fn noting_the_page_of_a_hold_and_racing_for_its_slot_is_no_deadlock() {
    with_database(Begin::WithSamples, async |database| {
        let (winner, loser) = (database.connect().await, database.connect().await);
        let note = |page: &str| {
            format!("update bookings set stripe_checkout_session_id = '{page}' where client_name = 'The first'")
        };
        let book = |name: &str| insert("bookings", &[("client_name", &format!("'{name}'"))]);
        winner.batch_execute(&book("The first")).await.expect("nobody is there");
        winner.batch_execute(&format!("begin; {}", note("cs_test_one"))).await.expect("its own");
        let loser_waits = async {
            loop {
                let sql = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
                if database.column(sql).await == ["1"] {
                    return winner.batch_execute(&format!("{}; commit", note("cs_test_two"))).await;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        let book_too = book("The second");
        let (refused, noted) = tokio::join!(loser.batch_execute(&book_too), loser_waits);
        noted.expect("the winner waits for nobody");
        let refused = refused.expect_err("the chair is taken");
        assert_eq!(refused.as_db_error().and_then(|error| error.constraint()), Some("bookings_no_overlap"));
    });
}

/// In the prototype every one of these rows went in without a word.
#[test]
fn what_cannot_be_is_not_stored() {
    with_database(Begin::WithSamples, async |database| {
        for (nonsense, rule, table, changes) in [
            (
                "an end before the start",
                "bookings_ends_after_it_starts",
                "bookings",
                &[("ends_at", "'2026-12-05T08:00:00Z'")][..],
            ),
            ("a deposit of 99 999 on 100", "flashes_deposit_at_most_price", "flashes", &[("deposit", "99999")]),
            ("the same on a booking", "bookings_deposit_at_most_price", "bookings", &[("acompte_amount", "99999")]),
            ("a negative price", "flashes_price_is_payable", "flashes", &[("price", "-1")]),
            ("a negative deposit", "bookings_deposit_is_payable", "bookings", &[("acompte_amount", "-30")]),
            ("a negative duration", "flashes_duration_in_range", "flashes", &[("duration_minutes", "-30")]),
            (
                "nine of one piece sold",
                "bookings_one_live_per_unique_flash",
                "bookings",
                &[("flash_id", UNIQUE_FLASH), ("unique_flash_id", UNIQUE_FLASH)],
            ),
        ] {
            assert_eq!(refused_by(database, &insert(table, changes)).await.as_deref(), Some(rule), "{nonsense}");
        }
    });
}
