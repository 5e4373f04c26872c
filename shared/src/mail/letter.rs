//! Writes the mails: from the facts of a booking to subject, text, HTML and calendar file. Pure.
//! The words are in `templates/mail`, one file per mail, language and format.

use askama::Template as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::words::{clock, lines, moment, one_line, shortened, span};
use super::{CalendarFile, Mail, Matter};
use crate::appointment::{self, Appointment};
use crate::domain::calendar::Question;
use crate::domain::contact::{PhoneNumber, without_links};
use crate::domain::ids::BookingId;
use crate::domain::job::{RefundReason, Template};
use crate::domain::local::whose_clock;
use crate::domain::locale::Locale;
use crate::domain::money::Cents;
use crate::domain::policy::DepositNature;
use crate::ics::Method;

/// How many characters of a name a subject shows.
const NAME_IN_SUBJECT: usize = 60;

/// The facts that one mail speaks of.
#[derive(Debug, Clone)]
pub struct Letter {
    pub template: Template,
    /// The reader's language.
    pub locale: Locale,
    pub artist: Artist,
    pub client: Client,
    pub booking: Booking,
    /// For [`Template::ClientLateRefund`] and [`Template::ClientRefundFailed`]: what goes back, or could not.
    pub refund: Option<Refund>,
    /// For a booking that was called off: how, and what becomes of the money.
    pub ending: Option<Ending>,
    /// For [`Template::ArtistPaymentProblem`] and [`Template::ArtistCalendarConflict`]: what is wrong.
    pub problem: Option<Alert>,
    /// The origin of the site, without a slash at its end.
    pub public_url: String,
    /// The address that mails come from, which is who invites: a calendar believes a correction only of whom it had the
    /// appointment from.
    pub sender: String,
    /// Now.
    pub sent_at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct Artist {
    pub name: String,
    pub email: String,
    /// The studio.
    pub address: String,
    pub city: String,
    /// On whose clock appointments are told.
    pub zone: TimeZone,
    /// The last segment of the artist's page.
    pub slug: String,
    /// Whether Cal.com keeps the appointment in their calendar. A file of ours would put it there twice.
    pub has_calcom: bool,
}

#[derive(Clone)]
pub struct Client {
    pub name: String,
    pub email: String,
    pub phone: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client [redacted]")
    }
}

#[derive(Debug, Clone)]
pub struct Booking {
    pub id: BookingId,
    /// The booking's version, which orders its calendar files.
    pub version: i32,
    /// The flash's title; empty for a project.
    pub title: String,
    /// What the client wrote of a project; none for a flash.
    pub project: Option<Project>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// The whole price, where it is known.
    pub price: Option<Cents>,
    pub deposit: Cents,
    pub nature: DepositNature,
    /// What the client has paid and not got back.
    pub paid: Cents,
    /// The deposit that is still to be paid online.
    pub due: Option<Cents>,
    /// What is left to pay on site, where it is known.
    pub left_to_pay: Option<Cents>,
    /// Whether it is confirmed.
    pub stands: bool,
    /// Until when an unpaid slot is kept.
    pub hold_expires_at: Option<Timestamp>,
    /// The booking in the artist's own calendar.
    pub calendar_url: Option<String>,
    /// The cancellation policy, as a sentence in the reader's language.
    pub policy: String,
}

#[derive(Clone)]
pub struct Project {
    /// What it should be, over several lines perhaps.
    pub description: String,
    pub body_zone: String,
    pub budget: Option<Cents>,
}

impl std::fmt::Debug for Project {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Project [redacted]")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refund {
    pub amount: Cents,
    pub reason: RefundReason,
}

/// How an appointment was called off, and what becomes of its money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    pub by_client: bool,
    /// In the artist's own calendar.
    pub in_calendar: bool,
    /// What goes back to the client's card.
    pub returned: Cents,
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
pub enum Alert {
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
    /// The cardholder's bank contests the payment, or asks about it.
    Disputed {
        news: DisputeNews,
        /// How much of it.
        amount: Option<Cents>,
        /// Until when an answer counts.
        due_by: Option<Timestamp>,
    },
    /// Something else is in the artist's calendar at this time.
    CalendarTaken,
    /// The artist moved the booking in the calendar, to a time that is taken here.
    CalendarMoved,
    /// The booking is gone from the calendar, and the artist decides what becomes of it.
    CalendarCalledOff(Question),
    /// The booking is called off here, and the calendar does not let it go.
    CalendarKept,
}

/// What a bank has to say of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisputeNews {
    /// It asks, and has taken nothing.
    Inquiry,
    /// It has taken the money, and hears both sides.
    Open,
    /// It has decided for the cardholder.
    Lost,
}

impl Letter {
    /// Writes the mail.
    ///
    /// # Panics
    /// Never: a template can only fail to be written where a string cannot grow.
    pub fn compose(&self) -> Mail {
        self.without_links().written()
    }

