//! The list as a file for a spreadsheet, in the form that the artist's own opens by a double click.

use jiff::Timestamp;
use jiff::civil::Date;
use shared::appointment;
use shared::db::dashboard::Listed;
use shared::domain::booking::{BookingKind, PaymentStatus, Status};
use shared::domain::contact::PhoneNumber;
use shared::domain::local::{LocalTime, Turn, whose_clock};
use shared::domain::locale::Locale;
use shared::domain::money::Cents;

/// What begins a file in UTF-8, so that Excel takes it for that.
const BOM: &str = "\u{feff}";

/// The list as CSV (RFC 4180). In French with semicolons and decimal commas, as a French Excel wants them.
pub(crate) fn write(entries: &[Listed], locale: Locale) -> String {
    let separator = locale.pick(";", ",");
    let heading = locale.pick(
        [
            "Date",
            "Début",
            "Fin",
            "Type",
            "Titre",
            "Statut",
            "Absence",
            "Paiement",
            "Prix",
            "Acompte",
            "Encaissé",
            "Rendu",
            "À payer sur place",
            "Client",
            "E-mail",
            "Téléphone",
            "Référence",
        ],
        [
            "Date",
            "Start",
            "End",
            "Type",
            "Title",
            "Status",
            "No-show",
            "Payment",
            "Price",
            "Deposit",
            "Captured",
            "Refunded",
            "To pay on site",
            "Client",
            "Email",
            "Phone",
            "Reference",
        ],
    );
    let mut text = String::from(BOM);
    line(&mut text, separator, heading.map(str::to_owned));
    for entry in entries {
        let booking = &entry.booking;
        let euros = |amount: Cents| {
            let text = amount.to_euros();
            if locale == Locale::Fr { text.replace('.', ",") } else { text }
        };
        let totals = booking.ledger.totals(booking.currency);
        let is_project = entry.kind == BookingKind::Project;
        line(
            &mut text,
            separator,
            [
                LocalTime::of(booking.starts_at, &entry.zone).date().to_string(),
                hour(booking.starts_at, entry, locale),
                end(entry, locale),
                if is_project { locale.pick("Projet", "Project") } else { "Flash" }.to_owned(),
                appointment::title(&entry.title, locale).to_owned(),
                status(booking.state.status, locale).to_owned(),
                if booking.state.no_show { locale.pick("oui", "yes") } else { "" }.to_owned(),
                payment(booking.state.payment_status, locale).to_owned(),
                entry.price.map(euros).unwrap_or_default(),
                euros(booking.deposit),
                euros(totals.captured),
                euros(totals.returned()),
                booking.left_to_pay(entry.price).map(euros).unwrap_or_default(),
                entry.client_name.clone(),
                entry.client_email.clone(),
                phone(&PhoneNumber::from_stored(entry.client_phone.clone())),
                booking.id.to_string(),
            ],
        );
    }
    text
}

/// `02:30`; with what tells it apart where that alone would be mistaken: `02:30 heure d’été` when the hour comes twice that
/// night, `10:00 heure de Bruxelles` when the artist has moved on since.
fn hour(instant: Timestamp, entry: &Listed, locale: Locale) -> String {
    let mut hour = LocalTime::of(instant, &entry.zone).wall().strftime("%H:%M").to_string();
    let turn = Turn::of(instant, &entry.zone).map(|turn| turn.words(locale));
    let clock = (entry.zone != entry.home).then(|| whose_clock(&entry.zone, locale));
    for more in [turn, clock].into_iter().flatten() {
        hour.extend([" ", &more]);
    }
    hour
}

/// The hour of the end. Midnight is 24:00 of the day that ends, so that an end taken from its start is a duration.
fn end(entry: &Listed, locale: Locale) -> String {
    let day = |instant| LocalTime::of(instant, &entry.zone).date();
    let hour = hour(entry.booking.ends_at, entry, locale);
    on_the_day_of(day(entry.booking.starts_at), day(entry.booking.ends_at), hour)
}

fn on_the_day_of(start: Date, end: Date, hour: String) -> String {
    let is_next_day = start.tomorrow().is_ok_and(|next| next == end);
    if is_next_day { hour.replacen("00:00", "24:00", 1) } else { hour }
}

/// A number in groups, which a spreadsheet leaves alone. Groups of three are thousands in French: `+352 621 123 456` would
/// be 352 621 123 456 of something.
fn phone(number: &PhoneNumber) -> String {
    let written = number.written();
    match written.split_once(' ') {
        Some((code, groups)) if groups.split(' ').all(|group| group.len() == 3) => {
            format!("{code} {}", groups.replace(' ', "-"))
        }
        _ => written,
    }
}

