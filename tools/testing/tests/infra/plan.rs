//! What Terraform would make, as a text that a person has read: `infra/tests/plan/`. Whoever changes it sees what else it
//! changes. `make reviewed-plan` (`UPDATE_PLAN=1`) writes the text anew.
//!
//! AWS is played by Terraform itself. Whatever one resource needs of another has a name here that says whose it is, so that an
//! alarm which mails to the wrong topic is not the same text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use dev::platform::checkout;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::platform::{copy_of_infra, folder, run, terraform, terraform_in};
use crate::source::functions;

/// Where the reviewed texts are.
const REVIEWED: &str = "infra/tests/plan";

/// Not the plan's own: what is built elsewhere (code), what has a test that runs it (the functions at the edge), and the
/// dashboard, which nobody is woken by.
const ASIDE: [&str; 4] = ["filename", "source_code_hash", "code", "dashboard_body"];

/// A folder in which Terraform can plan, with AWS played by itself.
pub(crate) struct Desk {
    folder: PathBuf,
    pub(crate) infra: PathBuf,
}

/// What a plan says, by resource, in the order of [`Address`].
pub(crate) type Planned = BTreeMap<Address, Vec<Line>>;

/// A resource: its kind first, so that its brothers stand beside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    kind: String,
    key: String,
    /// As Terraform writes it.
    whole: String,
}

/// An attribute by its path, and its value as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    path: String,
    value: String,
}

impl Line {
    /// Whether it is one of several under this path.
    fn is_one_of(&self) -> bool {
        self.path.ends_with("[]")
    }
}

#[derive(Deserialize)]
struct Said {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "@testrun")]
    run: Option<String>,
    diagnostic: Option<Value>,
    test_plan: Option<TestPlan>,
}

#[derive(Deserialize)]
struct TestPlan {
    resource_changes: Vec<ResourceChange>,
}

#[derive(Deserialize)]
struct ResourceChange {
    address: String,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    change: Change,
}

#[derive(Deserialize)]
struct Change {
    after: Value,
    after_unknown: Value,
}

#[derive(Deserialize)]
struct WithSchemas {
    test_plan: Option<Schemas>,
}

#[derive(Deserialize)]
struct Schemas {
    provider_schemas: BTreeMap<String, Provider>,
}

#[derive(Deserialize)]
struct Provider {
    #[serde(default)]
    resource_schemas: BTreeMap<String, ResourceSchema>,
}

#[derive(Deserialize)]
struct ResourceSchema {
    block: Schema,
}

#[derive(Default, Deserialize)]
struct Schema {
    #[serde(default)]
    attributes: BTreeMap<String, Attribute>,
    #[serde(default)]
    block_types: BTreeMap<String, Nested>,
}

#[derive(Deserialize)]
struct Attribute {
    #[serde(default)]
    computed: bool,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    required: bool,
}

#[derive(Deserialize)]
struct Nested {
    nesting_mode: String,
    block: Schema,
}

static SCHEMAS: OnceLock<BTreeMap<String, ResourceSchema>> = OnceLock::new();

/// What must be said, and nothing else; and what may be said, all of it.
const DEFAULT: &str = "default";
const EVERY_OPTION: &str = "every_option";

