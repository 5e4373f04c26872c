//! The doctor at a healthy platform, and at one where each thing is broken in turn.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_sdk_sqs::config::Credentials;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dev::aws::{ACCESS_KEY, Sqs};
use dev::host::REGION;
use dev::platform::{Options, Platform};
use jiff::{SignedDuration, Timestamp};
use ops::doctor::{Finding, Verdict, examine};
use ops::environment::{Environment, Management, Outputs};
use ops::redrive::{Redriven, redrive};
use ops::ssm::Parameter;
use serde_json::{Value, json};
use shared::config::Secret;
use shared::vault::Vault;
use shared::{aws, net};
use tokio_postgres::NoTls;

/// Serves `router` on a port of its own.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// The local AWS, with other answers than its own at some paths.
#[derive(Clone)]
struct Aws {
    ministack: String,
    answers: Arc<Mutex<HashMap<String, Value>>>,
    /// Who has subscribed to every topic, as SNS tells it: an ARN, or `PendingConfirmation`.
    subscribed: Arc<Mutex<Vec<&'static str>>>,
    http: reqwest::Client,
}

/// SNS, as far as the doctor asks, for whoever signs.
fn subscriptions(aws: &Aws, headers: &HeaderMap) -> Response {
    let signed = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !signed.contains("/sns/aws4_request") {
        return StatusCode::FORBIDDEN.into_response();
    }
    let members: String = aws
        .subscribed
        .lock()
        .expect("one at a time")
        .iter()
        .map(|arn| {
            format!("<member><Endpoint>ops@ink.test</Endpoint><SubscriptionArn>{arn}</SubscriptionArn></member>")
        })
        .collect();
    format!(
        "<ListSubscriptionsByTopicResponse><Subscriptions>{members}</Subscriptions></ListSubscriptionsByTopicResponse>"
    )
    .into_response()
}

async fn aws_front(State(aws): State<Aws>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(answer) = aws.answers.lock().expect("one at a time").get(parts.uri.path()) {
        return axum::Json(answer.clone()).into_response();
    }
    // An action that the operator may not take.
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    if let Some(refusal) = aws.answers.lock().expect("one at a time").get(target) {
        return (StatusCode::BAD_REQUEST, axum::Json(refusal.clone())).into_response();
    }
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    if body.starts_with(b"Action=ListSubscriptionsByTopic&") {
        return subscriptions(&aws, &parts.headers);
    }
    let path = parts.uri.path_and_query().expect("a path");
    let mut headers: HeaderMap = parts.headers;
    headers.remove("host");
    let sent =
        aws.http.request(parts.method, format!("{}{path}", aws.ministack)).headers(headers).body(body).send().await;
    let answer = sent.expect("ministack answers");
    let status = answer.status();
    let kind = answer.headers().get("content-type").cloned();
    let mut response = (status, answer.bytes().await.expect("a body")).into_response();
    if let Some(kind) = kind {
        response.headers_mut().insert("content-type", kind);
    }
    response
}

/// Supabase Auth, as far as the doctor asks: keys, and its settings for a publishable key that it accepts.
async fn supabase(keys: Value, settings: Value) -> String {
    let settings = move |headers: HeaderMap| async move {
        if headers.get("apikey").is_some_and(|key| key == "sb_publishable_good") {
            axum::Json(settings).into_response()
        } else {
            StatusCode::UNAUTHORIZED.into_response()
        }
    };
    let jwks = move || async move { axum::Json(json!({ "keys": keys })) };
    serve(Router::new().route("/auth/v1/settings", get(settings)).route("/auth/v1/.well-known/jwks.json", get(jwks)))
        .await
}

/// What a project that is set up answers everybody.
fn settings() -> Value {
    json!({ "external": { "email": true, "phone": false }, "disable_signup": true, "mailer_autoconfirm": false })
}

/// Supabase's Management API, with the settings of Auth of any project, for one token.
async fn management(config: Value) -> Management {
    let answer = move |headers: HeaderMap| async move {
        match headers.get("authorization").and_then(|value| value.to_str().ok()) {
            Some("Bearer sbp_good") => axum::Json(config).into_response(),
            _ => StatusCode::UNAUTHORIZED.into_response(),
        }
    };
    let base = serve(Router::new().route("/v1/projects/{project}/config/auth", get(answer))).await;
    Management { base, token: Secret::new("sbp_good".to_owned()) }
}

