//! `make database` on a real Postgres that asks for passwords, and a local SSM: afterwards the functions get in, with what SSM
//! says, and nobody has to remember anything.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use aws_sdk_sqs::config::Credentials;
use dev::aws::ACCESS_KEY;
use dev::host::REGION;
use dev::postgres::{Postgres, Purpose, connect};
use ops::secrets::DATABASE_URL;
use ops::shelf::Shelf;
use ops::ssm::Ssm;
use shared::net;
use tokio::process::Command;

/// Where the compiled programs are.
fn built() -> PathBuf {
    let exe = std::env::current_exe().expect("a test knows where it is");
    exe.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps/<test>").to_owned()
}

fn aws() -> String {
    std::env::var("TEST_AWS_URL").expect("run `make test`, or `dev with-services -- …`")
}

async fn make_database(path: &str, owner: &str, variables: &[(&str, &str)]) -> Result<String, String> {
    let mut program = Command::new(built().join("database"));
    for inherited in ["DATABASE_URL", "DATABASE_CA", "NEW", "AWS_SESSION_TOKEN"] {
        program.env_remove(inherited);
    }
    program.env("MIGRATE_DATABASE_URL", owner).env("PARAMETER_PATH", path).env("AWS_REGION", REGION);
    program
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", ACCESS_KEY)
        .env("AWS_ENDPOINT_URL", aws());
    program.envs(variables.iter().copied());
    let done = program.stdin(Stdio::null()).kill_on_drop(true).output().await.expect("it starts");
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    if done.status.success() { Ok(said) } else { Err(said) }
}

#[tokio::test]
async fn the_password_of_the_functions_is_kept_and_opens_the_database() {
    let folder = std::env::temp_dir().join(format!("inkflow-make-database-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let server = Postgres::start(&folder, None, Purpose::Keep { password: "0wner".into() }).await.expect("Postgres");
    let (owner, path) = (server.url("postgres"), format!("/inkflow/database{}", std::process::id()));
    let credentials = Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "test");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let shelf = Shelf::new(Ssm::new(net::client(&net::tls()), Some(aws()), REGION.into(), credentials), &path);
    let kept = async || shelf.value(DATABASE_URL).await.expect("SSM answers");

    // Where the password cannot be kept, none is set.
    let refused =
        make_database(&path, &owner, &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]).await.expect_err("no SSM");
    assert!(refused.contains("SSM cannot be reached"), "{refused}");
    let superuser = connect(&owner).await.expect("the owner");

    let said = make_database(&path, &owner, &[]).await.expect("it is made");
    assert!(said.contains("applied V1__extensions_and_role") && said.contains("gets in"), "{said}");
    let url = kept().await.expect("a URL");
    let client = connect(&url).await.expect("the functions get in");
    let role: String = client.query_typed("select current_user::text", &[]).await.expect("a row")[0].get(0);
    assert_eq!(role, "inkflow_app");
    assert!(client.query_typed("select count(*) from artists", &[]).await.is_ok(), "the schema is there");
    let password = url.split(':').nth(2).and_then(|rest| rest.split('@').next()).expect("a password").to_owned();
    assert!(password.len() >= 32 && !said.contains(&password), "a password that is on no screen");

    // Again, as after a restore, which loses the passwords of roles: the same one is set.
    superuser.batch_execute("alter role inkflow_app password null").await.expect("lost");
    assert!(connect(&url).await.is_err());
    let said = make_database(&path, &owner, &[]).await.expect("it may be repeated");
    assert!(said.contains("the schema is up to date"), "{said}");
    assert_eq!(kept().await.as_ref(), Some(&url));
    assert!(connect(&url).await.is_ok(), "nothing has to be deployed again");

    // A password that somebody chose, with everything in it that has a meaning elsewhere.
    let chosen = url.replace(&password, "p%27%40%2F%25%24w%22");
    shelf.put(DATABASE_URL, &chosen, true).await.expect("put");
    make_database(&path, &owner, &[]).await.expect("it is set");
    assert!(connect(&chosen).await.is_ok() && connect(&url).await.is_err());

    // The database has moved: a new way in, only when it is asked for.
    make_database(&path, &owner, &[("NEW", "1")]).await.expect("a new one");
    let new = kept().await.expect("a URL");
    assert!(new != chosen && connect(&new).await.is_ok() && connect(&chosen).await.is_err());

    // The owner's password, mistyped.
    let refused =
        make_database(&path, &owner.replace("0wner", "pa/ss"), &[("NEW", "1")]).await.expect_err("no such server");
    assert!(refused.contains("percent-encoded"), "{refused}");
    assert_eq!(kept().await, Some(new), "nothing was made");
    server.stop().await.expect("it stops");
    fs::remove_dir_all(folder).expect("ours");
}
