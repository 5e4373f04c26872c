//! `make migrate`: brings the database of `DATABASE_URL` up to date; with `--alone`, as long as it takes and in nobody's way,
//! because nobody is there. Wiring only.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Ok(url) = std::env::var("DATABASE_URL") else {
        eprintln!(
            "DATABASE_URL is not set: the owner's connection, e.g. postgres://postgres:…@db.<ref>.supabase.co:5432/postgres"
        );
        return ExitCode::FAILURE;
    };
    let alone = std::env::args().any(|argument| argument == "--alone");
    let manners = if alone { migrations::Manners::ALONE } else { migrations::Manners::IN_USE };
    match migrations::run_with(&url, manners).await {
        Ok(applied) if applied.is_empty() => println!("The schema is up to date."),
        Ok(applied) => applied.iter().for_each(|name| println!("applied {name}")),
        Err(error) => {
            eprintln!("Migration failed: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
