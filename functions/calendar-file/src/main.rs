//! Lambda entry point of the calendar file of an appointment. Wiring only: the behaviour lives in `lib.rs`.

use calendar_file::{App, handle};
use shared::{http, parameters, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init();
    parameters::load().await?;
    let web = http::Web::from_env()?;
    let app = App::from_env()?;
    app.db.warm_up().await;
    http::serve(web, |request| handle(&app, request)).await
}
