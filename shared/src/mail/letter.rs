//! Writes the mails: from the facts of a booking to subject, text, HTML and calendar file. Pure.
//! The words are in `templates/mail`, one file per mail, language and format.

use askama::Template as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::words::{lines, moment, one_line, shortened, span};
use super::{Attachment, Mail};
use crate::domain::calendar::Question;
use crate::domain::contact::Locale;
use crate::domain::ids::BookingId;
use crate::domain::job::{RefundReason, Template};
use crate::domain::local::whose_clock;
use crate::domain::money::Cents;
use crate::domain::policy::DepositNature;
use crate::ics;

/// How many characters of a name a subject shows.
const NAME_IN_SUBJECT: usize = 60;

/// The facts that one mail speaks of.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Which mail.
    pub template: Template,
    /// The reader's language.
    pub locale: Locale,
    /// The artist.
    pub artist: Artist,
    /// The client.
    pub client: Client,
    /// The booking.
    pub booking: Booking,
    /// For [`Template::ClientLateRefund`]: what goes back.
    pub refund: Option<Refund>,
    /// For a booking that was called off: how, and what becomes of the money.
    pub ending: Option<Ending>,
    /// For [`Template::ArtistPaymentProblem`] and [`Template::ArtistCalendarConflict`]: what is wrong.
    pub problem: Option<Problem>,
    /// The origin of the site, without a slash at its end.
    pub public_url: String,
    /// Now.
    pub sent_at: Timestamp,
}

/// Who works.
#[derive(Debug, Clone)]
pub struct Artist {
    /// The name on the page.
    pub name: String,
    /// Where the artist reads.
    pub email: String,
    /// The studio.
    pub address: String,
    /// Its town.
    pub city: String,
    /// On whose clock appointments are told.
    pub zone: TimeZone,
    /// The last segment of the artist's page.
    pub slug: String,
}

/// Who comes.
#[derive(Clone)]
pub struct Client {
    /// The client's name.
    pub name: String,
    /// Where the client reads.
    pub email: String,
    /// The client's number.
    pub phone: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client [redacted]")
    }
}

/// What is booked.
#[derive(Debug, Clone)]
pub struct Booking {
    /// Its id.
    pub id: BookingId,
    /// Its version, which orders the calendar files of one booking.
    pub version: i32,
    /// The flash's title, or what a project is called.
    pub title: String,
    /// What the client wrote of a project; none for a flash.
    pub project: Option<Project>,
    /// The start.
    pub starts_at: Timestamp,
    /// The end.
    pub ends_at: Timestamp,
    /// The whole price, where it is known.
    pub price: Option<Cents>,
    /// What is paid ahead.
    pub deposit: Cents,
    /// What that is in law.
    pub nature: DepositNature,
    /// What the client has paid and not got back.
    pub paid: Cents,
    /// The deposit that is still to be paid online.
    pub due: Option<Cents>,
    /// What is left to pay on site, where it is known.
    pub left_to_pay: Option<Cents>,
    /// Until when an unpaid slot is kept.
    pub hold_expires_at: Option<Timestamp>,
    /// The booking in the artist's own calendar.
    pub calendar_url: Option<String>,
    /// The cancellation policy, as a sentence in the reader's language.
    pub policy: String,
}

/// What a client wrote of a project.
#[derive(Clone)]
pub struct Project {
    /// What it should be, over several lines perhaps.
    pub description: String,
    /// Where on the body.
    pub body_zone: String,
    /// What the client can spend.
    pub budget: Option<Cents>,
}

impl std::fmt::Debug for Project {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Project [redacted]")
    }
}

/// Money on its way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refund {
    /// How much.
    pub amount: Cents,
    /// Why.
    pub reason: RefundReason,
}

/// How an appointment was called off, and what becomes of its money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// By the client.
    pub by_client: bool,
    /// In the artist's own calendar.
    pub in_calendar: bool,
    /// What goes back to the client's card.
    pub returned: Cents,
    /// What the artist keeps.
    pub kept: Cents,
    /// What the artist owes on top (arrhes, twofold).
    pub owed_beyond: Cents,
    /// The cardholder's bank contests the payment and decides.
    pub disputed: bool,
    /// The appointment stood, so calendars may hold it.
    pub stood: bool,
}

