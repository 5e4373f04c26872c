//! The tables of README and SECURITY name tests, the recipes name files: each of them exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
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
    let mut code = String::new();
    for folder in ["functions", "shared", "migrations", "ops", "dev", "chaos"] {
        sources(&root().join(folder), &mut code);
    }
    for file in ["chaos/README.md", "SECURITY.md"] {
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
    let text = fs::read_to_string(root().join("chaos/README.md")).expect("the table");
    for number in 1..=24 {
        let row = text.lines().find(|line| line.starts_with(&format!("| F{number} |")));
        let row = row.unwrap_or_else(|| panic!("F{number} is missing"));
        assert!(!named(row).is_empty(), "{row}");
    }
}

#[test]
fn every_place_of_a_recipe_exists() {
    for (file, least) in [("docs/recipes.md", 40), ("CONTRIBUTING.md", 3)] {
        let text = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let places: BTreeSet<&str> =
            text.split('`').skip(1).step_by(2).filter(|word| !word.contains([' ', '(', '<', '\n'])).collect();
        let places: Vec<&str> =
            places.into_iter().filter(|word| word.contains('/') && !word.starts_with('/')).collect();
        assert!(places.len() >= least, "{file}: {places:?}");
        for place in places {
            assert!(root().join(place).exists(), "{file} sends people to `{place}`, which is not there");
        }
    }
}
