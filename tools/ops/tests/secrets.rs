//! The secrets of an environment in a local SSM, and what they have sealed in a real Postgres: nothing is lost by making,
//! changing or putting back.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use aws_sdk_sqs::config::Credentials;
use dev::aws::ACCESS_KEY;
use dev::demo::{LEA, NOA};
use dev::host::REGION;
use dev::stripe::WEBHOOK_SECRET;
use ops::environment::Outputs;
use ops::sealed::{Survey, reseal, survey};
use ops::secrets::{
    self, DATABASE_URL, ENCRYPTION_KEY, NAMES, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRETS, SUPABASE_JWT_SECRET,
    SUPABASE_SECRET_KEY,
};
use ops::shelf::Shelf;
use ops::ssm::Ssm;
use shared::config::Secret;
use shared::net;
use shared::vault::{Vault, random_key};
use testing::{self, World};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

const WANTED: [&str; 4] = [DATABASE_URL, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRETS, ENCRYPTION_KEY];
const OTHER_SECRET: &str = "whsec_Other4Rk8Vb2Nq6Xw1Lz5Tm9Pc3Hd70aB";

fn path() -> String {
    format!("/inkflow/t{}", Uuid::now_v7().simple())
}

fn ssm() -> Ssm {
    let aws = std::env::var("TEST_AWS_URL").expect("run `make test`, or `dev with-services -- …`");
    let credentials = Credentials::new(ACCESS_KEY, ACCESS_KEY, None, None, "test");
    Ssm::new(net::client(&net::tls()), Some(aws), REGION.into(), credentials)
}

fn shelf() -> Shelf {
    Shelf::new(ssm(), &path())
}

fn vault(keys: &str) -> Vault {
    Vault::new(&Secret::new(keys.to_owned())).expect("keys")
}

/// The database as the functions see it.
async fn functions(world: &World) -> Client {
    let (client, connection) = tokio_postgres::connect(&world.app_url, NoTls).await.expect("Postgres");
    tokio::spawn(connection);
    client
}

async fn wrong<T>(done: impl Future<Output = anyhow::Result<T>>) -> String {
    match done.await {
        Ok(_) => panic!("it was done"),
        Err(error) => format!("{error:#}"),
    }
}

async fn value(shelf: &Shelf, name: &str) -> String {
    shelf.value(name).await.expect("SSM answers").unwrap_or_default()
}

#[test]
fn a_first_deploy_names_what_is_missing_and_makes_the_rest() {
    World::run(async |world| {
        let shelf = shelf();
        let missing = wrong(secrets::ready(&shelf, &WANTED, "prod", None)).await;
        assert_eq!(
            missing,
            "DATABASE_URL is missing\n    make database ENV=prod\nSTRIPE_SECRET_KEY is missing\n    make secret ENV=prod NAME=STRIPE_SECRET_KEY"
        );
        // Nobody knows whether something is sealed already.
        assert!(wrong(secrets::make_key(&shelf, None)).await.contains("first make database"));
        world.execute("update artists set cal_com_username = null, cal_com_event_type_id = null, cal_com_api_key = null, cal_com_webhook_secret = null").await;
        secrets::put(&shelf, DATABASE_URL, &world.app_url).await.expect("put");
        secrets::put(&shelf, STRIPE_SECRET_KEY, "sk_test_standin").await.expect("put");
        let ready = secrets::ready(&shelf, &WANTED, "prod", None).await.expect("ready");
        assert_eq!(ready.to_make, [STRIPE_WEBHOOK_SECRETS, ENCRYPTION_KEY]);
        assert_eq!(value(&shelf, ENCRYPTION_KEY).await, "", "nothing is made before the plan was read");
        assert_eq!(secrets::make(&shelf, &WANTED, None).await.expect("made"), ready.to_make);
        let again = secrets::ready(&shelf, &WANTED, "prod", None).await.expect("ready");
        assert_eq!(
            (again.versions, again.to_make.len()),
            (ready.versions, 0),
            "the versions were told right beforehand"
        );
        assert_eq!(value(&shelf, STRIPE_WEBHOOK_SECRETS).await, "none");
        let key = value(&shelf, ENCRYPTION_KEY).await;
        assert!(!vault(&key).is_rotated());
        assert!(secrets::make(&shelf, &WANTED, None).await.expect("nothing to make").is_empty());
        assert!(wrong(secrets::make_key(&shelf, None)).await.contains("there is an ENCRYPTION_KEY"));
        assert_eq!(value(&shelf, ENCRYPTION_KEY).await, key);
    });
}

