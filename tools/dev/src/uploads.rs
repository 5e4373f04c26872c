//! Gives the bucket's events to `image-intake`, as S3 does in production.
//!
//! S3 invokes the function itself there; here ministack writes the same event into a queue, and this reads it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::AbortHandle;
use tokio::time::sleep;
use tracing::warn;

use crate::aws::Sqs;
use crate::host::Host;

/// The function that takes pictures in.
pub const FUNCTION: &str = "image-intake";

/// Lambda gives an asynchronous event three times in all.
const ATTEMPTS: u32 = 3;

/// A running reader; dropping it ends it.
#[derive(Debug)]
pub struct Uploads(AbortHandle);

impl Uploads {
    /// Begins to read `queue` at `endpoint`.
    pub fn start(endpoint: &str, queue: &str, host: Host) -> Self {
        let (sqs, queue) = (Sqs::at(endpoint), queue.to_owned());
        Self(tokio::spawn(read(sqs, queue, host)).abort_handle())
    }
}

impl Drop for Uploads {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn read(sqs: Sqs, queue: String, host: Host) {
    let receive = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 2 });
    loop {
        let Ok(answer) = sqs.call("ReceiveMessage", receive.clone()).await else {
            sleep(Duration::from_secs(1)).await;
            continue;
        };
        for message in answer["Messages"].as_array().into_iter().flatten() {
            deliver(&host, message["Body"].as_str().unwrap_or_default()).await;
            let gone = json!({ "QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"] });
            if let Err(error) = sqs.call("DeleteMessage", gone).await {
                warn!(%error, "an upload will be told of once more");
            }
        }
    }
}

async fn deliver(host: &Host, event: &str) {
    let told: Value = serde_json::from_str(event).unwrap_or_default();
    // S3 tries a new subscription with an event that names nothing.
    if !told["Records"].is_array() {
        return;
    }
    for attempt in 1..=ATTEMPTS {
        match host.invoke(FUNCTION, event.to_owned()).await {
            Ok(_) => return,
            Err(error) => warn!(%error, attempt, "an upload was not taken in"),
        }
        sleep(Duration::from_secs(1)).await;
    }
}
