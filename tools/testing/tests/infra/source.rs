//! Reads the source of the functions as text, as far as it takes to know what each of them asks its environment for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use dev::platform::checkout;

/// What the body of a `fn` reads by itself, and which others it names.
#[derive(Clone, Debug, Default)]
struct Body {
    reads: BTreeSet<String>,
    calls: BTreeSet<String>,
}

/// The names of the functions: the folders of `functions/`.
pub(crate) fn functions() -> BTreeSet<String> {
    let folders = fs::read_dir(checkout().join("functions")).expect("functions/").flatten();
    folders
        .filter(|folder| folder.path().join("Cargo.toml").is_file())
        .filter_map(|folder| folder.file_name().into_string().ok())
        .collect()
}

/// The text of a function's own code, without its tests.
pub(crate) fn own_code(function: &str) -> String {
    rust_files(&checkout().join("functions").join(function).join("src")).iter().map(|file| code(file)).collect()
}

/// The settings that a function reads, by itself or through the library, and the parts of the library that it starts
/// (`Queue::from_env`, …).
pub(crate) fn reads(function: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut library = BTreeMap::new();
    for file in rust_files(&checkout().join("shared/src")) {
        bodies(&file, &mut library);
    }
    let mut own = BTreeMap::new();
    for file in rust_files(&checkout().join("functions").join(function).join("src")) {
        bodies(&file, &mut own);
    }
    let (mut reads, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut open: Vec<String> = Vec::new();
    for body in own.into_values() {
        reads.extend(body.reads);
        open.extend(body.calls);
    }
    while let Some(call) = open.pop() {
        if let Some(body) = library.get(&call)
            && seen.insert(call)
        {
            reads.extend(body.reads.iter().cloned());
            open.extend(body.calls.iter().cloned());
        }
    }
    (reads, seen)
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// A file without its tests and its comments.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let text = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

fn bodies(file: &Path, all: &mut BTreeMap<String, Body>) {
    let module = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    // A module hands on what its parts have: `stripe::verify` is in `stripe/signature.rs`.
    let whole = file.parent().and_then(Path::file_name).and_then(|folder| folder.to_str()).unwrap_or_default();
    let (mut kind, mut name) = (None::<String>, String::from("outside"));
    for line in code(file).lines() {
        if line == "}" {
            kind = None;
        }
        if let Some(of) = line.strip_prefix("impl") {
            let of = of.rsplit(" for ").next().unwrap_or_default().rsplit("> ").next().unwrap_or_default();
            kind = Some(word_at_start(of.trim_start()).to_owned());
        }
        if let Some((before, after)) = line.split_once("fn ")
            && before.split_whitespace().all(|word| word.starts_with("pub") || ["async", "const"].contains(&word))
        {
            name = word_at_start(after).to_owned();
        }
        let names = kind.as_deref().map_or(vec![module, whole], |kind| vec![kind]);
        for of in names {
            let body = all.entry(format!("{of}::{name}")).or_default();
            body.reads.extend(settings(line));
            body.calls.extend(calls(line, kind.as_deref()));
        }
    }
}

fn word_at_start(text: &str) -> &str {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or_default()
}

/// The names of settings in a line: capitals in quotes, as the first argument.
fn settings(line: &str) -> Vec<String> {
    let parts = line.split('"').collect::<Vec<_>>();
    let quoted = parts.windows(2).step_by(2).map(|pair| (pair[0], pair[1]));
    let setting = |text: &str| {
        text.len() > 3
            && !["POST", "PATCH", "DELETE", "OPTIONS"].contains(&text)
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    quoted
        .filter(|(before, text)| {
            ((before.ends_with('(') && !before.ends_with("env!(")) || before.trim().is_empty()) && setting(text)
        })
        .map(|(_, text)| text.to_owned())
        .collect()
}

/// The calls of a line as `Type::function` or `module::function`.
fn calls(line: &str, kind: Option<&str>) -> Vec<String> {
    let mut found = Vec::new();
    let pieces: Vec<&str> = line.split("::").collect();
    for pair in pieces.windows(2) {
        let of = pair[0].rsplit(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or_default();
        let of = if of == "Self" { kind.unwrap_or(of) } else { of };
        let name = word_at_start(pair[1]);
        if !of.is_empty() && !name.is_empty() {
            found.push(format!("{of}::{name}"));
        }
    }
    // A neighbour in the same `impl` or file is not told apart: every constructor names the others by their type.
    found
}
