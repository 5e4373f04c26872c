//! What every mail says, in both languages: read as a snapshot, and checked for what no mail may do.
//! `make test` leaves the HTML in `target/tmp/mails`, to look at in a browser.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use shared::domain::ids::BookingId;
use shared::domain::job::{RefundReason, Template};
use shared::domain::locale::Locale;
use shared::domain::money::Cents;
use shared::domain::policy::{CancellationPolicy, DepositNature};
use shared::mail::Mail;
use shared::mail::letter::{Alert, Artist, Booking, Client, DisputeNews, Ending, Letter, Project, Refund};
use uuid::uuid;

const LOCALES: [Locale; 2] = [Locale::Fr, Locale::En];

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn letter(template: Template, locale: Locale) -> Letter {
    let paid = !matches!(template, Template::ArtistPending | Template::ClientHeld);
    Letter {
        template,
        locale,
        artist: Artist {
            name: "Léa Marchetti".into(),
            email: "lea@marchetti.example".into(),
            address: "12 rue de l’Encre".into(),
            city: "Paris".into(),
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
            version: 2,
            title: "Pivoine noire".into(),
            project: None,
            starts_at: at("2026-12-01T13:00:00Z"),
            ends_at: at("2026-12-01T15:30:00Z"),
            price: Some(Cents::new(18_000)),
            deposit: Cents::new(5_000),
            nature: DepositNature::Acompte,
            paid: Cents::new(if paid { 5_000 } else { 0 }),
            due: (!paid).then_some(Cents::new(5_000)),
            left_to_pay: (!matches!(template, Template::ClientCancelled | Template::ArtistCancelled))
                .then_some(Cents::new(13_000)),
            stands: paid,
            hold_expires_at: (!paid).then(|| at("2026-11-23T09:30:00Z")),
            calendar_url: Some("https://cal.com/booking/fKq8t1".into()),
            policy: terms(DepositNature::Acompte, locale),
        },
        refund: Some(Refund { amount: Cents::new(5_000), reason: RefundReason::Late }),
        ending: matches!(template, Template::ClientCancelled | Template::ArtistCancelled).then_some(ENDING),
        problem: Some(match template {
            Template::ArtistCalendarConflict => Alert::CalendarTaken,
            _ => Alert::Mismatch { received: Some((Cents::new(4_000), "eur".into())) },
        }),
        public_url: "https://inkflow.example".into(),
        sender: "bookings@inkflow.example".into(),
        sent_at: at("2026-11-23T09:00:00Z"),
    }
}

const ENDING: Ending = Ending {
    by_client: false,
    in_calendar: true,
    returned: Cents::new(5_000),
    kept: Cents::ZERO,
    owed_beyond: Cents::ZERO,
    disputed: false,
    stood: true,
};

fn contested(news: DisputeNews) -> Alert {
    Alert::Disputed { news, amount: Some(Cents::new(5_000)), due_by: Some(at("2026-12-10T22:59:59Z")) }
}

fn policy(nature: DepositNature) -> CancellationPolicy {
    CancellationPolicy { full_refund_hours: 72, late_refund_percent: 0, free_moves: 1, nature }
}

fn terms(nature: DepositNature, locale: Locale) -> String {
    let (starts_at, zone) = (at("2026-12-01T13:00:00Z"), TimeZone::get("Europe/Paris").expect("a zone"));
    let terms = shared::terms::of_appointment(&policy(nature), starts_at, &zone, locale, at("2026-11-23T09:00:00Z"));
    format!("{terms} {}", policy(nature).way(true, locale))
}

fn project() -> Project {
    Project {
        description: "Un dragon dans le dos,\r\n\r\navec des pivoines.".into(),
        body_zone: "dos".into(),
        budget: Some(Cents::new(120_000)),
    }
}

