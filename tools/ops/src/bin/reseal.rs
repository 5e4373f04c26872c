//! `make reseal ENV=…`: whatever is sealed in the database gets the first key of `ENCRYPTION_KEY`. Takes `terraform output -json`
//! on its standard input. Wiring only.

use std::io::Read as _;

use anyhow::Context as _;
use ops::environment::{Environment, Outputs};
use ops::sealed::{reseal, survey};
use ops::secrets::{DATABASE_URL, ENCRYPTION_KEY, functions_know};
use shared::config::Secret;
use shared::vault::Vault;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let environment = Environment::open(Outputs::parse(&text)?).await?;
    let key = environment.secrets.get(ENCRYPTION_KEY).context("there is no ENCRYPTION_KEY")?;
    functions_know(&environment.outputs, key.version)?;
    let vault = Vault::new(&Secret::new(key.value.clone()))?;
    let ca = Some(environment.setting("DATABASE_CA")).filter(|ca| !ca.is_empty());
    let client = ops::database::connect(environment.secret(DATABASE_URL), ca).await.context("as inkflow_app")?;
    let anew = reseal(&client, &vault).await?;
    let left = survey(&client, Some(&vault)).await?;
    println!("{anew} sealed anew, {} with the first key now", left.current);
    anyhow::ensure!(left.closed.is_empty(), "no key opens {}: make doctor", left.closed.join(", "));
    anyhow::ensure!(left.older == 0, "{} were changed meanwhile: once more", left.older);
    if vault.is_rotated() {
        println!("next: make secret NAME=ENCRYPTION_KEY DROP_OLD=1, make deploy");
    }
    Ok(())
}
