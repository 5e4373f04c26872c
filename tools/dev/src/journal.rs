//! What the functions and the platform say: one readable line each on the terminal, the raw lines in files.
//!
//! It changes nothing in the raw lines, so that a test can read them as CloudWatch would.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;
use std::sync::Mutex;

use jiff::Timestamp;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::machine::lock;

/// Where the words of one function go.
#[derive(Debug)]
pub struct Journal {
    name: String,
    raw: Option<Mutex<File>>,
    print: bool,
}

impl Journal {
    /// Opens the journal of `name`: raw lines are added to `folder/<name>.log`, and printed when `print` says so.
    pub fn open(name: &str, folder: Option<&PathBuf>, print: bool) -> std::io::Result<Self> {
        let raw = match folder {
            None => None,
            Some(folder) => {
                std::fs::create_dir_all(folder)?;
                let path = folder.join(format!("{name}.log"));
                Some(Mutex::new(OpenOptions::new().create(true).append(true).open(path)?))
            }
        };
        Ok(Self { name: name.to_owned(), raw, print })
    }

    /// Keeps one line.
    pub fn line(&self, line: &str) {
        if let Some(raw) = &self.raw {
            // One write per line, so that lines of several instances never mix. A full disk must not stop the platform.
            let mut bytes = line.as_bytes().to_vec();
            bytes.push(b'\n');
            let _ = lock(raw).write_all(&bytes);
        }
        if self.print && !line.trim().is_empty() {
            say(&readable(&self.name, line, Timestamp::now(), colours()));
        }
    }
}

/// Makes the platform's own events look like the functions' lines; called once, by `main`.
pub fn init() {
    let filter = EnvFilter::try_from_env("DEV_LOG").unwrap_or_else(|_| EnvFilter::new("warn,dev=info"));
    let _ = tracing_subscriber::registry().with(Printed.with_filter(filter)).try_init();
}

fn say(line: &str) {
    // `println!` panics when the terminal is gone; the platform must still come to its orderly end.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn colours() -> bool {
    std::env::var_os("NO_COLOR").is_none() && std::io::stdout().is_terminal()
}

/// What a person at a terminal does not need; the raw line has it. Lambda's runtime repeats our own request id.
const NOISE: &[&str] = &["name", "spans", "target", "requestId", "xrayTraceId"];

/// One line of a function, as a person wants to read it.
///
/// JSON lines become time, function, level, message and fields; anything else is shown as it is.
pub fn readable(name: &str, line: &str, now: Timestamp, colours: bool) -> String {
    let Ok(Value::Object(entry)) = serde_json::from_str::<Value>(line) else {
        return laid_out(name, "", line, "", now, colours);
    };
    let mut fields = BTreeMap::new();
    for (key, value) in entry {
        match (key.as_str(), value) {
            ("fields" | "span", Value::Object(inner)) => {
                fields.extend(inner.into_iter().filter(|(key, _)| !NOISE.contains(&key.as_str())));
            }
            (key, _) if NOISE.contains(&key) => {}
            (_, value) => {
                fields.insert(key, value);
            }
        }
    }
    let level = fields.remove("level").map(text).unwrap_or_default();
    let message = fields.remove("message").map(text).unwrap_or_default();
    let at = fields.remove("timestamp").and_then(|at| at.as_str()?.parse().ok()).unwrap_or(now);
    let mut rest = String::new();
    for (key, value) in fields {
        let _ = write!(rest, " {key}={}", text(value));
    }
    laid_out(name, &level, &message, rest.trim_start(), at, colours)
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn laid_out(name: &str, level: &str, message: &str, rest: &str, at: Timestamp, colours: bool) -> String {
    let at = at.strftime("%H:%M:%S%.3f");
    let gap = if rest.is_empty() { "" } else { "  " };
    if !colours {
        return format!("{at}  {name:<14}  {level:<5}  {message}{gap}{rest}");
    }
    let tint = match level {
        "ERROR" => "31",
        "WARN" => "33",
        "INFO" => "32",
        _ => "2",
    };
    format!(
        "\x1b[2m{at}\x1b[0m  \x1b[36m{name:<14}\x1b[0m  \x1b[{tint}m{level:<5}\x1b[0m  {message}{gap}\x1b[2m{rest}\x1b[0m"
    )
}

struct Printed;

impl<S: tracing::Subscriber> Layer<S> for Printed {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        let part = event.metadata().target().rsplit("::").next().unwrap_or_default().to_owned();
        let level = event.metadata().level().to_string();
        say(&laid_out(&part, &level, &said.message, said.rest.trim_start(), Timestamp::now(), colours()));
    }
}

#[derive(Default)]
struct Said {
    message: String,
    rest: String,
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.rest, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message.push_str(value),
            name => {
                let _ = write!(self.rest, " {name}={value}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_line_reads_as_time_function_level_message_and_fields() {
        let line = r#"{"timestamp":"2026-11-23T06:12:01.250Z","level":"INFO","fields":{"message":"answered","status":201,"duration_ms":12},"span":{"name":"request","request_id":"r-1"},"target":"x"}"#;
        assert_eq!(
            readable("slots", line, Timestamp::UNIX_EPOCH, false),
            "06:12:01.250  slots           INFO   answered  duration_ms=12 request_id=r-1 status=201"
        );
    }

    #[test]
    fn a_panic_is_shown_as_it_is() {
        let line = "thread 'main' panicked at src/main.rs:1:1:";
        assert_eq!(
            readable("slots", line, Timestamp::UNIX_EPOCH, false),
            "00:00:00.000  slots                  thread 'main' panicked at src/main.rs:1:1:"
        );
    }
}