/// Every kind of mail that the templates can write.
fn all() -> Vec<(String, Letter)> {
    let mut letters = Vec::new();
    for locale in LOCALES {
        let mut add = |name: &str, letter: Letter| letters.push((format!("{name}_{locale}"), letter));
        for &template in Template::ALL {
            add(template.name(), letter(template, locale));
        }
        let mut of_a_project = letter(Template::ArtistPending, locale);
        of_a_project.booking.title = String::new();
        of_a_project.booking.price = None;
        of_a_project.booking.left_to_pay = None;
        of_a_project.booking.nature = DepositNature::Arrhes;
        of_a_project.booking.project = Some(project());
        of_a_project.booking.hold_expires_at = None;
        add("artist_pending_project", of_a_project);
        let mut by_hand = letter(Template::ClientConfirmed, locale);
        by_hand.booking.paid = Cents::ZERO;
        by_hand.booking.left_to_pay = by_hand.booking.price;
        add("client_confirmed_by_hand", by_hand);
        let mut unpaid = letter(Template::ClientMoved, locale);
        unpaid.booking.paid = Cents::ZERO;
        unpaid.booking.due = Some(Cents::new(5_000));
        unpaid.booking.stands = false;
        unpaid.booking.hold_expires_at = Some(at("2026-11-23T09:30:00Z"));
        add("client_moved_unpaid", unpaid);
        let late = Ending {
            by_client: true,
            in_calendar: false,
            returned: Cents::new(2_500),
            kept: Cents::new(2_500),
            ..ENDING
        };
        let free = Ending { in_calendar: false, returned: Cents::ZERO, stood: false, ..ENDING };
        let twofold = Ending { owed_beyond: Cents::new(5_000), ..ENDING };
        let disputed = Ending { returned: Cents::ZERO, disputed: true, ..ENDING };
        let by_artist = Ending { in_calendar: false, ..ENDING };
        let own = Letter { ending: Some(by_artist), ..letter(Template::ArtistCancelled, locale) };
        add("artist_cancelled_by_artist", own);
        let mut with_calcom = letter(Template::ArtistConfirmed, locale);
        with_calcom.artist.has_calcom = true;
        add("artist_confirmed_in_calcom", with_calcom);
        for (name, ending) in [("late", late), ("unpaid", free), ("arrhes", twofold), ("disputed", disputed)] {
            for template in [Template::ClientCancelled, Template::ArtistCancelled] {
                add(
                    &format!("{}_{name}", template.name()),
                    Letter { ending: Some(ending), ..letter(template, locale) },
                );
            }
        }
        let mut arrhes = letter(Template::ClientConfirmed, locale);
        arrhes.booking.nature = DepositNature::Arrhes;
        arrhes.booking.policy = terms(DepositNature::Arrhes, locale);
        arrhes.booking.price = Some(arrhes.booking.deposit);
        arrhes.booking.left_to_pay = Some(Cents::ZERO);
        add("client_confirmed_arrhes", arrhes);
        for (name, problem) in [
            ("duplicate", Alert::Duplicate { amount: Some(Cents::new(5_000)) }),
            ("refund_failed", Alert::RefundFailed { amount: Some(Cents::new(5_000)) }),
            ("disputed", contested(DisputeNews::Open)),
            ("inquiry", contested(DisputeNews::Inquiry)),
            ("dispute_lost", contested(DisputeNews::Lost)),
            ("other_currency", Alert::Mismatch { received: Some((Cents::new(5_000), "usd".into())) }),
            ("unknown_amount", Alert::Mismatch { received: None }),
        ] {
            let letter = Letter { problem: Some(problem), ..letter(Template::ArtistPaymentProblem, locale) };
            add(&format!("artist_payment_problem_{name}"), letter);
        }
        let problem = Some(Alert::CalendarMoved);
        add("artist_calendar_moved", Letter { problem, ..letter(Template::ArtistCalendarConflict, locale) });
        for (name, reason) in [("duplicate", RefundReason::Duplicate), ("cancelled", RefundReason::Cancelled)] {
            let refund = Some(Refund { amount: Cents::new(5_000), reason });
            add(&format!("client_refund_{name}"), Letter { refund, ..letter(Template::ClientLateRefund, locale) });
        }
    }
    letters
}

/// What keeps a piece of an address together.
const NOWRAP: &str = "<span style=\"white-space:nowrap\">";

/// The words of a page, as a reader sees them.
fn words(html: &str) -> String {
    // Where a long word may break is no space in it.
    let html = html.replace("<wbr>", "").replace(NOWRAP, "").replace("</span>", "");
    let (_, body) = html.split_once("<body").expect("a body");
    let mut text = String::new();
    let mut inside = true;
    for character in body.chars() {
        match character {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(character),
            _ => {}
        }
    }
    for (entity, character) in
        [("&nbsp;", "\u{a0}"), ("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")]
    {
        text = text.replace(entity, character);
    }
    squeezed(&text)
}

