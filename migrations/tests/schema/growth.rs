//! How the schema grows: once, in turn, and over rows that are there already.

use crate::scratch::{Begin, Database, SAMPLES, with_database};

pub(crate) mod embedded {
    refinery::embed_migrations!("sql");
}

#[test]
fn migrating_twice_changes_nothing() {
    with_database(Begin::Empty, async |database| {
        let first = database.migrate().await;
        assert_eq!(first.len(), embedded::migrations::runner().get_migrations().len());
        let before = fingerprint(database).await;
        assert_eq!(database.migrate().await, Vec::<String>::new());
        assert_eq!(fingerprint(database).await, before);
    });
}

#[test]
fn two_operators_who_migrate_at_once_take_turns() {
    with_database(Begin::Empty, async |database| {
        let url = database.url();
        let runs = tokio::join!(migrations::run(&url), migrations::run(&url), migrations::run(&url));
        let mut applied = [runs.0, runs.1, runs.2].map(|run| run.expect("it waits its turn").len());
        applied.sort_unstable();
        assert_eq!(applied, [0, 0, embedded::migrations::runner().get_migrations().len()]);
    });
}

#[test]
fn two_databases_of_one_server_are_migrated_at_once() {
    with_database(Begin::Empty, async |one| {
        let other = Database::create().await;
        // The role belongs to the server, so both migrations meet at it.
        let applied = tokio::join!(one.migrate(), other.migrate());
        assert_eq!(applied.0, applied.1);
        other.drop().await;
    });
}

#[test]
fn each_migration_applies_to_a_database_in_use() {
    with_database(Begin::Empty, async |database| {
        let runner = embedded::migrations::runner();
        let mut all = runner.get_migrations().clone();
        all.sort_by_key(refinery::Migration::version);
        for (index, migration) in all.iter().enumerate() {
            let before = counts(database).await;
            let applied = migrations::apply(&database.url(), &all[..=index], migrations::Manners::ALONE).await;
            let applied = applied.unwrap_or_else(|error| panic!("{migration}: {error}"));
            assert_eq!(applied.len(), 1, "{migration}");
            for (table, count) in before {
                let now = counts(database).await;
                let kept = now.iter().find(|(name, _count)| *name == table).map(|(_name, count)| *count);
                assert_eq!(kept, Some(count), "{migration} lost rows of {table}");
            }
            if let Some((_version, rows)) = SAMPLES.iter().find(|(version, _rows)| *version == migration.version()) {
                database.run(rows).await;
            }
        }
        let empty: Vec<String> = counts(database)
            .await
            .into_iter()
            .filter(|(_table, count)| *count == 0)
            .map(|(table, _count)| table)
            .collect();
        assert!(empty.is_empty(), "the next migration meets no row of {empty:?}: add samples/V….sql for them");
    });
}

/// The rows of every table of ours.
async fn counts(database: &Database) -> Vec<(String, u64)> {
    let tables = database
        .column(
            r"select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
             and relname <> 'refinery_schema_history' order by 1",
        )
        .await;
    let mut counts = Vec::new();
    for table in tables {
        let count = database.column(&format!("select count(*) from {table}")).await;
        counts.push((table, count[0].parse().expect("a number")));
    }
    counts
}

/// Everything the catalogs say of the schema.
async fn fingerprint(database: &Database) -> Vec<String> {
    database
        .column(
            r"select 'column ' || attrelid::regclass || '.' || attname || ' ' || atttypid::regtype || ' ' || attnotnull
                 from pg_attribute join pg_class c on c.oid = attrelid
                 where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and attnum > 0
             union all select 'constraint ' || conname || ' ' || pg_get_constraintdef(oid)
                 from pg_constraint where connamespace = 'public'::regnamespace
             union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
             union all select 'grant ' || relname || ' ' || coalesce(relacl::text, '')
                 from pg_class where relnamespace = 'public'::regnamespace
             union all select 'version ' || version from refinery_schema_history order by 1",
        )
        .await
}