#[test]
fn a_secret_is_taken_only_in_its_whole_form_and_a_new_version_only_when_it_is_another() {
    World::run(async |world| {
        let shelf = shelf();
        for (name, wrong) in [
            (DATABASE_URL, "postgres://inkflow_app@db.test/ink"),
            (DATABASE_URL, "postgres://inkflow_app:pa/ss@db.test/ink"),
            (DATABASE_URL, "db.test"),
            (STRIPE_SECRET_KEY, "sk_test_…"),
            (STRIPE_SECRET_KEY, "pk_live_51AbC"),
            (STRIPE_WEBHOOK_SECRETS, "whsec_later"),
            (STRIPE_WEBHOOK_SECRETS, &format!("{WEBHOOK_SECRET},{OTHER_SECRET},{WEBHOOK_SECRET}")),
            (SUPABASE_JWT_SECRET, "too short to keep anybody out"),
            (SUPABASE_SECRET_KEY, "sb_publishable_anybodymayhavethis"),
            (ENCRYPTION_KEY, testing::ENCRYPTION_KEY),
            ("PUBLIC_URL", "https://ink.test"),
        ] {
            let why = self::wrong(secrets::put(&shelf, name, wrong)).await;
            assert!(!why.contains(wrong), "what was entered is not told: {why}");
            assert!(shelf.read(&[name]).await.expect("SSM answers").is_empty(), "{name}");
        }
        assert!(secrets::put(&shelf, DATABASE_URL, &world.app_url).await.expect("put"));
        assert!(!secrets::put(&shelf, DATABASE_URL, &world.app_url).await.expect("the same"));
        assert!(secrets::put(&shelf, STRIPE_SECRET_KEY, "rk_live_51AbC").await.expect("put"));
        assert!(secrets::put(&shelf, STRIPE_SECRET_KEY, "rk_live_51AbD").await.expect("put"));
        let there = shelf.read(&NAMES).await.expect("SSM answers");
        assert_eq!((there[DATABASE_URL].version, there[STRIPE_SECRET_KEY].version), (1, 2));
        assert_eq!(there[STRIPE_SECRET_KEY].value, "rk_live_51AbD");
        // What an older release left is told before a function would refuse to start with it.
        shelf.put(STRIPE_WEBHOOK_SECRETS, "whsec_later", true).await.expect("put");
        shelf.put(ENCRYPTION_KEY, testing::ENCRYPTION_KEY, true).await.expect("put");
        let told = self::wrong(secrets::ready(&shelf, &WANTED, "prod", None)).await;
        assert!(
            told.starts_with("STRIPE_WEBHOOK_SECRETS cannot stand: each is whsec_") && told.lines().count() == 2,
            "{told}"
        );
        shelf.put(STRIPE_WEBHOOK_SECRETS, "none", true).await.expect("put");
        assert!(secrets::ready(&shelf, &WANTED, "prod", None).await.expect("ready").stripe_live);
    });
}

#[tokio::test]
async fn nothing_that_is_there_is_written_over_by_chance() {
    let (ssm, name) = (ssm(), format!("{}/X", path()));
    assert_eq!(ssm.put(&name, "first", false).await.expect("made"), 1);
    assert!(wrong(ssm.put(&name, "second", false)).await.contains("ParameterAlreadyExists"));
    assert_eq!(ssm.put(&name, "third", true).await.expect("replaced"), 2);
    let there = ssm.read(&[name.clone(), format!("{name}Y")]).await.expect("read");
    assert_eq!(there.len(), 1, "one that is not there is no error");
    assert_eq!((there[&name].value.as_str(), there[&name].version), ("third", 2));
}