/// As the dashboard names it.
const fn status(status: Status, locale: Locale) -> &'static str {
    match (status, locale) {
        (Status::Pending, Locale::Fr) => "En attente de l’acompte",
        (Status::Pending, Locale::En) => "Waiting for the deposit",
        (Status::Confirmed, Locale::Fr) => "Confirmé",
        (Status::Confirmed, Locale::En) => "Confirmed",
        (Status::Cancelled, Locale::Fr) => "Annulé",
        (Status::Cancelled, Locale::En) => "Cancelled",
        (Status::Completed, Locale::Fr) => "Terminé",
        (Status::Completed, Locale::En) => "Done",
    }
}

const fn payment(status: PaymentStatus, locale: Locale) -> &'static str {
    match (status, locale) {
        (PaymentStatus::Unpaid, Locale::Fr) => "Non payé",
        (PaymentStatus::Unpaid, Locale::En) => "Not paid",
        (PaymentStatus::Paid, Locale::Fr) => "Payé",
        (PaymentStatus::Paid, Locale::En) => "Paid",
        (PaymentStatus::RefundPending, Locale::Fr) => "Remboursement en cours",
        (PaymentStatus::RefundPending, Locale::En) => "Being refunded",
        (PaymentStatus::Refunded, Locale::Fr) => "Remboursé",
        (PaymentStatus::Refunded, Locale::En) => "Refunded",
        (PaymentStatus::Disputed, Locale::Fr) => "Contesté",
        (PaymentStatus::Disputed, Locale::En) => "Disputed",
        (PaymentStatus::Lost, Locale::Fr) => "Perdu (contestation)",
        (PaymentStatus::Lost, Locale::En) => "Lost (dispute)",
    }
}

fn line<const N: usize>(text: &mut String, separator: &str, cells: [String; N]) {
    let cells: Vec<String> = cells.iter().map(|content| cell(content)).collect();
    text.push_str(&cells.join(separator));
    text.push_str("\r\n");
}

/// One cell. Clients write their names themselves: what a spreadsheet would take for a formula is made a text.
///
/// LibreOffice begins with comma, semicolon and tab as separators, all three, whatever the file's own: what contains one
/// of them is quoted, amounts with their comma as well.
fn cell(content: &str) -> String {
    let formula = content.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_phone_number(content);
    let content = if formula { format!("'{content}") } else { content.to_owned() };
    if content.contains(['"', '\n', '\r', ',', ';', '\t']) {
        format!("\"{}\"", content.replace('"', "\"\""))
    } else {
        content
    }
}

/// True for a number in groups behind its country code, which no spreadsheet takes for a formula or a sum of money.
fn is_phone_number(text: &str) -> bool {
    let is_part = |character: char| character.is_ascii_digit() || " -.()/".contains(character);
    text.strip_prefix('+').is_some_and(|rest| {
        rest.starts_with(|first: char| first.is_ascii_digit()) && rest.contains(' ') && rest.chars().all(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_neither_a_formula_nor_thousands() {
        for (number, written) in [
            ("+33612345678", "+33 6 12 34 56 78"),
            ("+12125550123", "+1 212-555-0123"),
            ("+352621123456", "+352 621-123-456"),
            ("+376712345", "+376 712-345"),
        ] {
            assert_eq!(cell(&phone(&PhoneNumber::from_stored(number.to_owned()))), written);
        }
    }

    #[test]
    fn an_end_at_midnight_is_after_its_start() {
        let (day, next) = (jiff::civil::date(2027, 2, 2), jiff::civil::date(2027, 2, 3));
        for (end, hour, written) in
            [(next, "00:00", "24:00"), (next, "00:30", "00:30"), (day, "23:00", "23:00"), (day, "00:00", "00:00")]
        {
            assert_eq!(on_the_day_of(day, end, hour.to_owned()), written);
        }
    }

    #[test]
    fn every_state_has_a_word_in_the_artists_language() {
        for locale in [Locale::Fr, Locale::En] {
            for known in Status::ALL {
                assert_ne!(status(*known, locale), known.name());
            }
            for known in PaymentStatus::ALL {
                assert_ne!(payment(*known, locale), known.name());
            }
        }
    }

    #[test]
    fn a_cell_is_quoted_and_never_a_formula() {
        for (content, written) in [
            ("Jo Martin", "Jo Martin"),
            ("60.00", "60.00"),
            ("60,00", "\"60,00\""),
            ("9 rue, Lyon", "\"9 rue, Lyon\""),
            ("à\ttab", "\"à\ttab\""),
            ("Martin; Jo", "\"Martin; Jo\""),
            ("Jo \"la\" Martin", "\"Jo \"\"la\"\" Martin\""),
            ("=HYPERLINK(\"http://evil\")", "\"'=HYPERLINK(\"\"http://evil\"\")\""),
            ("+33 6 12 34 56 78", "+33 6 12 34 56 78"),
            ("+1 212-555-0123", "+1 212-555-0123"),
            ("+33612345678", "'+33612345678"),
            ("+1 2+cmd", "'+1 2+cmd"),
            ("-1", "'-1"),
            ("@cmd", "'@cmd"),
            ("deux\nlignes", "\"deux\nlignes\""),
        ] {
            assert_eq!(cell(content), written);
        }
    }
}
