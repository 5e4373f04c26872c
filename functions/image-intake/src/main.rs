//! Lambda entry point of the bucket's events. Wiring only: the behaviour lives in `lib.rs`.

use aws_lambda_events::s3::S3Event;
use image_intake::{App, handle};
use lambda_runtime::{LambdaEvent, service_fn};
use shared::{parameters, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    parameters::load().await?;
    let app = App::from_env()?;
    app.db.warm_up().await;
    let app = &app;
    // An error here is on purpose: Lambda gives the event again, twice, and then to the dead-letter queue.
    lambda_runtime::run(service_fn(move |event: LambdaEvent<S3Event>| async move {
        handle(app, event.payload).await.map_err(lambda_runtime::Error::from)
    }))
    .await
}