fn squeezed(text: &str) -> String {
    text.split([' ', '\n', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn calendar(mail: &Mail) -> Option<String> {
    let file = mail.calendar.as_ref()?;
    let content = file.content.replace("\r\n ", "");
    assert!(content.contains(&format!("\r\nMETHOD:{}\r\n", file.method.name())), "{content}");
    Some(content)
}

#[test]
fn every_mail_says_what_it_says() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mails");
    std::fs::create_dir_all(&folder).expect("a folder for the mails");
    for (name, letter) in all() {
        let mail = letter.compose();
        std::fs::write(folder.join(format!("{name}.html")), &mail.html).expect("a mail is written");
        // No-break spaces are shown, because they are a part of French typography.
        let shown = |text: &str| text.replace(['\u{a0}', '\u{202f}'], "·");
        insta::assert_snapshot!(
            name,
            format!(
                "To: {}\nFrom: {}\nReply-To: {}\nSubject: {}\n\n{}",
                mail.to,
                mail.from_name,
                mail.reply_to,
                shown(&mail.subject),
                shown(&mail.text)
            )
        );
    }
}

#[test]
fn text_and_html_say_the_same() {
    for (name, letter) in all() {
        let mail = letter.compose();
        let html = words(&mail.html);
        for line in mail.text.lines().filter(|line| !line.is_empty() && *line != "-- ") {
            let line = line.strip_prefix("> ").unwrap_or(line);
            // A table says `Quand | mardi …`, a button hides its address.
            let parts: Vec<&str> = match line.split_once("\u{a0}: ").or_else(|| line.split_once(": ")) {
                Some((label, value)) if value.starts_with("https://") || label.contains("https") => vec![label],
                Some((label, value)) if label.len() < 20 => vec![label, value],
                _ => vec![line],
            };
            for part in parts {
                assert!(html.contains(part), "{name}: the HTML lacks {part:?}\n{html}");
            }
        }
    }
}

#[test]
fn a_mail_of_a_hold_never_says_that_it_is_paid() {
    for locale in LOCALES {
        let mail = letter(Template::ArtistPending, locale).compose();
        let not_paid = locale.pick("n’est pas encore payé", "is not paid yet");
        assert!(mail.text.contains(not_paid) && words(&mail.html).contains(not_paid));
        // 09:30 UTC on the artist's clock.
        assert!(mail.text.contains(locale.pick("10\u{a0}h\u{a0}30", "10:30")), "{}", mail.text);
        assert!(mail.calendar.is_none(), "an unpaid appointment goes into no calendar");
    }
}

#[test]
fn the_end_of_a_hold_names_the_studios_clock_wherever_it_is_told_to_a_client() {
    for (locale, until) in
        [(Locale::Fr, "jusqu’à 5\u{a0}h\u{a0}30, heure de la Martinique"), (Locale::En, "until 05:30, Martinique time")]
    {
        let mut letter = letter(Template::ClientHeld, locale);
        letter.artist.zone = TimeZone::get("America/Martinique").expect("a zone");
        let mail = letter.compose();
        for told in [&mail.subject, &mail.text, &mail.html] {
            assert!(told.contains(until), "{told}");
        }
    }
}

#[test]
fn only_the_mails_of_an_appointment_that_stands_or_stood_carry_a_calendar_file() {
    for (name, letter) in all() {
        let stands = matches!(
            letter.template,
            Template::ArtistConfirmed | Template::ArtistMoved | Template::ClientConfirmed | Template::ClientMoved
        ) && letter.booking.stands;
        let stood = letter.ending.is_some_and(|ending| ending.stood);
        let file = calendar(&letter.compose());
        assert_eq!(file.is_some(), (stands || stood) && !letter.artist.has_calcom, "{name}");
        if let Some(file) = file {
            let how =
                if stood { ["METHOD:CANCEL", "STATUS:CANCELLED"] } else { ["METHOD:REQUEST", "STATUS:CONFIRMED"] };
            assert!(how.iter().all(|line| file.lines().any(|found| found == *line)), "{name}: {file}");
            // Calendars believe a correction only of whom they had the appointment from: the mail's own sender.
            assert!(file.contains("ORGANIZER;CN=\"Léa Marchetti\":mailto:bookings@inkflow.example\r\n"), "{file}");
            let reader = if name.starts_with("artist") { "lea@marchetti.example" } else { "camille@example.com" };
            let invited = file.lines().find(|line| line.starts_with("ATTENDEE")).unwrap_or_default();
            assert!(invited.ends_with(&format!("PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:{reader}")), "{invited}");
        }
    }
    let mut held = letter(Template::ClientMoved, Locale::Fr);
    held.booking.stands = false;
    assert!(calendar(&held.compose()).is_none(), "nothing is fixed yet");
    let file = |template| calendar(&letter(template, Locale::Fr).compose()).expect("a calendar file");
    let (artist, client) = (file(Template::ArtistConfirmed), file(Template::ClientConfirmed));
    for line in [
        "UID:0192f3a4-5b6c-7d8e-9f00-112233445566@inkflow",
        "SEQUENCE:2",
        "DTSTART:20261201T130000Z",
        "DTEND:20261201T153000Z",
        "LOCATION:12 rue de l’Encre\\, Paris",
    ] {
        assert!(artist.lines().any(|found| found == line), "{line}\n{artist}");
        assert!(client.lines().any(|found| found == line), "{line}\n{client}");
    }
    assert!(artist.contains("SUMMARY:Camille Durand – Pivoine noire"));
    assert!(client.contains("SUMMARY:Pivoine noire – Léa Marchetti"));
    assert!(!client.contains("+336"), "{client}");
}

#[test]
fn an_unpaid_client_is_told_until_when_and_led_back_to_the_payment() {
    for locale in LOCALES {
        let mail = letter(Template::ClientHeld, locale).compose();
        assert!(mail.subject.contains(locale.pick("10\u{a0}h\u{a0}30", "10:30")), "{}", mail.subject);
        let page = "https://inkflow.example/booking/cancel?id=0192f3a4-5b6c-7d8e-9f00-112233445566";
        assert!(mail.text.contains(page) && mail.html.contains(page));
        assert!(
            mail.calendar.is_none() && !mail.text.contains("Encre"),
            "where it is, is told to whom it is confirmed"
        );
    }
}

#[test]
fn a_project_is_called_in_its_readers_language() {
    let named = |template, locale| {
        let mut letter = letter(template, locale);
        letter.booking.title = String::new();
        letter.booking.project = Some(project());
        let mail = letter.compose();
        (mail.text.clone(), calendar(&mail).unwrap_or_default())
    };
    for template in [Template::ArtistConfirmed, Template::ClientConfirmed] {
        let (text, file) = named(template, Locale::Fr);
        assert!(text.contains("Projet sur mesure") && file.contains("Projet sur mesure"), "{text}{file}");
        let (text, file) = named(template, Locale::En);
        assert!(text.contains("Custom project") && file.contains("Custom project"), "{text}{file}");
    }
}

#[test]
fn what_an_address_holds_begins_no_header_of_the_mail_that_a_link_writes() {
    let mut letter = letter(Template::ArtistConfirmed, Locale::Fr);
    letter.client.email = "jo?bcc=evil%40evil.example&body=x@example.fr".into();
    let html = letter.compose().html;
    assert!(html.contains("href=\"mailto:jo%3Fbcc%3Devil%2540evil.example%26body%3Dx@example.fr\""), "{html}");
    letter.client.email = "jo.martin+salon@example.fr".into();
    assert!(letter.compose().html.contains("href=\"mailto:jo.martin+salon@example.fr\""));
}

#[test]
fn an_address_breaks_before_its_at_and_dots_and_nowhere_else() {
    let mut letter = letter(Template::ArtistConfirmed, Locale::Fr);
    letter.client.email = "jo@mon-salon.fr".into();
    let html = letter.compose().html;
    let whole = |piece: &str| format!("{NOWRAP}{piece}</span>");
    let pieces = [whole("jo"), whole("@mon-salon"), whole(".fr")].join("<wbr>");
    assert!(html.contains(&format!("href=\"mailto:jo@mon-salon.fr\" style=\"color:#1a1612\">{pieces}</a>")), "{html}");
    // What is longer than a line may break where it must.
    letter.client.email = format!("{}@b.fr", "j".repeat(60));
    let html = letter.compose().html;
    assert!(html.contains(&format!(">{}<wbr>{}", "j".repeat(60), whole("@b"))), "{html}");
}

#[test]
fn a_signature_is_set_off_as_programs_know_it() {
    for (name, letter) in all() {
        let text = letter.compose().text;
        assert_eq!(text.lines().filter(|line| *line == "-- ").count(), 1, "{name}: {text}");
        assert!(!text.lines().any(|line| line != "-- " && line.ends_with(' ')), "{name}: {text}");
    }
}

#[test]
fn mails_lead_nowhere_else_and_load_nothing() {
    for (name, letter) in all() {
        let html = letter.compose().html;
        for (at, _) in html.match_indices("http") {
            let url = &html[at..];
            // The second is a part of the first of the others.
            let own =
                url.starts_with("https://inkflow.example/") || url.starts_with("https%3A%2F%2Finkflow.example%2F");
            // The artist's own calendar, in mails to the artist; the client's, which is filled in once by hand.
            let calendar = if name.starts_with("artist") {
                url.starts_with("https://cal.com/booking/fKq8t1")
            } else {
                name.starts_with("client_confirmed")
                    && (url.starts_with("https://calendar.google.com/calendar/render?")
                        || url.starts_with("https://outlook.live.com/calendar/0/deeplink/compose?"))
            };
            assert!(own || calendar, "{name}: {}", &url[..40]);
        }
        for loader in ["<img", "<link", "<script", "url(", "@import", "src=", "background="] {
            assert!(!html.contains(loader), "{name} holds {loader}");
        }
    }
}

#[test]
fn what_people_type_stays_text() {
    let evil = "<img src=x onerror=alert(1)>\"'&</td>\r\nBcc: victim at example\u{2028}X-Header: 1\u{202e}";
    for &template in Template::ALL {
        for locale in LOCALES {
            let mut letter = letter(template, locale);
            letter.client.name = evil.into();
            letter.client.phone = evil.into();
            letter.artist.name = evil.into();
            letter.artist.address = evil.into();
            letter.booking.title = evil.into();
            letter.booking.policy = evil.into();
            letter.booking.calendar_url = Some("javascript:alert(1)".into());
            letter.booking.project = Some(Project { description: evil.into(), body_zone: evil.into(), budget: None });
            let mail = letter.compose();
            assert!(!mail.subject.contains(['\r', '\n', '\u{2028}', '\u{202e}']), "{:?}", mail.subject);
            assert!(!mail.text.contains(['\r', '\u{2028}', '\u{202e}']));
            assert!(!mail.text.lines().any(|line| line.starts_with("Bcc:") || line.starts_with("X-Header:")));
            assert!(!mail.html.contains("<img") && !mail.html.contains("javascript:"), "{}", mail.html);
            assert_eq!(mail.html.matches("</html>").count(), 1);
            let written = words(&mail.html);
            assert!(written.contains("<img src=x onerror=alert(1)>\"'&</td> Bcc: victim at example"), "{written}");
            if let Some(file) = calendar(&mail) {
                assert!(!file.lines().any(|line| line.starts_with("Bcc:")), "{file}");
            }
        }
    }
}

#[test]
fn a_long_name_leaves_room_for_the_date_in_the_subject() {
    let mut letter = letter(Template::ArtistConfirmed, Locale::Fr);
    letter.client.name = "Ğ".repeat(100);
    let subject = letter.compose().subject;
    assert!(subject.contains("…, mardi 1er"), "{subject}");
    assert!(subject.chars().count() < 130, "{subject}");
}

#[test]
fn answers_go_to_the_other_person() {
    for (_, letter) in all() {
        let mail = letter.compose();
        if letter.template.name().starts_with("artist") {
            assert_eq!((mail.to.as_str(), mail.reply_to.as_str()), ("lea@marchetti.example", "camille@example.com"));
            assert_eq!(mail.from_name, "InkFlow");
        } else {
            assert_eq!((mail.to.as_str(), mail.reply_to.as_str()), ("camille@example.com", "lea@marchetti.example"));
            assert_eq!(mail.from_name, "Léa Marchetti");
        }
        assert!(!format!("{mail:?} {letter:?}").contains("camille"), "personal data in Debug");
    }
}

#[test]
fn a_name_of_before_leads_nowhere() {
    for &template in Template::ALL {
        for locale in LOCALES {
            let mut letter = letter(template, locale);
            letter.artist.name = "Votre banque : compte bloqué, voir http://evil.example".into();
            letter.artist.city = "www.evil.example".into();
            letter.artist.address = "12 rue de l’Encre, evil.example/x".into();
            letter.client.name = "https://evil.example/y".into();
            letter.booking.title = "Cadeau : evil.example/z".into();
            let mail = letter.compose();
            let file = mail.calendar.as_ref().map(|file| file.content.replace("\r\n ", "")).unwrap_or_default();
            for part in [&mail.from_name, &mail.subject, &mail.text, &mail.html, &file] {
                assert!(!part.contains("evil.example"), "{template:?} {locale:?}: {part}");
            }
            assert!(!mail.from_name.is_empty());
        }
    }
}
