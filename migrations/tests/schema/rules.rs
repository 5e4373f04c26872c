//! What a migration may not do to a site in use, read from its SQL by squawk, and by us where squawk has no rule.
//! `migrations/README.md` says what to do instead.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use migrations::OUTSIDE;

/// The first migration that is held to it: those before were made when no table had rows.
const FIRST: u32 = 18;

/// Found in migrations that no release has brought to anybody, where the table is small or the column new.
const ACCEPTED: [(u32, &str); 4] = [
    // `tries` is new and has its default; the list of states only grows, on tables that a release has never filled.
    (19, "constraint-missing-not-valid"),
    // Partial: what is on its way right now.
    (19, "require-concurrent-index-creation"),
    (20, "require-concurrent-index-creation"),
    (20, "update-of-a-whole-table"),
];

/// Rules of squawk that are not ours. The runner sets the timeouts; a constraint is dropped to be made wider; the rest is taste.
const NOT_OURS: &str = "require-lock-timeout,require-statement-timeout,ban-drop-constraint,prefer-bigint-over-int,\
    prefer-bigint-over-smallint,prefer-identity,prefer-robust-stmts,prefer-text-field,prefer-timestamp-tz";

/// Squawk, or nothing where it cannot be had; in CI it must be.
fn squawk() -> Option<PathBuf> {
    let setup = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/dev/setup/from-pypi");
    let told = Command::new(setup).arg("squawk").stderr(Stdio::inherit()).output().expect("from-pypi starts");
    if told.status.success() {
        return Some(Path::new(String::from_utf8_lossy(&told.stdout).trim()).join("squawk"));
    }
    assert!(std::env::var_os("CI").is_none(), "in CI squawk may not be skipped");
    eprintln!("SKIPPED: squawk cannot be installed here");
    None
}

/// The names of the rules that a migration breaks, with what squawk says of them.
fn broken(squawk: &Path, name: &str, sql: &str) -> Vec<(String, String)> {
    let folder = std::env::temp_dir().join(format!("inkflow-rules-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(format!("{name}.sql"));
    fs::write(&file, sql).expect("written");
    let outside = sql.starts_with(OUTSIDE);
    let told = Command::new(squawk)
        .args(["--reporter", "gcc", "--exclude", NOT_OURS])
        .arg(if outside { "--no-assume-in-transaction" } else { "--assume-in-transaction" })
        .arg(&file)
        .output()
        .expect("squawk starts");
    let _ = fs::remove_dir_all(&folder);
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.status.success() || !text.trim().is_empty(), "{}", String::from_utf8_lossy(&told.stderr));
    let of_squawk = text.lines().filter_map(|line| line.split_once(": warning: ").or(line.split_once(": error: ")));
    let mut all: Vec<_> = of_squawk
        .map(|(at, what)| {
            let (rule, why) = what.split_once(' ').unwrap_or((what, ""));
            (rule.to_owned(), format!("line {}: {why}", at.split(':').rev().nth(1).unwrap_or_default()))
        })
        .collect();
    all.extend(ours(sql, outside));
    all
}

/// What squawk has no rule for.
fn ours(sql: &str, outside: bool) -> Vec<(String, String)> {
    let statements = statements(sql);
    let mut all = Vec::new();
    for (at, statement) in statements.iter().enumerate() {
        let words: Vec<&str> = statement.split_whitespace().collect();
        let (first, second) = (words.first().copied().unwrap_or_default(), words.get(1).copied().unwrap_or_default());
        let table = match first {
            "update" => second,
            "delete" => words.get(2).copied().unwrap_or_default(),
            _ => "",
        };
        let made_here = statements[..at].iter().any(|one| one.starts_with(&format!("create table {table} ")));
        if !table.is_empty() && !made_here && !statement.contains(" where id = ") {
            all.push((
                "update-of-a-whole-table".to_owned(),
                format!("{first} of {table}: outside a transaction, in batches"),
            ));
        }
        if !outside && words.contains(&"concurrently") {
            all.push(("concurrently-in-a-transaction".to_owned(), format!("the first line: {OUTSIDE}")));
        }
        // What died half-way leaves an index that nobody uses and everybody pays for.
        if outside && first == "create" && words.contains(&"concurrently") {
            let name = words.iter().skip_while(|word| **word != "concurrently").nth(1).copied().unwrap_or_default();
            if at == 0 || statements[at - 1] != format!("drop index concurrently if exists {name}") {
                all.push((
                    "index-that-cannot-be-made-again".to_owned(),
                    format!("drop index concurrently if exists {name}; first"),
                ));
            }
        }
    }
    all
}

/// The statements in small letters, without comments; the body of a function is one word.
fn statements(sql: &str) -> Vec<String> {
    let code: String =
        sql.lines().map(|line| line.split("--").next().unwrap_or_default().to_lowercase() + "\n").collect();
    let without_bodies: String =
        code.split("$$").enumerate().map(|(at, part)| if at % 2 == 0 { part } else { "$$" }).collect();
    let all = without_bodies.split(';').map(|one| one.split_whitespace().collect::<Vec<_>>().join(" "));
    all.filter(|one| !one.is_empty()).collect()
}

#[test]
fn no_migration_stands_in_the_way_of_the_code_that_still_runs() {
    let Some(squawk) = squawk() else { return };
    let mut read = 0;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
    for entry in fs::read_dir(folder).expect("sql/").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let number: u32 = name[1..4].parse().expect("V…");
        if number < FIRST {
            continue;
        }
        read += 1;
        let sql = fs::read_to_string(entry.path()).expect("read");
        let found = broken(&squawk, &name, &sql);
        let wrong: Vec<_> =
            found.into_iter().filter(|(rule, _)| !ACCEPTED.contains(&(number, rule.as_str()))).collect();
        assert!(wrong.is_empty(), "{name}, see migrations/README.md: {wrong:#?}");
    }
    eprintln!("{read} migrations read");
}

