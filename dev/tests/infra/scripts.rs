//! The scripts of an operator, run with an `aws`, a `terraform` and a `curl` that are played: what they do when a deploy
//! ended half-way, when a domain leads elsewhere, when the site does not stand. And that they run where macOS runs them.
//!
//! `OLD_BASH` names a bash 3.2 to run them with; CI has one on its macOS machine.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use dev::platform::checkout;

use crate::rules::read;

const ACCOUNT: &str = "123456789012";

/// What `terraform output -json` says; `records` are the DNS records that are left to enter.
fn outputs(site: &str, records: &str) -> String {
    format!(
        r#"{{"site_url": {{"value": "{site}"}}, "distribution_domain": {{"value": "d1.cloudfront.test"}}, "distribution": {{"value": "E1"}},
        "site_bucket": {{"value": "site"}}, "webhook_urls": {{"value": {{"/api/webhooks/stripe": "https://stripe.on.aws/api/webhooks/stripe"}}}},
        "dns_records": {{"value": [{records}]}}, "functions": {{"value": {{"slots": "inkflow-prod-slots", "worker": "inkflow-prod-worker"}}}}}}"#
    )
}

/// A checkout of its own for the scripts, with programs that go before the machine's.
struct Desk {
    folder: PathBuf,
}

impl Desk {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("inkflow-scripts-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        for part in [
            "first",
            "programs",
            "checkout/infra/environments",
            "checkout/dev/setup",
            "checkout/frontend/dist/assets",
            "zips",
            "aws",
        ] {
            fs::create_dir_all(folder.join(part)).expect("a folder");
        }
        let desk = Self { folder };
        for from in ["infra", "dev/setup"] {
            for entry in fs::read_dir(checkout().join(from)).expect("a folder").flatten() {
                if entry.path().is_file() {
                    fs::copy(entry.path(), desk.path("checkout").join(from).join(entry.file_name())).expect("copied");
                }
            }
        }
        let tfvars = format!("env        = \"prod\"\naccount_id = \"{ACCOUNT}\"\nregion     = \"eu-west-3\"\n");
        fs::write(desk.path("checkout/infra/environments/prod.tfvars"), tfvars).expect("written");
        let secrets = "DATABASE_URL=postgres://a\nMIGRATE_DATABASE_URL=postgres://b\nSTRIPE_SECRET_KEY=sk_test_x\nSTRIPE_WEBHOOK_SECRETS=whsec_x\nENCRYPTION_KEY=x\n";
        fs::write(desk.path("checkout/.env.prod"), secrets).expect("written");
        desk.outputs(&outputs("https://d1.cloudfront.test", ""));
        // The versions of a function are lines of `version <tab> description` in a file, its alias another one.
        desk.stub(
            "aws",
            "echo \"aws $*\" >>\"$desk/said\"
            of() { while [ \"$1\" != --function-name ]; do shift; done; echo \"$desk/aws/$2\"; }
            case \"$*\" in
            *get-caller-identity*) echo 123456789012 ;;
            *export-credentials*) echo 'export AWS_ACCESS_KEY_ID=x' ;;
            *head-bucket*) [ -e \"$desk/bucket\" ] ;;
            *create-bucket*) touch \"$desk/bucket\" ;;
            *get-alias*) cat \"$(of \"$@\").live\" ;;
            *list-versions*) printf '$LATEST\\t\\n'; cat \"$(of \"$@\").versions\" ;;
            *update-alias*) while [ \"$1\" != --function-version ]; do shift; done; echo \"$2\" ;;
            *create-invalidation*) echo I1 ;;
            esac",
        );
        desk.stub(
            "terraform",
            "echo \"terraform $*\" >>\"$desk/said\"
            case \"$*\" in
            *version*) echo '{ \"terraform_version\": \"1.11.4\" }' ;;
            *output*) cat \"$desk/outputs\" ;;
            esac",
        );
        // Answers by host: what the files of the desk say, or no answer at all.
        desk.stub(
            "curl",
            "for last; do :; done
            host=${last#https://}; host=${host%%/*}; path=${last#https://\"$host\"}
            page=$(cat \"$desk/page.$host\" 2>/dev/null) || exit 6
            out=; headers=; code=; while [ $# -gt 0 ]; do case $1 in -o) out=$2 ;; -D) headers=$2 ;; -w) code=1 ;; esac; shift; done
            status=200; body=$page; head='content-security-policy: default-src none default-src .none'
            case $path in
            /no-such-page | /artist/*) status=404 ;;
            /api/artists/*) status=404; head='content-type: application/problem+json' ;;
            /api/bookings/create) status=422; body='{\"errors\": []}' ;;
            esac
            [ -z \"$headers\" ] || printf '%s\\n' \"$head\" >\"$headers\"
            if [ -n \"$out\" ]; then printf '%s' \"$body\" >\"$out\"; else printf '%s' \"$body\"; fi
            [ -z \"$code\" ] || printf '%s' \"$status\"",
        );
        for quiet in ["make", "cargo", "npm", "git"] {
            desk.stub(quiet, &format!("echo \"{quiet} $*\" >>\"$desk/said\""));
        }
        for program in ["migrate", "doctor", "redrive"] {
            // What is piped in is read to its end, as the real ones read it.
            desk.program(program, "[ -t 0 ] || cat >/dev/null; echo \"$(basename \"$0\") $*\"");
        }
        if let Some(bash) = std::env::var_os("OLD_BASH") {
            std::os::unix::fs::symlink(bash, desk.path("first/bash")).expect("linked");
        }
        desk
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.join(below)
    }

    fn stub(&self, name: &str, script: &str) {
        self.write("first", name, script);
    }

    fn program(&self, name: &str, script: &str) {
        self.write("programs", name, script);
    }

    fn write(&self, folder: &str, name: &str, script: &str) {
        let path = self.path(folder).join(name);
        fs::write(&path, format!("#!/bin/sh\ndesk='{}'\n{script}\n", self.folder.display())).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
    }

    fn outputs(&self, json: &str) {
        fs::write(self.path("outputs"), json).expect("written");
    }

    /// A host that answers, with this page.
    fn page(&self, host: &str, html: &str) {
        fs::write(self.path(&format!("page.{host}")), html).expect("written");
    }

    /// The releases of a function by the numbers of its versions, and which of them is live.
    fn function(&self, name: &str, live: u32, releases: &[&str]) {
        let lines: String = releases
            .iter()
            .enumerate()
            .map(|(at, release)| format!("{}\tInkFlow {name}, release {release}\n", at + 1))
            .collect();
        fs::write(self.path(&format!("aws/inkflow-prod-{name}.versions")), lines).expect("written");
        fs::write(self.path(&format!("aws/inkflow-prod-{name}.live")), format!("{live}\n")).expect("written");
    }

    fn script(&self, name: &str, variables: &[(&str, &str)]) -> Output {
        let path = std::env::var("PATH").expect("a PATH");
        let mut command = Command::new(self.path("checkout/infra").join(name));
        command
            .current_dir(self.path("checkout"))
            .env("PATH", format!("{}:{path}", self.path("first").display()))
            .env("ENV", "prod")
            .env("PROGRAMS", self.path("programs"))
            .env("FUNCTIONS_DIR", self.path("zips"))
            .env("INKFLOW_STATE", self.path("state"))
            .env("SMOKE_PAUSE", "0");
        for inherited in
            ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "SMOKE_URL", "TFVARS", "SECRETS_FILE", "YES", "NAME", "FUNCTION"]
        {
            command.env_remove(inherited);
        }
        command.envs(variables.iter().copied()).stdin(Stdio::null()).output().expect("it starts")
    }

    /// What a script said that ended well.
    fn well(&self, name: &str, variables: &[(&str, &str)]) -> String {
        let done = self.script(name, variables);
        let said = said(&done);
        assert!(done.status.success(), "{name}: {}\n{said}", done.status);
        said
    }
}

fn said(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn every_script_of_an_operator_runs_to_its_end() {
    let desk = Desk::new("all");
    desk.page("d1.cloudfront.test", "<html>the site</html>");
    let deployed = desk.well("deploy", &[("YES", "1")]);
    assert!(deployed.contains("deployed: https://d1.cloudfront.test"), "{deployed}");
    assert!(deployed.contains("webhook:  https://stripe.on.aws/api/webhooks/stripe"), "{deployed}");
    let asked = fs::read_to_string(desk.path("said")).expect("what was asked");
    assert!(asked.contains("create-bucket --bucket inkflow-state-123456789012 --create-bucket-configuration LocationConstraint=eu-west-3"), "{asked}");
    assert!(desk.well("doctor", &[]).contains("doctor "));
    assert!(desk.well("output", &[("NAME", "site_url")]).contains("https://d1.cloudfront.test"));
    assert!(desk.well("output", &[]).contains("distribution_domain\n"));
    assert!(
        said(&desk.script("output", &[("NAME", "nothing")]))
            .contains("There is no output nothing. There are:\nsite_url")
    );
    desk.well("destroy", &[("YES", "1")]);
    desk.well("smoke", &[("URL", "https://d1.cloudfront.test")]);
    // In the first of all regions the bucket must not be told where it is; a local AWS is spoken to in another way.
    fs::remove_file(desk.path("bucket")).expect("made");
    let tfvars = desk.path("checkout/infra/environments/prod.tfvars");
    let virginia = fs::read_to_string(&tfvars).expect("settings").replace("eu-west-3", "us-east-1");
    fs::write(tfvars, virginia).expect("written");
    fs::write(desk.path("said"), "").expect("written");
    desk.well("deploy", &[("YES", "1"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]);
    let asked = fs::read_to_string(desk.path("said")).expect("what was asked");
    assert!(asked.contains("create-bucket --bucket inkflow-state-123456789012\n"), "{asked}");
    assert!(asked.contains("-backend-config=use_path_style=true"), "{asked}");
}

#[test]
fn stopping_everything_leaves_the_webhooks_for_last() {
    let desk = Desk::new("stop");
    let functions = r#"{"functions": {"value": {"calcom-webhook": "inkflow-prod-calcom-webhook", "slots": "inkflow-prod-slots",
        "stripe-webhook": "inkflow-prod-stripe-webhook", "worker": "inkflow-prod-worker"}}}"#;
    desk.outputs(functions);
    let said = desk.well("stop", &[]);
    let order = ["slots is stopped", "worker is stopped", "calcom-webhook is stopped", "stripe-webhook is stopped"];
    let at: Vec<_> = order.iter().map(|line| said.find(line)).collect();
    assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{said}");
    let asked = fs::read_to_string(desk.path("said")).expect("what was asked");
    assert_eq!(asked.matches("put-function-concurrency").count(), 4, "{asked}");
    assert_eq!(asked.matches("--reserved-concurrent-executions 0").count(), 4, "{asked}");
}

#[test]
fn a_rollback_after_half_a_deploy_brings_every_function_to_one_release() {
    let desk = Desk::new("half");
    desk.function("slots", 5, &["1", "2", "3", "4", "5"]);
    desk.function("worker", 4, &["1", "2", "3", "4"]);
    let said = desk.well("rollback", &[]);
    assert!(said.contains("back to release 4\n"), "{said}");
    assert!(
        said.contains("inkflow-prod-slots: 5 -> 4\n") && said.contains("inkflow-prod-worker stays at version 4"),
        "{said}"
    );
}

#[test]
fn a_rollback_goes_one_release_back_and_again_one_further() {
    let desk = Desk::new("whole");
    desk.function("slots", 3, &["v1", "v2", "v3"]);
    // It was mended once without the others, so that its numbers are not theirs.
    desk.function("worker", 4, &["v1", "v2, secrets version 1", "v2, secrets version 2", "v3"]);
    let said = desk.well("rollback", &[]);
    assert!(said.contains("slots: 3 -> 2\n") && said.contains("worker: 4 -> 3\n"), "{said}");
    desk.function("slots", 2, &["v1", "v2", "v3"]);
    desk.function("worker", 3, &["v1", "v2, secrets version 1", "v2, secrets version 2", "v3"]);
    let said = desk.well("rollback", &[]);
    assert!(said.contains("slots: 2 -> 1\n") && said.contains("worker: 3 -> 1\n"), "{said}");
    desk.function("slots", 1, &["v1", "v2", "v3"]);
    desk.function("worker", 1, &["v1", "v2"]);
    let none = desk.script("rollback", &[]);
    assert!(!none.status.success() && self::said(&none).contains("There is no release before this one"), "{none:?}");
    desk.function("slots", 3, &["v1", "v2", "v3"]);
    let said = desk.well("rollback", &[("FUNCTION", "slots")]);
    assert!(said.contains("slots: 3 -> 2\n") && !said.contains("worker"), "{said}");
}

#[test]
fn a_new_secret_is_no_release_to_go_back_to() {
    let desk = Desk::new("secrets");
    let versions = ["v1, secrets version 1", "v2, secrets version 1", "v2, secrets version 2"];
    desk.function("slots", 3, &versions);
    desk.function("worker", 3, &versions);
    let said = desk.well("rollback", &[]);
    assert!(said.contains("back to release v1\n") && said.contains("slots: 3 -> 1\n"), "{said}");
}

#[test]
fn a_function_that_the_release_before_did_not_have_stays() {
    let desk = Desk::new("new");
    desk.function("slots", 2, &["v1", "v2"]);
    desk.function("worker", 1, &["v2"]);
    let said = desk.well("rollback", &[]);
    assert!(said.contains("slots: 2 -> 1\n") && said.contains("worker stays at version 1"), "{said}");
}

const CNAME: &str = r#"{"name": "studio.example", "type": "CNAME", "value": "d1.cloudfront.test"}"#;

#[test]
fn a_domain_that_leads_elsewhere_does_not_fail_the_deploy_and_is_told_where_to_lead() {
    let desk = Desk::new("domain");
    desk.outputs(&outputs("https://studio.example", CNAME));
    desk.page("d1.cloudfront.test", "<html>the site</html>");
    for today in [None, Some("<html>parked</html>")] {
        if let Some(page) = today {
            desk.page("studio.example", page);
        }
        let said = desk.well("deploy", &[("YES", "1")]);
        assert!(said.contains("https://studio.example does not lead here yet. Until it does, the site is at https://d1.cloudfront.test"), "{said}");
        assert!(said.contains("studio.example  CNAME  d1.cloudfront.test"), "{said}");
    }
    desk.page("studio.example", "<html>the site</html>");
    let said = desk.well("deploy", &[("YES", "1")]);
    assert!(!said.contains("does not lead here"), "{said}");
    assert_eq!(said.matches("ok      the home page").count(), 2, "both names are asked: {said}");
    assert!(desk.well("output", &[("NAME", "dns_records")]).contains("studio.example  CNAME  d1.cloudfront.test"));
}

#[test]
fn a_release_that_does_not_stand_goes_back_where_nobody_can_be_asked() {
    let desk = Desk::new("smoke");
    desk.function("slots", 2, &["v1", "v2"]);
    desk.function("worker", 2, &["v1", "v2"]);
    let done = desk.script("deploy", &[("YES", "1")]);
    let said = said(&done);
    assert!(!done.status.success() && said.contains("FAILED  the home page"), "{said}");
    assert!(said.contains("slots: 2 -> 1\n") && said.contains("worker: 2 -> 1\n"), "{said}");
    assert!(!said.contains("deployed:"), "{said}");
}

/// Every script of the project, by its path.
fn scripts() -> BTreeMap<PathBuf, String> {
    fn walk(folder: &Path, all: &mut BTreeMap<PathBuf, String>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let skipped = ["node_modules", "target", "dist", ".git", ".inkflow", ".terraform"].contains(&name.as_str());
            if path.is_dir() && !skipped && !path.is_symlink() {
                walk(&path, all);
            } else if path.is_file() && path.extension().is_none() {
                let text =
                    fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
                let first = text.lines().next().unwrap_or_default();
                if (first.starts_with("#!") && (first.ends_with("sh"))) || text.contains("# shellcheck shell=") {
                    all.insert(path, text);
                }
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(&checkout(), &mut all);
    assert!(all.len() > 18, "{:?}", all.keys());
    all
}

/// What bash learned after 3.2, and what one of ours could write without a thought.
const NEWER_THAN_3_2: [(&str, &str); 12] = [
    ("mapfile", "bash 4"),
    ("readarray", "bash 4"),
    ("declare -A", "bash 4"),
    ("local -A", "bash 4"),
    ("local -n", "bash 4.3"),
    ("coproc", "bash 4"),
    (";;&", "bash 4"),
    (";&", "bash 4"),
    ("|&", "bash 4"),
    ("&>>", "bash 4"),
    (",,}", "bash 4: use tr"),
    ("^^}", "bash 4: use tr"),
];

#[test]
fn no_script_uses_what_the_bash_of_macos_lacks() {
    for (path, text) in scripts() {
        for (number, line) in text.lines().enumerate() {
            let code = line.split(" #").next().unwrap_or_default();
            if line.trim_start().starts_with('#') {
                continue;
            }
            for (word, since) in NEWER_THAN_3_2 {
                assert!(!code.contains(word), "{}:{}: {word} is of {since}", path.display(), number + 1);
            }
            // An array without elements is unset in bash before 4.4, and `set -u` ends the script.
            for (at, _) in code.match_indices("[@]}") {
                let begin = code[..at].rfind("${").map_or("", |from| &code[from + 2..at]);
                let filled = text.lines().any(|line| {
                    line.trim_start().trim_start_matches("local ").starts_with(&format!("{begin}=("))
                        && !line.contains("=()")
                });
                let guarded = code[..at].contains(&format!("${{{begin}[@]+")) || code[at..].starts_with("[@]}]");
                let empty = text.contains(&format!("{begin}=()"));
                assert!(
                    guarded || (filled && !empty),
                    "{}:{}: ${{{begin}[@]}} may be empty: ${{{begin}[@]+\"${{{begin}[@]}}\"}}",
                    path.display(),
                    number + 1
                );
            }
        }
    }
}

#[test]
fn shellcheck_finds_nothing_in_any_script() {
    let tool = Command::new(checkout().join("dev/setup/from-pypi")).arg("shellcheck").stderr(Stdio::inherit()).output();
    let tool = tool.expect("from-pypi starts");
    if !tool.status.success() {
        assert!(std::env::var_os("CI").is_none(), "in CI shellcheck may not be skipped");
        eprintln!("SKIPPED: shellcheck cannot be installed here");
        return;
    }
    let program = Path::new(String::from_utf8_lossy(&tool.stdout).trim()).join("shellcheck");
    let mut check = Command::new(program);
    // Single quotes around words for a person, and variables that another script reads, are no mistakes.
    check.args([
        "--external-sources",
        "--source-path",
        "SCRIPTDIR",
        "--exclude",
        "SC2016,SC2034,SC2089,SC2090,SC2154",
        "--format",
        "gcc",
    ]);
    let done = check.args(scripts().keys()).current_dir(checkout()).output().expect("it starts");
    assert!(done.status.success(), "{}", said(&done));
}

#[test]
fn ci_runs_the_scripts_under_the_bash_of_macos() {
    let ci = read(".github/workflows/ci.yml");
    assert!(ci.contains("OLD_BASH: /bin/bash") && ci.contains("macos-"), "a Linux machine has no bash 3.2");
}