/// An answer of AWS that another resource is made with.
fn answers() -> Vec<(String, Value)> {
    let lambda = |name: &str| format!("arn:aws:lambda:eu-west-3:123456789012:function:inkflow-test-{name}");
    let mut all = Vec::new();
    for name in functions() {
        let of = |resource: &str| format!("module.function[\"{name}\"].{resource}");
        all.extend([
            (of("aws_lambda_function.this"), json!({ "arn": lambda(&name), "version": "7" })),
            (of("aws_lambda_alias.live"), json!({ "arn": lambda(&format!("{name}:live")) })),
            (of("aws_lambda_function_url.this"), json!({ "function_url": format!("https://{name}.lambda-url.eu-west-3.on.aws/") })),
            (of("aws_cloudwatch_log_group.this"), json!({ "arn": format!("arn:aws:logs:eu-west-3:123456789012:log-group:/aws/lambda/inkflow-test-{name}") })),
            (of("aws_iam_role.this"), json!({ "arn": format!("arn:aws:iam::123456789012:role/inkflow-test-{name}"), "id": format!("inkflow-test-{name}") })),
        ]);
    }
    let queue = |name: &str| {
        json!({
            "arn": format!("arn:aws:sqs:eu-west-3:123456789012:inkflow-test-{name}"),
            "url": format!("https://sqs.eu-west-3.amazonaws.com/123456789012/inkflow-test-{name}"),
        })
    };
    let bucket = |name: &str| {
        let name = format!("inkflow-test-{name}-123456789012");
        json!({ "arn": format!("arn:aws:s3:::{name}"), "id": name, "bucket_regional_domain_name": format!("{name}.s3.eu-west-3.amazonaws.com") })
    };
    let certificate = "arn:aws:acm:us-east-1:123456789012:certificate/site";
    let proof = json!([{
        "domain_name": "inkflow.example", "resource_record_name": "_x.inkflow.example",
        "resource_record_type": "CNAME", "resource_record_value": "_y.acm-validations.aws",
    }]);
    let others = [
        ("aws_sns_topic.alarms", json!({ "arn": "arn:aws:sns:eu-west-3:123456789012:alarms" })),
        ("aws_sns_topic.mail_failures", json!({ "arn": "arn:aws:sns:eu-west-3:123456789012:mail_failures" })),
        ("aws_sns_topic.pager", json!({ "arn": "arn:aws:sns:eu-west-3:123456789012:pager" })),
        ("aws_sns_topic.edge", json!({ "arn": "arn:aws:sns:us-east-1:123456789012:alarms-edge" })),
        ("aws_sns_topic.edge_pager", json!({ "arn": "arn:aws:sns:us-east-1:123456789012:pager-edge" })),
        ("aws_route53_health_check.site[\"/\"]", json!({ "id": "check of the home page" })),
        ("aws_sqs_queue.jobs", queue("jobs")),
        ("aws_sqs_queue.dead[\"jobs\"]", queue("jobs-dead")),
        ("aws_sqs_queue.dead[\"images\"]", queue("images-dead")),
        ("aws_s3_bucket.this[\"site\"]", bucket("site")),
        ("aws_s3_bucket.this[\"images\"]", bucket("images")),
        (
            "aws_cloudfront_distribution.site",
            json!({ "arn": "arn:aws:cloudfront::123456789012:distribution/E1", "id": "E1", "domain_name": "d1.cloudfront.net", "hosted_zone_id": "Z2FDTNDATAQYW2" }),
        ),
        ("aws_cloudfront_function.router", json!({ "arn": "arn:aws:cloudfront::123456789012:function/router" })),
        ("aws_cloudfront_function.language", json!({ "arn": "arn:aws:cloudfront::123456789012:function/language" })),
        ("aws_cloudfront_origin_access_control.this[\"s3\"]", json!({ "id": "signs for s3" })),
        ("aws_cloudfront_origin_access_control.this[\"lambda\"]", json!({ "id": "signs for lambda" })),
        ("aws_cloudfront_cache_policy.this[\"api\"]", json!({ "id": "cache policy api" })),
        ("aws_cloudfront_cache_policy.this[\"page\"]", json!({ "id": "cache policy page" })),
        ("aws_cloudfront_origin_request_policy.api", json!({ "id": "origin request policy api" })),
        ("aws_cloudfront_response_headers_policy.this[\"api\"]", json!({ "id": "response headers api" })),
        ("aws_cloudfront_response_headers_policy.this[\"site\"]", json!({ "id": "response headers site" })),
        ("aws_iam_role.scheduler", json!({ "arn": "arn:aws:iam::123456789012:role/scheduler", "id": "scheduler" })),
        ("aws_wafv2_web_acl.edge", json!({ "arn": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/edge" })),
        ("aws_acm_certificate.site", json!({ "arn": certificate, "domain_validation_options": proof })),
        ("aws_acm_certificate_validation.site", json!({ "certificate_arn": certificate })),
        ("aws_route53_record.certificate", json!({ "fqdn": "_x.inkflow.example" })),
    ];
    all.extend(others.map(|(address, values)| (address.to_owned(), values)));
    all
}

/// The two plans, in Terraform's own language of tests. JSON is a part of it.
fn script() -> String {
    let mut text = String::from("mock_provider \"aws\" {}\nmock_provider \"aws\" {\n  alias = \"us_east_1\"\n}\n");
    for (address, values) in answers() {
        let _ = write!(
            text,
            "override_resource {{\n  target          = {address}\n  override_during = plan\n  values          = {values}\n}}\n"
        );
    }
    let told = [
        ("aws_route53_zone.this", json!({ "name": "inkflow.example" })),
        ("aws_servicequotas_service_quota.concurrency", json!({ "value": 1000 })),
    ];
    for (address, values) in told {
        let _ = write!(text, "override_data {{\n  target = data.{address}\n  values = {values}\n}}\n");
    }
    let secrets = [
        "DATABASE_URL",
        "STRIPE_SECRET_KEY",
        "STRIPE_WEBHOOK_SECRETS",
        "ENCRYPTION_KEY",
        "SUPABASE_JWT_SECRET",
        "SUPABASE_SECRET_KEY",
    ];
    let versions =
        |version: i64| secrets.map(|name| (name.to_owned(), json!(version))).into_iter().collect::<Map<_, _>>();
    let must = json!({
        "env": "test", "account_id": "123456789012", "region": "eu-west-3",
        "mail_from": "InkFlow <bonjour@mail.inkflow.example>", "secret_versions": versions(1),
    });
    let may = json!({
        "alarm_email": "ops@example.com", "pager_url": "https://pager.example/x", "budget_by_tag": true, "waf": true, "reserve_concurrency": true, "domain_name": "inkflow.example",
        "hosted_zone_id": "Z1", "hsts": "preload", "supabase_jwt_secret": true, "supabase_secret_key": true, "monthly_budget_usd": 75,
        "architecture": "x86_64", "log_retention_days": 7, "secret_versions": versions(3), "stripe_live": true, "tags": { "team": "studio" }, "database_ca": "a PEM",
        "settings": {
            "SUPABASE_URL": "https://x.supabase.co", "SUPABASE_PUBLISHABLE_KEY": "sb_publishable_x",
            "CORS_ORIGINS": "https://other.example",
        },
    });
    let variables = |of: &Value| {
        let of = of.as_object().expect("variables");
        of.iter().fold(String::from("variables {\n"), |text, (name, value)| format!("{text}  {name} = {value}\n"))
            + "}\n"
    };
    let _ = write!(text, "{}run \"{DEFAULT}\" {{\n  command = plan\n}}\n", variables(&must));
    let _ = write!(text, "run \"{EVERY_OPTION}\" {{\n  command = plan\n{}}}\n", variables(&may));
    text
}

impl Desk {
    /// A copy of `infra/`, with a site of three files and functions of a few bytes: neither is the plan's to judge.
    pub(crate) async fn new(name: &str, init: &[String]) -> Self {
        let folder = folder(name);
        let infra = copy_of_infra(&folder);
        fs::write(infra.join("tests/plan.tftest.hcl"), script()).expect("written");
        for function in functions() {
            fs::create_dir_all(folder.join("zips").join(&function)).expect("a folder");
            fs::write(folder.join("zips").join(function).join("bootstrap.zip"), "a zip").expect("written");
        }
        fs::create_dir_all(folder.join("site/en")).expect("a folder");
        for (file, text) in [("assets.json", "{}"), ("index.html", ""), ("404.html", ""), ("en/404.html", "")] {
            fs::write(folder.join("site").join(file), text).expect("written");
        }
        run(terraform_in(&infra).args(["init", "-backend=false"]).args(init)).await;
        Self { folder, infra }
    }

    /// Both plans, by name; or all that Terraform has against them.
    pub(crate) async fn plan(&self) -> Result<BTreeMap<String, Planned>, String> {
        let mut command = terraform_in(&self.infra);
        command.args(["test", "-json", "-verbose", "-filter=tests/plan.tftest.hcl"]);
        command.env("TF_VAR_functions_dir", self.folder.join("zips")).env("TF_VAR_site_dir", self.folder.join("site"));
        let done = command.kill_on_drop(true).stdin(Stdio::null()).output().await.expect("it starts");
        let text = String::from_utf8(done.stdout).expect("text");
        let (mut plans, mut refused) = (BTreeMap::new(), String::from_utf8_lossy(&done.stderr).into_owned());
        for line in text.lines() {
            let said: Said = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if let Some(about) = said.diagnostic {
                let _ = writeln!(refused, "{}: {}", about["summary"], about["detail"]);
            }
            if let (Some(plan), "test_plan") = (said.test_plan, said.kind.as_str()) {
                let schemas = SCHEMAS.get_or_init(|| {
                    let with: WithSchemas = serde_json::from_str(line).expect("schemas");
                    let providers = with.test_plan.expect("a plan").provider_schemas;
                    providers.into_values().flat_map(|provider| provider.resource_schemas).collect()
                });
                plans.insert(said.run.expect("a name"), planned(plan, schemas));
            }
        }
        if done.status.success() { Ok(plans) } else { Err(refused) }
    }

    pub(crate) fn end(self) {
        fs::remove_dir_all(self.folder).expect("ours");
    }
}

fn planned(plan: TestPlan, schemas: &BTreeMap<String, ResourceSchema>) -> Planned {
    let managed = plan.resource_changes.into_iter().filter(|resource| resource.mode == "managed");
    managed
        .map(|resource| {
            let key = resource.address.split_once('[').and_then(|(_, rest)| rest.split_once(']')).unwrap_or_default().0;
            let mut lines = Vec::new();
            let schema = &schemas[&resource.kind].block;
            attributes(
                &resource.address,
                "",
                schema,
                &resource.change.after,
                &resource.change.after_unknown,
                &mut lines,
            );
            let address = Address {
                kind: format!("{}.{}", resource.kind, resource.name),
                key: key.to_owned(),
                whole: resource.address,
            };
            (address, lines)
        })
        .collect()
}

/// What a resource says, without what AWS would answer.
fn attributes(address: &str, path: &str, schema: &Schema, after: &Value, unknown: &Value, lines: &mut Vec<Line>) {
    for (name, attribute) in &schema.attributes {
        let settable = attribute.optional || attribute.required;
        if !settable || ASIDE.contains(&name.as_str()) || ["id", "tags_all"].contains(&name.as_str()) {
            continue;
        }
        let value = &after[name];
        assert!(
            attribute.computed || !is_unknown(&unknown[name]),
            "{address}: {path}{name} comes of an answer of AWS. Give that resource a name in `answers` of tools/testing/tests/infra/plan.rs"
        );
        // What nobody said: Terraform invents it for a resource whose answers are given here.
        let invented = attribute.computed
            && match value {
                Value::String(text) => {
                    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                }
                Value::Number(number) => number.as_f64() == Some(0.0),
                Value::Bool(yes) => !yes,
                _ => false,
            };
        if !invented && unknown[name] != true {
            say(&format!("{path}{name}"), value, lines);
        }
    }
    for (name, nested) in &schema.block_types {
        let all = match &after[name] {
            Value::Null => continue,
            Value::Array(all) => all.iter().collect(),
            one => vec![one],
        };
        let mut said: Vec<(String, Vec<Line>)> = Vec::new();
        for (at, one) in all.iter().enumerate() {
            let mut of_it = Vec::new();
            attributes(address, "", &nested.block, one, &unknown[name][at], &mut of_it);
            said.push((label(one).unwrap_or_default(), of_it));
        }
        if nested.nesting_mode == "set" {
            said.sort_by_key(|(label, lines)| (label.clone(), format!("{lines:?}")));
        }
        let path = format!("{path}{name}");
        let labels: Vec<&str> =
            said.iter().map(|(label, _)| label.as_str()).filter(|label| !label.is_empty()).collect();
        if nested.nesting_mode == "list" && said.len() > 1 && labels.len() == said.len() {
            // Of behaviors the first that fits wins.
            lines.extend(
                labels
                    .iter()
                    .enumerate()
                    .map(|(at, label)| Line { path: format!("{path}[]"), value: format!("{} {label}", at + 1) }),
            );
        }
        let mut before: Vec<Line> = Vec::new();
        for (at, (label, of_it)) in said.iter().enumerate() {
            let label = match (said.len(), label.as_str()) {
                (1, _) => String::new(),
                (_, "") => format!("[{at}]"),
                (_, label) => format!("[{label}]"),
            };
            let unlike = differences(&before, of_it);
            lines.extend(
                unlike.into_iter().map(|line| Line { path: format!("{path}{label}.{}", line.path), value: line.value }),
            );
            before.clone_from(of_it);
        }
        // A block that says nothing is there all the same.
        if said.len() == 1 && said[0].1.is_empty() {
            lines.push(Line { path, value: "{}".to_owned() });
        }
    }
}

/// What tells one block of a list from the others.
fn label(block: &Value) -> Option<String> {
    let names = ["path_pattern", "origin_id", "header", "id", "notification_type", "name", "search_string"];
    names.into_iter().find_map(|name| block[name].as_str()).map(|text| format!("{text:?}"))
}

fn is_unknown(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => *yes,
        Value::Array(all) => all.iter().any(is_unknown),
        Value::Object(all) => all.values().any(is_unknown),
        _ => false,
    }
}

fn say(path: &str, value: &Value, lines: &mut Vec<Line>) {
    match value {
        Value::Null => {}
        Value::Object(all) => {
            for (name, value) in all {
                say(&format!("{path}.{name}"), value, lines);
            }
        }
        Value::Array(all) if all.iter().any(Value::is_object) => {
            for (at, value) in all.iter().enumerate() {
                say(&format!("{path}[{at}]"), value, lines);
            }
        }
        Value::Array(all) => {
            lines.extend(all.iter().map(|one| Line { path: format!("{path}[]"), value: one.to_string() }));
        }
        // A policy, or a CloudFormation template.
        Value::String(text) if text.starts_with('{') => match serde_json::from_str(text) {
            Ok(inner) => say(path, &inner, lines),
            Err(_) => lines.push(Line { path: path.to_owned(), value: value.to_string() }),
        },
        _ => lines.push(Line { path: path.to_owned(), value: value.to_string() }),
    }
}

/// What is said of one and was not said of its brother before it.
fn differences(before: &[Line], now: &[Line]) -> Vec<Line> {
    let mut unlike: Vec<Line> = now.iter().filter(|line| !before.contains(line)).cloned().collect();
    for line in before.iter().filter(|line| !now.contains(line)) {
        if line.is_one_of() || !now.iter().any(|one| one.path == line.path) {
            unlike.push(Line { path: format!("without {}", line.path), value: line.value.clone() });
        }
    }
    unlike
}

/// A plan as a text by resource. Of brothers, each says only how it differs from the one before; `{key}` is its own key.
pub(crate) fn texts(plan: &Planned) -> Vec<(String, Vec<String>)> {
    let mut before: Option<(&str, Vec<Line>)> = None;
    let mut all = Vec::new();
    for (address, lines) in plan {
        let lines = generalised(&address.key, lines);
        let brother = before.as_ref().filter(|(kind, _)| *kind == address.kind).map(|(_, lines)| lines.as_slice());
        let unlike = differences(brother.unwrap_or_default(), &lines);
        all.push((address.whole.clone(), unlike.iter().map(printed).collect()));
        before = Some((&address.kind, lines));
    }
    all
}

/// What the options change: which lines go and which come, by resource.
fn changes(from: &Planned, to: &Planned) -> Vec<(String, Vec<String>)> {
    let mut all = BTreeMap::new();
    for address in from.keys().chain(to.keys()) {
        let of = |plan: &Planned| plan.get(address).cloned().unwrap_or_default();
        let (was, is) = (of(from), of(to));
        let gone = was.iter().filter(|line| !is.contains(line)).map(|line| format!("- {}", printed(line)));
        let come = is.iter().filter(|line| !was.contains(line)).map(|line| format!("+ {}", printed(line)));
        let lines: Vec<String> = gone.chain(come).collect();
        if !lines.is_empty() {
            all.insert(address.clone(), lines);
        }
    }
    all.into_iter().map(|(address, lines)| (address.whole, lines)).collect()
}

fn printed(line: &Line) -> String {
    format!("{} = {}", line.path, line.value)
}

/// With its own key replaced, so that brothers who differ by their name alone say the same.
fn generalised(key: &str, lines: &[Line]) -> Vec<Line> {
    let key = key.trim_matches('"');
    let general = |text: &str| {
        let mut found = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(key).filter(|_| key.len() > 1) {
            let whole = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
            let (before, after) = (&rest[..at], &rest[at + key.len()..]);
            found.push_str(before);
            found.push_str(if whole(before.chars().last()) && whole(after.chars().next()) { "{key}" } else { key });
            rest = after;
        }
        found + rest
    };
    lines.iter().map(|line| Line { path: line.path.clone(), value: general(&line.value) }).collect()
}

/// The resources of a plan, each with its lines.
type Blocks = Vec<(String, Vec<String>)>;

/// The two texts that are reviewed: the default, and what the options change of it.
pub(crate) fn reviewable(plans: &BTreeMap<String, Planned>) -> [(&'static str, Blocks); 2] {
    let (default, every) = (&plans[DEFAULT], &plans[EVERY_OPTION]);
    [("default.txt", texts(default)), ("options.txt", changes(default, every))]
}

fn file(blocks: &[(String, Vec<String>)]) -> String {
    let mut text = String::new();
    for (address, lines) in blocks {
        let _ = writeln!(text, "{address}");
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

/// A reviewed text, by resource.
pub(crate) fn blocks(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut of = "";
    for line in text.lines() {
        match line.strip_prefix("  ") {
            Some(line) => all.entry(of).or_default().push(line),
            None => {
                of = line;
                all.entry(of).or_default();
            }
        }
    }
    all
}

/// How two texts differ, by resource, as a person reads it; nothing when they do not.
pub(crate) fn difference(reviewed: &str, now: &str) -> String {
    let (was, is) = (blocks(reviewed), blocks(now));
    let mut text = String::new();
    for address in was.keys().chain(is.keys().filter(|address| !was.contains_key(*address))) {
        let (before, after) = (was.get(address), is.get(address));
        if before == after {
            continue;
        }
        let _ = writeln!(
            text,
            "{address}{}",
            if after.is_none() {
                " is gone"
            } else if before.is_none() {
                " is new"
            } else {
                ""
            }
        );
        let (before, after) = (before.cloned().unwrap_or_default(), after.cloned().unwrap_or_default());
        for line in before.iter().filter(|line| !after.contains(line)) {
            let _ = writeln!(text, "  - {line}");
        }
        for line in after.iter().filter(|line| !before.contains(line)) {
            let _ = writeln!(text, "  + {line}");
        }
    }
    text
}

pub(crate) fn reviewed(name: &str) -> PathBuf {
    checkout().join(REVIEWED).join(name)
}

fn written(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// What a filter counts is watched, by an alarm that tells somebody; and no alarm of ours watches what nothing counts.
fn every_filter_ends_in_an_alarm(plan: &Planned) {
    let of = |kind: &'static str| plan.iter().filter(move |(address, _)| address.kind == kind);
    let said = |lines: &[Line], path: &str| {
        let line = lines.iter().find(|line| line.path == path);
        line.map(|line| line.value.trim_matches('"').to_owned()).unwrap_or_default()
    };
    let logs: Vec<String> = of("aws_cloudwatch_log_group.this").map(|(_, lines)| said(lines, "name")).collect();
    let topics = ["arn:aws:sns:eu-west-3:123456789012:alarms", "arn:aws:sns:us-east-1:123456789012:alarms-edge"];
    let mut counted = Vec::new();
    for (address, filter) in of("aws_cloudwatch_log_metric_filter.signal") {
        let metric = ["namespace", "name"].map(|name| said(filter, &format!("metric_transformation.{name}")));
        assert!(logs.contains(&said(filter, "log_group_name")), "{}: nobody writes that log", address.whole);
        assert_eq!(said(filter, "metric_transformation.value"), "1", "{}", address.whole);
        let watches = |lines: &[Line]| {
            [said(lines, "namespace"), said(lines, "metric_name")] == metric
                && !lines.iter().any(|line| line.path.starts_with("dimensions"))
                && topics.contains(&said(lines, "alarm_actions[]").as_str())
                && said(lines, "statistic") == "Sum"
                && said(lines, "comparison_operator") == "GreaterThanThreshold"
        };
        let watching = of("aws_cloudwatch_metric_alarm.this").filter(|(_, lines)| watches(lines)).count();
        assert_eq!(watching, 1, "{} is counted and wakes nobody", address.whole);
        counted.push(metric);
    }
    assert!(counted.len() > 10, "the filters have moved");
    for (address, alarm) in of("aws_cloudwatch_metric_alarm.this") {
        assert!(topics.contains(&said(alarm, "alarm_actions[]").as_str()), "{} tells nobody", address.whole);
        let metric = [said(alarm, "namespace"), said(alarm, "metric_name")];
        let ours = !metric[0].starts_with("AWS/");
        assert!(!ours || counted.contains(&metric), "{} watches what nothing counts", address.whole);
    }
}

#[tokio::test]
async fn the_plan_is_the_one_that_was_reviewed() {
    let Some(init) = terraform() else { return };
    let desk = Desk::new("plan", &init).await;
    let plans = desk.plan().await.unwrap_or_else(|refused| panic!("Terraform refuses its own plan: {refused}"));
    desk.end();
    for plan in plans.values() {
        every_filter_ends_in_an_alarm(plan);
    }
    let mut differ = String::new();
    for (name, blocks) in reviewable(&plans) {
        assert!(blocks.len() > 20, "{name} has lost most of the platform");
        let now = file(&blocks);
        if std::env::var("UPDATE_PLAN").is_ok_and(|value| value == "1") {
            fs::create_dir_all(checkout().join(REVIEWED)).expect("a folder");
            fs::write(reviewed(name), now).expect("written");
        } else if now != written(&reviewed(name)) {
            let _ = write!(differ, "{REVIEWED}/{name}\n{}", difference(&written(&reviewed(name)), &now));
        }
    }
    assert!(
        differ.is_empty(),
        "Terraform would make something else than what was reviewed. If that is meant, `make reviewed-plan` writes it down, and whoever \
         reads the commit sees it:\n{differ}"
    );
}

#[test]
fn brothers_say_only_how_they_differ_and_nothing_is_lost() {
    let line = |path: &str, value: &str| Line { path: path.to_owned(), value: value.to_owned() };
    let (a, b) = (
        [line("timeout", "10"), line("may[]", "\"read\""), line("may[]", "\"write\""), line("url", "1")],
        [line("timeout", "20"), line("may[]", "\"read\"")],
    );
    let unlike: Vec<String> = differences(&a, &b).iter().map(printed).collect();
    assert_eq!(unlike, ["timeout = 20", "without may[] = \"write\"", "without url = 1"]);
    assert!(differences(&a, &a).is_empty());
    let named = generalised("\"worker\"", &[line("name", "\"inkflow-test-worker\""), line("kind", "\"coworkers\"")]);
    assert_eq!((named[0].value.as_str(), named[1].value.as_str()), ("\"inkflow-test-{key}\"", "\"coworkers\""));
}

#[test]
fn a_difference_names_the_resource_and_the_lines() {
    let (was, is) = ("a\n  x = 1\n  y = 2\nb\n  z = 3\n", "a\n  x = 1\n  y = 4\nc\n  z = 3\n");
    assert_eq!(difference(was, is), "a\n  - y = 2\n  + y = 4\nb is gone\n  - z = 3\nc is new\n  + z = 3\n");
    assert_eq!(difference(was, was), "");
}
