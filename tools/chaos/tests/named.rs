//! What the documents name exists: the tests of their tables, the files, the links, the commands of `make`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push_str(&fs::read_to_string(&path).expect("a readable file"));
        }
    }
}

fn all_code() -> String {
    let mut code = String::new();
    for folder in ["functions", "shared", "migrations", "tools"] {
        sources(&root().join(folder), &mut code);
    }
    code
}

/// The words in backquotes that can only be the name of a test: four underscores and no path.
fn named(text: &str) -> BTreeSet<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .filter(|word| word.matches('_').count() >= 4)
        .filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'))
        .collect()
}

#[test]
fn every_test_that_a_table_names_exists() {
    let code = all_code();
    for file in ["tools/chaos/README.md", "SECURITY.md"] {
        let text = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let named = named(&text);
        assert!(named.len() > 15, "{file}: {named:?}");
        for test in named {
            assert!(code.contains(&format!("fn {test}(")), "{file} names `{test}`, and there is no such test");
        }
    }
}

#[test]
fn every_failure_of_the_field_has_a_test() {
    let text = fs::read_to_string(root().join("tools/chaos/README.md")).expect("the table");
    let code = all_code();
    let failures = failures_of(&code);
    for number in 1..=24 {
        let row = text.lines().find(|line| line.starts_with(&format!("| F{number} |")));
        let row = row.unwrap_or_else(|| panic!("F{number} is missing"));
        assert!(!named(row).is_empty(), "{row}");
        assert!(
            named(row).iter().any(|test| failures.contains(&(number, test))),
            "no test of F{number} says so: {row}"
        );
    }
    assert!(failures.iter().all(|(number, _)| (1..=24).contains(number)), "{failures:?}");
}

/// What a test says of itself above its name: `/// Field failure F4.`
fn failures_of(code: &str) -> BTreeSet<(u32, &str)> {
    let lines: Vec<&str> = code.lines().map(str::trim_start).collect();
    let mut found = BTreeSet::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(numbers) = line.strip_prefix("/// Field failure ") else { continue };
        let test = lines[at..].iter().find_map(|line| line.trim_start_matches("async ").strip_prefix("fn "));
        let (name, _) = test.and_then(|test| test.split_once('(')).expect("a test follows");
        let numbers = numbers.trim_end_matches('.').split(", ");
        found.extend(numbers.map(|number| (number.trim_start_matches('F').parse().expect("a number"), name)));
    }
    found
}

/// What people read first, with how many places of the repository it names at least.
fn guides() -> Vec<(String, usize)> {
    let mut guides = [
        ("README.md", 10),
        ("ARCHITECTURE.md", 10),
        ("CONTRIBUTING.md", 3),
        ("SECURITY.md", 10),
        ("docs/recipes.md", 60),
    ]
    .map(|(name, least)| (name.to_owned(), least))
    .to_vec();
    for entry in fs::read_dir(root().join("docs")).expect("docs/").flatten() {
        let name = format!("docs/{}", entry.file_name().to_string_lossy());
        if name.ends_with(".md") && guides.iter().all(|(known, _)| *known != name) {
            guides.push((name, 1));
        }
    }
    guides
}

fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// What is in backquotes on one line. A block of code is none of it.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let mut in_a_block = false;
    let lines = text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_a_block ^= fence;
        !fence && !in_a_block
    });
    lines.flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Where a program puts things, what an operator writes, and what only looks like a path.
const NOT_IN_THE_REPOSITORY: [&str; 7] = [
    "target/",
    "dist/",
    ".inkflow/",
    "~/",
    "infra/environments/prod.tfvars",
    "application/problem+json",
    "text/calendar",
];

/// A table whose rows were joined is a paragraph to whoever reads it.
#[test]
fn every_table_has_a_line_for_each_row() {
    for (file, _) in guides() {
        for line in text(&file).lines() {
            assert!(!(line.contains("|---") && line.contains(" | ")), "{file}: {line}");
        }
    }
}