/// The site behind a CloudFront that was told nothing about errors: it keeps one for ten seconds, by its path alone.
async fn keeping_errors(site: String, http: reqwest::Client) -> String {
    let kept = Arc::new(Mutex::new(HashMap::<String, (StatusCode, HeaderMap, Vec<u8>)>::new()));
    serve(Router::new().fallback(move |request: Request| async move {
        let (parts, _) = request.into_parts();
        let path = parts.uri.path_and_query().expect("a path").to_string();
        if let Some(answer) = kept.lock().expect("one at a time").get(&path).filter(|_| parts.method == "GET") {
            return answer.clone().into_response();
        }
        let mut headers = parts.headers;
        headers.remove("host");
        let sent = http.request(parts.method.clone(), format!("{site}{path}")).headers(headers).send().await;
        let told = sent.expect("the site answers");
        let (status, mut headers) = (told.status(), told.headers().clone());
        for framing in ["content-length", "transfer-encoding", "connection"] {
            headers.remove(framing);
        }
        let answer = (status, headers, told.bytes().await.expect("a body").to_vec());
        if parts.method == "GET" && [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504].contains(&status.as_u16()) {
            kept.lock().expect("one at a time").insert(path, answer.clone());
        }
        answer.into_response()
    }))
    .await
}

struct Practice {
    platform: Platform,
    aws: Aws,
    healthy: Environment,
    owner: tokio_postgres::Client,
}

const MAPPINGS: &str = "/2015-03-31/event-source-mappings/";
const QUOTA: &str = "/2016-08-19/account-settings";
const ACCOUNT: &str = "/v2/email/account";

impl Practice {
    async fn open() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let platform = Platform::start(Options::for_test().expect("options")).await;
        let platform = platform.expect("it starts: cargo build --workspace --bins");
        let http = net::client(&net::tls());
        let ministack = std::env::var("TEST_AWS_URL").expect("run `make test`, or `dev with-services -- …`");
        let aws = Aws {
            ministack: ministack.clone(),
            answers: Arc::default(),
            subscribed: Arc::new(Mutex::new(vec!["arn:aws:sns:eu-west-3:1:alarms:2"])),
            http: http.clone(),
        };
        let endpoint = serve(Router::new().fallback(aws_front).with_state(aws.clone())).await;
        let sqs = Sqs::at(&ministack);
        let jobs = &platform.queues().jobs;
        let pictures =
            sqs.call("CreateQueue", json!({ "QueueName": format!("pictures-{}", std::process::id()) })).await;
        let told = sqs
            .call("GetQueueAttributes", json!({ "QueueUrl": jobs, "AttributeNames": ["All"] }))
            .await
            .expect("a queue");
        let mapping = json!({
            "EventSourceArn": told["Attributes"]["QueueArn"], "State": "Enabled", "FunctionResponseTypes": ["ReportBatchItemFailures"],
        });
        aws.set(MAPPINGS, json!({ "EventSourceMappings": [mapping] }));
        aws.set(QUOTA, json!({ "AccountLimit": { "ConcurrentExecutions": 1000 } }));
        aws.set(ACCOUNT, json!({ "SendingEnabled": true, "ProductionAccessEnabled": true }));
        let destination =
            json!({ "EventDestinations": [{ "Name": "failures", "Enabled": true, "MatchingEventTypes": ["BOUNCE"] }] });
        aws.set("/v2/email/configuration-sets/set/event-destinations", destination);

