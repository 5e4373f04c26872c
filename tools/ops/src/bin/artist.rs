//! `make artist ENV=… EMAIL=…`: invites somebody, lets them take deposits (`PAYMENTS=yes`), closes their page (`CLOSE=1`) or
//! opens it again (`OPEN=1`). Takes `MIGRATE_DATABASE_URL`, the owner's connection.

use ops::artist::{Wish, carry_out};
use ops::database::connect;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let wish = Wish::read(set)?;
    let owner = set("MIGRATE_DATABASE_URL").ok_or_else(|| anyhow::anyhow!("MIGRATE_DATABASE_URL is not set"))?;
    let client = connect(&owner, set("DATABASE_CA").as_deref()).await?;
    println!("{}", carry_out(&client, &wish).await?);
    Ok(())
}
