//! `select 1` on the very connection that the functions use: the floor under every answer from the database.
//!
//! Answers how long each of a series of them took, in nanoseconds, so that nothing of the runtime is in the figure.

use std::time::Instant;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use shared::db::{Db, Repeat};

/// How many an invocation makes, unless it says so.
const SERIES: u64 = 1;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let db = Db::from_env()?;
    db.warm_up().await;
    let db = &db;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Value>| {
        let mut took = Vec::new();
        for _ in 0..event.payload["series"].as_u64().unwrap_or(SERIES) {
            let begun = Instant::now();
            db.rows(Repeat::Safe, "select 1", &[]).await?;
            took.push(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
        }
        Ok::<_, Error>(took)
    }))
    .await
}
