//! Terraform itself: the configuration is well formed and keeps its promises, a scanner finds nothing new, and it can be
//! deployed to a local AWS, used there, rolled back and taken away.
//!
//! `make test` sets `TEST_TERRAFORM` where Terraform can run; without it these tests have nothing to do, and it says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use dev::aws::{ACCESS_KEY, Ministack, Sqs};
use dev::host::{ACCOUNT, REGION};
use dev::platform::checkout;
use dev::stripe::WEBHOOK_SECRET;
use jiff::Timestamp;
use serde_json::{Value, json};
use testing::{ENCRYPTION_KEY, World};
use tokio::process::Command;

use crate::front::{Deployed, Kept, one, resources, serve};
use crate::rules::read;
use crate::source::{functions, reads};

const PATIENCE: Duration = Duration::from_secs(60);

/// How `terraform init` finds its provider here; none when Terraform cannot run.
pub(crate) fn terraform() -> Option<Vec<String>> {
    let told = std::env::var("TEST_TERRAFORM").ok();
    if told.is_none() {
        eprintln!(
            "TEST_TERRAFORM is not set: SKIPPED. `make test` sets it where Terraform and the AWS CLI are installed."
        );
    }
    Some(told?.split_whitespace().filter(|word| word.starts_with('-')).map(str::to_owned).collect())
}

/// Runs a program to its end, and fails with all that it said.
pub(crate) async fn run(command: &mut Command) -> String {
    let done = command.kill_on_drop(true).stdin(Stdio::null()).output().await.expect("it starts");
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{command:?}: {}\n{said}", done.status);
    said
}

/// Where the compiled programs are.
fn built() -> PathBuf {
    let exe = std::env::current_exe().expect("a test knows where it is");
    exe.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps/<test>").to_owned()
}

pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("inkflow-infra-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A copy of `infra/` in `folder`, so that Terraform's own files stay out of the checkout.
pub(crate) fn copy_of_infra(folder: &Path) -> PathBuf {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder").flatten() {
            let name = entry.file_name();
            if name.to_string_lossy().starts_with('.') {
                continue;
            }
            if entry.path().is_dir() {
                copy(&entry.path(), &to.join(name));
            } else {
                fs::copy(entry.path(), to.join(name)).expect("copied");
            }
        }
    }
    let infra = folder.join("infra");
    copy(&checkout().join("infra"), &infra);
    // What the configuration looks up beside itself.
    std::os::unix::fs::symlink(checkout().join("functions"), folder.join("functions")).expect("linked");
    std::os::unix::fs::symlink(checkout().join("frontend"), folder.join("frontend")).expect("linked");
    infra
}

pub(crate) fn terraform_in(infra: &Path) -> Command {
    let mut command = Command::new("terraform");
    command.current_dir(infra).env("TF_IN_AUTOMATION", "1").env("TF_INPUT", "0").env("TF_CLI_ARGS", "-no-color");
    if !std::env::var("TF_CLI_CONFIG_FILE").is_ok_and(|file| Path::new(&file).is_file()) {
        command.env_remove("TF_CLI_CONFIG_FILE");
    }
    command
}

#[tokio::test]
async fn the_configuration_is_well_formed_and_keeps_its_promises() {
    let Some(init) = terraform() else { return };
    let folder = folder("mocked");
    let infra = copy_of_infra(&folder);
    run(terraform_in(&infra).args(["fmt", "-check", "-recursive", "-diff"])).await;
    run(terraform_in(&infra).args(["init", "-backend=false"]).args(init)).await;
    run(terraform_in(&infra).arg("validate")).await;
    let zips = folder.join("zips");
    for function in functions() {
        fs::create_dir_all(zips.join(&function)).expect("a folder");
        fs::write(zips.join(function).join("bootstrap.zip"), "a zip, as far as a mocked AWS looks").expect("written");
    }
    let said = run(terraform_in(&infra).arg("test").env("TF_VAR_functions_dir", &zips)).await;
    assert!(said.contains("Success!"), "{said}");
    fs::remove_dir_all(folder).expect("ours");
}