#[test]
fn every_place_that_a_guide_names_exists() {
    for (file, least) in guides() {
        let text = text(&file);
        let places: BTreeSet<&str> = quoted(&text)
            .filter(|word| word.contains('/') && !word.starts_with('/') && !word.contains("://"))
            .filter(|word| !word.contains([' ', '(', '<', '$', '…', '?']))
            .filter(|word| !NOT_IN_THE_REPOSITORY.iter().any(|other| word.starts_with(other)))
            .collect();
        assert!(places.len() >= least, "{file}: {places:?}");
        for place in places {
            // Of `functions/*/src` the part before the star.
            let known =
                place.split('*').next().and_then(|known| known.rsplit_once('/')).map_or(place, |(known, _)| known);
            let known = if place.contains('*') { known } else { place };
            assert!(root().join(known).exists(), "{file} sends people to `{place}`, which is not there");
        }
    }
}

/// A heading as GitHub makes an anchor of it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|sign| sign.is_alphanumeric() || [' ', '-', '_'].contains(sign));
    kept.flat_map(char::to_lowercase).map(|sign| if sign == ' ' { '-' } else { sign }).collect()
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut files: Vec<String> = guides().into_iter().map(|(file, _)| file).collect();
    files.extend(["ARCHITECTURE.md", "SECURITY.md"].map(str::to_owned));
    for folder in ["events", "frontend", "infra", "migrations", "tools/bench", "tools/chaos", "tools/fuzz"] {
        files.push(format!("{folder}/README.md"));
    }
    let mut links = 0;
    for file in files {
        let text = text(&file);
        let beside = root().join(&file).parent().expect("a folder").to_owned();
        let ends = [("](", ')'), ("src=\"", '"'), ("href=\"", '"')];
        for (begin, end) in ends {
            for link in text.split(begin).skip(1).filter_map(|rest| rest.split(end).next()) {
                if link.contains("://") || link.contains("{{") || link.starts_with("mailto:") {
                    continue;
                }
                links += 1;
                let (path, part) = link.split_once('#').unwrap_or((link, ""));
                let place = if path.is_empty() { root().join(&file) } else { beside.join(path) };
                assert!(place.exists(), "{file} links to {link}, which is not there");
                if part.is_empty() || path.ends_with(".html") {
                    continue;
                }
                let there = fs::read_to_string(&place).unwrap_or_else(|error| panic!("{link}: {error}"));
                let found = there
                    .lines()
                    .filter(|line| line.starts_with('#'))
                    .any(|line| anchor(line.trim_start_matches('#')) == part);
                assert!(found, "{file} links to {link}, and there is no such heading");
            }
        }
    }
    assert!(links > 30, "{links}");
}

#[test]
fn every_command_that_a_guide_names_is_one_of_make() {
    let makefile = text("Makefile");
    let known: BTreeSet<&str> = makefile
        .lines()
        .filter_map(|line| line.split_once(':').map(|(names, _)| names))
        .filter(|names| !names.starts_with(['\t', '#', '.', '$']))
        .flat_map(str::split_whitespace)
        .collect();
    let mut commands = 0;
    let files = guides().into_iter().map(|(file, _)| file).chain(["infra/README.md".to_owned()]);
    for file in files {
        let text = text(&file);
        let in_blocks = text.split("```").skip(1).step_by(2).flat_map(str::lines);
        for line in quoted(&text).chain(in_blocks) {
            for rest in line.split("make ").skip(1).filter(|_| line.trim_start().starts_with("make ")) {
                let Some(target) = rest.split_whitespace().next().filter(|word| !word.contains('=')) else { continue };
                let target = target.trim_end_matches([';', ',']);
                commands += 1;
                assert!(known.contains(target), "{file} says `make {target}`, and the Makefile does not know it");
            }
        }
    }
    assert!(commands > 20, "{commands}");
}