    /// The same where no name and no title leads anywhere: rows of before they were refused may hold some.
    fn without_links(&self) -> Self {
        let or = |text: &str, otherwise: &str| {
            let text = without_links(text);
            if text.is_empty() { otherwise.to_owned() } else { text }
        };
        let mut letter = self.clone();
        letter.artist.name = or(&letter.artist.name, "InkFlow");
        letter.client.name = or(&letter.client.name, "…");
        for text in [&mut letter.artist.address, &mut letter.artist.city, &mut letter.booking.title] {
            *text = without_links(text);
        }
        letter
    }

    fn written(&self) -> Mail {
        let calendar = self.calendar_file();
        let view = Values { file: calendar.is_some(), ..Values::of(self) };
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
            calendar,
            sent_at: self.sent_at,
            matter: Matter::Booking { booking: self.booking.id, template: self.template },
        }
    }

    fn is_to_artist(&self) -> bool {
        self.template.is_to_artist()
    }

    /// The appointment as a file, for the mails that say it stands, has moved, or stands no more.
    fn calendar_file(&self) -> Option<CalendarFile> {
        let method = match self.template {
            Template::ArtistConfirmed | Template::ClientConfirmed => Method::Request,
            Template::ArtistMoved | Template::ClientMoved if self.booking.stands => Method::Request,
            Template::ArtistCancelled | Template::ClientCancelled if self.ending.is_some_and(|ending| ending.stood) => {
                Method::Cancel
            }
            _ => return None,
        };
        let (artist, client) = (one_line(&self.artist.name), one_line(&self.client.name));
        let place = appointment::place(&self.artist.address, &self.artist.city);
        let title = one_line(appointment::title(&self.booking.title, self.locale));
        let appointment = self.appointment(&title, &artist, &place);
        let content = if !self.is_to_artist() {
            let reader = (client.as_str(), self.client.email.as_str());
            appointment.file_for_client(method, &self.sender, Some(reader), self.sent_at)
        } else if self.artist.has_calcom {
            return None;
        } else {
            let mut notes = vec![one_line(&self.client.phone), one_line(&self.client.email)];
            notes.extend(self.booking.project.iter().flat_map(|project| lines(&project.description)));
            appointment.file_for_artist(method, &self.sender, &self.artist.email, &client, &notes, self.sent_at)
        };
        Some(CalendarFile { method, content })
    }

    fn appointment<'a>(&'a self, title: &'a str, artist: &'a str, place: &'a str) -> Appointment<'a> {
        Appointment {
            id: self.booking.id,
            version: self.booking.version,
            locale: self.locale,
            title,
            artist,
            place,
            starts_at: self.booking.starts_at,
            ends_at: self.booking.ends_at,
            public_url: &self.public_url,
        }
    }
}

/// What the templates read: every value in the reader's words, on one line each.
struct Values {
    artist: String,
    artist_url: String,
    booking_url: String,
    /// The booking in the artist's dashboard.
    dashboard_url: String,
    /// Where an unpaid slot is paid or given back.
    resume_url: String,
    /// The appointment is attached.
    file: bool,
    /// The same without a file: links that fill in a calendar.
    google_url: String,
    outlook_url: String,
    calendar_url: Option<String>,
    client: String,
    client_short: String,
    client_email: Breakable,
    client_phone: Breakable,
    /// The same as a telephone dials it.
    client_dials: String,
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
    /// The same without its day, with whose clock that is: a client may read it on another.
    held_until_there: Option<String>,
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
    problem: Option<Alert>,
    /// The amount the problem speaks of.
    amount: Option<String>,
    /// Until when a dispute can be answered.
    due_by: Option<String>,
}

impl Values {
    fn of(letter: &Letter) -> Self {
        let Letter { locale, artist, client, booking, .. } = letter;
        let locale = *locale;
        let euros = |cents: Cents| match locale {
            Locale::Fr => cents.euros_fr(),
            Locale::En => cents.euros_en(),
        };
        let page = |path: &str| format!("{}{path}", letter.public_url.trim_end_matches('/'));
        let place = appointment::place(&artist.address, &artist.city);
        let (artist_name, title) = (one_line(&artist.name), one_line(appointment::title(&booking.title, locale)));
        let appointment = letter.appointment(&title, &artist_name, &place);
        let (booking_url, google_url, outlook_url) = (appointment.page(), appointment.google(), appointment.outlook());
        let project = booking.project.as_ref();
        let amount = match &letter.problem {
            Some(Alert::Mismatch { received: Some((cents, currency)) }) if currency != "eur" => {
                Some(format!("{}\u{a0}{}", cents.to_euros(), one_line(currency).to_uppercase()))
            }
            Some(Alert::Mismatch { received: Some((amount, _)) })
            | Some(
                Alert::Duplicate { amount: Some(amount) }
                | Alert::RefundFailed { amount: Some(amount) }
                | Alert::Disputed { amount: Some(amount), .. },
            ) => Some(euros(*amount)),
            _ => None,
        };
        let due_by = match &letter.problem {
            Some(Alert::Disputed { due_by, .. }) => due_by.map(|due_by| moment(due_by, &artist.zone, locale)),
            _ => None,
        };
        let when = moment(booking.starts_at, &artist.zone, locale);
        let there = |time: &str| format!("{time}, {}", whose_clock(&artist.zone, locale));
        Self {
            file: false,
            artist_url: page(&format!("/artist/{}", artist.slug)),
            booking_url,
            dashboard_url: page(&format!("/dashboard#/bookings/{}", booking.id)),
            resume_url: page(&format!("/booking/cancel?id={}", booking.id)),
            google_url,
            outlook_url,
            calendar_url: booking.calendar_url.clone().filter(|url| is_link(url)),
            client: one_line(&client.name),
            client_short: shortened(&one_line(&client.name), NAME_IN_SUBJECT),
            client_email: Breakable(one_line(&client.email)),
            client_phone: Breakable(one_line(&PhoneNumber::from_stored(client.phone.clone()).written())),
            client_dials: one_line(&client.phone),
            when_there: there(&when),
            when,
            lasts: span(booking.starts_at, booking.ends_at, locale),
            artist: artist_name,
            title,
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
            held_until_there: booking.hold_expires_at.map(|end| there(&clock(end, &artist.zone, locale))),
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
            due_by,
        }
    }
}

