//! The site, the clock beside it, the API behind it and the cache before it.

use jiff::Timestamp;
use uuid::Uuid;

use super::finding::{BOUND, Finding, Report, why};
use crate::environment::Environment;

/// The largest difference of clocks that no signature notices: Stripe allows five minutes, AWS too.
const CLOCK_TOLERANCE: i64 = 60;

pub(super) async fn examine(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("site");
    let url = &environment.outputs.site_url;
    match get(environment, "/").send().await {
        Ok(answer) => home(&mut report, url, &answer),
        Err(error) => {
            report.bad(format!("{url}: {}", why(&error)), "CloudFront takes some minutes after the first deploy; then DNS: make output NAME=dns_records says where the name must lead");
            return report.findings;
        }
    }
    api(&mut report, environment).await;
    origins(&mut report, environment).await;
    report.findings
}

fn get(environment: &Environment, path: &str) -> reqwest::RequestBuilder {
    environment.http.get(format!("{}{path}", environment.outputs.site_url)).timeout(BOUND)
}

fn home(report: &mut Report, url: &str, answer: &reqwest::Response) {
    if let Some(apart) = answer.headers().get("date").and_then(|date| seconds_apart(date.to_str().ok()?)) {
        if apart > CLOCK_TOLERANCE {
            report.bad(
                format!("this machine's clock is {apart} s away from the site's"),
                "signatures of AWS and Stripe are true for minutes: set the clock (NTP)",
            );
        } else {
            report.good("the clocks agree");
        }
    }
    let has_policy = answer.headers().contains_key("content-security-policy");
    if answer.status() != 200 {
        report
            .bad(format!("the home page answers {}", answer.status().as_u16()), "make deploy: was the site uploaded?");
    } else if !has_policy {
        report.bad(
            "the home page comes without its security headers",
            "something else than our CloudFront answers at this name",
        );
    } else {
        report.good(format!("{url} stands, with its security headers"));
    }
}

async fn api(report: &mut Report, environment: &Environment) {
    match get(environment, "/api/artists/nobody-at-all").send().await {
        Ok(answer) if answer.status() == 404 && is_problem(&answer) => report.good("the API answers behind the same name"),
        Ok(answer) if answer.status() == 403 => report.bad("the API answers 403", "CloudFront may not call the functions: both permissions (InvokeFunctionUrl, InvokeFunction) must be there; make deploy"),
        Ok(answer) => report.bad(format!("the API answers {} where 404 is right", answer.status().as_u16()), "look into the log of artist-page: /aws/lambda/…-artist-page"),
        Err(error) => report.bad(format!("the API: {}", why(&error)), "look into the log of artist-page"),
    }
}

/// Which pages may call the API: those of `CORS_ORIGINS`, and nobody else's.
async fn origins(report: &mut Report, environment: &Environment) {
    let url = &environment.outputs.site_url;
    let preflight = |origin: &str| {
        environment
            .http
            .request(reqwest::Method::OPTIONS, format!("{url}/api/bookings/create"))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .timeout(BOUND)
    };
    let allowed = |answer: &reqwest::Response| answer.headers().contains_key("access-control-allow-origin");
    let mut origins: Vec<&str> =
        environment.setting("CORS_ORIGINS").split(',').map(str::trim).filter(|origin| !origin.is_empty()).collect();
    origins.push("https://stranger.invalid");
    for origin in origins {
        match (preflight(origin).send().await.map(|answer| allowed(&answer)), origin == "https://stranger.invalid") {
            (Ok(false), true) => report.good("pages of strangers may not call the API"),
            (Ok(true), false) => report.good(format!("{origin} may call the API")),
            (Ok(true), true) => report.bad(
                "a stranger's page may call the API",
                "only the functions may set CORS headers: look for another layer that does",
            ),
            (Ok(false), false) => report.bad(
                format!("{origin} is in CORS_ORIGINS and may not call the API"),
                "exact origins, without a slash at the end; then make deploy",
            ),
            (Err(error), _) => {
                report.bad(format!("a preflight: {}", why(&error)), "look into the log of create-booking")
            }
        }
    }
}

fn is_problem(answer: &reqwest::Response) -> bool {
    answer.headers().get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"))
}

fn seconds_apart(date: &str) -> Option<i64> {
    let there = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    #[expect(clippy::disallowed_methods, reason = "the machine's own clock is what is looked at")]
    let here = Timestamp::now();
    Some((here.as_second() - there.as_second()).abs())
}

/// Whether what one visitor was told is told to the next one. An answer of ours carries the request's own id, so that two visitors
/// with the same id had one answer between them.
pub(super) async fn cache(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("cache");
    // An error, which CloudFront keeps for ten seconds unless it is told otherwise; and an answer that is somebody's own.
    let missing = format!("/api/bookings/{}", Uuid::now_v7());
    for (path, what) in [(missing.as_str(), "an error"), ("/api/session", "who is signed in")] {
        let ask = async || {
            let answer = get(environment, path).send().await?;
            let id = answer.headers().get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
            Ok::<_, reqwest::Error>((id, answer.headers().contains_key("age")))
        };
        match (ask().await, ask().await) {
            (Ok((Some(first), _)), Ok((Some(second), old))) if first == second || old => report.bad(
                format!("two visitors got one answer: {what} is kept"),
                "one artist's answer is every artist's: make deploy, and let nothing else before the site (the DNS provider's proxy) keep what is under /api/",
            ),
            (Ok((Some(_), _)), Ok((Some(_), _))) => report.good(format!("{what} is told to nobody else")),
            (Ok(_), Ok(_)) => report.notice(
                format!("{what}: whether it is kept cannot be told, for the answer has no x-request-id"),
                "something else than our functions answers: look at what is said of the site",
            ),
            (Err(error), _) | (_, Err(error)) => {
                report.notice(format!("{what}: {}", why(&error)), "look at what is said of the site")
            }
        }
    }
    report.findings
}
