//! Lambda entry point of the queue of jobs. Wiring only: the behaviour lives in `lib.rs`.

use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{LambdaEvent, service_fn};
use shared::{parameters, telemetry};
use worker::{App, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    parameters::load().await?;
    let app = App::from_env()?;
    app.db.warm_up().await;
    let app = &app;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let deadline = event.context.deadline();
        Ok::<_, std::convert::Infallible>(handle(app, event.payload, deadline).await)
    }))
    .await
}
