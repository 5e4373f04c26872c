//! The secrets that SSM has, and those that the functions were started with.

use super::finding::{Finding, Report};
use crate::environment::Environment;

pub(super) fn examine(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("secrets");
    let newer = |name: &&String| {
        let deployed = environment.outputs.secret_versions.get(*name);
        environment.secrets.get(*name).zip(deployed).is_some_and(|(secret, deployed)| secret.version != *deployed)
    };
    let newer: Vec<&str> = environment.outputs.secrets.iter().filter(newer).map(String::as_str).collect();
    let lacking: Vec<&str> = environment
        .outputs
        .secrets
        .iter()
        .filter(|name| !environment.secrets.contains_key(*name))
        .map(String::as_str)
        .collect();
    if !lacking.is_empty() {
        report.bad(
            format!("SSM has no {}", lacking.join(", ")),
            "DATABASE_URL: make database; ENCRYPTION_KEY and STRIPE_WEBHOOK_SECRETS: make deploy; the others: make secret NAME=…",
        );
    } else if newer.is_empty() {
        report.good("the functions were started with those that SSM has");
    }
    if !newer.is_empty() {
        report.bad(
            format!("{} was changed after the last deploy", newer.join(", ")),
            "some functions run with the old one and some with the new one: make deploy",
        );
    }
    report.findings
}
