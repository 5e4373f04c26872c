//! Lambda entry point of `POST /api/page-errors`. Wiring only: the behaviour lives in `lib.rs`.

use page_errors::{App, handle};
use shared::{http, parameters, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init();
    parameters::load().await?;
    let web = http::Web::from_env()?;
    let app = App::from_env(&web)?;
    app.db.warm_up().await;
    http::serve(web, |request| handle(&app, request)).await
}
