//! The calendar files of the mails in programs that other people wrote: what came is corrected, and what is called off
//! goes, by one UID.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use shared::domain::ids::BookingId;
use shared::domain::job::Template;
use shared::domain::locale::Locale;
use shared::domain::money::Cents;
use shared::domain::policy::DepositNature;
use shared::mail::letter::{Artist, Booking, Client, Ending, Letter};
use uuid::uuid;

/// The life of one appointment in one calendar: it comes, moves, and is called off.
const LIFE: [(&str, i32, &str, &str); 3] = [
    ("confirmed", 2, "2026-12-01T13:00:00Z", "REQUEST"),
    ("moved", 3, "2026-12-03T09:00:00Z", "REQUEST"),
    ("cancelled", 4, "2026-12-03T09:00:00Z", "CANCEL"),
];
const TITLE: &str = "Pivoine; noire, \\ et « lune »";

fn letter(template: Template, version: i32, starts_at: &str) -> Letter {
    let starts_at: Timestamp = starts_at.parse().expect("an instant");
    let ending = Ending {
        by_client: false,
        in_calendar: false,
        returned: Cents::ZERO,
        kept: Cents::ZERO,
        owed_beyond: Cents::ZERO,
        disputed: false,
        stood: true,
    };
    Letter {
        template,
        locale: Locale::Fr,
        artist: Artist {
            name: "Léa \"L\" Marchetti".into(),
            email: "lea@marchetti.example".into(),
            address: "14 montée de la Grande-Côte, 69001 Lyon".into(),
            city: "Lyon".into(),
            zone: TimeZone::get("Europe/Paris").expect("a zone"),
            slug: "lea-marchetti".into(),
            has_calcom: false,
        },
        client: Client {
            name: "Camille Durand".into(),
            email: "camille@example.com".into(),
            phone: "+33612345678".into(),
        },
        booking: Booking {
            id: BookingId::new(uuid!("0192f3a4-5b6c-7d8e-9f00-112233445566")),
            version,
            title: TITLE.into(),
            project: None,
            starts_at,
            ends_at: starts_at + jiff::SignedDuration::from_mins(150),
            price: None,
            deposit: Cents::new(5_000),
            nature: DepositNature::Acompte,
            paid: Cents::new(5_000),
            due: None,
            left_to_pay: None,
            stands: true,
            hold_expires_at: None,
            calendar_url: None,
            policy: String::new(),
        },
        refund: None,
        ending: matches!(template, Template::ClientCancelled | Template::ArtistCancelled).then_some(ending),
        problem: None,
        public_url: "https://inkflow.example".into(),
        sender: "bookings@inkflow.example".into(),
        sent_at: "2026-11-23T09:00:00Z".parse().expect("an instant"),
    }
}

/// The files that one reader gets in the life of an appointment, in a folder of their own.
fn files(reader: &str) -> (PathBuf, Vec<PathBuf>) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("calendars-{reader}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for the files");
    let files = LIFE.iter().map(|(what, version, start, _)| {
        let template = Template::parse(&format!("{reader}_{what}"));
        let file = letter(template.expect("a mail"), *version, start).compose().calendar.expect("a file");
        let path = folder.join(format!("{version}-{what}.ics"));
        std::fs::write(&path, file.content).expect("a file is written");
        path
    });
    let files = files.collect();
    (folder, files)
}

/// What a correct reader finds in those files.
fn expected(reader: &str) -> Vec<Value> {
    let address = if reader == "artist" { "lea@marchetti.example" } else { "camille@example.com" };
    let summary = if reader == "artist" {
        format!("Camille Durand – {TITLE}")
    } else {
        format!("{TITLE} – Léa \"L\" Marchetti")
    };
    LIFE.iter()
        .map(|(_, version, start, method)| {
            let start: Timestamp = start.parse().expect("an instant");
            let cancelled = *method == "CANCEL";
            json!({
                "errors": [],
                "method": method,
                "uid": "0192f3a4-5b6c-7d8e-9f00-112233445566@inkflow",
                "sequence": version,
                "status": if cancelled { "CANCELLED" } else { "CONFIRMED" },
                "summary": if cancelled { format!("Annulé\u{a0}: {summary}") } else { summary.clone() },
                "location": "14 montée de la Grande-Côte, 69001 Lyon",
                "start": start.strftime("%Y%m%dT%H%M%SZ").to_string(),
                "organizer": "mailto:bookings@inkflow.example",
                "attendee": [format!("mailto:{address}"), "ACCEPTED", "FALSE"],
            })
        })
        .collect()
}

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the checkout")
}

