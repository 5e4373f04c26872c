//! The list of named promises (`migrations::promises`) is read from SQL as text: a migrated database is what it is held against.

use std::collections::BTreeSet;

use migrations::Kind;

use crate::scratch::{Begin, with_database};

#[test]
fn every_constraint_index_and_trigger_of_the_database_is_promised_by_a_migration() {
    with_database(Begin::Migrated, async |database| {
        let there = "select 'constraint ' || conname from pg_constraint
                join pg_class c on c.oid = conrelid
                where connamespace = 'public'::regnamespace and contype in ('c', 'u', 'x', 'p')
                and c.relname <> 'refinery_schema_history'
            union all select 'index ' || c.relname from pg_index i join pg_class c on c.oid = i.indexrelid
                where c.relnamespace = 'public'::regnamespace and not exists (select from pg_constraint where conindid = c.oid)
            union all select 'trigger ' || tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid
                where c.relnamespace = 'public'::regnamespace and not tgisinternal";
        let there: BTreeSet<String> = database.column(there).await.into_iter().collect();
        let promised: BTreeSet<String> =
            migrations::promises().iter().map(|promise| format!("{} {}", promise.kind, promise.name)).collect();
        let lost: Vec<&String> = promised.difference(&there).collect();
        assert!(lost.is_empty(), "read from the migrations, and not in the database: {lost:?}");
        // A primary key that a table declares beside its column has Postgres's name.
        let unnamed: Vec<&String> = there.difference(&promised).filter(|name| !name.ends_with("_pkey")).collect();
        assert!(unnamed.is_empty(), "in the database, and not read from the migrations (name it there): {unnamed:?}");
    });
}

#[test]
fn the_rules_against_double_booking_are_among_the_promises() {
    let promises = migrations::promises();
    for (kind, name, table) in [
        (Kind::Constraint, "bookings_no_overlap", "bookings"),
        (Kind::Constraint, "availability_no_overlap", "availability"),
        (Kind::Constraint, "payments_stripe_movement_unique", "payments"),
        (Kind::Index, "bookings_one_live_per_unique_flash", "bookings"),
        (Kind::Trigger, "bookings_guard", "bookings"),
    ] {
        let there =
            promises.iter().any(|promise| (promise.kind, &*promise.name, &*promise.table) == (kind, name, table));
        assert!(there, "{kind} {name}");
    }
    assert!(promises.len() > 60, "{}", promises.len());
}
