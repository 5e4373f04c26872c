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
            "checkout/tools/dev/setup",
            "checkout/frontend/dist/assets",
            "zips",
            "aws",
        ] {
            fs::create_dir_all(folder.join(part)).expect("a folder");
        }
        let desk = Self { folder };
        for from in ["infra", "tools/dev/setup"] {
            for entry in fs::read_dir(checkout().join(from)).expect("a folder").flatten() {
                if entry.path().is_file() {
                    fs::copy(entry.path(), desk.path("checkout").join(from).join(entry.file_name())).expect("copied");
                }
            }
        }
        let tfvars = format!("env        = \"prod\"\naccount_id = \"{ACCOUNT}\"\nregion     = \"eu-west-3\"\n");
        fs::write(desk.path("checkout/infra/environments/prod.tfvars"), tfvars).expect("written");
        desk.owner("MIGRATE_DATABASE_URL='postgres://owner:0wner@db.test/ink'\n", 0o600);
        desk.outputs(&outputs("https://d1.cloudfront.test", ""));
        desk.says("bucket", "200");
        fs::write(desk.path("checkout/frontend/dist/assets.json"), "{}").expect("written");
        // The versions of a function are lines of `version <tab> description` in a file, its alias another one.
        desk.stub(
            "aws",
            "echo \"aws $*\" >>\"$desk/said\"
            of() { while [ \"$1\" != --function-name ]; do shift; done; echo \"$desk/aws/$2\"; }
            case \"$*\" in
            *get-caller-identity*) echo 123456789012 ;;
            *export-credentials*) echo 'export AWS_ACCESS_KEY_ID=x' ;;
            *head-object*inkflow-state-123456789012\\ * | *head-bucket*)
                case \"$*\" in *expected-bucket-owner\\ 123456789012*) ;; *) echo 'whose?' >&2; exit 254 ;; esac
                case \"$*\" in *head-object*) of=old ;; *) of=bucket ;; esac
                # What the AWS CLI prints, with the status of S3.
                case $(cat \"$desk/$of\" 2>/dev/null || echo 404) in
                200) ;;
                404) echo 'An error occurred (404) when calling the HeadX operation: Not Found' >&2; exit 254 ;;
                403) echo 'An error occurred (403) when calling the HeadX operation: Forbidden' >&2; exit 254 ;;
                *) echo 'Could not connect to the endpoint URL' >&2; exit 255 ;;
                esac ;;
            *create-bucket*) echo 200 >\"$desk/bucket\" ;;
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
        for program in ["migrate", "doctor", "redrive", "reseal", "database", "artist"] {
            // What is piped in is read to its end, as the real ones read it.
            desk.program(program, "[ -t 0 ] || cat >/dev/null; echo \"$(basename \"$0\") $*\"");
        }
        desk.program(
            "secret",
            "echo \"secret $*\" >>\"$desk/said\"
            case $1 in
            check) echo '{ \"secret_versions\": { \"DATABASE_URL\": 4 }, \"stripe_live\": true }' ;;
            make) ;;
            *) cat >\"$desk/entered\" ;;
            esac",
        );
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

    /// The operator's own file.
    fn owner(&self, text: &str, mode: u32) {
        let file = self.path("checkout/.env.prod");
        fs::write(&file, text).expect("written");
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).expect("ours");
    }

    fn said(&self) -> String {
        fs::read_to_string(self.path("said")).expect("what was asked")
    }

    fn outputs(&self, json: &str) {
        fs::write(self.path("outputs"), json).expect("written");
    }

    /// What S3 says of the bucket of the states, or, `old`, of the state in the bucket of before.
    fn says(&self, of: &str, status: &str) {
        fs::write(self.path(of), status).expect("written");
    }

    /// What was asked of the played programs since this was asked last.
    fn asked(&self) -> String {
        let said = fs::read_to_string(self.path("said")).expect("something was asked");
        fs::write(self.path("said"), "").expect("written");
        said
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
        self.command(name, variables).stdin(Stdio::null()).output().expect("it starts")
    }

    fn command(&self, name: &str, variables: &[(&str, &str)]) -> Command {
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
        for inherited in [
            "AWS_ENDPOINT_URL",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "SMOKE_URL",
            "STATE_BUCKET",
            "SITE_DIR",
            "RELEASES",
            "TFVARS",
            "SECRETS_FILE",
            "YES",
            "NAME",
            "FUNCTION",
            "DATABASE_URL",
            "MIGRATE_DATABASE_URL",
            "DATABASE_CA",
            "CARGO_TARGET_DIR",
            "VALUE",
            "ROTATE",
            "DROP_OLD",
            "SHOW",
            "RESTORE",
            "SECRETS",
        ] {
            command.env_remove(inherited);
        }
        command.envs(variables.iter().copied());
        command
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
    desk.says("bucket", "404");
    let deployed = desk.well("deploy", &[("YES", "1")]);
    assert!(deployed.contains("deployed: https://d1.cloudfront.test"), "{deployed}");
    assert!(deployed.contains("webhook:  https://stripe.on.aws/api/webhooks/stripe"), "{deployed}");
    let asked = fs::read_to_string(desk.path("said")).expect("what was asked");
    assert!(asked.contains("create-bucket --bucket inkflow-state-123456789012-eu-west-3 --create-bucket-configuration LocationConstraint=eu-west-3"), "{asked}");
    assert!(desk.well("doctor", &[]).contains("doctor "));
    assert!(desk.well("output", &[("NAME", "site_url")]).contains("https://d1.cloudfront.test"));
    assert!(desk.well("output", &[]).contains("distribution_domain\n"));
    assert!(
        said(&desk.script("output", &[("NAME", "nothing")]))
            .contains("There is no output nothing. There are:\nsite_url")
    );
    assert!(
        asked.contains("secret check DATABASE_URL STRIPE_SECRET_KEY STRIPE_WEBHOOK_SECRETS ENCRYPTION_KEY\n"),
        "{asked}"
    );
    let (migrated, made) = (deployed.find("migrate "), asked.find("secret make "));
    let (planned, applied) = (asked.find(" plan -out="), asked.find(" apply "));
    assert!(
        migrated.is_some() && planned < made && made < applied,
        "nothing is made before the plan was read: {asked}"
    );
    assert!(desk.well("database", &[]).contains("database "));
    let destroyed = desk.well("destroy", &[("YES", "1")]);
    assert!(
        destroyed
            .contains("The secrets stay in SSM, below /inkflow/prod. To delete them: make destroy ENV=prod SECRETS=1"),
        "{destroyed}"
    );
    let asked = desk.said();
    assert!(asked.contains(" plan -destroy -out=") && !asked.contains("delete-parameters"), "{asked}");
    desk.well("destroy", &[("YES", "1"), ("SECRETS", "1")]);
    assert!(
        desk.said().contains("delete-parameters --names /inkflow/prod/DATABASE_URL /inkflow/prod/STRIPE_SECRET_KEY")
    );
    desk.well("smoke", &[("URL", "https://d1.cloudfront.test")]);
    // In the first of all regions the bucket must not be told where it is; a local AWS is spoken to in another way.
    desk.says("bucket", "404");
    let tfvars = desk.path("checkout/infra/environments/prod.tfvars");
    let virginia = fs::read_to_string(&tfvars).expect("settings").replace("eu-west-3", "us-east-1");
    fs::write(tfvars, virginia).expect("written");
    fs::write(desk.path("said"), "").expect("written");
    desk.well("deploy", &[("YES", "1"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]);
    let asked = fs::read_to_string(desk.path("said")).expect("what was asked");
    assert!(asked.contains("create-bucket --bucket inkflow-state-123456789012-us-east-1\n"), "{asked}");
    assert!(asked.contains("-backend-config=use_path_style=true"), "{asked}");
}

/// What no program may see but the one that each is for.
const OWNER: &str = "postgres://owner:0wner@db.test/ink";

/// Every program that a script starts writes down what it can see.
fn with_open_eyes(desk: &Desk) {
    for (folder, names) in [
        ("first", &["aws", "terraform", "curl", "make", "cargo", "npm", "git"][..]),
        ("programs", &["migrate", "secret", "database", "doctor", "artist"][..]),
    ] {
        for name in names {
            let path = desk.path(folder).join(name);
            let script = fs::read_to_string(&path).expect("a stub");
            let (first, rest) = script.split_once('\n').expect("lines");
            let eyes = format!(
                "{{ env; printf 'argument %s\\n' \"$@\"; }} >>'{}'",
                desk.path(&format!("seen.{name}")).display()
            );
            fs::write(&path, format!("{first}\n{eyes}\n{rest}")).expect("written");
        }
    }
    // Compiling gives the programs.
    let copied = "for word; do [ \"$last\" = --target-dir ] && target=$word; last=$word; done; mkdir -p \"$target/debug\"; cp \"$desk\"/programs/* \"$target/debug\"";
    let path = desk.path("first/cargo");
    let script = fs::read_to_string(&path).expect("a stub");
    fs::write(path, format!("{script}last=; {copied}\n")).expect("written");
}

#[test]
fn a_build_sees_no_secret_and_every_other_program_only_its_own() {
    let desk = Desk::new("eyes");
    with_open_eyes(&desk);
    desk.page("d1.cloudfront.test", "<html>the site</html>");
    // What an older file holds, beside what the operators have exported in their shell.
    let file = "export STRIPE_SECRET_KEY=sk_live_inthefile\nENCRYPTION_KEY=filekey\nMIGRATE_DATABASE_URL='postgres://owner:0wner@db.test/ink'\nSUPABASE_ACCESS_TOKEN=sbp_infile\n";
    desk.owner(file, 0o600);
    let target = desk.path("target").display().to_string();
    let exported = [
        ("YES", "1"),
        ("PROGRAMS", ""),
        ("FUNCTIONS_DIR", ""),
        ("CARGO_TARGET_DIR", target.as_str()),
        ("DATABASE_URL", "postgres://app:exported@db.test/ink"),
        ("STRIPE_SECRET_KEY", "sk_live_exported"),
        ("STRIPE_WEBHOOK_SECRETS", "whsec_exported"),
        ("ENCRYPTION_KEY", "exportedkey"),
        ("SUPABASE_JWT_SECRET", "exportedjwt"),
        ("SUPABASE_SECRET_KEY", "sb_secret_exported"),
        ("SUPABASE_ACCESS_TOKEN", "sbp_exported"),
        ("AWS_ACCESS_KEY_ID", "AKIAEXPORTED"),
        ("AWS_SECRET_ACCESS_KEY", "awsexported"),
        ("AWS_SESSION_TOKEN", "tokenexported"),
    ];
    let said = desk.well("deploy", &exported);
    assert!(said.contains(".env.prod still has STRIPE_SECRET_KEY ENCRYPTION_KEY which nobody reads there"), "{said}");
    desk.well("database", &exported);
    desk.well("doctor", &exported);
    let invited: Vec<_> = exported.into_iter().chain([("EMAIL", "lou@studio.example")]).collect();
    desk.well("artist", &invited);
    // Who is signed in by a profile has none of the last three: the AWS CLI is asked for them.
    desk.well("database", &exported[..exported.len() - 3]);
    desk.well("doctor", &exported[..exported.len() - 3]);
    let secrets = ["exported", "inthefile", "filekey", "0wner", "infile", "EXPORTED"];
    let mut looked = 0;
    for (name, may_see) in [
        ("make", &[][..]),
        ("cargo", &[]),
        ("git", &["EXPORTED", "awsexported", "tokenexported"]),
        ("curl", &["EXPORTED", "awsexported", "tokenexported"]),
        ("terraform", &["EXPORTED", "awsexported", "tokenexported"]),
        ("aws", &["EXPORTED", "awsexported", "tokenexported"]),
        ("secret", &["EXPORTED", "awsexported", "tokenexported"]),
        ("migrate", &[OWNER]),
        ("artist", &[OWNER]),
        ("database", &[OWNER, "EXPORTED", "awsexported", "tokenexported"]),
        ("doctor", &[OWNER, "EXPORTED", "awsexported", "tokenexported", "sbp_exported"]),
    ] {
        let seen =
            fs::read_to_string(desk.path(&format!("seen.{name}"))).unwrap_or_else(|_| panic!("{name} was not run"));
        for line in seen.lines() {
            let known = may_see.iter().fold(line.to_owned(), |line, part| line.replace(part, ""));
            assert!(!secrets.iter().any(|secret| known.contains(secret)), "{name} sees {line}");
            looked += 1;
        }
        let arguments: String = seen.lines().filter(|line| line.starts_with("argument ")).collect();
        assert!(
            !secrets.iter().any(|secret| arguments.contains(secret)),
            "{name} has it on its command line: {arguments}"
        );
    }
    assert!(looked > 100);
    let migrate = fs::read_to_string(desk.path("seen.migrate")).expect("seen");
    assert!(
        migrate.contains(&format!("\nDATABASE_URL={OWNER}\n"))
            || migrate.starts_with(&format!("DATABASE_URL={OWNER}\n")),
        "{migrate}"
    );
}

#[test]
fn what_only_the_operator_may_read_is_refused_where_others_can() {
    let desk = Desk::new("modes");
    desk.page("d1.cloudfront.test", "<html>the site</html>");
    for mode in [0o640, 0o604, 0o620, 0o602, 0o644] {
        desk.owner("MIGRATE_DATABASE_URL='postgres://owner:0wner@db.test/ink'\n", mode);
        for script in ["deploy", "database"] {
            let done = desk.script(script, &[("YES", "1")]);
            assert!(
                !done.status.success() && said(&done).contains("is not yours alone: chmod 600 ./.env.prod"),
                "{mode:o} {done:?}"
            );
        }
    }
    assert!(!desk.said().contains(" plan "), "nothing was done");
    // Without the file, the environment may say it; nobody says it: nothing is done either.
    fs::remove_file(desk.path("checkout/.env.prod")).expect("ours");
    let done = desk.script("deploy", &[("YES", "1")]);
    assert!(!done.status.success() && said(&done).contains("says MIGRATE_DATABASE_URL"), "{done:?}");
    assert!(!desk.said().contains(" plan "), "nothing was done");
    desk.well("deploy", &[("YES", "1"), ("MIGRATE_DATABASE_URL", OWNER)]);
}

#[test]
fn a_secret_is_asked_for_and_never_on_a_screen_or_a_command_line() {
    let desk = Desk::new("secret");
    with_open_eyes(&desk);
    let mut piped = desk.command("secret", &[("NAME", "STRIPE_SECRET_KEY")]);
    let mut child =
        piped.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    std::io::Write::write_all(&mut child.stdin.take().expect("piped"), b"sk_test_hush\n").expect("written");
    let done = child.wait_with_output().expect("it ends");
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(fs::read_to_string(desk.path("entered")).expect("entered"), "sk_test_hush");
    assert!(desk.said().ends_with("secret put STRIPE_SECRET_KEY\n"), "{}", desk.said());

    // On a terminal: what is typed does not come back.
    let python = "import os, pty, sys\nos.environ['PATH'] = os.environ['OURS']\nchild, terminal = pty.fork()\nif child == 0: os.execvp(sys.argv[1], sys.argv[1:])\n\
        seen = b''\nwhile b'not shown' not in seen: seen += os.read(terminal, 1000)\nos.write(terminal, b'sk_test_typed\\n')\n\
        try:\n    while True:\n        got = os.read(terminal, 1000)\n        seen += got\n        if not got: break\n\
        except OSError: pass\nstatus = os.waitpid(child, 0)[1]\nsys.stdout.buffer.write(seen)\nsys.exit(0 if status == 0 else 1)";
    let script = desk.command("secret", &[("NAME", "STRIPE_WEBHOOK_SECRETS"), ("ROTATE", "1")]);
    let mut terminal = Command::new("python3");
    terminal.args(["-c", python]).arg(script.get_program()).current_dir(desk.path("checkout"));
    for (name, value) in script.get_envs() {
        match value {
            Some(value) => terminal.env(name, value),
            None => terminal.env_remove(name),
        };
    }
    // What starts Python may put folders of its own in front.
    let ours = format!("{}:{}", desk.path("first").display(), std::env::var("PATH").expect("a PATH"));
    let done = terminal.env("OURS", ours).output().expect("it starts");
    assert!(done.status.success() && !said(&done).contains("typed"), "{}", said(&done));
    assert_eq!(fs::read_to_string(desk.path("entered")).expect("entered"), "sk_test_typed");
    assert!(desk.said().ends_with("secret rotate STRIPE_WEBHOOK_SECRETS\n"), "{}", desk.said());
    for name in ["aws", "terraform", "secret"] {
        let seen = fs::read_to_string(desk.path(&format!("seen.{name}"))).unwrap_or_default();
        assert!(!seen.contains("hush") && !seen.contains("typed"), "{name}: {seen}");
    }

    // The key is made, so that nothing is asked for; to drop the old one, it must be known what the functions run with.
    desk.well("secret", &[("NAME", "ENCRYPTION_KEY")]);
    assert_eq!(fs::read_to_string(desk.path("entered")).expect("entered"), "");
    desk.well("secret", &[("NAME", "ENCRYPTION_KEY"), ("DROP_OLD", "1")]);
    assert!(fs::read_to_string(desk.path("entered")).expect("entered").contains("\"functions\""));
    for wrong in [
        &[("NAME", "STRIPE_SECRET_KEY"), ("VALUE", "sk_test_shown")][..],
        &[("NAME", "ENCRYPTION_KEY"), ("ROTATE", "1"), ("DROP_OLD", "1")],
        &[],
    ] {
        assert!(!desk.script("secret", wrong).status.success(), "{wrong:?}");
    }
}

#[test]
fn the_state_is_where_it_was_or_in_a_bucket_of_this_region_that_is_ours() {
    let desk = Desk::new("state");
    desk.page("d1.cloudfront.test", "<html>the site</html>");
    // An environment from before there was a bucket for each region.
    desk.says("old", "200");
    desk.says("bucket", "404");
    desk.well("deploy", &[("YES", "1")]);
    let asked = desk.asked();
    assert!(asked.contains("-backend-config=bucket=inkflow-state-123456789012 "), "{asked}");
    assert!(!asked.contains("create-bucket"), "{asked}");

    // A new one; the old bucket may not even be ours.
    for old in ["404", "403"] {
        desk.says("old", old);
        desk.says("bucket", "404");
        desk.well("deploy", &[("YES", "1")]);
        let asked = desk.asked();
        assert!(asked.contains("-backend-config=bucket=inkflow-state-123456789012-eu-west-3 "), "{asked}");
        for put in ["put-bucket-versioning", "put-public-access-block", "put-bucket-encryption"] {
            let line = asked.lines().find(|line| line.contains(put)).unwrap_or_else(|| panic!("{put}: {asked}"));
            assert!(line.contains("--expected-bucket-owner 123456789012"), "{line}");
        }
    }

    // Somebody else has the name: nothing is written there, and no state is begun.
    desk.says("bucket", "403");
    for script in ["deploy", "output", "doctor", "rollback", "destroy"] {
        let done = desk.script(script, &[("YES", "1")]);
        assert!(!done.status.success() && said(&done).contains("is not yours to use"), "{script}: {}", said(&done));
        let asked = desk.asked();
        assert!(
            !asked.contains("terraform -chdir") && !asked.contains("put-") && !asked.contains("create-"),
            "{asked}"
        );
    }

    // No answer is not "there is none": a state that is begun anew would make everything twice.
    for (of, other) in [("old", "bucket"), ("bucket", "old")] {
        desk.says(other, "404");
        desk.says(of, "no answer");
        let done = desk.script("deploy", &[("YES", "1")]);
        assert!(!done.status.success() && said(&done).contains("cannot be told"), "{}", said(&done));
        assert!(!desk.asked().contains("create-bucket"));
    }
}

#[test]
fn what_a_release_has_built_is_deployed_without_a_compiler() {
    let desk = Desk::new("release");
    desk.page("d1.cloudfront.test", "<html>the site</html>");
    let machine = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("macos", _) => "macos-arm64",
        (_, "aarch64") => "linux-arm64",
        _ => "linux-x86_64",
    };
    // What the workflow publishes, made as it makes it.
    let make = format!(
        "mkdir -p release/v1.2.3 made/functions/slots made/programs made/site/assets && cd made && echo zip >functions/slots/bootstrap.zip && \
         echo '{{}}' >site/assets.json && cp ../programs/* programs/ && tar -czf ../release/v1.2.3/functions-arm64.tar.gz functions && \
         tar -czf ../release/v1.2.3/programs-{machine}.tar.gz programs && tar -C site -czf ../release/v1.2.3/site.tar.gz . && \
         cd ../release/v1.2.3 && if command -v sha256sum >/dev/null; then sha256sum -- *.gz; else shasum -a 256 -- *.gz; fi >SHA256SUMS"
    );
    let made = Command::new("sh").args(["-ec", &make]).current_dir(&desk.folder).status().expect("sh");
    assert!(made.success());
    desk.stub("git", "echo v1.2.3");
    desk.stub("gh", "echo \"gh $*\" >>\"$desk/said\"; [ ! -e \"$desk/forged\" ]");
    let curl = fs::read(desk.path("first/curl")).expect("played");
    fs::remove_file(desk.path("first/curl")).expect("the real one fetches");
    let releases = format!("file://{}", desk.path("release").display());
    let fetch = |release: &str| {
        let path = format!("{}:{}", desk.path("first").display(), std::env::var("PATH").expect("a PATH"));
        let mut command = Command::new(desk.path("checkout/infra/fetch-release"));
        command
            .args([release, "arm64"])
            .current_dir(desk.path("checkout"))
            .env("PATH", path)
            .env("RELEASES", &releases);
        command.output().expect("it starts")
    };
    let there = desk.path("checkout/.inkflow/releases/v1.2.3");
    let fetched = fetch("v1.2.3");
    assert!(fetched.status.success(), "{}", said(&fetched));
    assert!(desk.asked().matches("gh attestation verify").count() == 3);
    assert!(there.join("functions/slots/bootstrap.zip").is_file() && there.join("site/assets.json").is_file());

    // Not this checkout's, not attested, not whole: nothing of it is left, and what was there stays.
    assert!(said(&fetch("v1.2.4")).contains("This checkout is not v1.2.4"));
    fs::write(desk.path("forged"), "").expect("written");
    assert!(said(&fetch("v1.2.3")).contains("is not attested as built from v1.2.3"));
    fs::remove_file(desk.path("forged")).expect("there");
    let archive = desk.path("release/v1.2.3/site.tar.gz");
    let mut bytes = fs::read(&archive).expect("made");
    bytes[20] ^= 1;
    fs::write(archive, bytes).expect("written");
    assert!(said(&fetch("v1.2.3")).contains("site.tar.gz is not what SHA256SUMS says"));
    assert!(there.join("site/assets.json").is_file() && !there.with_extension("3.new").exists());

    fs::write(desk.path("first/curl"), curl).expect("written");
    fs::set_permissions(desk.path("first/curl"), fs::Permissions::from_mode(0o755)).expect("ours");
    for builder in ["cargo", "npm", "make"] {
        desk.stub(builder, "echo \"$(basename \"$0\") is not here\" >&2; exit 127");
    }
    desk.asked();
    let folder = |name: &str| there.join(name).display().to_string();
    let built = [
        ("YES", "1"),
        ("FUNCTIONS_DIR", &*folder("functions")),
        ("SITE_DIR", &*folder("site")),
        ("PROGRAMS", &*folder("programs")),
    ];
    assert!(desk.well("deploy", &built).contains("(v1.2.3)"));
    let asked = desk.asked();
    assert!(asked.contains(&format!("-var=functions_dir={}", folder("functions"))), "{asked}");
    assert!(asked.contains(&format!("-var=site_dir={}", folder("site"))), "{asked}");
    assert!(asked.contains(&format!("s3 sync --only-show-errors {}/assets ", folder("site"))), "{asked}");
}