fn script(name: &str) -> PathBuf {
    checkout().join("shared/tests/calendars").join(name)
}

/// What a program says; none when it cannot be run.
fn said(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::inherit()).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).expect("UTF-8"))
}

/// In CI nothing that can be installed there is left out.
fn skip(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what} is missing");
    eprintln!("SKIPPED: {what} is missing");
}

/// khal and icalendar, in an environment of their own.
fn python() -> Option<PathBuf> {
    let folder = said(Command::new(checkout().join("tools/dev/setup/from-pypi")).arg("khal"));
    if folder.is_none() {
        skip("python3 with khal, from PyPI,");
    }
    folder.map(|folder| Path::new(folder.trim()).join("python3"))
}

fn every_reader_finds_what_is_meant(program: &str, run: impl Fn() -> Command) {
    for reader in ["client", "artist"] {
        let (folder, files) = files(reader);
        let said = said(run().args(&files)).unwrap_or_else(|| panic!("{program} fails"));
        let read: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(read, expected(reader), "{program}, {reader}");
        let _ = std::fs::remove_dir_all(folder);
    }
}

#[test]
fn icalendar_reads_request_and_cancel_of_one_appointment() {
    let Some(python) = python() else { return };
    every_reader_finds_what_is_meant("icalendar", || {
        let mut command = Command::new(&python);
        command.arg(script("by_icalendar.py"));
        command
    });
}

#[test]
fn ical_js_reads_request_and_cancel_of_one_appointment() {
    let packages = checkout().join("frontend/tests");
    if said(Command::new(checkout().join("tools/dev/setup/npm-packages")).arg(&packages)).is_none() {
        return skip("node with ical.js, from npm,");
    }
    let installed = packages.join("node_modules");
    every_reader_finds_what_is_meant("ical.js", || {
        let mut command = Command::new("node");
        command.arg(script("by_ical_js.mjs")).arg(&installed);
        command
    });
}

#[test]
fn libical_reads_request_and_cancel_of_one_appointment() {
    let Some(library) = said(&mut Command::new(checkout().join("tools/dev/setup/libical"))) else {
        return skip("libical");
    };
    let library = Path::new(library.trim());
    every_reader_finds_what_is_meant("libical", || {
        let mut command = Command::new("python3");
        command.arg(script("by_libical.py")).arg(library);
        // What it needs may lie beside it.
        command.env("LD_LIBRARY_PATH", library.parent().expect("a folder"));
        command
    });
}

/// khal takes files in by hand and knows no METHOD: it shows that an appointment is off, where an agent of iTIP takes it out.
#[test]
fn khal_moves_the_appointment_and_strikes_it_out() {
    let Some(python) = python() else { return };
    let (folder, files) = files("client");
    let settings = format!(
        "[calendars]\n[[one]]\npath = {0}/one\n[locale]\nlocal_timezone = Europe/Paris\ndefault_timezone = Europe/Paris\n\
         timeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\ndatetimeformat = %Y-%m-%d %H:%M\n\
         longdatetimeformat = %Y-%m-%d %H:%M\n[sqlite]\npath = {0}/khal.db\n",
        folder.display()
    );
    std::fs::create_dir_all(folder.join("one")).expect("a calendar");
    std::fs::write(folder.join("khal.conf"), settings).expect("khal's settings");
    let khal = |arguments: &[&str]| {
        let mut command = Command::new(&python);
        command.args(["-m", "khal", "-c"]).arg(folder.join("khal.conf")).args(arguments);
        said(&mut command).expect("khal works")
    };
    let mut listed = Vec::new();
    for file in &files {
        khal(&["import", "--batch", file.to_str().expect("UTF-8")]);
        let format = ["--day-format", "", "--format", "{start-long}|{cancelled}|{location}"];
        let lines = khal(&[&["list"][..], &format, &["2026-12-01", "7d"]].concat());
        listed.push(lines.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>());
    }
    let place = "14 montée de la Grande-Côte, 69001 Lyon";
    let line = |start: &str, off: &str| vec![format!("{start}|{off}|{place}")];
    assert_eq!(
        listed,
        [line("2026-12-01 14:00", ""), line("2026-12-03 10:00", ""), line("2026-12-03 10:00", "CANCELLED ")]
    );
    let _ = std::fs::remove_dir_all(folder);
}