/// What an artist must look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Something else than the deposit came.
    Mismatch {
        /// What, with its currency as Stripe names it.
        received: Option<(Cents, String)>,
    },
    /// The booking was paid twice.
    Duplicate {
        /// The second payment.
        amount: Option<Cents>,
    },
    /// Stripe could not give money back.
    RefundFailed {
        /// How much.
        amount: Option<Cents>,
    },
    /// The cardholder's bank contests the payment.
    Disputed,
    /// Something else is in the artist's calendar at this time.
    CalendarTaken,
    /// The artist moved the booking in the calendar, to a time that is taken here.
    CalendarMoved,
    /// The booking is gone from the calendar, and the artist decides what becomes of it.
    CalendarCalledOff(Question),
    /// The booking is called off here, and the calendar does not let it go.
    CalendarKept,
}

impl Letter {
    /// Writes the mail.
    ///
    /// # Panics
    /// Never: a template can only fail to be written where a string cannot grow.
    pub fn compose(&self) -> Mail {
        let view = View::of(self);
        let (text, html) = render(self.template, self.locale, &view).expect("a template writes into a string");
        let (subject, text) = text.split_once('\n').unwrap_or((&text, ""));
        let to_artist = self.is_to_artist();
        Mail {
            to: if to_artist { self.artist.email.clone() } else { self.client.email.clone() },
            from_name: if to_artist { "InkFlow".into() } else { view.artist.clone() },
            reply_to: if to_artist { self.client.email.clone() } else { self.artist.email.clone() },
            subject: one_line(subject),
            text: tidy(text),
            html,
            attachments: self.calendar_file(&view).into_iter().collect(),
            booking: self.booking.id,
            template: self.template,
        }
    }

    fn is_to_artist(&self) -> bool {
        self.template.is_to_artist()
    }

    /// The appointment as a file, for the mails that say it stands, has moved, or stands no more.
    fn calendar_file(&self, view: &View) -> Option<Attachment> {
        let (summary, description) = match self.template {
            Template::ArtistConfirmed | Template::ArtistCancelled => (
                format!("{} – {}", view.client, view.title),
                [&[view.client_phone.clone(), view.client_email.clone()][..], &view.description].concat().join("\n"),
            ),
            Template::ClientConfirmed | Template::ClientMoved | Template::ClientCancelled => (
                format!("{} – {}", view.title, view.artist),
                self.locale
                    .pick(
                        "Répondre à l’e-mail de confirmation pour écrire à l’artiste.",
                        "Answer the confirmation mail to write to the artist.",
                    )
                    .to_owned(),
            ),
            Template::ArtistPending
            | Template::ArtistCalendarConflict
            | Template::ArtistPaymentProblem
            | Template::ClientLateRefund => return None,
        };
        let cancelled = matches!(self.template, Template::ArtistCancelled | Template::ClientCancelled);
        if cancelled && !self.ending.is_some_and(|ending| ending.stood) {
            return None;
        }
        if self.template == Template::ClientMoved && self.booking.hold_expires_at.is_some() {
            return None;
        }
        let event = ics::Event {
            uid: &format!("{}@inkflow", self.booking.id),
            sequence: self.booking.version,
            stamp: self.sent_at,
            starts_at: self.booking.starts_at,
            ends_at: self.booking.ends_at,
            cancelled,
            summary: &summary,
            location: &view.place,
            description: &description,
            organizer: (&view.artist, &self.artist.email),
            url: (!self.is_to_artist()).then_some(view.booking_url.as_str()),
            reminder: !self.is_to_artist(),
        };
        Some(Attachment {
            file_name: "rendez-vous.ics".into(),
            content_type: "text/calendar; charset=utf-8; method=PUBLISH".into(),
            content: event.to_ics().into_bytes(),
        })
    }
}

