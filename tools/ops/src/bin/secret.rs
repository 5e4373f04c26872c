//! `make secret ENV=…`, and what `make deploy` asks of the secrets. `PARAMETER_PATH` says where they are. A value comes by the
//! standard input and leaves by the terminal only. Wiring only.
//!
//! `put`, `rotate`, `drop-old`, `restore` and `show` take a name; `check` and `make` the names of all that is wanted.

use std::io::{IsTerminal as _, Read as _};

use anyhow::{Context as _, bail, ensure};
use ops::environment::Outputs;
use ops::secrets::{self, ENCRYPTION_KEY, NAMES};
use ops::shelf::Shelf;

fn input() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

fn entered() -> anyhow::Result<String> {
    let value = input()?;
    ensure!(!value.is_empty(), "nothing was entered");
    Ok(value)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (verb, names) = words.split_first().context("what is to be done?")?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for name in &names {
        ensure!(NAMES.contains(name), "there is no secret {name}. There are: {}", NAMES.join(", "));
    }
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let (shelf, ca) = (Shelf::from_env()?, set("DATABASE_CA"));
    let (ca, env) = (ca.as_deref(), set("ENV").unwrap_or_else(|| "prod".to_owned()));
    let deploy = format!("next: make deploy ENV={env}, which starts the functions with it");
    match (verb.as_str(), names.as_slice()) {
        ("check", _) => {
            let ready = secrets::ready(&shelf, &names, &env, ca).await?;
            for name in &ready.to_make {
                eprintln!("{name} will be made");
            }
            println!("{}", serde_json::json!({ "secret_versions": ready.versions, "stripe_live": ready.stripe_live }));
        }
        ("make", _) => {
            for name in secrets::make(&shelf, &names, ca).await? {
                println!("{name} was made");
            }
        }
        ("put", [ENCRYPTION_KEY]) => {
            secrets::make_key(&shelf, ca).await?;
            println!("{ENCRYPTION_KEY} was made. Keep a copy where you keep passwords: the same with SHOW=1");
        }
        ("put", [name]) => {
            let changed = secrets::put(&shelf, name, &entered()?).await?;
            println!(
                "{}",
                if changed { format!("{name} is in SSM\n{deploy}") } else { format!("{name} is that already") }
            );
        }
        ("rotate", [name]) => {
            let value = if *name == ENCRYPTION_KEY { String::new() } else { entered()? };
            secrets::rotate(&shelf, name, &value).await?;
            println!("{name} has a new one in front of the old one\n{deploy}");
            if *name == ENCRYPTION_KEY {
                println!("then: make reseal ENV={env}, and keep a copy: the same with SHOW=1");
            } else {
                println!("within 24 hours: the same with DROP_OLD=1");
            }
        }
        ("drop-old", [name]) => {
            let text = input()?;
            let outputs = if text.is_empty() { None } else { Outputs::parse(&text).ok() };
            secrets::drop_old(&shelf, name, outputs.as_ref(), ca).await?;
            println!("{name} has only the new one now\n{deploy}");
        }
        ("restore", [ENCRYPTION_KEY]) => {
            secrets::restore_key(&shelf, &entered()?, ca).await?;
            println!("{ENCRYPTION_KEY} is in SSM again\n{deploy}");
        }
        ("show", [name]) => {
            ensure!(
                std::io::stdout().is_terminal(),
                "a secret is shown on a terminal only, and goes into no file or log"
            );
            println!("{}", shelf.value(name).await?.with_context(|| format!("there is no {name}"))?);
        }
        _ => bail!("{verb} is not for {}", names.join(", ")),
    }
    Ok(())
}
