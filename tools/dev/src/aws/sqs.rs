//! The few calls of SQS's JSON protocol that the platform itself makes.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::authorization::authorization;
use crate::machine::client;

/// SQS, as the platform itself calls it.
#[derive(Clone, Debug)]
pub struct Sqs {
    endpoint: String,
    client: reqwest::Client,
}

impl Sqs {
    /// Calls SQS at `endpoint`.
    pub fn at(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), client: client() }
    }

    /// One call; `body` and the answer are those of the AWS API reference.
    pub async fn call(&self, action: &str, body: Value) -> Result<Value> {
        let answer = self
            .client
            .post(&self.endpoint)
            .header("authorization", authorization("sqs"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("AmazonSQS.{action}"))
            .timeout(Duration::from_secs(25))
            .body(body.to_string())
            .send()
            .await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "SQS {action}: {status} {text}");
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }

    /// How many messages `queue` holds: waiting, and being worked on.
    pub async fn depth(&self, queue: &str) -> Result<(u64, u64)> {
        let asked = json!({ "QueueUrl": queue, "AttributeNames": ["All"] });
        let answer = self.call("GetQueueAttributes", asked).await?;
        let number = |name: &str| answer["Attributes"][name].as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok((number("ApproximateNumberOfMessages"), number("ApproximateNumberOfMessagesNotVisible")))
    }
}
