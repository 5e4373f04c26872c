//! The backup and the restore that infra/README.md tells an operator to make, taken from there word by word and run: what
//! comes back is the same database, rules and rights included. In both places where extensions live.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use dev::platform::checkout;
use dev::postgres::{Postgres, Purpose, connect};
use tokio::process::Command;
use tokio_postgres::{Client, SimpleQueryMessage};

/// The owner of the schema: no superuser, as on Supabase and elsewhere.
const OWNER: &str = "studio";

/// As Supabase has it: extensions in a schema of their own, and API roles that older projects grant everything.
const SUPABASE: &str = "create schema extensions authorization studio; grant usage on schema extensions to public;
    grant usage on schema public to anon, authenticated, service_role;
    alter default privileges for role studio in schema public grant all on tables to anon, authenticated, service_role;
    alter default privileges for role studio in schema public grant all on sequences to anon, authenticated, service_role;
    alter default privileges for role studio in schema public grant all on functions to anon, authenticated, service_role";

/// A project of after October 2026: tables are not granted to anybody by themselves.
const NEW_ON_SUPABASE: &str =
    "create schema extensions authorization studio; grant usage on schema extensions to public;
    grant usage on schema public to anon, authenticated, service_role";

/// What the runbook has done to a database that is to move there, before its backup.
const TO_SUPABASE: &str = "create schema extensions authorization studio; grant usage on schema extensions to public;
    alter extension btree_gist set schema extensions; alter extension pg_trgm set schema extensions";

