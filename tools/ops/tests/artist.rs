//! `make artist` on a real Postgres: invited, allowed to take deposits, closed, opened again.

use std::os::unix::fs::PermissionsExt as _;

use dev::demo::LEA;
use ops::artist::{Wish, carry_out};
use testing::World;

fn wish(given: &[(&str, &str)]) -> anyhow::Result<Wish> {
    Wish::read(|name| given.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
}

async fn make(world: &World, given: &[(&str, &str)]) -> String {
    match carry_out(&world.owner, &wish(given).expect("it can be read")).await {
        Ok(said) => said,
        Err(error) => format!("refused: {error:#}"),
    }
}

#[test]
fn somebody_is_invited_once_and_what_is_said_last_counts() {
    World::run(|world| async move {
        let said = make(world, &[("EMAIL", " Lou@Studio.example ")]).await;
        assert!(said.contains("lou@studio.example is invited") && said.contains("no deposits yet"), "{said}");
        let said = make(world, &[("EMAIL", "lou@studio.example"), ("PAYMENTS", "yes")]).await;
        assert!(said.contains("takes deposits from the first day"), "{said}");
        // Said again without a word about money, it stays.
        assert!(make(world, &[("EMAIL", "lou@studio.example")]).await.contains("from the first day"));
        assert_eq!(world.count("invitations").await, 1);
        assert!(make(world, &[("EMAIL", "lou@studio.example"), ("CLOSE", "1")]).await.contains("not invited any more"));
        assert_eq!(world.count("invitations").await, 0);
        assert!(make(world, &[("EMAIL", "lou@studio.example"), ("CLOSE", "1")]).await.starts_with("refused"));
        assert!(make(world, &[("EMAIL", "lou@studio.example"), ("OPEN", "1")]).await.starts_with("refused"));
    });
}

#[test]
fn a_page_is_closed_and_opened_and_let_take_deposits() {
    World::run(|world| async move {
        let state = async || {
            let sql = format!("select active, takes_deposits from artists where id = '{}'", LEA.id);
            let row = world.rows(&sql, &[]).await.remove(0);
            (row["active"] == true, row["takes_deposits"] == true)
        };
        assert_eq!(state().await, (true, true));
        let said = make(world, &[("EMAIL", LEA.email), ("CLOSE", "1")]).await;
        assert!(said.starts_with("/artist/lea-marchetti is closed"), "{said}");
        assert_eq!(state().await, (false, true));
        make(world, &[("EMAIL", LEA.email), ("OPEN", "1"), ("PAYMENTS", "no")]).await;
        assert_eq!(state().await, (true, false));
        assert!(make(world, &[("EMAIL", LEA.email), ("PAYMENTS", "yes")]).await.contains("takes deposits"));
        assert_eq!(state().await, (true, true));
        assert_eq!(world.count("invitations").await, 0, "who has a page needs none");
        // Known by the account's address, and by that alone, once it is known.
        world
            .execute(&format!("update artists set account_email = 'lea@account.example' where id = '{}'", LEA.id))
            .await;
        make(world, &[("EMAIL", "lea@account.example"), ("CLOSE", "1")]).await;
        assert_eq!(state().await, (false, true));
        assert!(make(world, &[("EMAIL", LEA.email)]).await.contains("is invited"));
    });
}

#[test]
fn the_command_takes_the_owners_connection_from_the_environments_file_and_warns_of_closed_doors() {
    World::run(|world| async move {
        let folder = std::env::temp_dir().join(format!("inkflow-make-artist-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let (server, _) =
            provided().rsplit_once('/').map(|(server, rest)| (server.to_owned(), rest.to_owned())).expect("a URL");
        let database = world.app_url.rsplit_once('/').expect("a URL").1.to_owned();
        let (file, tfvars) = (folder.join(".env.prod"), folder.join("prod.tfvars"));
        std::fs::write(&file, format!("MIGRATE_DATABASE_URL='{server}/{database}'\nSTRIPE_SECRET_KEY='sk_test_x'\n"))
            .expect("written");
        let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("ours");
        let exe = std::env::current_exe().expect("a test knows where it is");
        let built = exe.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps/<test>").to_owned();
        let run = async |given: &[(&str, &str)]| {
            let mut script = tokio::process::Command::new(dev::platform::checkout().join("infra/artist"));
            script.env("ENV", "prod").env("SECRETS_FILE", &file).env("TFVARS", &tfvars).env("PROGRAMS", &built);
            script.env_remove("MIGRATE_DATABASE_URL").envs(given.iter().copied());
            let done = script.stdin(std::process::Stdio::null()).output().await.expect("it starts");
            (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
        };
        std::fs::write(&tfvars, "settings = {\n}\n").expect("written");
        mode(0o644);
        let (done, said) = run(&[("EMAIL", "lou@studio.example")]).await;
        assert!(!done && said.contains("is not yours alone: chmod 600"), "{said}");
        assert_eq!(world.count("invitations").await, 0);
        mode(0o600);
        let (done, said) = run(&[("EMAIL", "lou@studio.example"), ("PAYMENTS", "yes")]).await;
        assert!(done && said.contains("lou@studio.example is invited") && said.contains("SIGN_UP"), "{said}");
        assert_eq!(world.count("invitations").await, 1);
        std::fs::write(&tfvars, "settings = {\n  SIGN_UP = \"invited\"\n}\n").expect("written");
        let (done, said) = run(&[("EMAIL", LEA.email), ("CLOSE", "1")]).await;
        assert!(done && said.contains("is closed") && !said.contains("SIGN_UP"), "{said}");
        let (done, said) = run(&[]).await;
        assert!(!done && said.contains("make artist EMAIL="), "{said}");
        std::fs::remove_dir_all(&folder).expect("ours");
    });
}

fn provided() -> String {
    std::env::var("TEST_DATABASE_URL").expect("run `make test`, or `dev with-services -- …`")
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for given in [
        &[][..],
        &[("EMAIL", "")],
        &[("EMAIL", "lou")],
        &[("EMAIL", "lou@studio")],
        &[("EMAIL", "lou @studio.example")],
        &[("EMAIL", "lou@studio.example"), ("PAYMENTS", "perhaps")],
        &[("EMAIL", "lou@studio.example"), ("CLOSE", "1"), ("OPEN", "1")],
    ] {
        assert!(wish(given).is_err(), "{given:?}");
    }
}
