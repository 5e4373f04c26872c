//! The queue of jobs, its dead letters, and the way to the worker.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::finding::{Finding, Report};
use super::told::ask;
use crate::environment::Environment;

/// What SQS tells of a queue.
type Attributes = HashMap<String, String>;

pub(super) async fn examine(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("queue");
    let (Some(jobs), Some(dead)) = (attributes(environment, "jobs").await, attributes(environment, "jobs-dead").await)
    else {
        report.bad(
            "the queue of jobs or its dead letters cannot be read",
            "make deploy; may you call sqs:GetQueueAttributes?",
        );
        return report.findings;
    };
    let redrive: Value =
        jobs.get("RedrivePolicy").and_then(|policy| serde_json::from_str(policy).ok()).unwrap_or_default();
    if redrive["deadLetterTargetArn"] == json!(arn(&dead)) {
        report.good("what fails too often becomes a dead letter");
    } else {
        report.bad("the queue does not lead to its dead letters", "make deploy");
    }
    for name in ["jobs-dead", "images-dead"] {
        dead_letters(&mut report, environment, name).await;
    }
    way_to_the_worker(&mut report, environment, &arn(&jobs)).await;
    report.findings
}

async fn attributes(environment: &Environment, name: &str) -> Option<Attributes> {
    let all = environment
        .sqs()
        .get_queue_attributes()
        .queue_url(environment.outputs.queues.get(name)?)
        .attribute_names(aws_sdk_sqs::types::QueueAttributeName::All)
        .send()
        .await
        .ok()?;
    let told = all.attributes()?.iter().map(|(name, value)| (name.as_str().to_owned(), value.clone()));
    Some(told.collect())
}

fn arn(of: &Attributes) -> String {
    of.get("QueueArn").cloned().unwrap_or_default()
}

async fn dead_letters(report: &mut Report, environment: &Environment, name: &str) {
    let told = attributes(environment, name).await;
    let letters = told.and_then(|told| told.get("ApproximateNumberOfMessages")?.parse::<u64>().ok());
    match letters {
        Some(0) => report.good(format!("no dead letters in {name}")),
        Some(letters) => report.bad(
            format!("{letters} dead letters in {name}"),
            "infra/README.md, \"jobs-dead-letters\": mend the cause, then make redrive",
        ),
        None => report.bad(format!("{name} cannot be read"), "make deploy"),
    }
}

async fn way_to_the_worker(report: &mut Report, environment: &Environment, jobs: &str) {
    let worker = environment.outputs.functions.get("worker").map(String::as_str).unwrap_or_default();
    let path = format!("/2015-03-31/event-source-mappings/?FunctionName={worker}%3Alive");
    let mapped = ask(environment, "lambda", &environment.outputs.region, Method::GET, &path, "").await;
    let mapped: Value = mapped.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let mappings = mapped["EventSourceMappings"].as_array().map(Vec::as_slice).unwrap_or_default();
    match mappings.iter().find(|mapping| mapping["EventSourceArn"] == json!(jobs)) {
        None => report.bad(
            "nothing leads from the queue to the worker",
            "make deploy; may you call lambda:ListEventSourceMappings?",
        ),
        Some(mapping)
            if !["Enabled", "Creating", "Enabling", "Updating"]
                .contains(&mapping["State"].as_str().unwrap_or_default()) =>
        {
            report.bad(
                format!("the way from the queue to the worker is {}", mapping["State"]),
                "somebody switched it off: make deploy switches it on",
            );
        }
        Some(mapping) if mapping["FunctionResponseTypes"] != json!(["ReportBatchItemFailures"]) => {
            report.bad("one bad job repeats the nine good ones beside it", "make deploy");
        }
        Some(_) => report.good("the worker reads it, job by job"),
    }
}
