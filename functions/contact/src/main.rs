//! Lambda entry point of `POST /api/contact/read`. Wiring only: the behaviour lives in `lib.rs`.

use contact::handle;
use shared::{http, parameters, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init();
    parameters::load().await?;
    let web = http::Web::from_env()?;
    http::serve(web, |request| std::future::ready(handle(&request))).await
}
