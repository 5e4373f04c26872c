//! The local platform: hosts the compiled functions and stands in for what surrounds them on AWS.
//!
//! It knows the functions only by what they speak (events, SQL, HTTP), and never links one of them.

// Stripe's objects have many fields, and `json!` recurses once for each.
#![recursion_limit = "256"]

/// The region and the account of everything.
mod account;
/// Private SQS, SES and S3, and the gate that every mail passes.
pub mod aws;
/// Cal.com, as InkFlow sees it.
pub mod calcom;
/// The switches over HTTP.
mod control;
/// Demo artists, their flashes, and the seed that writes them.
pub mod demo;
/// The HTTP front: what CloudFront and the function URLs do, on one origin.
pub mod gateway;
/// Runs the compiled functions behind the Lambda runtime API.
pub mod host;
/// What the functions say, as a person wants to read it.
pub mod journal;
/// A line that can be cut, reset and made slow.
pub mod line;
/// What every part needs of the machine.
mod machine;
/// A transaction pooler before a PostgreSQL server, as Supabase has one.
pub mod pgbouncer;
/// Starts all of it together, for `make dev` and for the stories.
pub mod platform;
/// A private PostgreSQL server.
pub mod postgres;
/// Child processes that end with us.
pub mod process;
/// Delivers queue messages to the worker.
pub mod queue;
/// Wakes the sweeper.
pub mod schedule;
/// What the stand-ins share.
mod stand_in;
/// Stripe, as InkFlow sees it.
pub mod stripe;
/// Supabase Auth, as InkFlow sees it.
pub mod supabase;
/// Gives uploads to the function that takes them in.
pub mod uploads;
