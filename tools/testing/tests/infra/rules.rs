//! What must agree without asking Terraform: routes, settings, log lines, headers, the runbook.

use std::collections::BTreeSet;
use std::fs;

use dev::platform::checkout;
use serde_json::Value;

use crate::source::{functions, own_code, reads};

/// What calls a function that no route leads to.
const WITHOUT_ROUTE: [&str; 3] = ["worker", "sweeper", "image-intake"];

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(checkout().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The cache keeps a page by the word that the edge leaves: it must be the one that the function would have found itself.
#[tokio::test]
async fn the_edge_reads_languages_as_the_functions_do() {
    let code = [read("infra/edge/preferred.js"), read("infra/edge/language.js")].join("\n");
    let uri = "/artist/lea-marchetti".parse().expect("a path");
    for header in [
        "en-CA,en;q=0.9,fr-CA;q=0.8,fr;q=0.7",
        "de-DE, de;q=0.9, en;q=0.7, fr;q=0.3",
        "en;q=0.5, fr ; q=0.8",
        "EN-us",
        "fr,en",
        "en;q=0,fr;q=0.1",
        "en;q=0",
        "de,*;q=0.5",
        "english,french",
        "en;q=nonsense,fr",
        ";;,,q=1",
        "",
    ] {
        let mut headers = axum::http::HeaderMap::new();
        headers.insert("accept-language", header.parse().expect("a header"));
        let left = crate::front::run(&code, &uri, &headers).await;
        let left = left["headers"]["accept-language"]["value"].as_str().unwrap_or_default();
        let request = testing::request(axum::http::Method::GET, "/", &[("accept-language", header)], None);
        let found = shared::http::preferred_language(&request).map_or("", shared::domain::locale::Locale::code);
        assert_eq!(left, found, "{header:?}");
    }
}

#[test]
fn every_route_has_a_function_and_every_function_is_called() {
    let routes: Vec<Value> = serde_json::from_str(&read("infra/routes.json")).expect("JSON");
    let routed: BTreeSet<String> =
        routes.iter().map(|route| route["function"].as_str().expect("a name").to_owned()).collect();
    let mut called = routed.clone();
    called.extend(WITHOUT_ROUTE.map(str::to_owned).into_iter().filter(|name| functions().contains(name)));
    assert_eq!(called, functions());
    assert!(WITHOUT_ROUTE.iter().all(|name| !routed.contains(*name)));
    let mut table: Vec<_> =
        routes.iter().map(|route| (&route["method"], &route["path"])).map(|pair| format!("{pair:?}")).collect();
    table.sort();
    let all = table.len();
    table.dedup();
    assert_eq!(table.len(), all, "no route is there twice");
}

#[test]
fn every_function_reads_its_secrets_before_anything_else() {
    for function in functions() {
        let main = read(&format!("functions/{function}/src/main.rs"));
        let (first, load) = (main.find("from_env"), main.find("parameters::load().await?"));
        assert!(
            load.is_some() && (first.is_none() || load < first),
            "{function}: main.rs must call parameters::load() first"
        );
    }
}

#[test]
fn every_setting_that_a_function_reads_is_explained() {
    let example = read(".env.example");
    let explained: BTreeSet<&str> = example
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('=').map(|(name, _)| name))
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'))
        .collect();
    let table = read("docs/settings.md");
    for function in functions() {
        let (settings, _) = reads(&function);
        // `contact` answers from tables of its own.
        assert!(settings.contains("DATABASE_URL") != (function == "contact"), "{function}: {settings:?}");
        for setting in settings {
            assert!(
                explained.contains(setting.as_str()),
                "{function} reads {setting}, which .env.example does not explain"
            );
            let aside = setting.starts_with("AWS_") || setting == "CLOCK_SHIFT_SECONDS";
            assert!(
                aside || table.contains(&format!("`{setting}`")),
                "{function} reads {setting}, which docs/settings.md does not name"
            );
        }
    }
}