#[test]
fn what_would_stand_in_the_way_is_seen() {
    let Some(squawk) = squawk() else { return };
    for (sql, rule) in [
        ("create index x on bookings (note);", "require-concurrent-index-creation"),
        ("create unique index x on bookings (note);", "require-concurrent-index-creation"),
        ("drop index bookings_to_compare;", "require-concurrent-index-deletion"),
        ("create index concurrently x on bookings (note);", "concurrently-in-a-transaction"),
        ("alter table bookings add column x int not null;", "adding-required-field"),
        ("alter table bookings add column x uuid default gen_random_uuid();", "adding-field-with-default"),
        ("alter table bookings alter column note set not null;", "adding-not-nullable-field"),
        ("alter table bookings alter column note type varchar(9);", "changing-column-type"),
        ("alter table bookings add constraint x check (length(note) > 1);", "constraint-missing-not-valid"),
        ("alter table bookings add constraint x unique (note);", "disallowed-unique-constraint"),
        ("alter table bookings add column x uuid references artists (id);", "adding-foreign-key-constraint"),
        (
            "alter table bookings add constraint x check (length(note) > 1) not valid;\nalter table bookings validate constraint x;",
            "constraint-missing-not-valid",
        ),
        ("alter table bookings rename column note to notes;", "renaming-column"),
        ("alter table bookings rename to appointments;", "renaming-table"),
        ("alter table bookings drop column note;", "ban-drop-column"),
        ("drop table bookings;", "ban-drop-table"),
        ("update bookings set note = '';", "update-of-a-whole-table"),
        ("-- Why.\ndelete from bookings where note = '';", "update-of-a-whole-table"),
        (
            "-- Outside a transaction.\ncreate index concurrently x on bookings (note);",
            "index-that-cannot-be-made-again",
        ),
        (
            "-- Outside a transaction.\ndrop index concurrently if exists y;\ncreate index concurrently x on bookings (note);",
            "index-that-cannot-be-made-again",
        ),
    ] {
        let found = broken(&squawk, "wrong", sql);
        assert!(found.iter().any(|(name, _)| name == rule), "{sql}\nis not seen as {rule}: {found:?}");
    }
}

#[test]
fn what_to_do_instead_is_let_through() {
    let Some(squawk) = squawk() else { return };
    for sql in [
        "create table n (id uuid primary key, a int not null, constraint n_a unique (a), constraint n_b check (a > 1));\n\
         create index n_by_a on n (a);\nupdate n set a = 2;",
        "alter table bookings add column x boolean not null default false;",
        "alter table bookings add constraint x check (length(note) > 1) not valid;",
        "-- Outside a transaction.\nalter table bookings validate constraint x;",
        "-- Outside a transaction.\n-- Why.\ndrop index concurrently if exists x;\ncreate unique index concurrently x on bookings (note);",
        "-- Outside a transaction.\ndo $$\nbegin\n    update bookings set note = '' where note = 'x';\n    commit;\nend\n$$;",
        "-- squawk-ignore ban-drop-column\nalter table bookings drop column note;",
        "create function f() returns void language plpgsql as $$\nbegin\n    update bookings set note = '';\nend\n$$;",
    ] {
        let found = broken(&squawk, "right", sql);
        assert!(found.is_empty(), "{sql}: {found:?}");
    }
}
