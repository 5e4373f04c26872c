//! What the schema promises by name, read from the migrations themselves: a database that lost one of them still answers,
//! and no longer refuses what it must. `tests/schema/promises.rs` compares this reading with a migrated database.

use std::collections::BTreeSet;
use std::fmt;

/// What keeps a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Of a table: a check, a key, an exclusion.
    Constraint,
    /// Unique or not.
    Index,
    /// It stands guard over changes.
    Trigger,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Constraint => "constraint",
            Self::Index => "index",
            Self::Trigger => "trigger",
        })
    }
}

/// Something that the schema promises, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Promise {
    pub kind: Kind,
    pub name: String,
    pub table: String,
}

/// Everything that the given migrations have named, and not taken away again.
pub(crate) fn of<'a>(migrations: impl Iterator<Item = &'a str>) -> BTreeSet<Promise> {
    let mut all = BTreeSet::new();
    for sql in migrations {
        for statement in words(sql).split(|word| word == ";") {
            read(statement, &mut all);
        }
    }
    all
}

/// Words in small letters, brackets and commas apart, without comments. A text in quotes falls into its words too: that is
/// how an index is found that a block makes by `execute`.
fn words(sql: &str) -> Vec<String> {
    let mut words = Vec::new();
    for line in sql.lines() {
        let code = line.split("--").next().unwrap_or_default().to_lowercase();
        let apart = ["(", ")", ",", ";"]
            .iter()
            .fold(code.replace('\'', " "), |code, mark| code.replace(mark, &format!(" {mark} ")));
        words.extend(
            apart.split_whitespace().map(|word| word.trim_start_matches("public.").trim_matches('"').to_owned()),
        );
    }
    words
}

fn drop(all: &mut BTreeSet<Promise>, kind: Kind, name: &str, table: Option<&str>) {
    all.retain(|promise| {
        promise.kind != kind || promise.name != name || table.is_some_and(|table| promise.table != table)
    });
}

fn read(statement: &[String], all: &mut BTreeSet<Promise>) {
    // `if exists`, `if not exists`, `concurrently`, `unlogged` and `or replace` say nothing about names.
    let words: Vec<&str> = statement
        .iter()
        .map(String::as_str)
        .filter(|word| !["if", "not", "exists", "concurrently", "or", "replace", "only", "unlogged"].contains(word))
        .collect();
    let mut table = "";
    let mut found = Vec::new();
    for (at, pair) in words.windows(2).enumerate() {
        let next = |skip: usize| words.get(at + skip).copied().unwrap_or_default();
        match (pair[0], pair[1]) {
            ("create" | "alter", "table") => table = next(2),
            // In the list of a table's columns `exclude`, `check` … follow the name.
            ("drop", "constraint") => drop(all, Kind::Constraint, next(2), Some(table)),
            ("constraint", name) if ["check", "unique", "exclude", "primary", "foreign"].contains(&next(2)) => {
                found.push((Kind::Constraint, name, table));
            }
            ("unique" | "create", "index") => {
                let of = words[at..].iter().position(|word| *word == "on").map_or("", |on| next(on + 1));
                found.push((Kind::Index, next(2), of));
            }
            ("create", "trigger") => {
                let of = words[at..].iter().position(|word| *word == "on").map_or("", |on| next(on + 1));
                found.push((Kind::Trigger, next(2), of));
            }
            ("drop", "index") => drop(all, Kind::Index, next(2), None),
            ("drop", "trigger") => drop(all, Kind::Trigger, next(2), Some(next(4))),
            ("drop", "table") => all.retain(|promise| promise.table != next(2)),
            ("rename", "constraint") => {
                drop(all, Kind::Constraint, next(2), Some(table));
                found.push((Kind::Constraint, next(4), table));
            }
            _ => {}
        }
    }
    all.extend(found.into_iter().map(|(kind, name, table)| Promise {
        kind,
        name: name.to_owned(),
        table: table.to_owned(),
    }));
}