        let set = |name: &str| {
            let found = platform.function_env().iter().rev().find(|(key, _)| key == name);
            found.unwrap_or_else(|| panic!("the platform sets {name}")).1.clone()
        };
        let settings = [
            ("STRIPE_API_BASE", set("STRIPE_API_BASE")),
            ("STRIPE_LIVE", set("STRIPE_LIVE")),
            ("CALCOM_API_BASE", set("CALCOM_API_BASE")),
            ("SUPABASE_URL", supabase(json!([{ "kid": "1" }]), settings()).await),
            ("SUPABASE_PUBLISHABLE_KEY", "sb_publishable_good".to_owned()),
            ("MAIL_CONFIGURATION_SET", "set".to_owned()),
            ("MAIL_FROM", set("MAIL_FROM")),
        ];
        let secrets = ["DATABASE_URL", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "ENCRYPTION_KEY"];
        let site = platform.site().to_owned();
        let outputs = Outputs {
            webhook_urls: HashMap::from([("/api/webhooks/stripe".into(), format!("{site}/api/webhooks/stripe"))]),
            site_url: site,
            queues: HashMap::from([
                ("jobs".into(), jobs.clone()),
                ("jobs-dead".into(), platform.queues().dead_jobs.clone()),
                ("images-dead".into(), pictures.expect("a queue")["QueueUrl"].as_str().expect("a URL").to_owned()),
            ]),
            functions: HashMap::from([("worker".into(), "inkflow-test-worker".into())]),
            mail_domain: set("MAIL_FROM").rsplit('@').next().expect("a domain").trim_end_matches('>').to_owned(),
            region: REGION.into(),
            parameter_path: format!("/inkflow/doctor{}", std::process::id()),
            alarm_topics: vec![format!("{REGION} arn:aws:sns:{REGION}:1:inkflow-test-alarms")],
            secrets: secrets.map(str::to_owned).to_vec(),
            secret_versions: secrets.map(|name| (name.to_owned(), 1)).into(),
            settings: settings.map(|(name, value)| (name.to_owned(), value)).into(),
        };
        let credentials = Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "test");
        let healthy = Environment {
            outputs,
            secrets: secrets.map(|name| (name.to_owned(), written_now(set(name)))).into(),
            owner_database_url: Some(platform.database_url().to_owned()),
            supabase: None,
            aws: aws::with(&http, REGION.into(), credentials.clone()),
            http,
            credentials,
            endpoint: Some(endpoint),
        };
        let (owner, connection) = tokio_postgres::connect(platform.database_url(), NoTls).await.expect("Postgres");
        tokio::spawn(connection);
        Self { platform, aws, healthy, owner }
    }

    /// What is wrong once `change` was made to a healthy environment. On the heap: there are many of them below.
    fn wrong(&self, change: impl FnOnce(&mut Environment)) -> Told<'_> {
        let mut environment = self.healthy.clone();
        change(&mut environment);
        Box::pin(async move { wrong(&examine(&environment, false).await) })
    }

    fn with_secret(&self, name: &str, value: &str) -> Told<'_> {
        self.wrong(|environment| drop(environment.secrets.insert(name.to_owned(), written_now(value))))
    }

    fn with_setting(&self, name: &str, value: &str) -> Told<'_> {
        self.wrong(|environment| drop(environment.outputs.settings.insert(name.to_owned(), value.to_owned())))
    }
}

/// The doctor looks at its own clock: how old a secret is, is not of any function's time.
#[expect(clippy::disallowed_methods, reason = "the doctor's clock is the system's")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn written_now(value: impl Into<String>) -> Parameter {
    Parameter { value: value.into(), version: 1, written: now() }
}

type Told<'a> = std::pin::Pin<Box<dyn Future<Output = String> + 'a>>;

impl Aws {
    fn set(&self, path: &str, answer: Value) {
        self.answers.lock().expect("one at a time").insert(path.to_owned(), answer);
    }
}

/// Everything that is wrong, in lines; each with an advice.
fn wrong(findings: &[Finding]) -> String {
    let bad = findings.iter().filter(|finding| finding.verdict == Verdict::Bad);
    bad.map(|finding| {
        assert!(!finding.advice.is_empty(), "{finding} says not what to do");
        format!("{finding}\n")
    })
    .collect()
}

