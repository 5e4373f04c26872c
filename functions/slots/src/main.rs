//! Lambda entry point of `GET /api/calendar/slots`. Wiring only: the behaviour lives in `lib.rs`.

use shared::{http, parameters, telemetry};
use slots::{App, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init();
    parameters::load().await?;
    let web = http::Web::from_env()?;
    let app = App::from_env(&web)?;
    app.db.warm_up().await;
    http::serve(web, |request| handle(&app, request)).await
}
