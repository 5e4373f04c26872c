//! Lambda entry point of the dashboard's figures. Wiring only: the behaviour lives in `lib.rs`.

use dashboard_stats::{App, handle};
use shared::{http, parameters, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init();
    parameters::load().await?;
    let web = http::Web::from_env()?;
    let app = App::from_env(&web)?;
    tokio::join!(app.db.warm_up(), app.auth.warm_up(app.clock.now()));
    http::serve(web, |request| handle(&app, request)).await
}