/// A word that is long and has its own places to break: an e-mail address before its `@` and dots, and nowhere else.
struct Breakable(String);

/// What a link to an address holds as it is, beside letters and digits.
const NOT_IN_A_LOCAL_PART: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'+');

impl Breakable {
    /// Where a mail to it is written. What stands before the @ may hold `?` and `&`, which would begin headers of that mail.
    fn mailto(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or((&self.0, ""));
        format!("mailto:{}@{domain}", utf8_percent_encode(local, NOT_IN_A_LOCAL_PART))
    }

    /// What stays in one piece, or so long that it may break where it must.
    fn pieces(&self) -> Vec<(&str, bool)> {
        /// As much as a narrow telephone shows on a line of such a table.
        const SHORT: usize = 22;
        let mut cuts: Vec<usize> = self.0.match_indices(['@', '.']).map(|(at, _)| at).filter(|at| *at > 0).collect();
        cuts.push(self.0.len());
        let mut begin = 0;
        let pieces = cuts.into_iter().map(|end| {
            let piece = &self.0[begin..end];
            begin = end;
            (piece, piece.chars().count() <= SHORT)
        });
        pieces.collect()
    }
}

impl std::fmt::Display for Breakable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// An address that a reader may be sent to, and that ends where it seems to.
fn is_link(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && url.bytes().all(|byte| byte.is_ascii_graphic())
}

macro_rules! files {
    ($($template:ident $locale:ident $text:literal $html:literal;)+) => {
        /// Text (its first line is the subject) and HTML.
        fn render(template: Template, locale: Locale, view: &Values) -> askama::Result<(String, String)> {
            match (template, locale) {
                $((Template::$template, Locale::$locale) => {
                    #[derive(askama::Template)]
                    #[template(path = $text, escape = "none")]
                    struct Text<'a> {
                        v: &'a Values,
                    }
                    #[derive(askama::Template)]
                    #[template(path = $html)]
                    struct Html<'a> {
                        v: &'a Values,
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
    ArtistMoved Fr "mail/artist_moved.fr.txt" "mail/artist_moved.fr.html";
    ArtistMoved En "mail/artist_moved.en.txt" "mail/artist_moved.en.html";
    ClientHeld Fr "mail/client_held.fr.txt" "mail/client_held.fr.html";
    ClientHeld En "mail/client_held.en.txt" "mail/client_held.en.html";
    ClientConfirmed Fr "mail/client_confirmed.fr.txt" "mail/client_confirmed.fr.html";
    ClientConfirmed En "mail/client_confirmed.en.txt" "mail/client_confirmed.en.html";
    ArtistCancelled Fr "mail/artist_cancelled.fr.txt" "mail/artist_cancelled.fr.html";
    ArtistCancelled En "mail/artist_cancelled.en.txt" "mail/artist_cancelled.en.html";
    ClientCancelled Fr "mail/client_cancelled.fr.txt" "mail/client_cancelled.fr.html";
    ClientCancelled En "mail/client_cancelled.en.txt" "mail/client_cancelled.en.html";
    ClientMoved Fr "mail/client_moved.fr.txt" "mail/client_moved.fr.html";
    ClientMoved En "mail/client_moved.en.txt" "mail/client_moved.en.html";
    ClientRefundFailed Fr "mail/client_refund_failed.fr.txt" "mail/client_refund_failed.fr.html";
    ClientRefundFailed En "mail/client_refund_failed.en.txt" "mail/client_refund_failed.en.html";
    ClientLateRefund Fr "mail/client_late_refund.fr.txt" "mail/client_late_refund.fr.html";
    ClientLateRefund En "mail/client_late_refund.en.txt" "mail/client_late_refund.en.html";
}

const SIGNATURE: &str = "-- ";

/// Takes away the empty lines that conditions in a text template leave behind.
pub(super) fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty = true;
    for line in text.lines() {
        // The space is what tells programs where the signature begins (RFC 3676, 4.3).
        let line = if line == SIGNATURE { line } else { line.trim_end() };
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