fn only(wrong: &str, part: &str) {
    assert!(wrong.contains(part), "not found: {part}\nin:\n{wrong}");
    assert_eq!(wrong.matches("WRONG").count(), 1, "{wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_what_is_broken_and_nothing_else() {
    let it = Box::pin(Practice::open()).await;
    let findings = Box::pin(examine(&it.healthy, false)).await;
    assert_eq!(wrong(&findings), "");
    assert!(findings.len() > 20, "{findings:?}");
    assert!(
        findings.iter().any(|finding| finding.said.contains("payments of the last 10 days has its booking")),
        "{findings:?}"
    );
    let said = findings.iter().map(ToString::to_string).collect::<String>();
    for secret in it.healthy.secrets.values() {
        assert!(!said.contains(&secret.value), "a secret was told");
    }

    // The site.
    only(
        &it.wrong(|environment| environment.outputs.site_url = "http://127.0.0.1:1".into()).await,
        "cannot be reached",
    );
    let stranger = serve(Router::new().fallback(|| async { StatusCode::FORBIDDEN })).await;
    let refused = it.wrong(|environment| environment.outputs.site_url = stranger).await;
    assert!(refused.contains("the API answers 403") && refused.contains("the home page answers 403"), "{refused}");
    let late = Router::new().fallback(|| async { [("date", "Fri, 27 Nov 2020 10:00:00 GMT")] });
    let late = serve(late).await;
    assert!(it.wrong(|environment| environment.outputs.site_url = late).await.contains("clock is"));
    only(
        &it.with_setting("CORS_ORIGINS", "https://other.test").await,
        "https://other.test is in CORS_ORIGINS and may not call",
    );

    // What is before it.
    let keeping = keeping_errors(it.platform.site().to_owned(), it.healthy.http.clone()).await;
    only(
        &it.wrong(|environment| environment.outputs.site_url = keeping).await,
        "WRONG  cache: two visitors got one answer: an error is kept",
    );
    assert!(said.contains("ok     cache: an error is told to nobody else"), "{said}");
    assert!(said.contains("ok     cache: who is signed in is told to nobody else"), "{said}");

    // The database.
    let url = it.healthy.secret("DATABASE_URL").to_owned();
    let absent = url.replacen("inkflow_app:", "inkflow_app:not-", 1);
    assert_ne!(absent, url);
    only(
        &it.with_secret(
            "DATABASE_URL",
            &absent.rsplit_once('/').map(|(server, _)| format!("{server}/no_such_database")).expect("a URL"),
        )
        .await,
        "cannot connect",
    );
    only(&it.with_secret("DATABASE_URL", it.platform.database_url()).await, "may do more than they need");
    it.owner.batch_execute("create table stray (id int)").await.expect("made");
    only(&it.wrong(|_| ()).await, "without row level security: stray");
    it.owner.batch_execute("drop table stray; revoke insert on payments from inkflow_app").await.expect("done");
    only(&it.wrong(|_| ()).await, "it may not: payments insert");
    it.owner.batch_execute("grant insert on payments to inkflow_app").await.expect("done");
    it.owner.batch_execute("delete from refinery_schema_history where version = 5").await.expect("done");
    only(&it.wrong(|_| ()).await, "not applied: V5__access");
    let nowhere =
        it.wrong(|environment| environment.owner_database_url = Some("postgres://x:y@127.0.0.1:1/x".into())).await;
    only(&nowhere, "the owner cannot connect");
    it.owner
        .batch_execute(
            "insert into refinery_schema_history (version, name, applied_on, checksum) values (5, 'access', '', '0')",
        )
        .await
        .expect("done");

    it.owner.batch_execute("alter table bookings drop constraint bookings_no_overlap").await.expect("done");
    only(&it.wrong(|_| ()).await, "the database has lost or switched off: constraint bookings_no_overlap\n");
    it.owner
        .batch_execute(
            "alter table bookings disable trigger bookings_guard; drop index bookings_one_live_per_unique_flash; \
             alter table bookings add constraint bookings_no_overlap exclude using gist \
             (artist_id with =, tstzrange(scheduled_at, ends_at, '[)') with &&) where (status in ('pending', 'confirmed'))",
        )
        .await
        .expect("done");
    only(
        &it.wrong(|_| ()).await,
        "lost or switched off: trigger bookings_guard, index bookings_one_live_per_unique_flash\n",
    );
    it.owner
        .batch_execute(
            "alter table bookings enable trigger bookings_guard; \
             create unique index bookings_one_live_per_unique_flash on bookings (unique_flash_id)",
        )
        .await
        .expect("done");
    assert_eq!(it.wrong(|_| ()).await, "");

    // Accounts.
    let keys = || json!([{ "kid": "1" }]);
    only(&it.with_setting("SUPABASE_URL", &supabase(json!([]), settings()).await).await, "publishes no key");
    let mut without_mail = settings();
    without_mail["external"]["email"] = json!(false);
    only(&it.with_setting("SUPABASE_URL", &supabase(keys(), without_mail).await).await, "lets nobody in by an e-mail");
    let mut open = it.healthy.clone();
    let open_to_all = json!({ "external": { "email": true }, "disable_signup": false, "mailer_autoconfirm": true });
    open.outputs.settings.insert("SUPABASE_URL".into(), supabase(keys(), open_to_all).await);
    let told = Box::pin(examine(&open, false)).await.iter().map(|one| format!("{one}\n")).collect::<String>();
    assert!(told.contains("note   accounts: SIGN_UP is closed, and Supabase opens an account"), "{told}");
    open.outputs.settings.insert("SIGN_UP".into(), "open".into());
    let told = Box::pin(examine(&open, false)).await.iter().map(|one| format!("{one}\n")).collect::<String>();
    assert!(told.contains("note   accounts: anybody may open an account and a page"), "{told}");
    only(&it.with_setting("SIGN_UP", "invited").await, "SIGN_UP is invited, and Supabase opens no account");
    assert!(told.contains("WRONG  accounts: an account needs no confirmation by mail"), "{told}");
    assert!(told.contains("look by hand: Supabase, Authentication, URL Configuration: Site URL is "), "{told}");

    // Whom Supabase counts. A notice, for a project may do without.
    assert!(
        said.contains("note   accounts: SUPABASE_SECRET_KEY is not set, so that Supabase counts all visitors as one"),
        "{said}"
    );
    assert!(said.contains("IP address forwarding: on, with a secret key"), "{said}");
    let with_key = |environment: &mut Environment| {
        environment.outputs.secrets.push("SUPABASE_SECRET_KEY".into());
        drop(environment.secrets.insert("SUPABASE_SECRET_KEY".into(), written_now("sb_secret_good")));
    };
    let mut keyed = it.healthy.clone();
    with_key(&mut keyed);
    let told = Box::pin(examine(&keyed, false)).await.iter().map(|one| format!("{one}\n")).collect::<String>();
    assert!(told.contains("ok     accounts: Supabase is told whom the site serves"), "{told}");
    assert!(!told.contains("SUPABASE_SECRET_KEY") && !told.contains("WRONG"), "{told}");

    // The mails of Supabase, for whoever may ask.
    let link = "<a href=\"{{ .SiteURL }}/dashboard?token_hash={{ .TokenHash }}&amp;type=email\">In</a>";
    let config = json!({
        "site_url": it.healthy.outputs.site_url, "smtp_host": "email-smtp.eu-west-3.amazonaws.com",
        "mailer_templates_confirmation_content": link, "mailer_templates_magic_link_content": link.replace(' ', ""),
    });
    let with = |change: &dyn Fn(&mut Value)| {
        let mut config = config.clone();
        change(&mut config);
        config
    };
    for (config, complaint) in [
        (
            with(&|config| config["site_url"] = json!("http://localhost:3000")),
            "begin with http://localhost:3000, not with",
        ),
        (with(&|config| config["smtp_host"] = Value::Null), "to the project's team only"),
        (
            with(&|config| {
                config["mailer_templates_magic_link_content"] = json!("<a href=\"{{ .ConfirmationURL }}\">")
            }),
            "the mail \"Magic link\" does not lead to the dashboard",
        ),
        (
            with(&|config| {
                config["mailer_templates_confirmation_content"] = json!("{{ .SiteURL }}/?token_hash={{ .TokenHash }}")
            }),
            "the mail \"Confirm sign up\" does not lead to the dashboard",
        ),
    ] {
        let management = management(config).await;
        only(&it.wrong(|environment| environment.supabase = Some(management)).await, complaint);
    }
    for (believed, is_wrong) in [(false, true), (true, false)] {
        let config = with(&|config| config["security_sb_forwarded_for_enabled"] = json!(believed));
        let management = management(config).await;
        let told = it.wrong(|environment| {
            with_key(environment);
            environment.supabase = Some(management);
        });
        assert_eq!(
            told.await.contains("WRONG  accounts: Supabase is told whom the site serves and does not"),
            is_wrong
        );
    }
    let mut good = management(config.clone()).await;
    let right = good.clone();
    assert_eq!(it.wrong(|environment| environment.supabase = Some(right)).await, "");
    good.token = Secret::new("sbp_other".to_owned());
    only(&it.wrong(|environment| environment.supabase = Some(good)).await, "Management API answers 401");
    only(&it.with_setting("SUPABASE_PUBLISHABLE_KEY", "sb_publishable_bad").await, "the publishable key is refused");
    only(&it.with_setting("SUPABASE_URL", "").await, "SUPABASE_URL is not set");

    // Stripe.
    only(&it.with_secret("STRIPE_SECRET_KEY", "pk_test_x").await, "is not a secret key");
    // A restricted key that may do everything but give money back.
    let few = Router::new()
        .route("/v1/refunds", get(|| async { StatusCode::FORBIDDEN }))
        .fallback(|| async { axum::Json(json!({ "object": "list", "data": [] })) });
    let few = serve(few).await;
    let restricted = it.wrong(|environment| {
        environment.outputs.settings.insert("STRIPE_API_BASE".into(), few);
        drop(environment.secrets.insert("STRIPE_SECRET_KEY".into(), written_now("rk_test_few")));
    });
    let restricted = restricted.await;
    assert!(restricted.contains("the restricted key has no right to Charges and Refunds\n"), "{restricted}");
    only(&it.with_secret("STRIPE_SECRET_KEY", "sk_test_rolled").await, "Stripe refuses the key");
    only(&it.with_setting("STRIPE_LIVE", "true").await, "events of the other mode than the key's");
    let (right, other) = (it.healthy.secret("STRIPE_WEBHOOK_SECRETS"), "whsec_Older4Rk8Vb2Nq6Xw1Lz5Tm9Pc3Hd70aB");
    only(&it.with_secret("STRIPE_WEBHOOK_SECRETS", other).await, "answers 401 to what whsec_Old");
    for placeholder in ["whsec_later", "whsec_<secret>", "", &format!("{right},whsec_later")] {
        only(&it.with_secret("STRIPE_WEBHOOK_SECRETS", placeholder).await, "STRIPE_WEBHOOK_SECRETS cannot stand");
    }
    let three = format!("{right},{other},{right}");
    only(&it.with_secret("STRIPE_WEBHOOK_SECRETS", &three).await, "there are two at most");
    only(&it.with_secret("STRIPE_WEBHOOK_SECRETS", "none").await, "the webhook believes no event yet");
    // Two of them, one of which is what the functions run with, now and after a day and a minute.
    let mut rotated = it.healthy.clone();
    rotated.secrets.insert("STRIPE_WEBHOOK_SECRETS".into(), written_now(format!("{right},{right}")));
    let told = Box::pin(examine(&rotated, false)).await.iter().map(|one| format!("{one}\n")).collect::<String>();
    assert!(told.contains("note   stripe: the webhook believes two secrets") && !told.contains("WRONG"), "{told}");
    let yesterday = now() - SignedDuration::from_mins(24 * 60 + 1);
    let forgotten = it.wrong(|environment| {
        let kept = Parameter { written: yesterday, ..written_now(format!("{right},{right}")) };
        drop(environment.secrets.insert("STRIPE_WEBHOOK_SECRETS".into(), kept));
    });
    only(&forgotten.await, "still believes an old secret beside the new one");
    let alone = it.wrong(|environment| {
        let kept = Parameter { written: yesterday, ..written_now(right) };
        drop(environment.secrets.insert("STRIPE_WEBHOOK_SECRETS".into(), kept));
    });
    assert_eq!(alone.await, "", "one secret may be as old as it likes");
    let moved = format!("{}/api/webhooks/stripe?moved", it.healthy.outputs.site_url);
    let lead_to = |url: &str| {
        let url = url.to_owned();
        move |environment: &mut Environment| {
            drop(environment.outputs.webhook_urls.insert("/api/webhooks/stripe".into(), url))
        }
    };
    only(&it.wrong(lead_to(&moved)).await, "no webhook endpoint leads to");
    let mut mended = it.healthy.clone();
    lead_to(&moved)(&mut mended);
    let told = Box::pin(examine(&mended, true)).await;
    assert!(told.iter().any(|finding| finding.said.contains("was made, and its signing secret is in SSM")), "{told:?}");
    assert!(!told.iter().any(|finding| finding.to_string().contains("whsec_")), "a signing secret was told: {told:?}");
    let kept = it.healthy.shelf().value("STRIPE_WEBHOOK_SECRETS").await.expect("SSM answers").expect("a secret");
    let (new, old) = kept.split_once(',').expect("the new one in front of the one that is believed now");
    assert!(new.len() == 38 && new.starts_with("whsec_") && old == right, "of the length of Stripe's");
    // Where there was none, it stands alone; where it cannot be kept, there is no endpoint either.
    let only_one = format!("{}/api/webhooks/stripe?alone", it.healthy.outputs.site_url);
    let mut first = it.healthy.clone();
    lead_to(&only_one)(&mut first);
    first.secrets.insert("STRIPE_WEBHOOK_SECRETS".into(), written_now("none"));
    assert_eq!(wrong(&Box::pin(examine(&first, true)).await), "");
    let kept = first.shelf().value("STRIPE_WEBHOOK_SECRETS").await.expect("SSM answers").expect("a secret");
    assert!(kept.len() == 38 && kept.starts_with("whsec_"), "one secret");
    let lost = format!("{}/api/webhooks/stripe?lost", it.healthy.outputs.site_url);
    lead_to(&lost)(&mut first);
    it.aws.set("AmazonSSM.PutParameter", json!({ "__type": "AccessDeniedException" }));
    let told = wrong(&Box::pin(examine(&first, true)).await);
    only(&told, "its signing secret could not be kept: SSM refuses PutParameter: 400 AccessDeniedException");
    it.aws.answers.lock().expect("one at a time").remove("AmazonSSM.PutParameter");
    only(&it.wrong(lead_to(&lost)).await, "no webhook endpoint leads to");
    let again = Box::pin(examine(&mended, false)).await;
    assert!(again.iter().any(|finding| finding.said.contains("exactly what we read")), "{again:?}");
    assert!(again.iter().any(|finding| finding.said.contains("in our version")), "{again:?}");
    let few = format!("{}/api/webhooks/stripe?few", it.healthy.outputs.site_url);
    let form = [("url", few.as_str()), ("enabled_events[]", "charge.refunded"), ("api_version", "2024-06-20")];
    let post = it.healthy.http.post(format!("{}/v1/webhook_endpoints", it.healthy.setting("STRIPE_API_BASE")));
    let made = post
        .bearer_auth(it.healthy.secret("STRIPE_SECRET_KEY"))
        .form(&form)
        .send()
        .await
        .expect("the stand-in answers");
    assert!(made.status().is_success(), "{}", made.text().await.expect("text"));
    let old = it.wrong(lead_to(&few)).await;
    assert!(old.contains("is not sent charge.dispute.closed") && old.contains("API version is 2024-06-20"), "{old}");

    // Cal.com.
    only(&it.with_secret("ENCRYPTION_KEY", "c2hvcnQ=").await, "is not 32 bytes");
    const OTHER_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    only(
        &it.with_secret("ENCRYPTION_KEY", OTHER_KEY).await,
        "ENCRYPTION_KEY does not open noa-keller's Cal.com key, noa-keller's webhook secret",
    );
    let mut rotated = it.healthy.clone();
    let both = format!("{OTHER_KEY},{}", it.healthy.secret("ENCRYPTION_KEY"));
    rotated.secrets.insert("ENCRYPTION_KEY".into(), written_now(both));
    let told = Box::pin(examine(&rotated, false)).await.iter().map(|one| format!("{one}\n")).collect::<String>();
    assert!(
        told.contains("note   cal.com: 2 sealed values still need the old ENCRYPTION_KEY") && !told.contains("WRONG"),
        "{told}"
    );
    let changed = it.wrong(|environment| {
        let newer = Parameter { version: 2, ..written_now(environment.secret("STRIPE_SECRET_KEY")) };
        drop(environment.secrets.insert("STRIPE_SECRET_KEY".into(), newer));
    });
    only(&changed.await, "STRIPE_SECRET_KEY was changed after the last deploy");
    let lost = it.wrong(|environment| drop(environment.secrets.remove("STRIPE_SECRET_KEY"))).await;
    assert!(lost.contains("SSM has no STRIPE_SECRET_KEY"), "{lost}");
    let vault = Vault::new(&Secret::new(it.healthy.secret("ENCRYPTION_KEY").to_owned())).expect("a key");
    let noa = dev::demo::NOA.id;
    let sealed = vault.seal(noa, "cal_test_revoked").expect("sealed");
    let sealed: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
    let put = format!(
        "create temp table kept as select * from artists; update artists set cal_com_api_key = '\\x{sealed}' where id = '{noa}'"
    );
    it.owner.batch_execute(&put).await.expect("done");
    only(&it.wrong(|_| ()).await, "Cal.com refuses noa-keller's key");
    let back = "update artists a set cal_com_api_key = k.cal_com_api_key from kept k where k.id = a.id";
    it.owner.batch_execute(back).await.expect("done");

    // Mail.
    only(
        &it.wrong(|environment| environment.outputs.mail_domain = "unknown.example".into()).await,
        "SES does not know unknown.example",
    );
    it.aws.set(ACCOUNT, json!({ "SendingEnabled": true, "ProductionAccessEnabled": false }));
    only(&it.wrong(|_| ()).await, "SES is in its sandbox");
    it.aws.set(ACCOUNT, json!({ "SendingEnabled": false, "ProductionAccessEnabled": true }));
    only(&it.wrong(|_| ()).await, "AWS has stopped the sending");
    it.aws.set(ACCOUNT, json!({ "SendingEnabled": true, "ProductionAccessEnabled": true }));
    only(&it.with_setting("MAIL_CONFIGURATION_SET", "no-such-set").await, "SES has no configuration set no-such-set");

    only(&it.with_setting("MAIL_FROM", "nobody@unverified.example").await, "SES does not take a mail with a file");

    // Who hears of it, and how much may run.
    let told = |findings: &[Finding]| findings.iter().map(|one| format!("{one}\n")).collect::<String>();
    *it.aws.subscribed.lock().expect("one at a time") = vec!["arn:aws:sns:eu-west-3:1:alarms:2", "PendingConfirmation"];
    only(&it.wrong(|_| ()).await, "1 of 2 who should hear of inkflow-test-alarms have not confirmed it");
    it.aws.subscribed.lock().expect("one at a time").clear();
    only(&it.wrong(|_| ()).await, "nobody hears of inkflow-test-alarms");
    *it.aws.subscribed.lock().expect("one at a time") = vec!["arn:aws:sns:eu-west-3:1:alarms:2"];
    it.aws.set(QUOTA, json!({ "AccountLimit": { "ConcurrentExecutions": 10 } }));
    only(&it.wrong(|_| ()).await, "the account may run 10 functions at once");
    it.aws.set(QUOTA, json!({ "AccountLimit": { "ConcurrentExecutions": 400 } }));
    let noticed = told(&Box::pin(examine(&it.healthy, false)).await);
    assert!(noticed.contains("note   lambda: the account may run 400 functions at once"), "{noticed}");
    it.aws.set(QUOTA, json!({ "AccountLimit": { "ConcurrentExecutions": 1000 } }));

    // What a restore has lost: Stripe has the money of a booking that is not there.
    let base = it.healthy.setting("STRIPE_API_BASE").to_owned();
    let stripe =
        Aws { ministack: base, answers: Arc::default(), subscribed: Arc::default(), http: it.healthy.http.clone() };
    let before = serve(Router::new().fallback(aws_front).with_state(stripe.clone())).await;
    let payment = |id: &str, status: &str, booking: Option<&str>| {
        let metadata = booking.map_or(json!({}), |booking| json!({ "booking_id": booking }));
        json!({ "id": id, "created": 1_790_000_000, "amount_received": 6000, "status": status, "description": "Acompte", "metadata": metadata })
    };
    let lost = "019aa000-0000-7000-8000-0000000000c7";
    let rows = it.owner.query_typed("select id::text from bookings limit 1", &[]).await.expect("asked");
    let known: Option<String> = rows.first().map(|row| row.get(0));
    let page = [
        payment("pi_lost", "succeeded", Some(lost)),
        payment("pi_open", "requires_payment_method", Some("019aa000-0000-7000-8000-0000000000c8")),
        payment("pi_other", "succeeded", None),
        payment("pi_known", "succeeded", known.as_deref()),
    ];
    stripe.set("/v1/payment_intents", json!({ "object": "list", "data": page, "has_more": false }));
    let found = it.with_setting("STRIPE_API_BASE", &before).await;
    only(
        &found,
        &format!(
            "pi_lost paid 6000 cents on 2026-09-21T14:13:20Z for booking {lost}, which the database does not have: Acompte"
        ),
    );

    // The queue, and its dead letters back to it.
    let mappings = it.aws.answers.lock().expect("one at a time")[MAPPINGS].clone();
    let mut whole_batches = mappings.clone();
    whole_batches["EventSourceMappings"][0]["FunctionResponseTypes"] = json!([]);
    it.aws.set(MAPPINGS, whole_batches);
    only(&it.wrong(|_| ()).await, "one bad job repeats");
    it.aws.set(MAPPINGS, json!({ "EventSourceMappings": [] }));
    only(&it.wrong(|_| ()).await, "nothing leads from the queue to the worker");
    it.aws.set(MAPPINGS, mappings);
    let swapped = |environment: &mut Environment| {
        let pictures = environment.outputs.queues["images-dead"].clone();
        environment.outputs.queues.insert("jobs-dead".into(), pictures);
    };
    only(&it.wrong(swapped).await, "the queue does not lead to its dead letters");
    it.platform.source().pause().await;
    let sqs = Sqs::at(&it.aws.ministack);
    let job = json!({ "job_id": "019aa000-0000-7000-8000-0000000000b7" }).to_string();
    for body in [job.as_str(), "poison"] {
        let letter = json!({ "QueueUrl": it.platform.queues().dead_jobs, "MessageBody": body });
        sqs.call("SendMessage", letter).await.expect("sent");
    }
    only(&it.wrong(|_| ()).await, "2 dead letters in jobs-dead");
    let done = redrive(&it.healthy).await.expect("SQS answers");
    assert_eq!(done, Redriven { sent: 1, foreign: vec!["poison".into()] });
    let message =
        sqs.call("ReceiveMessage", json!({ "QueueUrl": it.platform.queues().jobs })).await.expect("a message");
    assert_eq!(message["Messages"][0]["Body"], json!(job));
    it.platform.stop().await.expect("it stops");
}
