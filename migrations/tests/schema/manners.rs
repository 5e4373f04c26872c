//! A migration on a database in use: whoever books goes on meanwhile, whatever it has to wait for.

use std::time::Duration;

use migrations::{Manners, OUTSIDE};
use refinery::{Migration, Target};
use tokio_postgres::Client;

use crate::growth::embedded;
use crate::scratch::{Begin, CONFIRMED, Database, SAMPLES, with_database};

/// As in production, faster.
const QUICK: Manners = Manners {
    lock: Duration::from_millis(300),
    statement: Duration::from_secs(20),
    tries: 3,
    pause: Duration::from_millis(200),
};

/// One that wants `bookings` for itself, and those before it.
const WANTS_BOOKINGS: i32 = 17;

/// The schema before that migration, with rows.
async fn before(database: &Database) {
    let mut client = database.connect().await;
    let runner = embedded::migrations::runner().set_target(Target::Version(WANTS_BOOKINGS - 1));
    runner.run_async(&mut client).await.expect("they apply");
    for (version, rows) in SAMPLES {
        if *version < WANTS_BOOKINGS {
            database.run(rows).await;
        }
    }
}

/// What a function does all day, with its patience.
async fn book(client: &Client) {
    let work = format!(
        r"begin; set local role inkflow_app; set local lock_timeout = '3s'; set local statement_timeout = '5s';
         select from bookings where artist_id is not null; update bookings set note = 'x' where id = {CONFIRMED}; commit"
    );
    client.batch_execute(&work).await.expect("whoever books is not kept waiting");
}

