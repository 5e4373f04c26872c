//! Logs: one JSON object a line on standard output, which CloudWatch Logs Insights reads as fields.
//! No personal data: ids, statuses, durations and error codes only.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config;

/// Starts logging for a function's process. `LOG_LEVEL` is a level, or levels by target: `warn,worker=debug`; default `info`.
pub fn init() {
    let wanted = config::optional("LOG_LEVEL").and_then(|text| text.parse().ok());
    // Without the filters by field and span of `EnvFilter`: they bring a compiler of regular expressions into every zip.
    let filter: Targets = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines =
        tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
    // A second call (two functions in one test process) keeps the first subscriber.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
}
