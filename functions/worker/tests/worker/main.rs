//! The worker through `handle`, with messages as SQS hands them over: every kind of job, and every way it can end.

use std::time::{Duration, SystemTime};

use aws_lambda_events::sqs::SqsEvent;
use serde_json::{Value, json};
use shared::domain::ids::JobId;
use shared::domain::job::Task;
use testing::{PUBLIC_URL, World, messages};
use worker::{App, handle};

mod calendar;
mod jobs;
mod mails;
mod money;

fn app(world: &World) -> App {
    App {
        db: world.db(),
        queue: world.queue(),
        mailer: world.mailer(),
        stripe: world.stripe_client(),
        calendars: world.calendars(),
        clock: world.clock(),
        public_url: PUBLIC_URL.into(),
        calcom_pages: "https://cal.test".into(),
        lease: Duration::from_secs(90),
        max_attempts: 8,
    }
}

#[expect(clippy::disallowed_methods, reason = "the deadline is on the system's clock")]
fn in_seconds(seconds: u64) -> SystemTime {
    SystemTime::now() + Duration::from_secs(seconds)
}

/// Hands a batch over, and gives the messages that should come again.
async fn handle_batch(app: &App, batch: Value, seconds: u64) -> Vec<String> {
    let event: SqsEvent = serde_json::from_value(batch).expect("an SQS event");
    let response = handle(app, event, in_seconds(seconds)).await;
    response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

/// Runs jobs in one batch; true for each that should come again.
async fn run(world: &World, jobs: &[JobId]) -> Vec<bool> {
    let again = handle_batch(&app(world), messages(jobs), 15).await;
    (0..jobs.len()).map(|index| again.contains(&format!("message-{index}"))).collect()
}

/// Runs all that is left to do, and what follows from it, as the queue would in the end.
async fn run_everything(world: &World) {
    for _ in 0..10 {
        let open = open(world).await;
        if open.is_empty() {
            return;
        }
        run(world, &open).await;
    }
    panic!("these jobs do not end: {:?}", world.open_jobs().await);
}

async fn open(world: &World) -> Vec<JobId> {
    world.open_jobs().await.iter().map(|job| job["id"].as_str().expect("an id").parse().expect("an id")).collect()
}

/// The row of a job.
async fn job(world: &World, id: JobId) -> Value {
    world.rows(&format!("select * from outbox where id = '{id}'"), &[]).await.remove(0)
}

/// How a job ended, in one word; nothing while it has not.
async fn ended(world: &World, id: JobId) -> Value {
    job(world, id).await["outcome"].clone()
}

/// The open jobs of a kind, or of a mail's template.
async fn open_of(world: &World, name: &str) -> Vec<JobId> {
    let sql = format!(
        "select id from outbox where done_at is null and coalesce(args->>'template', kind) = '{name}' order by id"
    );
    let rows = world.rows(&sql, &[]).await;
    rows.iter().map(|row| row["id"].as_str().expect("an id").parse().expect("an id")).collect()
}

/// Writes a job as a transition would.
async fn add(world: &World, task: &Task, version: i32) -> JobId {
    let id: JobId = uuid_of(world).await;
    let args = serde_json::to_string(task).expect("a task is JSON");
    world
        .execute(&format!(
            r"insert into outbox (id, kind, booking_id, args, dedupe_key, created_at, relay_at)
             values ('{id}', '{}', '{}', $json${args}$json$, '{}', '{now}', '{now}')",
            task.kind(),
            task.booking().expect("all of these are about one"),
            task.dedupe_key(version),
            now = world.now(),
        ))
        .await;
    id
}

async fn uuid_of(world: &World) -> JobId {
    let rows = world.rows("select gen_random_uuid() as id", &[]).await;
    rows[0]["id"].as_str().expect("an id").parse().expect("an id")
}

/// A batch of one message of anybody's.
fn message(body: &str) -> Value {
    let mut batch = messages(&[]);
    batch["Records"] = json!([{
        "messageId": "message-0", "body": body, "attributes": {}, "messageAttributes": {}, "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-3:000000000000:inkflow-jobs", "awsRegion": "eu-west-3",
    }]);
    batch
}