#[test]
fn every_line_of_the_log_that_raises_an_alarm_is_one_that_a_function_writes() {
    let text = read("infra/observe.tf");
    let signals =
        text.split_once("signals = {").and_then(|(_, rest)| rest.split_once("\n  }")).expect("the table of signals").0;
    let library = ["http.rs", "error.rs", "settle.rs", "settle/events.rs", "stripe.rs"]
        .map(|file| read(&format!("shared/src/{file}")))
        .concat();
    for signal in signals.lines().filter(|line| line.contains("pattern = ")) {
        let pattern = signal
            .split_once("pattern = \"")
            .and_then(|(_, rest)| rest.split_once("\", threshold"))
            .expect("a pattern")
            .0;
        let of =
            signal.split_once("functions = ").and_then(|(_, rest)| rest.split_once(", pattern")).expect("functions").0;
        let named = functions().into_iter().filter(|name| of.contains(&format!("\"{name}\""))).collect::<Vec<_>>();
        // Each of them, for a signal that one of two does not write is an alarm that is half deaf.
        let codes: Vec<String> =
            if named.is_empty() { vec![String::new()] } else { named.iter().map(|name| own_code(name)).collect() };
        for phrase in pattern.split("\\\"").map(str::trim).filter(|phrase| !phrase.is_empty() && *phrase != "-") {
            for code in &codes {
                assert!(
                    code.contains(phrase) || library.contains(phrase),
                    "a function does not write \"{phrase}\": {signal}"
                );
            }
        }
    }
}

#[test]
fn every_header_that_a_function_reads_passes_cloudfront() {
    let cdn = read("infra/handed-on.json");
    for function in functions().into_iter().filter(|name| !name.ends_with("-webhook")) {
        for line in own_code(&function).lines().filter(|line| line.contains("request.headers().get(\"")) {
            let header = line.split("headers().get(\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a name");
            assert!(
                cdn.contains(&format!("\"{header}\"")),
                "{function} reads {header}, which handed-on.json does not name"
            );
        }
    }
}

#[test]
fn the_example_of_an_environment_names_every_variable_that_an_operator_may_set() {
    // What `make deploy` gives, and what only tests do.
    const NOT_HIS: [&str; 6] = ["stripe_live", "secret_versions", "release", "functions_dir", "site_dir", "emulator"];
    let example = read("infra/environments/example.tfvars");
    let names = |text: &str| -> BTreeSet<String> {
        text.lines()
            .filter_map(|line| line.trim_start_matches("# ").split_once('='))
            .map(|(name, _)| name.trim().to_owned())
            .filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
            .collect()
    };
    let variables: BTreeSet<String> = read("infra/variables.tf")
        .lines()
        .filter_map(|line| line.strip_prefix("variable \"")?.split('"').next().map(str::to_owned))
        .filter(|name| !NOT_HIS.contains(&name.as_str()))
        .collect();
    assert_eq!(names(&example), variables);
}

/// Names of the alarms that are planned.
fn alarms() -> BTreeSet<String> {
    let plan = ["default", "options"].map(|name| read(&format!("infra/tests/plan/{name}.txt"))).concat();
    let names = plan.lines().filter_map(|line| line.strip_prefix("aws_cloudwatch_metric_alarm.")?.split_once('['));
    names
        .map(|(kind, key)| match kind {
            "site_down" => "site-down".to_owned(),
            "certificate" => "certificate-ends".to_owned(),
            _ => key.trim_matches(['"', ']']).to_owned(),
        })
        .collect()
}

#[test]
fn the_runbook_has_a_row_for_every_alarm_and_no_other() {
    let runbook = read("infra/README.md");
    let table =
        runbook.split_once("\n## Alarms\n").and_then(|(_, rest)| rest.split_once("\n## ")).expect("the table").0;
    let rows: BTreeSet<&str> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name)).collect();
    let row = |alarm: &str| {
        let of_each = ["-crashed", "-url-fails"]
            .into_iter()
            .find(|end| alarm.strip_suffix(end).is_some_and(|function| functions().contains(function)));
        of_each.map_or_else(|| alarm.to_owned(), |end| format!("<function>{end}"))
    };
    let wanted: BTreeSet<String> = alarms().iter().map(|alarm| row(alarm)).collect();
    assert!(wanted.len() > 12, "the plan has lost its alarms");
    assert_eq!(rows, wanted.iter().map(String::as_str).collect());
}

/// Of every function that is called: heard below, by the one way in that all of them share.
const OF_EVERY_CALL: [&str; 4] = ["request-failed", "visit-failed", "request-not-served", "database-unreachable"];

