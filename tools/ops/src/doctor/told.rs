//! Whether anybody hears an alarm, whether the account may run as much as the site needs, and whether a mail with a file goes
//! out: what no setting shows, because AWS or a person has the last word about it.

use aws_sdk_sesv2::error::ProvideErrorMetadata as _;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, RawMessage};
use reqwest::Method;
use serde_json::Value;
use shared::aws;

use super::finding::{BOUND, Finding, Report};
use crate::environment::Environment;

/// AWS's own reader: it takes every mail, and none of them counts for the reputation.
const SIMULATOR: &str = "success@simulator.amazonses.com";

/// What an account may run at once before one busy minute is felt.
const ENOUGH: u64 = 1_000;
/// A new account's. Nothing can be reserved of it.
const TOO_FEW: u64 = 100;

/// Asks AWS without an SDK, as the operator.
pub(super) async fn ask(
    environment: &Environment,
    service: &str,
    region: &str,
    method: Method,
    path: &str,
    form: &str,
) -> Option<String> {
    let base = environment.endpoint.clone().unwrap_or_else(|| format!("https://{service}.{region}.amazonaws.com"));
    let headers: &[(&'static str, &str)] =
        if form.is_empty() { &[] } else { &[("content-type", "application/x-www-form-urlencoded")] };
    let url = format!("{base}{path}");
    let request =
        aws::signed(&environment.credentials, region, service, method, &url, headers, form.as_bytes().to_vec());
    let mut request = reqwest::Request::try_from(request).ok()?;
    *request.timeout_mut() = Some(BOUND);
    let answer = environment.http.execute(request).await.ok()?;
    if answer.status() == 200 { answer.text().await.ok() } else { None }
}

/// Who is told of alarms, and has confirmed it.
pub(super) async fn alarms(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("alarms");
    for (region, arn) in environment.outputs.alarm_topics.iter().filter_map(|topic| topic.split_once(' ')) {
        let name = arn.rsplit(':').next().unwrap_or(arn);
        let form = format!("Action=ListSubscriptionsByTopic&Version=2010-03-31&TopicArn={}", arn.replace(':', "%3A"));
        let Some(told) = ask(environment, "sns", region, Method::POST, "/", &form).await else {
            report.bad(format!("{name} cannot be read"), "make deploy; may you call sns:ListSubscriptionsByTopic?");
            continue;
        };
        let all = told.matches("<Endpoint>").count();
        match told.matches("<SubscriptionArn>PendingConfirmation</SubscriptionArn>").count() {
            0 if all == 0 => report.bad(
                format!("nobody hears of {name}"),
                "alarm_email in the environment's file, then make deploy, and confirm what AWS mails there",
            ),
            0 => report.good(format!("{name} is heard by {all}")),
            pending => report.bad(
                format!("{pending} of {all} who should hear of {name} have not confirmed it"),
                "the mail \"AWS Notification - Subscription Confirmation\": its link, within three days; later: SNS, Subscriptions, Request confirmation",
            ),
        }
    }
    report.findings
}

/// How many functions may run at once.
pub(super) async fn concurrency(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("lambda");
    let region = &environment.outputs.region;
    let told = ask(environment, "lambda", region, Method::GET, "/2016-08-19/account-settings", "").await;
    let told: Value = told.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    match told["AccountLimit"]["ConcurrentExecutions"].as_u64() {
        None => report.bad("how much may run at once cannot be read", "may you call lambda:GetAccountSettings?"),
        Some(most) if most < TOO_FEW => report.bad(
            format!("the account may run {most} functions at once: a busy minute is an outage"),
            "Service Quotas, AWS Lambda, Concurrent executions: ask for 1 000",
        ),
        Some(most) if most < ENOUGH => report.notice(
            format!("the account may run {most} functions at once"),
            "Service Quotas, AWS Lambda, Concurrent executions: 1 000, then reserve_concurrency = true",
        ),
        Some(most) => report.good(format!("the account may run {most} functions at once")),
    }
    report.findings
}

/// Sends one mail with a file, as the worker sends them. With the operator's rights, not with the worker's role, whose own
/// shows with the first booking.
pub(super) async fn postage(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("mail");
    let Ok(sender) = shared::mail::sender(environment.setting("MAIL_FROM")) else {
        report.bad("MAIL_FROM has no address", "mail_from in the environment's file, then make deploy");
        return report.findings;
    };
    let set = Some(environment.setting("MAIL_CONFIGURATION_SET").to_owned()).filter(|set| !set.is_empty());
    let message = RawMessage::builder().data(Blob::new(with_a_file(&sender))).build();
    let Ok(message) = message else { return report.findings };
    let sent = environment
        .ses()
        .send_email()
        .from_email_address(&sender)
        .destination(Destination::builder().to_addresses(SIMULATOR).build())
        .content(EmailContent::builder().raw(message).build())
        .set_configuration_set_name(set)
        .send()
        .await;
    match sent {
        Ok(_) => report.good(format!("SES takes a mail with a file from {sender} (sent by you, to AWS's simulator)")),
        Err(error) => report.bad(
            format!("SES does not take a mail with a file: {}", error.code().unwrap_or("no answer")),
            "AccessDenied: to IAM that is ses:SendRawEmail; MessageRejected: the domain is not verified yet; else SES, Account dashboard",
        ),
    }
    report.findings
}

fn with_a_file(sender: &str) -> String {
    format!(
        "From: InkFlow <{sender}>\r\nTo: {SIMULATOR}\r\nSubject: make doctor\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"doctor\"\r\n\r\n--doctor\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         make doctor\r\n--doctor\r\nContent-Type: text/calendar; charset=utf-8; method=PUBLISH\r\n\
         Content-Disposition: attachment; filename=\"doctor.ics\"\r\n\r\nBEGIN:VCALENDAR\r\nVERSION:2.0\r\n\
         PRODID:-//InkFlow//doctor//EN\r\nEND:VCALENDAR\r\n--doctor--\r\n"
    )
}