/// What the templates read: every value in the reader's words, on one line each.
struct View {
    artist: String,
    artist_url: String,
    booking_url: String,
    /// The booking in the artist's dashboard.
    dashboard_url: String,
    calendar_url: Option<String>,
    client: String,
    client_short: String,
    client_email: String,
    client_phone: String,
    title: String,
    when: String,
    /// The same, with whose clock that is.
    when_there: String,
    lasts: String,
    place: String,
    price: Option<String>,
    deposit: String,
    /// The deposit while it is to be paid online, what of it is paid, and what is left for the studio.
    due: Option<String>,
    in_hand: String,
    rest: Option<String>,
    /// `arrhes` is a plural, so the sentence around it differs.
    arrhes: bool,
    paid: bool,
    held_until: Option<String>,
    policy: String,
    description: Vec<String>,
    body_zone: Option<String>,
    budget: Option<String>,
    refund: Option<String>,
    refund_reason: RefundReason,
    /// What goes back, what stays and what is owed on top, of a booking that was called off.
    returned: Option<String>,
    kept: Option<String>,
    owed_beyond: Option<String>,
    by_client: bool,
    in_calendar: bool,
    disputed: bool,
    problem: Option<Problem>,
    /// The amount the problem speaks of.
    amount: Option<String>,
}

impl View {
    fn of(letter: &Letter) -> Self {
        let Letter { locale, artist, client, booking, .. } = letter;
        let locale = *locale;
        let euros = |cents: Cents| match locale {
            Locale::Fr => cents.euros_fr(),
            Locale::En => cents.euros_en(),
        };
        let page = |path: &str| format!("{}{path}", letter.public_url.trim_end_matches('/'));
        let place = [&artist.address, &artist.city].map(|part| one_line(part));
        let place = match place {
            // Many people write the town into the address.
            [address, city] if city.is_empty() || address.contains(&city) => address,
            [address, city] if address.is_empty() => city,
            [address, city] => format!("{address}, {city}"),
        };
        let project = booking.project.as_ref();
        let amount = match &letter.problem {
            Some(Problem::Mismatch { received: Some((cents, currency)) }) if currency != "eur" => {
                Some(format!("{}\u{a0}{}", cents.to_euros(), one_line(currency).to_uppercase()))
            }
            Some(Problem::Mismatch { received: Some((amount, _)) })
            | Some(Problem::Duplicate { amount: Some(amount) } | Problem::RefundFailed { amount: Some(amount) }) => {
                Some(euros(*amount))
            }
            _ => None,
        };
        let when = moment(booking.starts_at, &artist.zone, locale);
        Self {
            artist: one_line(&artist.name),
            artist_url: page(&format!("/artist/{}", artist.slug)),
            booking_url: page(&format!("/booking/success?id={}", booking.id)),
            dashboard_url: page(&format!("/dashboard#/bookings/{}", booking.id)),
            calendar_url: booking.calendar_url.clone().filter(|url| is_link(url)),
            client: one_line(&client.name),
            client_short: shortened(&one_line(&client.name), NAME_IN_SUBJECT),
            client_email: one_line(&client.email),
            client_phone: one_line(&client.phone),
            title: one_line(&booking.title),
            when_there: format!("{when}, {}", whose_clock(&artist.zone, locale)),
            when,
            lasts: span(booking.starts_at, booking.ends_at, locale),
            place,
            price: booking.price.map(euros),
            deposit: euros(booking.deposit),
            due: booking.due.map(euros),
            rest: booking.left_to_pay.filter(|left| *left > Cents::ZERO).map(euros),
            arrhes: booking.nature == DepositNature::Arrhes,
            // What becomes of the money of one that was called off, the mail says by itself.
            paid: booking.paid > Cents::ZERO && letter.ending.is_none(),
            in_hand: euros(booking.paid),
            held_until: booking.hold_expires_at.map(|end| moment(end, &artist.zone, locale)),
            policy: one_line(&booking.policy),
            description: project.map(|project| lines(&project.description)).unwrap_or_default(),
            body_zone: project.map(|project| one_line(&project.body_zone)).filter(|zone| !zone.is_empty()),
            budget: project.and_then(|project| project.budget).map(euros),
            refund: letter.refund.map(|refund| euros(refund.amount)),
            returned: letter.ending.map(|ending| ending.returned).filter(|cents| *cents > Cents::ZERO).map(euros),
            kept: letter.ending.map(|ending| ending.kept).filter(|cents| *cents > Cents::ZERO).map(euros),
            owed_beyond: letter.ending.map(|ending| ending.owed_beyond).filter(|cents| *cents > Cents::ZERO).map(euros),
            by_client: letter.ending.is_some_and(|ending| ending.by_client),
            in_calendar: letter.ending.is_some_and(|ending| ending.in_calendar),
            disputed: letter.ending.is_some_and(|ending| ending.disputed),
            refund_reason: letter.refund.map_or(RefundReason::Late, |refund| refund.reason),
            problem: letter.problem.clone(),
            amount,
        }
    }
}

