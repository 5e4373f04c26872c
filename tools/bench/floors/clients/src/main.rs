//! The clients of a function and nothing else: Postgres, SQS and Stripe over TLS, made at the start and asked as often as the
//! query says. The floor under `create-booking` and `stripe-webhook`: their exchanges without anything that decides.

use jiff::{SignedDuration, Timestamp};
use lambda_http::{Error, Request, RequestExt, service_fn};
use shared::db::{Db, Repeat};
use shared::domain::ids::JobId;
use shared::queue::Queue;
use shared::stripe::Stripe;
use shared::{aws, net, telemetry};
use uuid::Uuid;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let http = net::client(&net::tls());
    let db = Db::from_env()?;
    let queue = Queue::from_env(&aws::settings(&http)?)?;
    let stripe = Stripe::from_env(http)?;
    queue.warm_up();
    db.warm_up().await;
    let (db, queue, stripe) = (&db, &queue, &stripe);
    lambda_http::run(service_fn(async move |request: Request| {
        let query = request.query_string_parameters();
        let wanted = |what| query.first(what).and_then(|text| text.parse::<u32>().ok()).unwrap_or_default();
        for _ in 0..wanted("selects") {
            db.rows(Repeat::Safe, "select 1", &[]).await?;
        }
        for _ in 0..wanted("calls") {
            let begin = Timestamp::UNIX_EPOCH;
            stripe.events(&["charge.refunded"], begin, begin + SignedDuration::from_secs(1), None).await?;
        }
        for _ in 0..wanted("messages") {
            queue.send(&[JobId::new(Uuid::nil())]).await?;
        }
        Ok::<_, Error>("done")
    }))
    .await
}