#[test]
fn a_key_that_does_not_open_what_is_sealed_is_refused() {
    World::run(async |world| {
        let shelf = shelf();
        let sealed = "noa-keller's Cal.com key, noa-keller's webhook secret";
        secrets::put(&shelf, DATABASE_URL, &world.app_url).await.expect("put");
        secrets::put(&shelf, STRIPE_SECRET_KEY, "sk_test_standin").await.expect("put");
        // SSM has lost it.
        let told = wrong(secrets::ready(&shelf, &WANTED, "prod", None)).await;
        assert!(told.contains(&format!("does not open {sealed}\n")) && told.contains("RESTORE=1"), "{told}");
        assert!(wrong(secrets::make_key(&shelf, None)).await.contains("2 values in the database are sealed"));
        let other = random_key().expect("randomness").expose().to_owned();
        assert_eq!(wrong(secrets::restore_key(&shelf, &other, None)).await, format!("this key does not open {sealed}"));
        // It has another one.
        shelf.put(ENCRYPTION_KEY, &other, false).await.expect("put");
        let told = wrong(secrets::ready(&shelf, &WANTED, "prod", None)).await;
        assert!(told.contains(&format!("does not open {sealed}\n")), "{told}");
        secrets::restore_key(&shelf, testing::ENCRYPTION_KEY, None).await.expect("put back");
        secrets::ready(&shelf, &WANTED, "prod", None).await.expect("all is there");
        assert!(wrong(secrets::restore_key(&shelf, &other, None)).await.contains("it stays"));
        assert_eq!(value(&shelf, ENCRYPTION_KEY).await, testing::ENCRYPTION_KEY);
    });
}

fn outputs(version: i64) -> Outputs {
    Outputs {
        site_url: String::new(),
        webhook_urls: HashMap::new(),
        queues: HashMap::new(),
        functions: HashMap::new(),
        mail_domain: String::new(),
        region: REGION.into(),
        parameter_path: String::new(),
        alarm_topics: Vec::new(),
        secrets: Vec::new(),
        secret_versions: HashMap::from([(ENCRYPTION_KEY.to_owned(), version)]),
        settings: HashMap::new(),
    }
}

#[test]
fn an_old_key_goes_when_nothing_needs_it_any_more_and_no_sooner() {
    World::run(async |world| {
        let shelf = shelf();
        shelf.put(DATABASE_URL, &world.app_url, false).await.expect("put");
        shelf.put(ENCRYPTION_KEY, testing::ENCRYPTION_KEY, false).await.expect("put");
        let drop_old = |version: i64| {
            let shelf = shelf.clone();
            async move { secrets::drop_old(&shelf, ENCRYPTION_KEY, Some(&outputs(version)), None).await }
        };
        assert!(wrong(drop_old(1)).await.contains("only one"));
        secrets::rotate(&shelf, ENCRYPTION_KEY, "").await.expect("rotated");
        let both = value(&shelf, ENCRYPTION_KEY).await;
        let (new, old) = both.split_once(',').expect("two");
        assert!(old == testing::ENCRYPTION_KEY && new != old);
        assert!(wrong(secrets::rotate(&shelf, ENCRYPTION_KEY, "")).await.contains("first DROP_OLD=1"));
        assert!(wrong(drop_old(1)).await.contains("make deploy"), "the functions were started before");
        assert!(wrong(drop_old(2)).await.contains("2 sealed values still need the old key: make reseal"));
        assert_eq!(value(&shelf, ENCRYPTION_KEY).await, both);

        let client = functions(world).await;
        let with = |keys: &str| vault(keys);
        let before = survey(&client, Some(&with(&both))).await.expect("looked");
        assert_eq!(before, Survey { current: 0, older: 2, closed: Vec::new() });
        assert_eq!(reseal(&client, &with(&both)).await.expect("sealed"), 2);
        assert_eq!(reseal(&client, &with(&both)).await.expect("again"), 0, "it may be repeated");
        // The functions open it with what they were started with, and the old key alone does not.
        let after = survey(&client, Some(&with(&both))).await.expect("looked");
        assert_eq!(after, Survey { current: 2, older: 0, closed: Vec::new() });
        assert_eq!(survey(&client, Some(&with(old))).await.expect("looked").closed.len(), 2);
        drop_old(2).await.expect("nothing needs it");
        assert_eq!(value(&shelf, ENCRYPTION_KEY).await, new);
        let row = client
            .query_typed("select cal_com_api_key, cal_com_webhook_secret from artists where slug = 'noa-keller'", &[]);
        let row = row.await.expect("a row").remove(0);
        let account = NOA.calcom.as_ref().expect("Noa is on Cal.com");
        for (column, secret) in [(0, account.api_key), (1, account.webhook_secret)] {
            assert_eq!(with(new).open(NOA.id, row.get(column)).expect("it opens").expose(), secret);
        }
    });
}

