//! Statements that stand whole in `sql/`, for psql and for editors, hold parts that other statements hold, too. Such a part is
//! between `/* its name */` and `/* end */`, and is what its macro says: a new column is written there, and
//! `UPDATE_SQL=1 cargo test -p shared fragments` writes it into the files.

use std::fs;
use std::path::PathBuf;

use super::bookings::{booking_columns, state_columns};
use super::dashboard::listed_columns;
use super::holds::hold_json;

/// A part, with what stands before and behind what each statement fills in.
fn part(name: &str) -> (&'static str, &'static str) {
    match name {
        "booking_columns" => (booking_columns!(), ""),
        "listed_columns" => (listed_columns!(), ""),
        "state_columns" => (state_columns!(update), ""),
        "hold_json" => (hold_json!(), ""),
        "insert_jobs" => insert_jobs!("…", "").split_once('…').expect("the rows"),
        _ => panic!("no part is called {name}"),
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(").replace(" )", ")")
}

/// Indented, and broken before the line is full.
fn laid_out(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("a line");
        if last.len() + word.len() > 116 {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines.into_iter().map(|line| format!("    {line}\n")).collect()
}

#[test]
fn a_part_of_a_statement_is_the_same_wherever_it_stands() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/db/sql"));
    let mut seen = 0;
    for file in fs::read_dir(folder).expect("the folder of statements") {
        let path = file.expect("a file").path();
        let text = fs::read_to_string(&path).expect("a statement");
        let mut written = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("/* ") {
            let (name, after) = after.split_once(" */\n").expect("a name alone on its line");
            let (body, after) = after.split_once("/* end */").expect("an end");
            let (head, tail) = part(name);
            let is_same = if tail.is_empty() {
                words(body) == words(head)
            } else {
                // What is filled in stands before the rows: `from held, jsonb_to_recordset(…`.
                let (head, filled) = head.rsplit_once("jsonb_to_recordset(").expect("the rows");
                assert!(filled.is_empty());
                words(body).starts_with(&words(head)) && words(body).ends_with(&words(tail.trim_start_matches(')')))
            };
            let update = std::env::var_os("UPDATE_SQL").is_some() && tail.is_empty();
            assert!(
                is_same || update,
                "{}: {name} is not what its macro says (UPDATE_SQL=1 writes it)",
                path.display()
            );
            let body = if is_same { body.to_owned() } else { laid_out(head) };
            written.push_str(&format!("{before}/* {name} */\n{body}/* end */"));
            rest = after;
            seen += 1;
        }
        written.push_str(rest);
        if written != text {
            fs::write(&path, written).expect("the statement is written");
        }
    }
    assert!(seen >= 7, "only {seen} parts were found");
}
