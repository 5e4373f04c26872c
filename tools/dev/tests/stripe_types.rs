//! Stripe's own SDK drives the stand-in, and its own types judge every answer.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dev::stripe::{Options, StandIn};

const ACCOUNT: &str = "acct_1LeaStandIn00001";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stripe_types")
}

/// What a program says; none when it cannot be run or fails.
fn said(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::inherit()).output().ok()?;
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    if !output.status.success() {
        eprintln!("{text}");
    }
    output.status.success().then_some(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_of_the_type_that_stripe_gives_it() {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("setup/npm-packages");
    if said(Command::new(packages).arg(folder()).arg("--ignore-scripts")).is_none() {
        // In CI nothing that can be installed there is left out.
        assert!(std::env::var_os("CI").is_none(), "node with stripe and typescript, from npm, is missing");
        eprintln!("SKIPPED: node with stripe and typescript, from npm, is missing");
        return;
    }
    let packages = folder().join("node_modules");
    let out = std::env::temp_dir().join(format!("stripe-types-{}", uuid::Uuid::now_v7()));
    let stripe = StandIn::start(Options::default()).await.expect("it starts");
    stripe.declare_account(ACCOUNT).expect("an account");

    let mut drive = Command::new("node");
    drive.arg(folder().join("drive.mjs")).arg(&packages).args([&stripe.url(), "sk_test_standin", ACCOUNT]).arg(&out);
    let answers = said(&mut drive).expect("the SDK understands the stand-in");
    assert!(answers.trim().parse::<usize>().expect("a number") > 200, "{answers}");

    let mut check = Command::new("node");
    check.arg(packages.join("typescript/bin/tsc"));
    check.args(["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--moduleResolution", "nodenext"]);
    check.args(["--target", "es2022"]).arg(out.join("answers.ts"));
    said(&mut check).expect("the answers are of the types that the SDK gives them");
    std::fs::remove_dir_all(&out).expect("the folder is ours");
}
