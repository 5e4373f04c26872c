//! SQS carries the ids of jobs and nothing else: what a job says is in the database.
//! A message that is not sent is no loss. The sweeper sends it again.

use std::sync::OnceLock;
use std::time::Duration;

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use aws_types::SdkConfig;
use serde::{Deserialize, Serialize};

use crate::aws;
use crate::config::{self, ConfigError};
use crate::domain::ids::JobId;
use crate::error::{Error, Service};
use crate::redact::without_addresses;

/// How long one call may take: a client waits for the answer of the function that sends.
const SEND_BOUND: Duration = Duration::from_millis(1_500);

/// The most entries of one call with a batch.
const BATCH: usize = 10;

/// The longest that SQS hides a message.
const LONGEST_HIDE: Duration = Duration::from_secs(12 * 60 * 60);

/// The longest that SQS delays a message, in seconds.
const LONGEST_DELAY: u128 = 15 * 60;

/// What a message carries.
#[derive(Serialize, Deserialize)]
struct Body {
    job_id: JobId,
}

/// The queue of jobs.
#[derive(Debug, Clone)]
pub struct Queue {
    config: aws_sdk_sqs::Config,
    client: OnceLock<aws_sdk_sqs::Client>,
    url: String,
}

impl Queue {
    /// The queue of `QUEUE_URL`, at `AWS_ENDPOINT_URL_SQS` when that is set.
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        Ok(Self::new(aws, aws::endpoint("AWS_ENDPOINT_URL_SQS"), config::required("QUEUE_URL")?))
    }

    pub fn new(aws: &SdkConfig, endpoint: Option<String>, url: String) -> Self {
        let mut config = aws_sdk_sqs::config::Builder::from(aws);
        config.set_endpoint_url(endpoint);
        let config = config
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(SEND_BOUND).build())
            .build();
        Self { config, client: OnceLock::new(), url }
    }

    /// Makes the client ahead of the first message, while Lambda gives the sandbox its full CPU: the SDK reads its table of
    /// regions then, a tenth of a start. For functions that send with nearly every request; the others may never need it.
    pub fn warm_up(&self) {
        self.client();
    }

    fn client(&self) -> &aws_sdk_sqs::Client {
        self.client.get_or_init(|| aws_sdk_sqs::Client::from_conf(self.config.clone()))
    }

    /// Sends the ids and gives back those that SQS took; the others are the sweeper's.
    ///
    /// # Errors
    /// SQS took none because it could not be reached or refused the call.
    pub async fn send(&self, jobs: &[JobId]) -> Result<Vec<JobId>, Error> {
        self.send_after(jobs, Duration::ZERO).await
    }

    /// As [`Self::send`], to be delivered after `delay` (to the second, at most 15 minutes:
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-timers.html>).
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_after(&self, jobs: &[JobId], delay: Duration) -> Result<Vec<JobId>, Error> {
        let delay = delay.as_millis().div_ceil(1000).min(LONGEST_DELAY);
        let delay = i32::try_from(delay).unwrap_or_default();
        let mut accepted = Vec::with_capacity(jobs.len());
        for batch in jobs.chunks(BATCH) {
            match self.send_batch(batch, delay).await {
                Ok(taken) => accepted.extend(taken),
                Err(why) if accepted.is_empty() => return Err(Error::Outside { service: Service::Queue, why }),
                // What is behind a failing call would most likely fail too, a bound at a time.
                Err(why) => {
                    tracing::warn!(service = %Service::Queue, why, "only a part of the jobs was sent");
                    break;
                }
            }
        }
        Ok(accepted)
    }

    /// Hands on the jobs that followed from what was just written. That the queue does not take them is no failure of whoever
    /// wrote: the sweeper sends every job that waits.
    pub async fn hand_on(&self, jobs: &[JobId]) {
        self.hand_on_after(jobs, Duration::ZERO).await;
    }

    /// As [`Self::hand_on`], to be delivered after `delay`.
    pub async fn hand_on_after(&self, jobs: &[JobId], delay: Duration) {
        if !jobs.is_empty()
            && let Err(error) = self.send_after(jobs, delay).await
        {
            tracing::warn!(error = %error, jobs = jobs.len(), "the sweeper will send these jobs");
        }
    }

    async fn send_batch(&self, batch: &[JobId], delay: i32) -> Result<Vec<JobId>, String> {
        if let [job] = batch {
            let message = self.client().send_message().queue_url(&self.url).message_body(body(*job));
            let sent = message.delay_seconds(delay).send().await;
            return sent.map(|_| vec![*job]).map_err(|error| why(&error));
        }
        let entries = batch.iter().enumerate().map(|(index, job)| {
            SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(body(*job))
                .delay_seconds(delay)
                .build()
                .expect("an entry with an id and a body is complete")
        });
        let answer = self
            .client()
            .send_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries.collect()))
            .send()
            .await
            .map_err(|error| why(&error))?;
        for refused in answer.failed() {
            tracing::warn!(service = %Service::Queue, code = refused.code(), "a job was not taken");
        }
        // A 200 says nothing of a single entry: only those that it lists were taken.
        let taken = |entry: &aws_sdk_sqs::types::SendMessageBatchResultEntry| {
            entry.id().parse::<usize>().ok().and_then(|index| batch.get(index)).copied()
        };
        Ok(answer.successful().iter().filter_map(taken).collect())
    }

    /// Hides a message that is being worked on, so that it comes back after `duration` and not before.
    ///
    /// Best effort: when it fails, the message comes back when the queue thinks fit.
    pub async fn hide(&self, receipt_handle: &str, duration: Duration) {
        let seconds = i32::try_from(duration.min(LONGEST_HIDE).as_secs()).unwrap_or(i32::MAX);
        let hidden = self
            .client()
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(seconds)
            .send()
            .await;
        if let Err(error) = hidden {
            tracing::warn!(service = %Service::Queue, why = why(&error), "a message could not be hidden");
        }
    }
}

fn body(job_id: JobId) -> String {
    serde_json::to_string(&Body { job_id }).expect("an id is always JSON")
}

fn why<E: std::error::Error>(error: &E) -> String {
    without_addresses(&DisplayErrorContext(error).to_string())
}

/// The job a message speaks of; none when somebody else wrote it.
pub fn parse(body: &str) -> Option<JobId> {
    serde_json::from_str(body).ok().map(|Body { job_id }| job_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::uuid;

    #[test]
    fn a_message_carries_the_id_and_nothing_else() {
        let job = JobId::new(uuid!("0192f3a4-5b6c-7d8e-9f00-112233445566"));
        assert_eq!(body(job), r#"{"job_id":"0192f3a4-5b6c-7d8e-9f00-112233445566"}"#);
        assert_eq!(parse(&body(job)), Some(job));
    }

    #[test]
    fn a_message_of_somebody_else_is_no_job() {
        for text in ["", "null", "{}", "[]", r#"{"job_id":7}"#, r#"{"job_id":"x"}"#, "\u{0}", "{\"job_id\":"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
