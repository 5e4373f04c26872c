//! Lambda entry point of the schedule, once a minute. Wiring only: the behaviour lives in `lib.rs`.

// A sweep is one future over everything a sweep does; its layout is computed through all of them.
#![recursion_limit = "256"]

use lambda_runtime::{LambdaEvent, service_fn};
use shared::{parameters, telemetry};
use sweeper::{App, sweep};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    parameters::load().await?;
    let app = App::from_env()?;
    app.db.warm_up().await;
    let app = &app;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<serde_json::Value>| async move {
        sweep(app, event.context.deadline()).await.map_err(lambda_runtime::Error::from)
    }))
    .await
}
