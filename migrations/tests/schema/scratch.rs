//! A database of its own for each test, gone when the test has passed.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// The lock on the roles `anon` and `authenticated`, which all databases of a server share.
const ROLES: i64 = 7_309_402;

/// The artist, the flashes and the bookings of `samples/`.
pub(crate) const ZOE: &str = "'00000000-0000-7000-8000-0000000000a1'";
pub(crate) const SACHA: &str = "'00000000-0000-7000-8000-0000000000a2'";
pub(crate) const UNIQUE_FLASH: &str = "'00000000-0000-7000-8000-0000000000f1'";
pub(crate) const REPEATABLE_FLASH: &str = "'00000000-0000-7000-8000-0000000000f2'";
pub(crate) const CONFIRMED: &str = "'00000000-0000-7000-8000-0000000000b1'";
pub(crate) const HELD: &str = "'00000000-0000-7000-8000-0000000000b2'";
pub(crate) const LAPSED: &str = "'00000000-0000-7000-8000-0000000000b3'";

/// The rows of each migration's sample, in order.
pub(crate) const SAMPLES: &[(i32, &str)] = &[
    (2, include_str!("../samples/V002.sql")),
    (3, include_str!("../samples/V003.sql")),
    (4, include_str!("../samples/V004.sql")),
    (6, include_str!("../samples/V006.sql")),
    (8, include_str!("../samples/V008.sql")),
    (9, include_str!("../samples/V009.sql")),
    (14, include_str!("../samples/V014.sql")),
    (15, include_str!("../samples/V015.sql")),
    (16, include_str!("../samples/V016.sql")),
    (17, include_str!("../samples/V017.sql")),
    (18, include_str!("../samples/V018.sql")),
    (19, include_str!("../samples/V019.sql")),
    (20, include_str!("../samples/V020.sql")),
    (21, include_str!("../samples/V021.sql")),
    (23, include_str!("../samples/V023.sql")),
];

pub(crate) struct Database {
    name: String,
    /// The superuser who created it.
    pub(crate) owner: Client,
}

/// How much of a database a test wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    Empty,
    Migrated,
    WithSamples,
}

/// Runs a test on a database of its own. One whose test failed stays for a look.
pub(crate) fn with_database(begin: Begin, test: impl AsyncFnOnce(&Database)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let database = Database::create().await;
        if begin != Begin::Empty {
            database.migrate().await;
        }
        if begin == Begin::WithSamples {
            database.fill().await;
        }
        test(&database).await;
        database.drop().await;
    });
}

impl Database {
    pub(crate) async fn create() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("schema_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let server = connect(&server_url()).await;
        run(&server, &format!("drop database if exists {name} with (force)")).await;
        run(&server, &format!("create database {name}")).await;
        let owner = connect(&url_of(&name)).await;
        Self { name, owner }
    }

    pub(crate) async fn drop(self) {
        drop(self.owner);
        run(&connect(&server_url()).await, &format!("drop database {} with (force)", self.name)).await;
    }

    pub(crate) fn url(&self) -> String {
        url_of(&self.name)
    }

    /// One more connection of the superuser.
    pub(crate) async fn connect(&self) -> Client {
        connect(&self.url()).await
    }

    /// Applies what is not applied yet and says what that was.
    pub(crate) async fn migrate(&self) -> Vec<String> {
        migrations::run(&self.url()).await.expect("the migrations apply")
    }

    /// Puts the samples in.
    pub(crate) async fn fill(&self) {
        for (version, rows) in SAMPLES {
            self.run(rows).await;
            if *version == 2 {
                // Those who were there when V020 came: a newcomer takes no deposits yet.
                self.run("update artists set takes_deposits = true").await;
            }
        }
    }

    pub(crate) async fn run(&self, sql: &str) {
        run(&self.owner, sql).await;
    }

    /// The first column of an answer.
    pub(crate) async fn column(&self, sql: &str) -> Vec<String> {
        self.rows(sql).await.into_iter().map(|mut row| row.remove(0)).collect()
    }

    /// The rows of an answer, as text; null is the empty string.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let messages = self.owner.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let row = |message: SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|index| row.get(index).unwrap_or_default().to_owned()).collect())
            }
            _ => None,
        };
        messages.into_iter().filter_map(row).collect()
    }

    /// Tries a statement in a transaction that is rolled back.
    pub(crate) async fn attempt(&self, sql: &str) -> Result<(), DbError> {
        self.attempt_as(None, sql).await
    }

    /// As [`Self::attempt`], as another role.
    pub(crate) async fn attempt_as(&self, role: Option<&str>, sql: &str) -> Result<(), DbError> {
        let role = role.map(|role| format!("set local role {role};")).unwrap_or_default();
        let tried = self.owner.batch_execute(&format!("begin; {role} {sql}")).await;
        self.run("rollback").await;
        tried.map_err(|error| error.as_db_error().unwrap_or_else(|| panic!("{sql}: {error:?}")).clone())
    }

    /// A statement that `role` must not be allowed to make, whatever the rows.
    pub(crate) async fn assert_forbidden(&self, role: &str, sql: &str) {
        match self.attempt_as(Some(role), sql).await {
            Ok(()) => panic!("{role} may: {sql}"),
            Err(error) => assert_eq!(*error.code(), SqlState::INSUFFICIENT_PRIVILEGE, "{role}: {sql}: {error}"),
        }
    }
}

/// Holds the roles of Supabase's Data API as they are until the client is dropped.
pub(crate) async fn with_api_roles() -> Client {
    let server = connect(&server_url()).await;
    run(&server, &format!("select pg_advisory_lock_shared({ROLES})")).await;
    for role in ["anon", "authenticated", "service_role"] {
        let create = format!(
            "do $$ begin create role {role} nologin; \
             exception when duplicate_object or unique_violation then null; end $$"
        );
        run(&server, &create).await;
    }
    server
}

/// Runs `migrate` on a server that has never heard of those roles; they are there again afterwards.
pub(crate) async fn before_api_roles(migrate: impl AsyncFnOnce()) {
    drop(with_api_roles().await);
    let server = connect(&server_url()).await;
    run(&server, &format!("select pg_advisory_lock({ROLES})")).await;
    // Renamed and not dropped: other databases of the server may still name them.
    run(&server, "alter role anon rename to anon_aside; alter role authenticated rename to authenticated_aside").await;
    migrate().await;
    run(&server, "alter role anon_aside rename to anon; alter role authenticated_aside rename to authenticated").await;
}

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("Postgres accepts connections");
    tokio::spawn(connection);
    client
}

fn server_url() -> String {
    std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!("TEST_DATABASE_URL is not set. These tests need a Postgres of their own: run `make test`")
    })
}

fn url_of(database: &str) -> String {
    let url = server_url();
    let (server, _old) = url.rsplit_once('/').expect("a URL with a database");
    format!("{server}/{database}")
}