#[test]
fn a_release_is_cut_from_main_with_its_version_and_its_part_of_the_changelog() {
    let folder = std::env::temp_dir().join(format!("inkflow-cut-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join(".ci")).expect("a folder");
    fs::copy(checkout().join(".ci/release-check"), folder.join(".ci/release-check")).expect("copied");
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("written");
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@b.test", "-c", "commit.gpgsign=false"]);
        let done = command.args(arguments).current_dir(&folder).output().expect("git");
        assert!(done.status.success(), "{arguments:?}: {}", said(&done));
    };
    let check = |tag: &str| {
        let mut command = Command::new(folder.join(".ci/release-check"));
        command.arg(tag).env("MAIN", "main").output().expect("it starts")
    };
    write("Cargo.toml", "[workspace]\n\n[workspace.package]\nversion = \"1.2.3\"\nedition = \"2024\"\n");
    write(
        "CHANGELOG.md",
        "# Changelog\n\n## [Unreleased]\n\n- Later.\n\n## [1.2.3] - 2026-12-01\n\n- Now.\n\n## [1.2.2] - 2026-11-01\n\n- Before.\n",
    );
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    git(&["tag", "v1.2.3"]);
    git(&["tag", "v1.2.2"]);
    let good = check("v1.2.3");
    assert!(good.status.success() && said(&good).trim() == "- Now.", "{}", said(&good));
    assert!(said(&check("v1.2.2")).contains("Cargo.toml says 1.2.3, and the tag 1.2.2"));
    assert!(said(&check("1.2.3")).contains("A release is v1.2.3"));
    git(&["checkout", "-q", "-b", "aside"]);
    write("Cargo.toml", "[workspace.package]\nversion = \"1.2.4\"\n");
    git(&["commit", "-qam", "two"]);
    git(&["tag", "v1.2.4"]);
    assert!(said(&check("v1.2.4")).contains("CHANGELOG.md has no part"));
    write("CHANGELOG.md", "## [1.2.4] - 2026-12-02\n\n- More.\n");
    git(&["commit", "-qam", "three"]);
    git(&["tag", "-f", "v1.2.4"]);
    assert!(said(&check("v1.2.4")).contains("v1.2.4 is not on main"));
    let _ = fs::remove_dir_all(&folder);
}

#[test]
fn every_action_of_a_workflow_is_pinned_to_what_was_read() {
    for entry in fs::read_dir(checkout().join(".github/workflows")).expect("a folder").flatten() {
        let text = fs::read_to_string(entry.path()).expect("read");
        let uses: Vec<&str> =
            text.lines().filter_map(|line| line.split_once("uses: ")).map(|(_, action)| action).collect();
        assert!(!uses.is_empty(), "{}", entry.path().display());
        for action in uses {
            let (commit, version) = action.split_once('@').and_then(|(_, at)| at.split_once(" # v")).expect(action);
            assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{action}");
            assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{action}");
        }
    }
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
    desk.function("worker", 4, &["v1", "v2, secrets version 1.1.2", "v2, secrets version 1.1.10", "v3"]);
    let said = desk.well("rollback", &[]);
    assert!(said.contains("slots: 3 -> 2\n") && said.contains("worker: 4 -> 3\n"), "{said}");
    desk.function("slots", 2, &["v1", "v2", "v3"]);
    desk.function("worker", 3, &["v1", "v2, secrets version 1.1.2", "v2, secrets version 1.1.10", "v3"]);
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
    let tool =
        Command::new(checkout().join("tools/dev/setup/from-pypi")).arg("shellcheck").stderr(Stdio::inherit()).output();
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
