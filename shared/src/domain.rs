//! The rules of booking with a deposit. Pure: nothing in here waits, reads the clock, the environment or a
//! database; time and randomness come in as arguments (`tests/tidy.rs` holds it to that).

// Words that are stored and sent.
pub(crate) mod named;

// Ids that cannot be mixed up.
pub mod ids;

// Exact money.
pub mod money;

// The two languages.
pub mod locale;

// What people type and paste.
pub(crate) mod text;

// Who the client is: parsed once, then trusted.
pub mod contact;

// What a cancellation costs.
pub mod policy;

// Instants.
pub mod time;

// What a studio's clock shows.
pub mod local;

// Opening hours minus bookings: free slots.
pub mod slots;

// What moved at Stripe for a booking.
pub mod ledger;

// Objects of Stripe that live for days.
pub mod dispute;
pub mod refund;

// The booking's life.
pub mod booking;

// Who called an appointment off in the artist's calendar.
pub mod calendar;

// What must still happen outside.
pub mod job;

// What artists set about their own page.
pub mod settings;

// Uploaded pictures.
pub mod picture;

// Where the studio is, and who is told.
pub mod place;

// Who may hold how many slots unpaid.
pub mod shares;

// Every way the business says no.
pub mod refusal;
