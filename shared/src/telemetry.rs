//! Logs: one JSON object a line on standard output, which CloudWatch Logs Insights reads as fields.
//! No personal data: ids, statuses, durations and error codes only.

use tracing_subscriber::EnvFilter;

/// Starts logging for a function's process. `LOG_LEVEL` takes `tracing`'s filter syntax; default `info`.
pub fn init() {
    let filter = EnvFilter::try_new(std::env::var("LOG_LEVEL").unwrap_or_else(|_| "info".into()))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    // A second call (two functions in one test process) keeps the first subscriber.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .try_init();
}
