//! `make redrive ENV=…`: the dead letters go back to their queue. Takes `terraform output -json` on its standard input.

use std::io::Read as _;

use ops::environment::{Environment, Outputs};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let done = ops::redrive::redrive(&Environment::open(Outputs::parse(&text)?).await?).await?;
    println!("{} jobs sent again", done.sent);
    for body in done.foreign {
        println!("left where it is, for it is no job: {body}");
    }
    Ok(())
}
