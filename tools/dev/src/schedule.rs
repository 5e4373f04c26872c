//! Wakes the sweeper as EventBridge Scheduler does, and at once when asked.
//!
//! A run that fails is not repeated: the next one comes anyway.

use std::time::Duration;

use axum::body::Bytes;
use jiff::Timestamp;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tracing::warn;
use uuid::Uuid;

use crate::account::{ACCOUNT, REGION};
use crate::host::{Host, InvokeError};

/// A running schedule; dropping it ends it.
pub struct Schedule {
    host: Host,
    function: String,
    clock: tokio::task::AbortHandle,
}

impl Schedule {
    /// Invokes `function` each `period`, for the first time after one period.
    pub fn start(host: Host, function: &str, period: Duration) -> Self {
        let clock = tokio::spawn({
            let (host, function) = (host.clone(), function.to_owned());
            async move {
                let mut ticks = interval_at(Instant::now() + period, period);
                // A laptop that was asleep owes no runs.
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    ticks.tick().await;
                    if let Err(error) = host.invoke(&function, event()).await {
                        warn!(function, %error, "the scheduled run failed");
                    }
                }
            }
        });
        Self { host, function: function.to_owned(), clock: clock.abort_handle() }
    }

    /// Invokes the function now, and waits for its answer.
    pub async fn run_now(&self) -> Result<Bytes, InvokeError> {
        self.host.invoke(&self.function, event()).await
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        self.clock.abort();
    }
}

fn event() -> String {
    json!({
        "version": "0",
        "id": Uuid::now_v7(),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT,
        "time": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": REGION,
        "resources": [format!("arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/inkflow-sweeper")],
        "detail": "{}",
    })
    .to_string()
}
