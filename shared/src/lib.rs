//! InkFlow's library: the pure rules of booking with a deposit, and the edges that speak to the outside.
//!
//! Dependencies point one way: functions → edges → [`error`] → [`domain`].

// The rules. Pure: no I/O, no clock, no environment.
pub mod domain;

// Everything that can go wrong, by name.
pub mod error;

// Settings from the environment.
pub mod config;

// The settings that rest in SSM: a function's secrets.
pub mod parameters;

// The one reader of the clock.
pub mod clock;

// Seals secrets that rest in the database.
pub mod vault;

// TLS and the one HTTP client.
pub mod net;

// Requests in, responses and problems out.
pub mod http;

// Whose network asks: what limits are counted by.
pub mod network;

// Work that a browser has done, to show that it means it.
pub mod proof;

// Who is asking.
pub mod auth;

// Postgres: one connection per sandbox, one flight per statement.
pub mod db;

// Stripe: Checkout Sessions, refunds, webhook signatures.
pub mod stripe;

// Cal.com v2: free slots and bookings.
pub mod calcom;

// The AWS SDK over our own HTTP client.
pub mod aws;

// S3: the pictures that artists upload.
pub mod bucket;

// SQS: carries the ids of jobs.
pub mod queue;

// SES: the mails, their templates and the message that travels.
pub mod mail;

// Logs.
pub mod telemetry;

// How news of Cal.com reaches a booking, whoever brings it.
pub mod follow_calendar;

// How money reaches a booking, whoever brings the news.
pub mod settle;

// The cancellation policy of one appointment in words.
pub mod terms;

// Keeps personal data out of the words of a failure.
pub mod redact;

// An appointment as calendars take it.
pub mod appointment;

// The calendar file of an appointment (RFC 5545).
pub mod ics;

// The API's document.
pub mod openapi;
