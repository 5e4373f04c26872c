//! `make database` on a real Postgres that asks for passwords: afterwards the functions get in, with what the operator's file
//! says, and nobody has to remember anything.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use dev::platform::checkout;
use dev::postgres::{Postgres, Purpose, connect};
use tokio::process::Command;

/// Where the compiled programs are.
fn built() -> PathBuf {
    let exe = std::env::current_exe().expect("a test knows where it is");
    exe.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps/<test>").to_owned()
}

async fn make_database(file: &Path) -> Result<String, String> {
    let mut script = Command::new(checkout().join("infra/database"));
    script.env("ENV", "prod").env("SECRETS_FILE", file).env("PROGRAMS", built());
    for inherited in ["DATABASE_URL", "MIGRATE_DATABASE_URL", "DATABASE_CA"] {
        script.env_remove(inherited);
    }
    let done = script.stdin(Stdio::null()).kill_on_drop(true).output().await.expect("it starts");
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    if done.status.success() { Ok(said) } else { Err(said) }
}

/// The value of a line of the file, as the shell that sources it sees it.
fn value(file: &Path, name: &str) -> String {
    let told = std::process::Command::new("sh")
        .args(["-c", ". \"$1\"; eval \"echo \\${$2:-}\"", "sh"])
        .arg(file)
        .arg(name)
        .output();
    String::from_utf8_lossy(&told.expect("sh").stdout).trim().to_owned()
}

#[tokio::test]
async fn the_password_of_the_functions_is_kept_and_opens_the_database() {
    let folder = std::env::temp_dir().join(format!("inkflow-make-database-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let server = Postgres::start(&folder, None, Purpose::Keep { password: "0wner".into() }).await.expect("Postgres");
    let file = folder.join(".env.prod");
    let owner = server.url("postgres");
    fs::write(&file, format!("# Mine\nMIGRATE_DATABASE_URL='{owner}'\nSTRIPE_SECRET_KEY='sk_test_x'\n"))
        .expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("ours");

    let said = make_database(&file).await.expect("it is made");
    assert!(said.contains("applied V1__extensions_and_role") && said.contains("gets in"), "{said}");
    let url = value(&file, "DATABASE_URL");
    let client = connect(&url).await.expect("the functions get in");
    let role: String = client.query_typed("select current_user::text", &[]).await.expect("a row")[0].get(0);
    assert_eq!(role, "inkflow_app");
    assert!(client.query_typed("select count(*) from artists", &[]).await.is_ok(), "the schema is there");
    let password = url.split(':').nth(2).and_then(|rest| rest.split('@').next()).expect("a password").to_owned();
    assert!(password.len() >= 32 && !said.contains(&password), "a password that is on no screen");
    assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    assert_eq!(value(&file, "STRIPE_SECRET_KEY"), "sk_test_x", "what else is in the file stays");
    assert!(fs::read_to_string(&file).expect("text").starts_with("# Mine\n"));

    // Again, as after a restore, which loses the passwords of roles: the same one is set.
    let superuser = connect(&owner).await.expect("the owner");
    superuser.batch_execute("alter role inkflow_app password null").await.expect("lost");
    assert!(connect(&url).await.is_err());
    let said = make_database(&file).await.expect("it may be repeated");
    assert!(said.contains("the schema is up to date"), "{said}");
    assert_eq!(value(&file, "DATABASE_URL"), url);
    assert!(connect(&url).await.is_ok(), "nothing has to be deployed again");

    // A password that somebody chose, with everything in it that has a meaning elsewhere.
    let chosen = url.replace(&password, "p%27%40%2F%25%24w%22");
    fs::write(&file, format!("MIGRATE_DATABASE_URL='{owner}'\nDATABASE_URL='{chosen}'\n")).expect("written");
    make_database(&file).await.expect("it is set");
    assert!(connect(&chosen).await.is_ok() && connect(&url).await.is_err());

    // The owner's password, mistyped.
    fs::write(&file, format!("MIGRATE_DATABASE_URL='{}'\n", owner.replace("0wner", "pa/ss"))).expect("written");
    let refused = make_database(&file).await.expect_err("no such server");
    assert!(refused.contains("percent-encoded"), "{refused}");
    assert_eq!(value(&file, "DATABASE_URL"), "", "nothing was made");
    server.stop().await.expect("it stops");
    fs::remove_dir_all(folder).expect("ours");
}