/// Books as often as it can until `done` is over, and says how often that was.
async fn meanwhile<T>(database: &Database, done: impl Future<Output = T>) -> (T, u32) {
    let client = database.connect().await;
    let mut booked = 0;
    let mut done = std::pin::pin!(done);
    loop {
        // The booking is made to its end: a statement that is dropped half-way would prove nothing.
        book(&client).await;
        booked += 1;
        tokio::select! {
            over = &mut done => return (over, booked),
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    }
}

#[test]
fn a_migration_behind_a_long_transaction_gives_up_and_bookings_go_on_meanwhile() {
    with_database(Begin::Empty, async |database| {
        before(database).await;
        let long = database.connect().await;
        long.batch_execute("begin; select count(*) from bookings").await.expect("somebody reads, and does not end");
        let url = database.url();
        let migrating = tokio::spawn(async move { migrations::run_with(&url, QUICK).await });
        let (given_up, booked) = meanwhile(database, migrating).await;
        let why = given_up.expect("no panic").expect_err("it cannot have what it wants").to_string();
        assert!(why.contains("V17__") && why.contains("in 3 tries") && why.contains("idle in transaction"), "{why}");
        assert!(booked >= QUICK.tries, "{booked}");
        let reached = database.column("select max(version) from refinery_schema_history").await;
        assert_eq!(reached, [(WANTS_BOOKINGS - 1).to_string()]);

        long.batch_execute("commit").await.expect("it ends");
        let applied = migrations::run_with(&database.url(), QUICK).await.expect("nobody is in its way");
        assert!(applied[0].starts_with("V17__"), "{applied:?}");
    });
}

#[test]
fn a_migration_waits_for_a_short_transaction_without_an_error() {
    with_database(Begin::Empty, async |database| {
        before(database).await;
        let short = database.connect().await;
        short.batch_execute("begin; select count(*) from bookings").await.expect("somebody reads");
        let url = database.url();
        let patient = Manners { tries: 50, ..QUICK };
        let migrating = tokio::spawn(async move { migrations::run_with(&url, patient).await });
        // It has given way at least once by the time that its lock is not asked for any more.
        let watching = async {
            let asked = r"select count(*) from pg_stat_activity where application_name = 'inkflow migrate'
                and datname = current_database() and wait_event_type = 'Lock'";
            while database.column(asked).await == ["0"] {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            while database.column(asked).await != ["0"] {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        meanwhile(database, watching).await;
        short.batch_execute("commit").await.expect("it ends");
        let applied = migrating.await.expect("no panic").expect("it tried again");
        assert!(applied[0].starts_with("V17__"), "{applied:?}");
    });
}

#[test]
fn a_statement_that_holds_its_locks_too_long_is_taken_back() {
    with_database(Begin::Migrated, async |database| {
        let slow = "alter table bookings add column slow int;\nselect pg_sleep(60);";
        let slow = Migration::unapplied("V9001__slow", slow).expect("a name");
        let hasty = Manners { statement: Duration::from_millis(300), ..QUICK };
        let (failed, _booked) =
            meanwhile(database, async { migrations::apply(&database.url(), &with(slow), hasty).await }).await;
        let why = failed.expect_err("it takes too long").to_string();
        assert!(why.contains("V9001__slow") && why.contains("ALONE=1"), "{why}");
        let there = "select count(*) from pg_attribute where attrelid = 'bookings'::regclass and attname = 'slow'";
        assert_eq!(database.column(there).await, ["0"]);
    });
}

/// All migrations of the schema, and one more.
fn with(one: Migration) -> Vec<Migration> {
    let mut all = embedded::migrations::runner().get_migrations().clone();
    all.push(one);
    all
}

fn an_index() -> Migration {
    let sql = format!(
        "{OUTSIDE}\n-- Why.\ndrop index concurrently if exists bookings_by_note;\n\
         create index concurrently bookings_by_note on bookings (note);\n"
    );
    Migration::unapplied("V9001__an_index", &sql).expect("a name")
}

#[test]
fn an_index_that_is_made_outside_a_transaction_keeps_nobody_waiting() {
    with_database(Begin::WithSamples, async |database| {
        // It waits for whoever began before it: here somebody who does not end until bookings were made.
        let long = database.connect().await;
        long.batch_execute("begin isolation level repeatable read; select count(*) from bookings")
            .await
            .expect("it reads");
        let url = database.url();
        let migrating = tokio::spawn(async move { migrations::apply(&url, &with(an_index()), QUICK).await });
        let begun = async {
            let waits = r"select count(*) from pg_stat_activity where application_name = 'inkflow migrate'
                and datname = current_database() and query like '%create index concurrently%' and wait_event_type = 'Lock'";
            while database.column(waits).await == ["0"] {
                assert!(!migrating.is_finished(), "it should wait");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        meanwhile(database, begun).await;
        let some_time = async { tokio::time::sleep(Duration::from_millis(300)).await };
        meanwhile(database, some_time).await;
        long.batch_execute("commit").await.expect("it ends");
        assert_eq!(migrating.await.expect("no panic").expect("applied"), ["V9001__an_index"]);
        let valid = "select indisvalid from pg_index where indexrelid = 'bookings_by_note'::regclass";
        assert_eq!(database.column(valid).await, ["t"]);
        let known = "select count(*) from refinery_schema_history where version = 9001";
        assert_eq!(database.column(known).await, ["1"]);
        assert!(migrations::apply(&database.url(), &with(an_index()), QUICK).await.expect("known").is_empty());
    });
}

#[test]
fn an_index_whose_migration_died_half_way_is_made_again() {
    with_database(Begin::WithSamples, async |database| {
        database.run("create index bookings_by_note on bookings (note)").await;
        database.run("update pg_index set indisvalid = false where indexrelid = 'bookings_by_note'::regclass").await;
        migrations::apply(&database.url(), &with(an_index()), QUICK).await.expect("it begins anew");
        let valid = "select indisvalid from pg_index where indexrelid = 'bookings_by_note'::regclass";
        assert_eq!(database.column(valid).await, ["t"]);
    });
}

#[test]
fn two_operators_at_once_do_not_wait_in_a_circle_for_an_index() {
    with_database(Begin::Migrated, async |database| {
        let url = database.url();
        let all = with(an_index());
        let runs = tokio::join!(migrations::apply(&url, &all, QUICK), migrations::apply(&url, &all, QUICK));
        let mut applied = [runs.0, runs.1].map(|run| run.expect("it waits its turn").len());
        applied.sort_unstable();
        assert_eq!(applied, [0, 1]);
    });
}

#[test]
fn a_migration_that_was_changed_after_it_was_applied_is_refused() {
    with_database(Begin::Migrated, async |database| {
        let one = |sql| with(Migration::unapplied("V9001__one", sql).expect("a name"));
        migrations::apply(&database.url(), &one("select 1"), QUICK).await.expect("applied");
        let changed = migrations::apply(&database.url(), &one("select 2"), QUICK).await.expect_err("it is another one");
        assert!(changed.to_string().contains("different than filesystem one"), "{changed}");
    });
}
