//! `make doctor ENV=…`: looks at a deployed environment and says what to do. Takes `terraform output -json` on its standard
//! input; `--mend` makes a Stripe endpoint that is missing. Wiring only.

use std::io::Read as _;
use std::process::ExitCode;

use ops::doctor::{Verdict, examine};
use ops::environment::{Environment, Outputs};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let environment = Environment::open(Outputs::parse(&text)?).await?;
    let findings = examine(&environment, std::env::args().any(|argument| argument == "--mend")).await;
    for finding in &findings {
        println!("{finding}");
    }
    let bad = findings.iter().filter(|finding| finding.verdict == Verdict::Bad).count();
    println!("\n{} looked at, {bad} wrong", findings.len());
    Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