/// An address that a reader may be sent to, and that ends where it seems to.
fn is_link(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && url.bytes().all(|byte| byte.is_ascii_graphic())
}

macro_rules! files {
    ($($template:ident $locale:ident $text:literal $html:literal;)+) => {
        /// Text (its first line is the subject) and HTML.
        fn render(template: Template, locale: Locale, view: &View) -> askama::Result<(String, String)> {
            match (template, locale) {
                $((Template::$template, Locale::$locale) => {
                    #[derive(askama::Template)]
                    #[template(path = $text, escape = "none")]
                    struct Text<'a> {
                        v: &'a View,
                    }
                    #[derive(askama::Template)]
                    #[template(path = $html)]
                    struct Html<'a> {
                        v: &'a View,
                    }
                    Ok((Text { v: view }.render()?, Html { v: view }.render()?))
                })+
            }
        }
    };
}

files! {
    ArtistPending Fr "mail/artist_pending.fr.txt" "mail/artist_pending.fr.html";
    ArtistPending En "mail/artist_pending.en.txt" "mail/artist_pending.en.html";
    ArtistConfirmed Fr "mail/artist_confirmed.fr.txt" "mail/artist_confirmed.fr.html";
    ArtistConfirmed En "mail/artist_confirmed.en.txt" "mail/artist_confirmed.en.html";
    ArtistCalendarConflict Fr "mail/artist_calendar_conflict.fr.txt" "mail/artist_calendar_conflict.fr.html";
    ArtistCalendarConflict En "mail/artist_calendar_conflict.en.txt" "mail/artist_calendar_conflict.en.html";
    ArtistPaymentProblem Fr "mail/artist_payment_problem.fr.txt" "mail/artist_payment_problem.fr.html";
    ArtistPaymentProblem En "mail/artist_payment_problem.en.txt" "mail/artist_payment_problem.en.html";
    ClientConfirmed Fr "mail/client_confirmed.fr.txt" "mail/client_confirmed.fr.html";
    ClientConfirmed En "mail/client_confirmed.en.txt" "mail/client_confirmed.en.html";
    ArtistCancelled Fr "mail/artist_cancelled.fr.txt" "mail/artist_cancelled.fr.html";
    ArtistCancelled En "mail/artist_cancelled.en.txt" "mail/artist_cancelled.en.html";
    ClientCancelled Fr "mail/client_cancelled.fr.txt" "mail/client_cancelled.fr.html";
    ClientCancelled En "mail/client_cancelled.en.txt" "mail/client_cancelled.en.html";
    ClientMoved Fr "mail/client_moved.fr.txt" "mail/client_moved.fr.html";
    ClientMoved En "mail/client_moved.en.txt" "mail/client_moved.en.html";
    ClientLateRefund Fr "mail/client_late_refund.fr.txt" "mail/client_late_refund.fr.html";
    ClientLateRefund En "mail/client_late_refund.en.txt" "mail/client_late_refund.en.html";
}

/// Takes away the empty lines that conditions in a text template leave behind.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty = true;
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && empty) {
            tidied.push_str(line);
            tidied.push('\n');
        }
        empty = line.is_empty();
    }
    tidied.truncate(tidied.trim_end().len());
    tidied.push('\n');
    tidied
}