#[tokio::test]
async fn a_scanner_finds_what_is_accepted_and_nothing_else() {
    if terraform().is_none() {
        return;
    }
    // Where it is, is said to whoever reads the output; that it is being installed, beside it.
    let tool =
        Command::new(checkout().join("tools/dev/setup/from-pypi")).arg("checkov").output().await.expect("it starts");
    assert!(tool.status.success(), "{}", String::from_utf8_lossy(&tool.stderr));
    let folder = String::from_utf8(tool.stdout).expect("a path");
    let python = Path::new(folder.trim_end()).join("python3");
    let scan = Command::new(python)
        .args([
            "-m",
            "checkov.main",
            "--skip-download",
            "--quiet",
            "--compact",
            "--framework",
            "terraform",
            "-o",
            "json",
            "-d",
        ])
        .arg(checkout().join("infra"))
        .output()
        .await
        .expect("it starts");
    let report: Value =
        serde_json::from_slice(&scan.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&scan.stderr)));
    assert!(
        report["summary"]["passed"].as_u64() > Some(50) && report["summary"]["parsing_errors"] == 0,
        "{}",
        report["summary"]
    );
    let found = report["results"]["failed_checks"].as_array().expect("a list");
    let found: BTreeMap<&str, &Value> =
        found.iter().map(|check| (check["check_id"].as_str().expect("an id"), check)).collect();
    let accepted = read("infra/tests/checkov-accepted.txt");
    let accepted: BTreeSet<&str> = accepted
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    for (id, check) in &found {
        assert!(accepted.contains(id), "{id} {}: {} ({})", check["check_name"], check["resource"], check["file_path"]);
    }
    for id in accepted {
        assert!(found.contains_key(id), "{id} is accepted, and not found any more: delete its line");
    }
}

/// An environment on a local AWS of its own, with a database, Stripe and Cal.com.
struct Stage {
    world: World,
    ministack: Ministack,
    deployed: Deployed,
    site: String,
    folder: PathBuf,
}

const ENV: &str = "story";