/// More artists than are read at once.
#[test]
fn every_artist_is_reached() {
    World::run(async |world| {
        let client = functions(world).await;
        world
            .execute(
                "create table copies as select a.*, n from artists a, generate_series(1, 230) n where slug = 'noa-keller'; \
                 update copies set id = gen_random_uuid(), slug = 'artist-' || n, email = n || '@ink.test', user_id = null",
            )
            .await;
        let columns = "select string_agg(quote_ident(column_name), ', ') as names from information_schema.columns \
                       where table_schema = 'public' and table_name = 'artists' and is_generated = 'NEVER'";
        let columns = world.rows(columns, &[]).await[0]["names"].as_str().expect("names").to_owned();
        world
            .execute(&format!("insert into artists ({columns}) select {columns} from copies; drop table copies"))
            .await;
        for row in client.query_typed("select id from artists where slug like 'artist-%'", &[]).await.expect("rows") {
            let id: Uuid = row.get(0);
            let sealed = dev::demo::seal(testing::ENCRYPTION_KEY, id, "cal_test_x", &[1; 12]).expect("sealed");
            let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
            world
                .execute(&format!(
                    "update artists set cal_com_api_key = '\\x{hex}', cal_com_webhook_secret = null where id = '{id}'"
                ))
                .await;
        }
        let both = format!("{},{}", random_key().expect("randomness").expose(), testing::ENCRYPTION_KEY);
        assert_eq!(survey(&client, Some(&vault(&both))).await.expect("looked").older, 232);
        assert_eq!(reseal(&client, &vault(&both)).await.expect("sealed"), 232);
        assert_eq!(survey(&client, Some(&vault(&both))).await.expect("looked").current, 232);
        assert!(LEA.calcom.is_none(), "who has nothing sealed is left alone");
    });
}

#[test]
fn what_an_artist_saves_meanwhile_is_not_lost() {
    World::run(async |world| {
        let client = functions(world).await;
        let both = format!("{},{}", random_key().expect("randomness").expose(), testing::ENCRYPTION_KEY);
        let saved = vault(testing::ENCRYPTION_KEY).seal(NOA.id, "cal_test_of_today").expect("sealed");
        let hex: String = saved.iter().map(|byte| format!("{byte:02x}")).collect();
        // The artist's row is being written, and nobody sees it yet.
        world.execute(&format!("begin; update artists set cal_com_api_key = '\\x{hex}' where id = '{}'", NOA.id)).await;
        let resealing = tokio::spawn(async move {
            let anew = reseal(&client, &vault(&both)).await.expect("sealed");
            (client, both, anew)
        });
        let (watcher, connection) = tokio_postgres::connect(&world.app_url, NoTls).await.expect("Postgres");
        tokio::spawn(connection);
        let waits = "select count(*) from pg_locks where not granted and locktype in ('transactionid', 'tuple') \
                     and pid in (select pid from pg_stat_activity where datname = current_database())";
        while watcher.query_typed(waits, &[]).await.expect("a count")[0].get::<_, i64>(0) == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        world.execute("commit").await;
        let (client, both, anew) = resealing.await.expect("it ends");
        assert_eq!(anew, 1, "the secret of the webhook; the key had become another one");
        let row = client.query_typed("select cal_com_api_key from artists where slug = 'noa-keller'", &[]).await;
        let sealed: Vec<u8> = row.expect("a row")[0].get(0);
        assert_eq!(vault(&both).open(NOA.id, &sealed).expect("it opens").expose(), "cal_test_of_today");
        assert_eq!(reseal(&client, &vault(&both)).await.expect("sealed"), 1, "the next run brings it");
    });
}

