//! `make database ENV=…`: migrates, and gives the functions their password. Takes `MIGRATE_DATABASE_URL` and, where there is
//! one already, `DATABASE_URL`; prints the line that the environment's file lacks, and tells the rest on standard error.

use ops::database::{line, prepare};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let owner = set("MIGRATE_DATABASE_URL").ok_or_else(|| anyhow::anyhow!("MIGRATE_DATABASE_URL is not set"))?;
    let ca = set("DATABASE_CA");
    let done = prepare(&owner, set("DATABASE_URL").as_deref(), ca.as_deref()).await?;
    match done.applied.as_slice() {
        [] => eprintln!("the schema is up to date"),
        applied => applied.iter().for_each(|name| eprintln!("applied {name}")),
    }
    if done.is_new {
        println!("{}", line(&done.url));
    }
    let password = if done.is_new { "a new password" } else { "the password of DATABASE_URL" };
    if let Some(refused) = done.refused {
        return Err(refused.context(format!(
            "inkflow_app has {password}, and DATABASE_URL does not lead in yet. A pooler may need minutes to know it: try again"
        )));
    }
    eprintln!("inkflow_app has {password}, and gets in");
    Ok(())
}
