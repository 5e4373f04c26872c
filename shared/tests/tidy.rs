//! Keeps the domain pure: its source may not name anything that waits, reads a clock or touches the outside. And keeps the
//! database from telling the time of a zone.
//! It reads text, so that the rule holds for tests and for code that is compiled out as well.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What no line under `src/domain` may contain, and why.
const FORBIDDEN: &[(&str, &str)] = &[
    ("async ", "rules do not wait: decide here, let the edge await"),
    (".await", "rules do not wait: decide here, let the edge await"),
    ("tokio", "rules do not wait: decide here, let the edge await"),
    ("std::thread", "rules do not wait: decide here, let the edge await"),
    ("::now()", "time is an argument: take `now: Timestamp`"),
    ("SystemTime", "time is an argument: take `now: Timestamp`"),
    ("Instant::", "time is an argument: take `now: Timestamp`"),
    ("TimeZone::system", "the zone is the artist's, never the machine's: take it as an argument"),
    ("now_v7", "identifiers are arguments: whoever creates a row brings its UUID"),
    ("new_v4", "identifiers are arguments: whoever creates a row brings its UUID"),
    ("std::env", "settings are arguments: `config` reads the environment once"),
    ("env!(", "settings are arguments: `config` reads the environment once"),
    ("std::fs", "rules have no input or output but arguments and answers"),
    ("std::net", "rules have no input or output but arguments and answers"),
    ("std::io", "rules have no input or output but arguments and answers"),
    ("std::process", "rules have no input or output but arguments and answers"),
    ("println!", "rules have no input or output but arguments and answers"),
    ("tracing::", "a rule says what it found in its answer; the edge logs it, once"),
    ("reqwest", "edges depend on rules, never the other way round"),
    ("postgres", "edges depend on rules, never the other way round"),
    ("lambda_", "edges depend on rules, never the other way round"),
    ("aws_", "edges depend on rules, never the other way round"),
    ("stripe_checkout::", "edges depend on rules, never the other way round"),
    ("http::", "edges depend on rules, never the other way round"),
];

/// The only module of the crate that the domain may name.
const OWN: &str = "crate::domain";

#[test]
fn the_domain_is_pure() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![source.join("domain.rs")];
    text_files(&source.join("domain"), "rs", &mut files);
    assert!(files.len() > 5, "the domain has moved: look for it where it is now");

    let complaints: Vec<String> = files
        .iter()
        .flat_map(|path| {
            let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            complaints(&text).into_iter().map(|complaint| format!("{}:{complaint}", path.display())).collect::<Vec<_>>()
        })
        .collect();
    assert!(
        complaints.is_empty(),
        "The domain (src/domain) is pure: no async, no I/O, no clock, no environment, no edge of this crate. \
         What it needs comes in as an argument, what it decides goes out as a value; that is why its tests \
         take milliseconds and its rules hold everywhere.\n\n{}\n",
        complaints.join("\n")
    );
}

#[test]
fn impure_lines_are_found() {
    for line in [
        "pub async fn pay() {}",
        "    async move { 1 }",
        "    sleep().await;",
        "    let now = jiff::Timestamp::now();",
        "    let now = Zoned::now().timestamp();",
        "use std::{env, fmt}; let home = std::env::var(\"HOME\");",
        "use std::time::SystemTime;",
        "use crate::db::bookings;",
        "use crate::{db, domain::money};",
        "    crate::http::problem(&error)",
        "use stripe_checkout::checkout_session::CreateCheckoutSession;",
        "    let id = Uuid::now_v7(); // crate::domain",
    ] {
        assert_eq!(complaints(line).len(), 1, "{line}");
    }
}

#[test]
fn pure_lines_and_comments_are_left_alone() {
    for line in [
        "//! No async, no tokio, no crate::db.",
        "    /// The edge calls `jiff::Timestamp::now()` and `std::env::var`.",
        "    let now = schedule.now(); // never Timestamp::now()",
        "use crate::domain::money::Cents;",
        "pub fn refund(&self, paid: Cents, now: Timestamp) -> Refund {",
        "    let calendar = \"asynchronous\";",
        "/// Stripe: <https://docs.stripe.com>",
    ] {
        assert_eq!(complaints(line), Vec::<String>::new(), "{line}");
    }
}

/// What makes PostgreSQL ask its own tables of time zones.
const ZONED_SQL: &[&str] = &["at time zone", "timezone(", "date_trunc("];

/// The last migration that did so; what it made is replaced.
const LAST_ZONED: &str = "V007__dashboard.sql";

#[test]
fn no_statement_asks_the_database_for_the_clock_of_a_zone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in ["shared/src", "tools/ops/src"] {
        text_files(&root.join(folder), "rs", &mut files);
    }
    for function in fs::read_dir(root.join("functions")).expect("the functions") {
        text_files(&function.expect("a readable folder").path().join("src"), "rs", &mut files);
    }
    text_files(&root.join("migrations/sql"), "sql", &mut files);
    let is_old = |path: &PathBuf| path.ends_with(LAST_ZONED);
    assert!(files.len() > 60 && files.iter().any(is_old), "the sources have moved: look for them where they are now");
    let complaints: Vec<String> = files
        .iter()
        .filter(|path| !is_old(path))
        .flat_map(|path| {
            let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            zoned(&text).into_iter().map(|line| format!("{}:{line}", path.display())).collect::<Vec<_>>()
        })
        .collect();
    assert!(
        complaints.is_empty(),
        "PostgreSQL's tables of time zones are those of its system, often years old. Say in Rust which instants are meant \
         (domain::local), and pass those.\n\n{}\n",
        complaints.join("\n")
    );
}

#[test]
fn statements_that_ask_for_the_clock_of_a_zone_are_found() {
    for line in [
        "select date_trunc('month', moment at time zone a.timezone) from artists a",
        "    concat!(\"select p.occurred_at AT TIME ZONE 'Europe/Paris'\")",
        "select timezone(a.timezone, now())",
        "select date_trunc('day', now(), a.timezone)",
    ] {
        assert_eq!(zoned(line).len(), 1, "{line}");
    }
    for line in ["-- never at time zone", "select a.timezone from artists a", "    // date_trunc(…) is Postgres's"] {
        assert_eq!(zoned(line), Vec::<String>::new(), "{line}");
    }
}

/// The lines of SQL, or of Rust with SQL in it, that ask for the clock of a zone.
fn zoned(source: &str) -> Vec<String> {
    source
        .lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let code =
                line.split("--").next().unwrap_or_default().split("//").next().unwrap_or_default().to_lowercase();
            let what = ZONED_SQL.iter().find(|what| code.contains(*what))?;
            Some(format!("{}: `{what}`", index + 1))
        })
        .collect()
}

/// One complaint for each line that breaks the rule, as "line: what, why".
fn complaints(source: &str) -> Vec<String> {
    source
        .lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let code = line.split_once("//").map_or(line, |(code, _)| code);
            let foreign = code.replace(OWN, "").contains("crate::");
            let edge = foreign.then_some(("crate::", "edges depend on rules, never the other way round"));
            let (what, why) = FORBIDDEN.iter().copied().find(|(what, _)| code.contains(what)).or(edge)?;
            Some(format!("{}: `{what}`: {why}", index + 1))
        })
        .collect()
}

fn text_files(folder: &Path, kind: &str, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            text_files(&path, kind, found);
        } else if path.extension().is_some_and(|extension| extension == kind) {
            found.push(path);
        }
    }
}
