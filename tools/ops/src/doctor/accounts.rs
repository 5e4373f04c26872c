//! The accounts: the project at Supabase Auth.

use serde_json::{Value, json};

use super::finding::{BOUND, Finding, Report, why};
use crate::environment::{Environment, Management};
use crate::secrets::SUPABASE_SECRET_KEY;

/// Where it is switched on that Supabase believes whom it is told.
const FORWARDING: &str = "Supabase, Authentication, Rate Limits, IP address forwarding: on";

pub(super) async fn examine(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("accounts");
    let base = environment.setting("SUPABASE_URL").trim_end_matches('/');
    if base.is_empty() {
        report.bad(
            "SUPABASE_URL is not set",
            "settings in the environment's .tfvars: Supabase, Project settings, Data API",
        );
        return report.findings;
    }
    let get = |path: &str| {
        environment
            .http
            .get(format!("{base}/auth/v1{path}"))
            .header("apikey", environment.setting("SUPABASE_PUBLISHABLE_KEY"))
            .timeout(BOUND)
    };
    match get("/.well-known/jwks.json").send().await {
        Err(error) => {
            report.bad(format!("Supabase Auth: {}", why(&error)), "is SUPABASE_URL right, and the project not paused?")
        }
        Ok(answer) => {
            let keys: Value = answer.json().await.unwrap_or_default();
            let keys = keys["keys"].as_array().map(Vec::len).unwrap_or_default();
            match (keys, environment.secret("SUPABASE_JWT_SECRET").is_empty()) {
                (0, true) => report.bad("the project publishes no key for its tokens, so that nobody can sign in", "Supabase, JWT keys: migrate to asymmetric keys; or set supabase_jwt_secret = true and SUPABASE_JWT_SECRET"),
                (_, false) => report.notice(
                    "only tokens signed with the old shared secret are accepted",
                    "Supabase, JWT keys: migrate to asymmetric keys; then no SUPABASE_JWT_SECRET and supabase_jwt_secret = false",
                ),
                (keys, _) => report.good(format!("tokens can be checked with {keys} published keys")),
            }
        }
    }
    match get("/settings").send().await {
        Ok(answer) if answer.status() == 200 => {
            report.good("the publishable key is accepted");
            let sign_up = environment.setting("SIGN_UP");
            how_accounts_are_opened(&answer.json().await.unwrap_or_default(), sign_up, &mut report);
        }
        Ok(answer) if answer.status() == 401 => report
            .bad("the publishable key is refused", "SUPABASE_PUBLISHABLE_KEY: Supabase, Project settings, API keys"),
        Ok(answer) => {
            report.bad(format!("Supabase Auth answers {}", answer.status().as_u16()), "look at the project's status")
        }
        Err(error) => report.bad(format!("Supabase Auth: {}", why(&error)), "is SUPABASE_URL right?"),
    }
    whom_the_project_counts(environment, &mut report);
    mails_of_the_project(environment, base, &mut report).await;
    report.findings
}

/// Whether Supabase is told who asks, so that it can count each visitor by themselves.
fn whom_the_project_counts(environment: &Environment, report: &mut Report) {
    if is_told_who_asks(environment) {
        report.good("Supabase is told whom the site serves");
    } else {
        report.notice(
            "SUPABASE_SECRET_KEY is not set, so that Supabase counts all visitors as one: strangers from four or five networks can use \
             up what all have, and then nobody signs in or gets a link in a new browser for the rest of the hour",
            format!(
                "{FORWARDING}, with a secret key (Project settings, API keys): supabase_secret_key = true in the environment's .tfvars, \
                 make secret NAME=SUPABASE_SECRET_KEY, make deploy"
            ),
        );
    }
}

fn is_told_who_asks(environment: &Environment) -> bool {
    environment.outputs.secrets.iter().any(|name| name == SUPABASE_SECRET_KEY)
}