/// Everything that makes the schema more than its rows, one line each. Rights that are not written down are the default ones.
const WHATEVER_KEEPS_A_PROMISE: &str = "
    select concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated)
        from pg_constraint where connamespace = 'public'::regnamespace
    union all select concat_ws(' ', 'index', pg_get_indexdef(indexrelid), indisvalid)
        from pg_index i join pg_class c on c.oid = indexrelid where c.relnamespace = 'public'::regnamespace
    union all select concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid), tgenabled)
        from pg_trigger t join pg_class c on c.oid = tgrelid where c.relnamespace = 'public'::regnamespace and not tgisinternal
    union all select concat_ws(' ', 'policy', p) from pg_policies p where schemaname = 'public'
    union all select concat_ws(' ', 'table', relname, relkind, relrowsecurity,
            (select string_agg(a::text, ' ' order by a::text) from unnest(coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::\"char\", relowner))) a))
        from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'S', 'v')
    union all select concat_ws(' ', 'column', c.relname, attname, format_type(atttypid, atttypmod), attnotnull,
            (select string_agg(a::text, ' ' order by a::text) from unnest(attacl) a))
        from pg_attribute join pg_class c on c.oid = attrelid
        where c.relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped
    union all select concat_ws(' ', 'function', pg_get_functiondef(p.oid),
            (select string_agg(a::text, ' ' order by a::text) from unnest(coalesce(proacl, acldefault('f', proowner))) a))
        from pg_proc p where pronamespace = 'public'::regnamespace
        and not exists (select from pg_depend where objid = p.oid and deptype = 'e')
    union all select concat_ws(' ', 'extension', extname, nspname) from pg_extension join pg_namespace n on n.oid = extnamespace
    union all select concat_ws(' ', 'schema', (select string_agg(a::text, ' ' order by a::text) from unnest(coalesce(nspacl, acldefault('n', nspowner))) a))
        from pg_namespace where nspname = 'public'
    union all select concat_ws(' ', 'defaults', nspname, d.defaclobjtype,
            (select string_agg(a::text, ' ' order by a::text) from unnest(d.defaclacl) a))
        from pg_default_acl d left join pg_namespace n on n.oid = defaclnamespace
    union all select concat_ws(' ', 'migration', version, name, checksum) from refinery_schema_history
    order by 1";

async fn lines(client: &Client, sql: &str) -> Vec<String> {
    let rows = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    };
    rows.into_iter().filter_map(row).collect()
}

/// The rows of every table, counted and summed up.
async fn content(client: &Client) -> Vec<String> {
    let tables =
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1";
    let mut all = Vec::new();
    for table in lines(client, tables).await {
        let sum = format!(
            "select '{table} ' || count(*) || ' ' || md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {table} t"
        );
        all.extend(lines(client, &sum).await);
    }
    all
}

/// The shell block below a heading of the runbook.
fn block(heading: &str) -> String {
    let runbook = fs::read_to_string(checkout().join("infra/README.md")).expect("the runbook");
    let (_, rest) = runbook.split_once(&format!("- **{heading}**")).unwrap_or_else(|| panic!("no {heading}"));
    let (_, rest) = rest.split_once("```sh\n").expect("a block");
    let (block, _) = rest.split_once("```").expect("its end");
    block.lines().map(|line| format!("{}\n", line.trim_start())).collect()
}

/// Where the compiled programs are.
fn built() -> PathBuf {
    let exe = std::env::current_exe().expect("a test knows where it is");
    exe.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps/<test>").to_owned()
}

/// Runs a block as an operator does, in a folder with `.env.prod` and the migrations; `make migrate` is the compiled program.
async fn operate(folder: &Path, block: &str, url: &str) -> Result<(), String> {
    fs::write(folder.join(".env.prod"), format!("MIGRATE_DATABASE_URL='{url}'\nDATABASE_CA=''\n")).expect("written");
    let make = format!("make() {{ [ \"$*\" = migrate ] && '{}'; }}\n", built().join("migrate").display());
    let mut shell = Command::new("bash");
    // As it is pasted: nothing stops a shell at the first line that fails.
    shell.args(["-c", &format!("{make}{block}")]).current_dir(folder).stdin(Stdio::null());
    let done = shell.kill_on_drop(true).output().await.expect("bash");
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    if done.status.success() { Ok(()) } else { Err(said) }
}

/// Whether this machine has PostgreSQL's client programs, of the server's version or newer.
fn has_client_programs(server: u32) -> bool {
    let told = std::process::Command::new("pg_dump").arg("--version").output();
    let version = told.ok().and_then(|told| {
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        told.split_whitespace().nth(2)?.split('.').next()?.parse::<u32>().ok()
    });
    let usable = version.is_some_and(|version| version >= server);
    assert!(usable || std::env::var_os("CI").is_none(), "in CI the restore may not be skipped: pg_dump is {version:?}");
    if !usable {
        eprintln!("SKIPPED: no pg_dump of version {server} or newer is installed (Debian: postgresql-client)");
    }
    usable
}

/// How a database is made ready, and what becomes of one that is to move to the other kind before its backup.
struct Place {
    before: &'static str,
    after: &'static str,
    moves: &'static str,
}

async fn a_restored_database_keeps_every_promise(name: &str, place: Place) {
    let folder = std::env::temp_dir().join(format!("inkflow-restore-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let server = Postgres::start(&folder, None, Purpose::Throwaway).await.expect("Postgres");
    let superuser = connect(&server.url("postgres")).await.expect("it answers");
    let version = lines(&superuser, "show server_version_num").await[0].parse::<u32>().expect("a number") / 10000;
    if !has_client_programs(version) {
        server.stop().await.expect("it stops");
        return;
    }
    let roles = "create role studio login createrole; create role anon nologin; create role authenticated nologin; create role service_role nologin";
    superuser.batch_execute(roles).await.expect("roles");
    for (database, prepare) in [("before", place.before), ("after", place.after)] {
        superuser.batch_execute(&format!("create database {database} owner {OWNER}")).await.expect("a database");
        if !prepare.is_empty() {
            superuser
                .batch_execute(&format!("alter database {database} set search_path = public, extensions"))
                .await
                .expect("set");
        }
        // From 15 on `public` is the database owner's; on Supabase it is `postgres`'s, who owns all of it.
        let inside = connect(&server.url(database)).await.expect("it answers");
        inside.batch_execute(prepare).await.expect("prepared");
    }
    let url = |database: &str| format!("postgres://{OWNER}@127.0.0.1:{}/{database}", server.port());
    migrations::run(&url("before")).await.expect("migrated");
    let before = connect(&url("before")).await.expect("it answers");
    let mut samples: Vec<PathBuf> = fs::read_dir(checkout().join("migrations/tests/samples"))
        .expect("samples")
        .flatten()
        .map(|file| file.path())
        .collect();
    samples.sort();
    for sample in samples {
        before.batch_execute(&fs::read_to_string(&sample).expect("a sample")).await.expect("it fits");
        // As V020 left those who were there before it.
        before.batch_execute("update artists set takes_deposits = true").await.expect("they take deposits");
    }

    std::os::unix::fs::symlink(checkout().join("migrations"), folder.join("migrations")).expect("linked");
    if !place.moves.is_empty() {
        superuser
            .batch_execute("alter database before set search_path = public, extensions")
            .await
            .expect("extensions are found elsewhere");
        let superuser = connect(&server.url("before")).await.expect("it answers");
        superuser.batch_execute(place.moves).await.expect("as the runbook says");
    }
    let before = connect(&url("before")).await.expect("it answers");
    operate(&folder, &block("Backup"), &url("before")).await.expect("the backup");
    // A backup that was cut short on its way leaves nothing behind, and the whole one goes in afterwards.
    let whole = fs::read(folder.join("inkflow.dump")).expect("the backup");
    fs::write(folder.join("inkflow.dump"), &whole[..whole.len() * 9 / 10]).expect("cut");
    let cut = operate(&folder, &block("Restore"), &url("after")).await;
    assert!(cut.is_err(), "a backup that was cut is none");
    fs::write(folder.join("inkflow.dump"), whole).expect("whole again");
    operate(&folder, &block("Restore"), &url("after")).await.expect("the restore");

    let after = connect(&url("after")).await.expect("it answers");
    let (mut wanted, got) =
        (lines(&before, WHATEVER_KEEPS_A_PROMISE).await, lines(&after, WHATEVER_KEEPS_A_PROMISE).await);
    // The rights on the schema itself are those of the place.
    let mut kept = got.clone();
    if !place.moves.is_empty() {
        for of_one in [&mut wanted, &mut kept] {
            of_one.retain(|line| !line.starts_with("schema "));
        }
    }
    assert!(wanted.iter().any(|line| line.contains("bookings_no_overlap EXCLUDE")), "{wanted:?}");
    for line in &wanted {
        assert!(got.contains(line), "lost: {line}");
    }
    for line in &kept {
        assert!(wanted.contains(line), "not there before: {line}");
    }
    assert_eq!(content(&after).await, content(&before).await);

    // A copy of a confirmed booking under another id, and without what is unique for other reasons.
    let columns = "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
        where attrelid = 'bookings'::regclass and attnum > 0 and not attisdropped and attgenerated = ''";
    let columns = lines(&after, columns).await.remove(0);
    let twice = format!(
        "insert into bookings ({columns}) select {columns} from (select (jsonb_populate_record(b, jsonb_build_object(
            'id', gen_random_uuid(), 'unique_flash_id', null, 'stripe_payment_intent_id', null,
            'stripe_checkout_session_id', null, 'cal_com_booking_id', null))).* from bookings b where status = 'confirmed' limit 1) copy"
    );
    let refused = after.batch_execute(&twice).await.expect_err("the chair is taken");
    assert_eq!(refused.as_db_error().and_then(|error| error.constraint()), Some("bookings_no_overlap"), "{refused:?}");

    // A second try on what is not empty any more changes nothing.
    assert!(
        operate(&folder, &block("Restore"), &url("after")).await.is_err(),
        "a restore goes into an empty database only"
    );
    assert_eq!(lines(&after, WHATEVER_KEEPS_A_PROMISE).await, got);
    assert_eq!(content(&after).await, content(&before).await);
    server.stop().await.expect("it stops");
    let _ = fs::remove_dir_all(&folder);
}

#[tokio::test]
async fn what_the_runbook_restores_refuses_a_second_booking_of_a_chair() {
    a_restored_database_keeps_every_promise("plain", Place { before: "", after: "", moves: "" }).await;
}

#[tokio::test]
async fn what_the_runbook_restores_on_supabase_is_the_same_database() {
    a_restored_database_keeps_every_promise("supabase", Place { before: SUPABASE, after: SUPABASE, moves: "" }).await;
}

#[tokio::test]
async fn a_database_of_another_kind_moves_to_supabase_once_its_extensions_lie_as_they_do_there() {
    let place = Place { before: "", after: NEW_ON_SUPABASE, moves: TO_SUPABASE };
    a_restored_database_keeps_every_promise("moving", place).await;
}
