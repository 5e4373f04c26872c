//! Bookings that a test finds already made: written and opened by the very code that makes them in production.
//! The tests of `create-booking` itself start from nothing.

use dev::demo::{self, NOA};
use dev::stripe::Outcome;
use jiff::{SignedDuration, Timestamp, ToSpan};
use uuid::Uuid;

use super::{PUBLIC_URL, World, at};
use shared::db::artists;
use shared::db::holds::{self, Hold, Networks, NewHold, Subject, Taken};
use shared::domain::booking::{self, checkout_end, hold_end};
use shared::domain::contact::{Country, EmailAddress, FullName, PhoneNumber, ProjectBrief};
use shared::domain::ids::{BookingId, FlashId, JobId};
use shared::domain::locale::Locale;
use shared::domain::shares::Most;
use shared::domain::slots::{Slot, reach};
use shared::network::Network;
use shared::settle;

/// A hold to be made.
#[derive(Debug, Clone)]
pub struct Plan {
    pub artist: &'static demo::Artist,
    /// Which of the artist's flashes, or none for a project.
    pub flash: Option<usize>,
    pub start: Timestamp,
    pub email: String,
    pub hold: SignedDuration,
}

impl Plan {
    /// Jo's hold of one of an artist's flashes.
    pub fn of(artist: &'static demo::Artist, flash: usize, start: &str) -> Self {
        Self {
            artist,
            flash: Some(flash),
            start: at(start),
            email: "jo@example.fr".into(),
            hold: SignedDuration::from_mins(30),
        }
    }

    /// Somebody else's.
    #[must_use]
    pub fn by(self, email: &str) -> Self {
        Self { email: email.into(), ..self }
    }

    /// A project instead.
    #[must_use]
    pub fn project(self) -> Self {
        Self { flash: None, ..self }
    }
}

impl Default for Plan {
    /// Jo, Noa's repeatable dagger, Tuesday at ten: 60 euros of deposit, two hours, a Cal.com to be told.
    fn default() -> Self {
        Self::of(&NOA, 0, "2027-02-02T09:00:00Z")
    }
}

/// A hold that was made.
#[derive(Debug, Clone)]
pub struct Held {
    pub id: BookingId,
    /// The Checkout Session.
    pub session: String,
    /// The jobs it brought.
    pub jobs: Vec<JobId>,
}

impl Held {
    /// The booking's id as text.
    pub fn id(&self) -> String {
        self.id.to_string()
    }
}

impl World {
    /// Makes a hold as far as the database knows it; Stripe was never asked.
    ///
    /// # Panics
    /// It is refused.
    pub async fn hold_unopened(&self, plan: &Plan) -> (BookingId, Vec<JobId>) {
        let (db, now) = (self.db(), self.now());
        let flash = plan.flash.map(|index| FlashId::new(plan.artist.flashes[index].id));
        let from = plan.start.to_zoned(jiff::tz::TimeZone::UTC).date().saturating_sub(2.days());
        let agenda = artists::agenda(&db, plan.artist.slug, flash, reach(from, 7)).await.expect("the database answers");
        let agenda = agenda.expect("the artist is there");
        let (subject, deposit, title) = match &agenda.flash {
            Some(flash) => {
                let subject = Subject::Flash { id: flash.id, price: flash.price, repeatable: flash.repeatable };
                (subject, flash.deposit, flash.title.clone())
            }
            None => {
                let brief = ProjectBrief::parse("Une branche d’olivier sur l’avant-bras", "avant-bras", None);
                (Subject::Project(brief.expect("a brief")), agenda.artist.project_deposit, String::new())
            }
        };
        let end =
            plan.start.checked_add(SignedDuration::from_mins(i64::from(agenda.duration_minutes()))).expect("in range");
        let hold_expires_at = hold_end(now, plan.hold);
        let id = BookingId::new(Uuid::now_v7());
        let new = NewHold {
            id,
            artist: agenda.artist.id,
            subject: &subject,
            slot: Slot { start: plan.start, end },
            title: &title,
            deposit,
            policy: &agenda.artist.policy,
            name: &FullName::parse("Jo Martin").expect("a name"),
            email: &EmailAddress::parse(&plan.email).expect("an address"),
            phone: &PhoneNumber::parse("+33612345678", Country::of_zone("Europe/Paris")).expect("a number"),
            locale: Locale::Fr,
            networks: &Networks::of(&db, &Network::of("somewhere")),
            hold_expires_at,
            checkout_expires_at: checkout_end(hold_expires_at),
            account: None,
            calendar: agenda.artist.calendar_mode,
            idempotency: None,
            most: &Most::any(),
            proof: None,
        };
        match holds::write(&db, &new, now).await.expect("the slot is free") {
            Taken::Held(written) => (id, written.jobs),
            refused => panic!("{refused:?}"),
        }
    }

    /// The hold as the database has it.
    ///
    /// # Panics
    /// It is not pending.
    pub async fn stored_hold(&self, id: BookingId) -> Hold {
        holds::get(&self.db(), id).await.expect("the database answers").expect("it is pending")
    }

    /// Makes a hold and opens its page at Stripe. The stand-in forgets that it was asked.
    ///
    /// # Panics
    /// It is refused.
    pub async fn hold(&self, plan: &Plan) -> Held {
        let (id, jobs) = self.hold_unopened(plan).await;
        let hold = self.stored_hold(id).await;
        let checkout = settle::checkout_of(&hold, PUBLIC_URL).expect("a deposit");
        let session = self.stripe_client().open_checkout(&checkout).await.expect("Stripe opens it");
        let url = session.url.expect("a page");
        assert!(holds::opened(&self.db(), id, &session.id, &url, self.now()).await.expect("the database answers"));
        self.stripe.clear_requests();
        Held { id, session: session.id, jobs }
    }

    /// Pays at Stripe, whose webhooks go nowhere. Gives the payment intent.
    ///
    /// # Panics
    /// The page is closed.
    pub fn pay(&self, held: &Held) -> String {
        self.stripe.pay(&held.session, Outcome::WebhookLost).expect("the page is open");
        let session = self.stripe.session(&held.session).expect("the session");
        session["payment_intent"].as_str().expect("a payment").to_owned()
    }

    /// Pays, and tells the booking. Gives the jobs that follow.
    ///
    /// # Panics
    /// The page is closed.
    pub async fn confirm(&self, held: &Held) -> Vec<JobId> {
        self.pay(held);
        let session = self.stripe_client().session(&held.session, None).await.expect("Stripe answers");
        let settled = settle::session(&self.db(), held.id, &session, self.now()).await.expect("the database answers");
        assert_eq!(settled.outcome(), booking::Outcome::Confirmed, "{settled:?}");
        self.stripe.clear_requests();
        settled.jobs().to_vec()
    }
}