/// What `/auth/v1/settings` tells everybody of the project.
fn how_accounts_are_opened(settings: &Value, sign_up: &str, report: &mut Report) {
    if settings["external"]["email"] == json!(false) {
        report.bad(
            "the project lets nobody in by an e-mail address",
            "Supabase, Authentication, Sign In / Providers: Email on",
        );
    }
    let sign_up = if sign_up.is_empty() { "closed" } else { sign_up };
    match (sign_up, settings["disable_signup"].as_bool()) {
        ("closed", Some(true)) => report.good("no account is opened by strangers, here or at Supabase"),
        ("closed", Some(false)) => report.notice(
            "SIGN_UP is closed, and Supabase opens an account for whoever asks it directly; it has no page here",
            "Supabase, Authentication, Sign In / Providers, Allow new users to sign up: off",
        ),
        (sign_up, Some(true)) => report.bad(
            format!("SIGN_UP is {sign_up}, and Supabase opens no account for anybody"),
            "Supabase, Authentication, Sign In / Providers, Allow new users to sign up: on; or SIGN_UP = \"closed\" and make deploy",
        ),
        ("invited", Some(false)) => report.good("whom you invite (make artist) may open an account and a page"),
        (_, Some(false)) => report.notice(
            "anybody may open an account and a page under your name",
            "settings = { SIGN_UP = \"invited\" } in the environment's .tfvars, and make artist for each of yours",
        ),
        (_, None) => report.notice("the project does not say whether anybody may open an account", "look by hand"),
    }
    if settings["mailer_autoconfirm"] == json!(true) {
        report.bad(
            "an account needs no confirmation by mail",
            "anybody can open one in somebody else's name and have its mails sent there: Supabase, Authentication, Sign In / Providers, Email, Confirm email: on",
        );
    }
}

/// Where the mails of the project have to lead.
const LINK: &str = "{{ .SiteURL }}/dashboard?token_hash={{ .TokenHash }}&type=email";

/// Where the mails of the project lead, and who sends them: only its owner may ask.
async fn mails_of_the_project(environment: &Environment, base: &str, report: &mut Report) {
    let site = &environment.outputs.site_url;
    let Some(management) = &environment.supabase else {
        report.notice(
            "where its mails lead, and who sends them, was not looked at",
            format!(
                "look by hand: Supabase, Authentication, URL Configuration: Site URL is {site}; Emails, Confirm sign up and Magic \
                 link: both lead to {LINK}; SMTP Settings: a server of yours, for the built-in one writes to the project's team \
                 only. Or give SUPABASE_ACCESS_TOKEN (supabase.com/dashboard/account/tokens) in .env.<env>"
            ),
        );
        return;
    };
    let Some(config) = config_of_the_project(management, environment, base, report).await else { return };
    let told = |name: &str| config[name].as_str().unwrap_or_default();
    if told("site_url").trim_end_matches('/') == site.trim_end_matches('/') {
        report.good("its links begin with the site");
    } else {
        report.bad(
            format!("the links of its mails begin with {}, not with {site}", told("site_url")),
            format!("Supabase, Authentication, URL Configuration: Site URL is {site}"),
        );
    }
    for (name, template) in [
        ("mailer_templates_confirmation_content", "Confirm sign up"),
        ("mailer_templates_magic_link_content", "Magic link"),
    ] {
        let plain: String = told(name).replace("&amp;", "&").split_whitespace().collect();
        if plain.contains(&LINK.replace(' ', "")) {
            report.good(format!("the mail \"{template}\" leads to the dashboard"));
        } else {
            report.bad(
                format!("the mail \"{template}\" does not lead to the dashboard: whoever follows it is not signed in"),
                format!("Supabase, Authentication, Emails, {template}: <a href=\"{LINK}\">"),
            );
        }
    }
    if told("smtp_host").is_empty() {
        report.bad(
            "its mails go through the built-in sender, which writes to the project's team only",
            "Supabase, Authentication, Emails, SMTP Settings: SES's own (docs/deploy.md, step 8)",
        );
    } else {
        report.good(format!("its mails go through {}", told("smtp_host")));
    }
    if is_told_who_asks(environment) && config["security_sb_forwarded_for_enabled"] == json!(false) {
        report.bad(
            "Supabase is told whom the site serves and does not believe it: it counts all visitors as one, and one alone can use up \
             what all have",
            FORWARDING,
        );
    }
}

/// What only the project's owner may read of it.
async fn config_of_the_project(
    management: &Management,
    environment: &Environment,
    base: &str,
    report: &mut Report,
) -> Option<Value> {
    let project = base.split("://").nth(1).and_then(|host| host.split('.').next()).unwrap_or_default();
    let asked = environment
        .http
        .get(format!("{}/v1/projects/{project}/config/auth", management.base))
        .bearer_auth(management.token.expose())
        .timeout(BOUND);
    match asked.send().await {
        Ok(answer) if answer.status().is_success() => Some(answer.json().await.unwrap_or_default()),
        Ok(answer) => {
            report.bad(
                format!("Supabase's Management API answers {} for {project}", answer.status().as_u16()),
                "SUPABASE_ACCESS_TOKEN: supabase.com/dashboard/account/tokens, of somebody who may administer this project",
            );
            None
        }
        Err(error) => {
            report.bad(format!("Supabase's Management API: {}", why(&error)), "try again, or look by hand");
            None
        }
    }
}