#[test]
fn the_secret_of_the_webhook_is_rotated_by_two() {
    World::run(async |_| {
        let shelf = shelf();
        assert!(wrong(secrets::rotate(&shelf, STRIPE_WEBHOOK_SECRETS, WEBHOOK_SECRET)).await.contains("there is no"));
        shelf.put(STRIPE_WEBHOOK_SECRETS, "none", false).await.expect("put");
        secrets::rotate(&shelf, STRIPE_WEBHOOK_SECRETS, WEBHOOK_SECRET).await.expect("the first one");
        assert_eq!(value(&shelf, STRIPE_WEBHOOK_SECRETS).await, WEBHOOK_SECRET);
        for no_other in [WEBHOOK_SECRET, "none", "whsec_later", &format!("{OTHER_SECRET},{OTHER_SECRET}")] {
            wrong(secrets::rotate(&shelf, STRIPE_WEBHOOK_SECRETS, no_other)).await;
        }
        secrets::rotate(&shelf, STRIPE_WEBHOOK_SECRETS, OTHER_SECRET).await.expect("rotated");
        assert_eq!(value(&shelf, STRIPE_WEBHOOK_SECRETS).await, format!("{OTHER_SECRET},{WEBHOOK_SECRET}"));
        secrets::drop_old(&shelf, STRIPE_WEBHOOK_SECRETS, None, None).await.expect("dropped");
        assert_eq!(value(&shelf, STRIPE_WEBHOOK_SECRETS).await, OTHER_SECRET);
        shelf.put(STRIPE_SECRET_KEY, "sk_test_standin", false).await.expect("put");
        assert!(
            wrong(secrets::rotate(&shelf, STRIPE_SECRET_KEY, "sk_test_other"))
                .await
                .contains("replaced and not rotated")
        );
    });
}

/// The program itself: what is shown is shown to a person.
#[test]
fn a_secret_is_shown_on_a_terminal_only() {
    World::run(async |_| {
        let path = path();
        let shelf = Shelf::new(ssm(), &path);
        shelf.put(ENCRYPTION_KEY, testing::ENCRYPTION_KEY, false).await.expect("put");
        let exe = std::env::current_exe().expect("a test knows where it is");
        let program = exe.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps/<test>").join("secret");
        let run = |before: &[&str]| {
            let mut words: Vec<&std::ffi::OsStr> = before.iter().map(std::ffi::OsStr::new).collect();
            words.extend([program.as_os_str(), "show".as_ref(), ENCRYPTION_KEY.as_ref()]);
            let mut command = tokio::process::Command::new(words[0]);
            command.args(&words[1..]).env("PARAMETER_PATH", &path).env("AWS_REGION", REGION).stdin(Stdio::null());
            command.env("AWS_ENDPOINT_URL", std::env::var("TEST_AWS_URL").expect("a local AWS"));
            command.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", ACCESS_KEY);
            command.kill_on_drop(true).output()
        };
        let piped = run(&[]).await.expect("it starts");
        let said = format!("{}{}", String::from_utf8_lossy(&piped.stdout), String::from_utf8_lossy(&piped.stderr));
        assert!(
            !piped.status.success() && said.contains("on a terminal only") && !said.contains(testing::ENCRYPTION_KEY),
            "{said}"
        );
        let shown = run(&["python3", "-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"])
            .await
            .expect("it starts");
        assert!(String::from_utf8_lossy(&shown.stdout).contains(testing::ENCRYPTION_KEY), "{shown:?}");
    });
}
