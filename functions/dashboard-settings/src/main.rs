//! Lambda entry point of what artists set about their page. Wiring only: the behaviour lives in `lib.rs`.

use dashboard_settings::{App, handle};
use shared::{http, parameters, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init();
    parameters::load().await?;
    let web = http::Web::from_env()?;
    let app = App::from_env(web.clone())?;
    tokio::join!(app.db.warm_up(), app.auth.warm_up(app.clock.now()));
    http::serve(web, |request| handle(&app, request)).await
}
