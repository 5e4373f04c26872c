//! Delivers queue messages to the worker as Lambda's event source mapping does.
//!
//! Redrive to the dead-letter queue is the queue's own policy: nothing here counts attempts.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::account::{REGION, queue_arn};
use crate::aws::Sqs;
use crate::host::Host;

/// What is delivered to whom.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where SQS answers.
    pub endpoint: String,
    pub queue_url: String,
    /// The function that takes the messages.
    pub function: String,
    /// How many messages one invocation may get.
    pub batch_size: u8,
    /// How many invocations may run at once.
    pub concurrency: u8,
}

impl Options {
    /// As the mapping in production: batches of five, two at once.
    pub fn new(endpoint: &str, queue_url: &str, function: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            queue_url: queue_url.to_owned(),
            function: function.to_owned(),
            batch_size: 5,
            concurrency: 2,
        }
    }
}

/// A running event source mapping; dropping it ends it.
pub struct EventSource {
    running: watch::Sender<bool>,
    busy: watch::Sender<usize>,
    pollers: Vec<AbortHandle>,
}

impl EventSource {
    /// Begins to poll.
    pub fn start(options: Options, host: Host) -> Self {
        let (running, busy) = (watch::Sender::new(true), watch::Sender::new(0));
        let options = Arc::new(options);
        let pollers = (0..options.concurrency)
            .map(|_| tokio::spawn(poll(Arc::clone(&options), host.clone(), running.subscribe(), busy.clone())))
            .map(|poller| poller.abort_handle())
            .collect();
        Self { running, busy, pollers }
    }

    /// Stops receiving, and waits until what was received is done.
    pub async fn pause(&self) {
        self.running.send_replace(false);
        let _ = self.busy.subscribe().wait_for(|busy| *busy == 0).await;
    }

    /// Ends at once: what was received comes back by itself, as after a crash.
    pub fn stop(&self) {
        self.pollers.iter().for_each(AbortHandle::abort);
    }

    /// Receives again.
    pub fn resume(&self) {
        self.running.send_replace(true);
    }
}

impl Drop for EventSource {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn poll(options: Arc<Options>, host: Host, mut running: watch::Receiver<bool>, busy: watch::Sender<usize>) {
    let sqs = Sqs::at(&options.endpoint);
    let name = options.queue_url.rsplit('/').next().unwrap_or_default();
    let arn = queue_arn(name);
    let receive = json!({
        "QueueUrl": options.queue_url, "MaxNumberOfMessages": options.batch_size, "WaitTimeSeconds": 2,
        "AttributeNames": ["All"], "MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"],
    });
    let mut pause = Duration::ZERO;
    while running.wait_for(|running| *running).await.is_ok() {
        let _working = Working::begin(&busy);
        if !*running.borrow() {
            continue;
        }
        // Never given up half-way: SQS would hand messages to a caller that is gone, and hide them for a while.
        match sqs.call("ReceiveMessage", receive.clone()).await {
            Ok(answer) => {
                if !pause.is_zero() {
                    info!(queue = name, "the queue answers again");
                    pause = Duration::ZERO;
                }
                let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
                if !messages.is_empty() {
                    deliver(&sqs, &options, &host, &arn, &messages).await;
                }
            }
            Err(error) => {
                if pause.is_zero() {
                    warn!(queue = name, %error, "the queue cannot be read: trying on");
                }
                pause = (pause * 2).clamp(Duration::from_millis(200), Duration::from_secs(2));
                sleep(pause).await;
            }
        }
    }
}

struct Working(watch::Sender<usize>);

impl Working {
    fn begin(busy: &watch::Sender<usize>) -> Self {
        busy.send_modify(|count| *count += 1);
        Self(busy.clone())
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

async fn deliver(sqs: &Sqs, options: &Options, host: &Host, arn: &str, messages: &[Value]) {
    let records: Vec<Value> = messages.iter().map(|message| record(message, arn)).collect();
    let event = json!({ "Records": records }).to_string();
    let answer = match host.invoke(&options.function, event).await {
        Ok(answer) => answer,
        // Nothing is deleted: the whole batch comes back when its visibility timeout ends.
        Err(error) => {
            warn!(function = options.function, %error, messages = messages.len(), "the batch comes back later");
            return;
        }
    };
    let Some(failed) = failures(&answer) else {
        warn!(function = options.function, "an answer that is no batch response fails the whole batch");
        return;
    };
    if let Some(unknown) = failed.iter().find(|id| !messages.iter().any(|m| m["MessageId"] == id.as_str())) {
        warn!(function = options.function, unknown, "an unknown message in the batch response fails the whole batch");
        return;
    }
    let done = messages.iter().filter(|m| !failed.iter().any(|id| m["MessageId"] == id.as_str()));
    let entries: Vec<Value> = done
        .enumerate()
        .map(|(n, message)| json!({ "Id": n.to_string(), "ReceiptHandle": message["ReceiptHandle"] }))
        .collect();
    if entries.is_empty() {
        return;
    }
    let delete = json!({ "QueueUrl": options.queue_url, "Entries": entries });
    if let Err(error) = sqs.call("DeleteMessageBatch", delete).await {
        warn!(%error, "done, but not deleted: the messages will be delivered once more");
    }
}

/// The ids the function reports as failed; none at all when the answer is no batch response.
fn failures(answer: &[u8]) -> Option<Vec<String>> {
    if answer.is_empty() {
        return Some(Vec::new());
    }
    match serde_json::from_slice(answer).ok()? {
        Value::Null => Some(Vec::new()),
        Value::Object(response) => match response.get("batchItemFailures") {
            None | Some(Value::Null) => Some(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item["itemIdentifier"].as_str().filter(|id| !id.is_empty()).map(str::to_owned))
                .collect(),
            Some(_) => None,
        },
        _ => None,
    }
}

fn record(message: &Value, arn: &str) -> Value {
    let attributes = message["MessageAttributes"].as_object().cloned().unwrap_or_default();
    let attributes: Map<String, Value> = attributes
        .into_iter()
        .map(|(name, value)| {
            let (kind, text, binary) = (&value["DataType"], &value["StringValue"], &value["BinaryValue"]);
            (name, json!({ "dataType": kind, "stringValue": text, "binaryValue": binary }))
        })
        .collect();
    json!({
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": REGION,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_response_is_read_as_lambda_reads_it() {
        assert_eq!(failures(b""), Some(vec![]));
        assert_eq!(failures(b"null"), Some(vec![]));
        assert_eq!(failures(b"{}"), Some(vec![]));
        assert_eq!(failures(br#"{"batchItemFailures":[]}"#), Some(vec![]));
        assert_eq!(failures(br#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#), Some(vec!["a".to_owned()]));
        assert_eq!(failures(br#"{"batchItemFailures":[{"itemIdentifier":""}]}"#), None);
        assert_eq!(failures(br#"{"batchItemFailures":[{}]}"#), None);
        assert_eq!(failures(b"\"done\""), None);
    }
}
