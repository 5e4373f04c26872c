//! The demo data: written once, and what a newcomer changed in them stays.

use dev::demo::{LEA, NOA, Seed, seed};
use dev::postgres::{Postgres, Purpose, SUPERUSER, connect};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER_KEY: &str = "HxwdHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";

#[tokio::test]
async fn a_second_seed_keeps_what_was_changed_and_renews_the_calendar_key() {
    let folder = std::env::temp_dir().join(format!("inkflow-demo-{}", std::process::id()));
    let postgres = Postgres::start(&folder, None, Purpose::Throwaway).await.expect("it starts");
    let url = postgres.url(SUPERUSER);
    migrations::run(&url).await.expect("the schema");
    let client = connect(&url).await.expect("it answers");
    let now = "2026-11-23T06:00:00Z".parse().expect("a time");

    assert_eq!(seed(&client, &Seed { now, encryption_key: KEY }).await.expect("it fits the schema"), 2);
    let count = async |table: &str| -> i64 {
        let row = client.query_typed_one(&format!("select count(*) from {table}"), &[]).await.expect("a row");
        row.get(0)
    };
    let hours = (LEA.hours.len() + NOA.hours.len()) as i64;
    assert_eq!((count("artists").await, count("flashes").await, count("availability").await), (2, 8, hours));
    let repeatable = client.query_typed_one("select count(*) from flashes where repeatable", &[]).await.expect("a row");
    assert_eq!(repeatable.get::<_, i64>(0), 2);

    let key = async || -> Vec<u8> {
        let query = "select cal_com_api_key from artists where cal_com_api_key is not null";
        client.query_typed_one(query, &[]).await.expect("only one artist uses Cal.com").get(0)
    };
    let first_key = key().await;
    client
        .batch_execute(
            "delete from availability where weekday = 2;
             update artists set bio = 'mine', cal_com_event_type_id = null, cal_com_api_key = null where slug = 'lea-marchetti'",
        )
        .await
        .expect("SQL");
    assert_eq!(seed(&client, &Seed { now, encryption_key: OTHER_KEY }).await.expect("again"), 0);
    assert_eq!(count("availability").await, hours - 2);
    assert_ne!(key().await, first_key);
    let bio = client.query_typed_one("select bio from artists where slug = 'lea-marchetti'", &[]).await.expect("a row");
    assert_eq!(bio.get::<_, String>(0), "mine");

    postgres.stop().await.expect("it stops");
    Postgres::delete_data(&folder).await.expect("its data go");
    let _ = std::fs::remove_dir_all(&folder);
}
