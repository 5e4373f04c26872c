//! The private PostgreSQL: it comes up, keeps its data over a restart, and leaves nothing running.

use std::path::PathBuf;

use dev::postgres::{Postgres, Purpose, connect, let_in};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("inkflow-postgres-{name}-{}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn pid(folder: &Folder) -> u32 {
    let lock = std::fs::read_to_string(folder.0.join("postgres/postmaster.pid")).expect("it runs");
    lock.lines().next().and_then(|line| line.parse().ok()).expect("its first line is the process id")
}

fn runs(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.contains("(postgres)") && !stat.contains("(postgres) Z"))
}

#[tokio::test]
async fn data_and_port_stay_over_a_stop_and_a_second_start() {
    let folder = Folder::new("keep");
    let keep = || Purpose::Keep { password: "s3cret".to_owned() };
    let postgres = Postgres::start(&folder.0, None, keep()).await.expect("it starts");
    let port = postgres.port();
    let url = postgres.url("postgres");
    let client = connect(&url).await.expect("it answers");
    client.batch_execute("create extension btree_gist; create table kept as select 42 as n").await.expect("SQL");
    let before = pid(&folder);

    postgres.restart().await.expect("it starts again");
    assert_eq!(postgres.port(), port);
    assert!(!runs(before));
    assert!(client.simple_query("select 1").await.is_err(), "old connections are cut");
    let row = connect(&url).await.expect("it answers").query_one("select n from kept", &[]).await.expect("a row");
    assert_eq!(row.get::<_, i32>(0), 42);

    assert!(connect(&postgres.url_of("postgres", "wrong", "postgres")).await.is_err(), "the password counts");
    connect(&url).await.expect("it answers").batch_execute("create role app nologin").await.expect("SQL");
    let_in(&url, "app", "pass1").await.expect("the role may log in");
    assert!(connect(&postgres.url_of("app", "pass1", "postgres")).await.is_ok());

    let last = pid(&folder);
    postgres.stop().await.expect("it stops");
    assert!(!runs(last));
    let again = Postgres::start(&folder.0, Some(port), keep()).await.expect("it starts on its old data");
    assert_eq!(again.port(), port);
    assert!(connect(&url).await.expect("it answers").query_one("select n from kept", &[]).await.is_ok());
    again.stop().await.expect("it stops");
}

#[tokio::test]
async fn a_server_left_by_a_killed_run_is_ended_first() {
    let folder = Folder::new("orphan");
    let first = Postgres::start(&folder.0, None, Purpose::Throwaway).await.expect("it starts");
    let orphan = pid(&folder);
    let second = Postgres::start(&folder.0, None, Purpose::Throwaway).await.expect("it takes the data over");
    assert!(!runs(orphan));
    assert!(connect(&second.url("postgres")).await.is_ok());
    second.stop().await.expect("it stops");
    first.stop().await.expect("already gone");
}

#[tokio::test]
async fn a_stale_lock_file_of_another_program_does_not_stop_it() {
    let folder = Folder::new("stale");
    let postgres = Postgres::start(&folder.0, None, Purpose::Throwaway).await.expect("it starts");
    postgres.stop().await.expect("it stops");
    let lock = format!("{}\n/nowhere\n0\n1\n\n127.0.0.1\n\n", std::process::id());
    std::fs::write(folder.0.join("postgres/postmaster.pid"), lock).expect("a lock file");
    let postgres = Postgres::start(&folder.0, None, Purpose::Throwaway).await.expect("it starts");
    postgres.stop().await.expect("it stops");
}