/// Supabase Auth, as far as the doctor asks it.
async fn supabase() -> String {
    let keys = || async { axum::Json(json!({ "keys": [{ "kid": "1" }] })) };
    let routes = axum::Router::new()
        .route("/auth/v1/.well-known/jwks.json", axum::routing::get(keys))
        .route("/auth/v1/settings", axum::routing::get(|| async { "{}" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

impl Stage {
    async fn set() -> Self {
        #[expect(clippy::disallowed_methods, reason = "what is deployed has the machine's own clock")]
        let world = World::open(Timestamp::now()).await;
        let folder = folder("deployed");
        let ministack = Ministack::start(&folder, None).await.expect("ministack starts");
        let http = shared::net::client(&shared::net::tls());
        let state = format!("inkflow-state-{ACCOUNT}-{REGION}/inkflow/{ENV}.tfstate");
        let deployed = Deployed { aws: ministack.url(), state, http, kept: Kept::default() };
        let site = format!("http://{}", serve(deployed.clone()).await);
        world.stripe.set_webhook_url(format!("{site}/api/webhooks/stripe"));
        let tfvars = format!(
            "env = \"{ENV}\"\naccount_id = \"{ACCOUNT}\"\nregion = \"{REGION}\"\nmail_from = \"InkFlow <bonjour@ink.test>\"\n\
             alarm_email = \"ops@ink.test\"\nwaf = true\nemulator = true\n\
             settings = {{ STRIPE_API_BASE = \"{}\", CALCOM_API_BASE = \"{}\", CORS_ORIGINS = \"https://other.test\", \
             SUPABASE_URL = \"{}\", SUPABASE_PUBLISHABLE_KEY = \"sb_publishable_x\" }}\n",
            world.stripe.url(),
            world.calcom.url(),
            supabase().await,
        );
        fs::write(folder.join("tfvars"), tfvars).expect("written");
        let (server, _) =
            world.app_url.rsplit_once('@').map(|(_, rest)| rest.split_once('/').expect("a database")).expect("a user");
        let owner = std::env::var("TEST_DATABASE_URL").expect("World has asked for it");
        let owner = format!("{}@{server}/{}", owner.rsplit_once('@').expect("a user").0, world.database);
        fs::write(folder.join("owner"), format!("MIGRATE_DATABASE_URL={owner}\n")).expect("written");
        fs::set_permissions(folder.join("owner"), fs::Permissions::from_mode(0o600)).expect("ours");
        Self { world, ministack, deployed, site, folder }
    }

    /// The secrets as an earlier release has left them: in SSM, and in Terraform's state as its own. The functions' secret of
    /// the webhook is then put by the operator's command.
    async fn secrets_of_an_earlier_release(&self) {
        let mut bucket = Command::new("bash");
        bucket.args(["-c", ". infra/environment && make_state_bucket"]).current_dir(checkout());
        self.as_operator(&mut bucket);
        run(&mut bucket).await;
        let mut instances = Vec::new();
        for (name, value) in [
            ("DATABASE_URL", self.world.app_url.as_str()),
            ("STRIPE_SECRET_KEY", "sk_test_standin"),
            ("STRIPE_WEBHOOK_SECRETS", "whsec_later"),
            ("ENCRYPTION_KEY", ENCRYPTION_KEY),
        ] {
            let path = format!("/inkflow/{ENV}/{name}");
            let wish = json!({ "Name": path, "Value": value, "Type": "SecureString" });
            let put = self.call("ssm", "AmazonSSM.PutParameter", "1.1", wish).await;
            assert_eq!(put["Version"], 1, "{put}");
            instances.push(json!({ "index_key": name, "schema_version": 0, "sensitive_attributes": [], "attributes": {
                "id": path, "name": path, "arn": format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{path}"), "type": "SecureString",
                "tier": "Standard", "data_type": "text", "version": 1, "value_wo_version": 1,
            } }));
        }
        let state = json!({
            "version": 4, "terraform_version": "1.11.0", "serial": 1, "lineage": "5d1b2b0e-3a9d-4c43-9a57-0d3e8f6a7b21", "outputs": {},
            "resources": [{
                "mode": "managed", "type": "aws_ssm_parameter", "name": "secret", "instances": instances,
                "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
            }],
        });
        let at = format!("{}/{}", self.deployed.aws, self.deployed.state);
        let put = self.deployed.http.put(at).body(state.to_string()).send().await.expect("S3 answers");
        assert!(put.status().is_success(), "{}", put.status());

        // What stands there would not let the webhook start: the deploy says so, before anything is changed.
        let refused = self.script("deploy").output().await.expect("it starts");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            !refused.status.success() && said.contains("make secret ENV=story NAME=STRIPE_WEBHOOK_SECRETS"),
            "{said}"
        );
        let mut secret = self.script("secret");
        let child = secret.env("NAME", "STRIPE_WEBHOOK_SECRETS").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("it starts");
        let mut pipe = child.stdin.take().expect("piped");
        tokio::io::AsyncWriteExt::write_all(&mut pipe, WEBHOOK_SECRET.as_bytes()).await.expect("written");
        drop(pipe);
        let done = child.wait_with_output().await.expect("it ends");
        assert!(
            done.status.success() && String::from_utf8_lossy(&done.stdout).contains("next: make deploy ENV=story"),
            "{done:?}"
        );
    }

    /// The compiled functions as Lambda wants them.
    async fn zips(&self) -> PathBuf {
        let zips = self.folder.join("zips");
        for function in functions() {
            let folder = zips.join(&function);
            fs::create_dir_all(&folder).expect("a folder");
            let bootstrap = folder.join("bootstrap");
            // Without what only a debugger reads, a sixth is left.
            run(Command::new("strip").arg("-o").arg(&bootstrap).arg(built().join(&function))).await;
            run(Command::new("python3")
                .args(["-m", "zipfile", "-c", "bootstrap.zip", "bootstrap"])
                .current_dir(&folder))
            .await;
            fs::remove_file(bootstrap).expect("ours");
        }
        zips
    }

    /// One of the scripts of `infra/`, as an operator runs it.
    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(checkout().join("infra").join(name));
        command.current_dir(checkout());
        self.as_operator(&mut command);
        command
    }

    fn as_operator(&self, command: &mut Command) {
        command
            .env("AWS_ENDPOINT_URL", self.ministack.url())
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", ACCESS_KEY)
            .env("AWS_REGION", REGION)
            .env("AWS_DEFAULT_REGION", REGION)
            .env_remove("AWS_PROFILE")
            .env_remove("MIGRATE_DATABASE_URL")
            .env_remove("DATABASE_CA")
            .env("ENV", ENV)
            .env("YES", "1")
            .env("TFVARS", self.folder.join("tfvars"))
            .env("SECRETS_FILE", self.folder.join("owner"))
            .env("FUNCTIONS_DIR", self.folder.join("zips"))
            .env("INKFLOW_STATE", &self.folder)
            .env("PROGRAMS", built())
            .env("SMOKE_URL", &self.site)
            .env("SMOKE_PAUSE", "1");
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.deployed.http.get(format!("{}{path}", self.site)).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    /// The plan of this same checkout, once more.
    async fn plan(&self, release: &str) -> Value {
        let infra = checkout().join("infra");
        let mut plan = terraform_in(&infra);
        self.as_operator(&mut plan);
        let at = self.folder.join("again");
        let mut out = std::ffi::OsString::from("-out=");
        out.push(&at);
        let mut vars = std::ffi::OsString::from("-var-file=");
        vars.push(self.folder.join("tfvars"));
        let data = self.folder.join("terraform").join(ENV);
        let mut secrets = std::ffi::OsString::from("-var-file=");
        secrets.push(data.join("secrets.tfvars.json"));
        plan.arg("plan")
            .arg(out)
            .arg(vars)
            .arg(secrets)
            .arg(format!("-var=release={release}"))
            .env("TF_DATA_DIR", &data);
        run(plan.env("TF_VAR_functions_dir", self.folder.join("zips"))).await;
        let mut show = terraform_in(&infra);
        self.as_operator(&mut show);
        let text = run(show.args(["show", "-json"]).arg(at).env("TF_DATA_DIR", &data)).await;
        serde_json::from_str(&text).expect("JSON")
    }

    /// One call of a service's JSON protocol.
    async fn call(&self, service: &str, target: &str, version: &str, body: Value) -> Value {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let asked = self.deployed.http.post(self.ministack.url()).header("authorization", scope);
        let asked =
            asked.header("x-amz-target", target).header("content-type", format!("application/x-amz-json-{version}"));
        asked.body(body.to_string()).send().await.expect("an answer").json().await.expect("JSON")
    }

    async fn end(self) {
        self.world.close().await;
        self.ministack.stop().await.expect("it stops");
        fs::remove_dir_all(self.folder).expect("ours");
    }
}

/// What the local AWS forgets, by resource: it is told, and does not tell again. AWS does.
const FORGOTTEN: [(&str, &[&str]); 3] = [
    ("aws_cloudfront_response_headers_policy", &["custom_headers_config", "remove_headers_config"]),
    (
        "aws_cloudwatch_metric_alarm",
        &[
            "actions_enabled",
            "alarm_actions",
            "alarm_description",
            "dimensions",
            "ok_actions",
            "period",
            "statistic",
            "treat_missing_data",
        ],
    ),
    ("aws_sesv2_email_identity", &["configuration_set_name"]),
];

fn only_what_the_local_aws_forgets(plan: &Value) {
    let changes = plan["resource_changes"].as_array().expect("changes");
    assert!(changes.len() > 100, "the whole platform was looked at");
    for change in changes {
        let (address, actions) = (&change["address"], &change["change"]["actions"]);
        if *actions == json!(["no-op"]) || *actions == json!(["read"]) {
            continue;
        }
        assert_eq!(actions, &json!(["update"]), "{address}");
        let forgotten = FORGOTTEN.iter().find(|(kind, _)| change["type"] == *kind);
        let (_, forgotten) = forgotten.unwrap_or_else(|| panic!("{address} would change: {}", change["change"]));
        let (before, after) = (&change["change"]["before"], &change["change"]["after"]);
        for (name, value) in after.as_object().expect("attributes") {
            assert!(before[name] == *value || forgotten.contains(&name.as_str()), "{address}: {name} would change");
        }
    }
}

/// What each function is given is what it reads, and what its role allows is what it calls.
fn settings_and_roles_are_exact(state: &Value) {
    for function in functions() {
        let (read, started) = reads(&function);
        let environment = one(state, "aws_lambda_function", "this", &function)["environment"][0]["variables"]
            .as_object()
            .expect("settings");
        let parameters: Vec<&str> = environment["SECRETS_PARAMETERS"].as_str().expect("names").split(',').collect();
        let mut given: BTreeSet<&str> = environment.keys().map(String::as_str).collect();
        given.extend(parameters.iter().map(|name| name.rsplit('/').next().expect("a name")));
        for name in &given {
            assert!(read.contains(*name), "{function} is given {name} and never reads it");
        }
        for name in &read {
            // Set by Lambda; read on a laptop only; empty in this environment.
            let aside = name.starts_with("AWS_")
                || name == "CLOCK_SHIFT_SECONDS"
                || ["DATABASE_CA", "SUPABASE_JWT_SECRET", "SUPABASE_SECRET_KEY"].contains(&name.as_str());
            assert!(aside || given.contains(name.as_str()), "{function} reads {name}, and Terraform does not give it");
        }

        let mut wanted = BTreeSet::from(["logs:CreateLogStream", "logs:PutLogEvents", "ssm:GetParameters"]);
        if started.contains("Queue::from_env") {
            wanted.insert("sqs:SendMessage");
        }
        if started.contains("Mailer::from_env") {
            wanted.extend(["ses:SendEmail", "ses:SendRawEmail"]);
        }
        match function.as_str() {
            "worker" => wanted.extend([
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueAttributes",
            ]),
            "dashboard-settings" => wanted.extend(["s3:PutObject"]),
            // The dead letters of a picture are written by Lambda, in the function's name.
            "image-intake" => {
                wanted.extend(["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket", "sqs:SendMessage"])
            }
            _ => {}
        }
        let policy = one(state, "aws_iam_role_policy", "this", &function)["policy"].as_str().expect("a policy");
        let policy: Value = serde_json::from_str(policy).expect("JSON");
        let statements = policy["Statement"].as_array().expect("statements");
        let allowed: BTreeSet<&str> = statements
            .iter()
            .flat_map(|one| one["Action"].as_array().expect("actions"))
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(allowed, wanted, "{function}");
        for statement in statements {
            let resources = statement["Resource"].as_array().expect("resources");
            assert!(
                resources.iter().all(|arn| arn
                    .as_str()
                    .is_some_and(|arn| arn.matches(ENV).count() >= 1 || arn.contains("ink.test"))),
                "{statement}"
            );
        }
        let readable = statements.iter().find(|one| one["Action"] == json!(["ssm:GetParameters"])).expect("secrets");
        let mut named = String::new();
        for arn in readable["Resource"].as_array().expect("arns") {
            let _ = write!(named, "{},", arn.as_str().and_then(|arn| arn.split_once(":parameter")).expect("an arn").1);
        }
        assert_eq!(named.trim_end_matches(','), parameters.join(","), "{function} may read exactly its own");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_is_deployed_used_rolled_back_and_taken_away() {
    if terraform().is_none() {
        return;
    }
    let stage = Stage::set().await;
    let begun = Instant::now();
    let told = |what: &str| println!("{:>4} s  {what}", begun.elapsed().as_secs());
    stage.zips().await;
    stage.secrets_of_an_earlier_release().await;
    let said = run(&mut stage.script("deploy")).await;
    assert!(said.contains("ok      an artist who is not there") && !said.contains("FAILED"), "{said}");
    assert!(!said.contains(WEBHOOK_SECRET) && !said.contains(ENCRYPTION_KEY), "a secret was printed");
    told("deployed, smoke passed");

    let state = stage.deployed.state().await;
    let text = state.to_string();
    assert_eq!(
        resources(&state, "aws_ssm_parameter", "secret").len(),
        0,
        "Terraform has forgotten the secrets, which stay"
    );
    let described =
        one(&state, "aws_lambda_function", "this", "stripe-webhook")["description"].as_str().expect("words");
    assert!(described.ends_with(", secrets version 1.2"), "one secret was put anew: {described}");
    for secret in ["sk_test_standin", WEBHOOK_SECRET, ENCRYPTION_KEY, stage.world.app_url.as_str()] {
        assert!(!text.contains(secret), "the state holds a secret");
    }
    settings_and_roles_are_exact(&state);
    assert_eq!(resources(&state, "aws_lambda_function", "this").len(), functions().len());
    let release = one(&state, "aws_lambda_function", "this", "worker")["description"].as_str().expect("words");
    let release =
        release.split("release ").nth(1).and_then(|rest| rest.split(',').next()).expect("a release").to_owned();
    only_what_the_local_aws_forgets(&stage.plan(&release).await);
    told("the second plan changes nothing but what the local AWS forgets");

    the_edge_keeps_what_is_everybodys(&stage).await;
    told("the edge keeps an artist's page whatever is appended to its address, and nothing of anybody's own");

    // A client books and pays: CloudFront's paths, the functions, the webhook, the queue and the worker, as deployed.
    let (status, page) = stage.get("/api/artists/lea-marchetti").await;
    assert_eq!(status, 200, "{page}");
    let flash = page["flashes"][0]["id"].as_str().expect("a flash").to_owned();
    let (status, slots) = stage.get(&format!("/api/calendar/slots?artist=lea-marchetti&flash={flash}&days=14")).await;
    assert_eq!(status, 200, "{slots}");
    let days = slots["days"].as_array().expect("days");
    let start = days.iter().find_map(|day| day["slots"][0]["start"].as_str()).expect("a free slot");
    let wish = json!({
        "artist": "lea-marchetti", "type": "flash", "flash_id": flash, "start": start, "locale": "fr",
        "client": { "name": "Jo Martin", "email": "jo@example.fr", "phone": "06 12 34 56 78" },
    })
    .to_string();
    let post = async |hash: String| {
        let asked = stage
            .deployed
            .http
            .post(format!("{}/api/bookings/create", stage.site))
            .header("content-type", "application/json");
        asked.header("x-amz-content-sha256", hash).body(wish.clone()).send().await.expect("an answer")
    };
    assert_eq!(post("0".repeat(64)).await.status(), 403, "CloudFront lets no body pass that was not signed for");
    let held = post(crate::front::hex(wish.as_bytes())).await;
    assert_eq!(held.status(), 201);
    let held: Value = held.json().await.expect("JSON");
    let id = held["booking_id"].as_str().expect("an id");
    let paid = stage
        .deployed
        .http
        .post(held["checkout_url"].as_str().expect("a page"))
        .form(&[("outcome", "paid")])
        .send()
        .await;
    assert!(paid.expect("the pay page").status().as_u16() < 400);
    let waited = Instant::now();
    loop {
        let (_, booking) = stage.get(&format!("/api/bookings/{id}")).await;
        let mails: Value = stage
            .deployed
            .http
            .get(format!("{}/_ministack/ses/messages", stage.ministack.url()))
            .send()
            .await
            .expect("an answer")
            .json()
            .await
            .expect("JSON");
        if booking["status"] == "confirmed" && mails.to_string().contains("jo@example.fr") {
            break;
        }
        assert!(waited.elapsed() < PATIENCE, "neither confirmed nor written to: {booking} {mails}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    told("a booking was paid, confirmed by the webhook, and the worker has written to the client");

    every_function_starts(&stage).await;
    told("every function starts with what Terraform gives it");

    poison_ends_in_the_dead_letters(&stage, &state).await;
    told("the queue is drained, and the poison message is a dead letter");
    let said = stage.script("doctor").output().await.expect("it starts");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("WRONG  queue: 1 dead letters in jobs-dead") && said.ends_with(", 1 wrong\n"), "{said}");
    let said = run(stage.script("doctor").arg("redrive")).await;
    assert!(said.contains("0 jobs sent again\nleft where it is, for it is no job: poison"), "{said}");
    told("the doctor finds the dead letter and nothing else, and leaves it where it is");

    // A release that is no good: these functions have a second version, and go back to the first.
    for name in ["artist-page", "worker"] {
        let function = format!("inkflow-{ENV}-{name}");
        let aws = async |arguments: &[&str]| {
            let mut command = Command::new("aws");
            stage.as_operator(&mut command);
            run(command.arg("lambda").args(arguments).args(["--function-name", &function, "--output", "text"])).await
        };
        aws(&["update-function-configuration", "--description", "a bad day"]).await;
        aws(&["publish-version"]).await;
        aws(&["update-alias", "--name", "live", "--function-version", "2"]).await;
    }
    let said = run(&mut stage.script("rollback")).await;
    assert_eq!(said.matches(": 2 -> 1").count(), 2, "{said}");
    assert_eq!(said.matches("stays at version 1").count(), functions().len() - 2, "{said}");
    stage.deployed.invalidate();
    assert_eq!(stage.get("/api/artists/lea-marchetti").await.0, 200);
    told("rolled back");

    let destroyed = run(stage.script("destroy").env("SECRETS", "1")).await;
    assert!(destroyed.contains("Plan: 0 to add, 0 to change, "), "its plan is shown first: {destroyed}");
    let left = stage.deployed.state().await;
    assert_eq!(left["resources"], json!([]));
    let queues = stage.call("sqs", "AmazonSQS.ListQueues", "1.0", json!({})).await;
    assert!(queues["QueueUrls"].as_array().is_none_or(Vec::is_empty), "{queues}");
    let parameters = stage.call("ssm", "AmazonSSM.DescribeParameters", "1.1", json!({})).await;
    assert_eq!(parameters["Parameters"], json!([]), "{parameters}");
    let groups = stage.call("logs", "Logs_20140328.DescribeLogGroups", "1.1", json!({})).await;
    assert_eq!(groups["logGroups"], json!([]), "{groups}");
    told("destroyed, and nothing is left");
    stage.end().await;
}

/// Each answer of a function carries its request's id: the same one twice is an answer that was kept.
async fn the_edge_keeps_what_is_everybodys(stage: &Stage) {
    let ask = async |path: &str, language: &str| {
        let asked = stage.deployed.http.get(format!("{}{path}", stage.site)).header("accept-language", language);
        let answer = asked.header("cookie", "one=1").send().await.expect("an answer");
        let id = answer.headers().get("x-request-id").unwrap_or_else(|| panic!("{path} is answered by no function"));
        (answer.status().as_u16(), id.to_str().expect("text").to_owned())
    };
    // Ten seconds for everybody, by CloudFront's own will: another account's "create your page first".
    let missing = format!("/api/bookings/{}", uuid());
    for path in [missing.as_str(), "/api/artists/nobody", "/artist/nobody", "/api/calendar/slots", "/api/session"] {
        let (first, second) = (ask(path, "fr").await, ask(path, "fr").await);
        assert!(first.0 >= 400 || path == "/api/session", "{path}: {}", first.0);
        assert_ne!(first.1, second.1, "{path}: {} is kept", first.0);
    }
    let page = ask("/artist/lea-marchetti", "fr").await;
    assert_eq!(page.0, 200);
    assert_eq!(
        ask("/artist/lea-marchetti?x=1", "fr-FR,fr;q=0.9").await.1,
        page.1,
        "an invented query passes the cache"
    );
    let english = ask("/artist/lea-marchetti?lang=en", "fr").await;
    assert_ne!(english.1, page.1, "who asks for English gets French");
    assert_eq!(ask("/artist/lea-marchetti", "en-GB").await.1, english.1);
    let data = ask("/api/artists/lea-marchetti", "fr").await;
    assert_eq!(ask("/api/artists/lea-marchetti?lang=en&y", "de").await.1, data.1);
}

/// Invokes each function with a sample of its own, as the sources do that the local AWS does not play (a bucket's event).
async fn every_function_starts(stage: &Stage) {
    let mut samples: Vec<PathBuf> =
        fs::read_dir(checkout().join("events")).expect("samples").flatten().map(|entry| entry.path()).collect();
    samples.sort();
    for function in functions() {
        let of = |path: &&PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().split('.').next() == Some(&function))
        };
        let sample = samples.iter().find(of).unwrap_or_else(|| panic!("events/ has no sample of {function}"));
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/{REGION}/lambda/aws4_request, SignedHeaders=host, Signature=0"
        );
        let url = format!(
            "{}/2015-03-31/functions/inkflow-{ENV}-{function}/invocations?Qualifier=live",
            stage.ministack.url()
        );
        let asked =
            stage.deployed.http.post(url).header("authorization", scope).body(fs::read(sample).expect("a sample"));
        let answer = asked.timeout(PATIENCE).send().await.expect("Lambda answers");
        let failed = answer.headers().get("x-amz-function-error").is_some();
        let said = answer.text().await.expect("text");
        assert!(!failed && !said.contains("errorMessage"), "{function}: {said}");
    }
}

/// Nine jobs that nobody knows are done with; what is no job comes back until it is a dead letter.
async fn poison_ends_in_the_dead_letters(stage: &Stage, state: &Value) {
    let sqs = Sqs::at(&stage.ministack.url());
    let url = |kind: &str, key: &str| one(state, "aws_sqs_queue", kind, key)["url"].as_str().expect("a URL").to_owned();
    let (jobs, dead) = (url("jobs", ""), url("dead", "jobs"));
    // Six minutes are right for AWS and long for a test. What becomes of the message is the same.
    sqs.call("SetQueueAttributes", json!({ "QueueUrl": jobs, "Attributes": { "VisibilityTimeout": "1" } }))
        .await
        .expect("set");
    let send = async |body: String| {
        sqs.call("SendMessage", json!({ "QueueUrl": jobs, "MessageBody": body })).await.expect("sent")
    };
    for _ in 0..9 {
        send(json!({ "job_id": uuid() }).to_string()).await;
    }
    send("poison".to_owned()).await;
    let begun = Instant::now();
    loop {
        let (waiting, hidden) = sqs.depth(&jobs).await.expect("a depth");
        let (buried, _) = sqs.depth(&dead).await.expect("a depth");
        if (waiting + hidden, buried) == (0, 1) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{waiting} wait, {hidden} are worked on, {buried} are dead");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let letter =
        sqs.call("ReceiveMessage", json!({ "QueueUrl": dead, "VisibilityTimeout": 0 })).await.expect("it can be read");
    assert_eq!(letter["Messages"][0]["Body"], "poison");
}

fn uuid() -> String {
    #[expect(clippy::disallowed_methods, reason = "a number that no other run has")]
    let unique = Timestamp::now().as_nanosecond().unsigned_abs() & 0xffff_ffff_ffff;
    format!("019aa000-0000-7000-8000-{unique:012x}")
}
