//! The list as a file for a spreadsheet, in the form that the artist's own opens by a double click.

use jiff::Timestamp;
use shared::appointment;
use shared::db::dashboard::Entry;
use shared::domain::booking::{Booking, EntryKind};
use shared::domain::contact::Locale;
use shared::domain::local::{LocalTime, Turn, whose_clock};
use shared::domain::money::Cents;

/// What begins a file in UTF-8, so that Excel takes it for that.
const BOM: &str = "\u{feff}";

/// The list as CSV (RFC 4180). In French with semicolons and decimal commas, as a French Excel wants them.
pub(crate) fn write(entries: &[Entry], locale: Locale) -> String {
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
        let (captured, refunded) = moved(booking);
        line(
            &mut text,
            separator,
            [
                LocalTime::of(booking.starts_at, &entry.zone).date().to_string(),
                hour(booking.starts_at, entry, locale),
                hour(booking.ends_at, entry, locale),
                entry.kind.clone(),
                appointment::title(&entry.title, locale).to_owned(),
                booking.state.status.name().to_owned(),
                if booking.state.no_show { "1" } else { "" }.to_owned(),
                booking.state.payment_status.name().to_owned(),
                entry.price.map(euros).unwrap_or_default(),
                euros(booking.deposit),
                euros(captured),
                euros(refunded),
                booking.left_to_pay(entry.price).map(euros).unwrap_or_default(),
                entry.client_name.clone(),
                entry.client_email.clone(),
                entry.client_phone.clone(),
                booking.id.to_string(),
            ],
        );
    }
    text
}

/// `02:30`; with what tells it apart where that alone would be mistaken: `02:30 heure d’été` when the hour comes twice that
/// night, `10:00 heure de Bruxelles` when the artist has moved on since.
fn hour(instant: Timestamp, entry: &Entry, locale: Locale) -> String {
    let mut hour = LocalTime::of(instant, &entry.zone).wall().strftime("%H:%M").to_string();
    let turn = Turn::of(instant, &entry.zone).map(|turn| turn.words(locale));
    let clock = (entry.zone != entry.home).then(|| whose_clock(&entry.zone, locale));
    for more in [turn, clock].into_iter().flatten() {
        hour.extend([" ", &more]);
    }
    hour
}

/// What was received and what was given back or lost, as the ledger has it.
fn moved(booking: &Booking) -> (Cents, Cents) {
    let ours = || booking.ledger.iter().filter(|entry| entry.currency == booking.currency.code());
    let captured: i64 = ours().filter(|entry| entry.kind == EntryKind::Capture).map(|entry| entry.amount.cents()).sum();
    let balance: i64 = ours().map(|entry| entry.amount.cents()).sum();
    (Cents::new(captured), Cents::new(captured - balance))
}

fn line<const N: usize>(text: &mut String, separator: &str, cells: [String; N]) {
    let cells: Vec<String> = cells.iter().map(|content| cell(content, separator)).collect();
    text.push_str(&cells.join(separator));
    text.push_str("\r\n");
}

/// One cell. Clients write their names themselves: what a spreadsheet would take for a formula is made a text.
fn cell(content: &str, separator: &str) -> String {
    let formula = content.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let content = if formula { format!("'{content}") } else { content.to_owned() };
    if content.contains(['"', '\n', '\r']) || content.contains(separator) {
        format!("\"{}\"", content.replace('"', "\"\""))
    } else {
        content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_and_never_a_formula() {
        for (content, written) in [
            ("Jo Martin", "Jo Martin"),
            ("60,00", "60,00"),
            ("Martin; Jo", "\"Martin; Jo\""),
            ("Jo \"la\" Martin", "\"Jo \"\"la\"\" Martin\""),
            ("=HYPERLINK(\"http://evil\")", "\"'=HYPERLINK(\"\"http://evil\"\")\""),
            ("+33612345678", "'+33612345678"),
            ("-1", "'-1"),
            ("@cmd", "'@cmd"),
            ("deux\nlignes", "\"deux\nlignes\""),
        ] {
            assert_eq!(cell(content, ";"), written);
        }
    }
}
