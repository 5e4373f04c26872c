//! `make database ENV=…`: migrates, and gives the functions their password, which is kept in SSM as part of `DATABASE_URL`. Takes
//! `MIGRATE_DATABASE_URL`; with `NEW=1` a new `DATABASE_URL` is made although there is one. Wiring only.

use ops::database::prepare;
use ops::secrets::DATABASE_URL;
use ops::shelf::Shelf;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let owner = set("MIGRATE_DATABASE_URL").ok_or_else(|| anyhow::anyhow!("MIGRATE_DATABASE_URL is not set"))?;
    let shelf = Shelf::from_env()?;
    let url = if set("NEW").is_some_and(|new| new == "1") { None } else { shelf.value(DATABASE_URL).await? };
    let keep = async |url: &str| shelf.put(DATABASE_URL, url, true).await.map(drop);
    let done = prepare(&owner, url.as_deref(), set("DATABASE_CA").as_deref(), keep).await?;
    match done.applied.as_slice() {
        [] => println!("the schema is up to date"),
        applied => applied.iter().for_each(|name| println!("applied {name}")),
    }
    let password = if done.is_new { "a new password, which is in SSM" } else { "the password of DATABASE_URL in SSM" };
    if let Some(refused) = done.refused {
        return Err(refused.context(format!(
            "inkflow_app has {password}, and DATABASE_URL does not lead in yet. A pooler may need minutes to know it: try again. \
             If the database has moved to another server: NEW=1"
        )));
    }
    println!("inkflow_app has {password}, and gets in");
    Ok(())
}