/// The line itself is made by a test of the function, as that function writes it; here is only looked whether there is one.
#[test]
fn every_filter_meets_a_line_that_its_function_was_heard_to_write() {
    let mut heard = String::new();
    for function in functions() {
        let mut open = vec![checkout().join("functions").join(&function).join("tests")];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                match entry.path() {
                    path if path.is_dir() => open.push(path),
                    path if path.extension().is_some_and(|kind| kind == "rs") => {
                        heard += &fs::read_to_string(path).expect("text");
                    }
                    _ => {}
                }
            }
        }
    }
    let all = testing::filters();
    assert!(all.len() > 20, "{all:?}");
    let silent: Vec<String> = all
        .keys()
        .filter(|(signal, _)| !OF_EVERY_CALL.contains(&signal.as_str()))
        .map(|(signal, function)| format!("raise(\"{function}\", \"{signal}\")"))
        .filter(|call| !heard.contains(call))
        .collect();
    assert_eq!(silent, Vec::<String>::new(), "no test of the function hears a line that raises it");
}

/// The one line that all of them share.
#[tokio::test]
async fn a_request_that_fails_is_heard_from_every_function() {
    let web = shared::http::Web { public_url: "https://ink.test".into(), cors_origins: vec![], client_ip_header: None };
    let logs = testing::Logs::listen();
    for (error, status) in [
        (shared::error::Error::Internal("of ours".into()), 500),
        (shared::error::Error::CalendarUnavailable("of Cal.com's".into()), 503),
        (shared::error::Error::DatabaseUnavailable("of Postgres".into()), 503),
    ] {
        let request = testing::request(axum::http::Method::GET, "/api/session", &[], None);
        assert_eq!(shared::http::answer(&web, request, async |_| Err(error)).await.status(), status);
    }
    let filters = testing::filters();
    let routes: Vec<Value> = serde_json::from_str(&read("infra/routes.json")).expect("JSON");
    for route in routes {
        let function = route["function"].as_str().expect("a name");
        let [failed, visit, rest @ ..] = OF_EVERY_CALL;
        let is_visit = filters.contains_key(&(visit.to_owned(), function.to_owned()));
        for signal in rest.into_iter().chain([if is_visit { visit } else { failed }]) {
            logs.raise(function, signal);
        }
    }
}

/// What is an error to a function and counted by no filter, and who tells of it instead.
const TOLD_OTHERWISE: [(&str, &str); 4] = [
    ("image-intake", "a picture was not taken in"), // images-dead-letters, after two more tries
    ("sweeper", "jobs were given up: see outbox.last_error"), // job-given-up, when it happened
    ("worker", "a message names no job"),           // jobs-dead-letters
    ("worker", "a job could not be run"),           // it is tried again: job-given-up, jobs-wait
];

#[test]
fn every_error_that_a_function_logs_is_heard_of() {
    let filters = testing::filters();
    let shared_code = ["http.rs", "settle/events.rs"].map(|file| read(&format!("shared/src/{file}"))).concat();
    let mut looked_at = 0;
    let sources =
        functions().into_iter().map(|name| (own_code(&name), name)).chain([(shared_code, "shared".to_owned())]);
    for (code, function) in sources {
        for call in code.split("tracing::error!(").skip(1) {
            let call = call.split(");").next().unwrap_or_default();
            let message = call.rsplit('"').nth(1).expect("a message");
            looked_at += 1;
            let heard = filters
                .iter()
                .filter(|((_, of), _)| *of == function || function == "shared")
                .any(|(_, terms)| terms.iter().any(|term| message.starts_with(term.as_str())));
            let otherwise = TOLD_OTHERWISE.contains(&(function.as_str(), message));
            assert!(heard || otherwise, "{function} logs an error that nobody hears of: {message:?}");
        }
    }
    assert!(looked_at >= 10, "{looked_at}");
}

#[test]
fn the_runbook_says_which_alarms_wake_somebody() {
    let (text, runbook) = (read("infra/observe.tf"), read("infra/README.md"));
    let wake = text.split_once("  wake = [").and_then(|(_, rest)| rest.split_once(']')).expect("the list").0;
    let wake: BTreeSet<&str> = wake.split(',').map(|name| name.trim().trim_matches('"')).collect();
    let rows = runbook.split_once("| alarm | weight | means | do |").expect("the table").1;
    let rows = rows.lines().take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with("| `"));
    let mut seen = BTreeSet::new();
    for row in rows {
        let mut cells = row.split(" | ");
        let name = cells.next().and_then(|cell| cell.split('`').nth(1)).expect("a name");
        let weight = cells.next().expect("a weight");
        assert!(["**now**", "day", "week"].contains(&weight), "{name}: {weight}");
        if weight == "**now**" {
            seen.insert(name.split(' ').next().expect("a name"));
        }
    }
    assert_eq!(seen, wake);
}
