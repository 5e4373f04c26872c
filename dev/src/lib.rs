//! The local platform: hosts the compiled functions and stands in for what surrounds them on AWS.
//!
//! It knows the functions only by what they speak (events, SQL, HTTP), and never links one of them.

/// Runs the compiled functions behind the Lambda runtime API.
pub mod host;
/// What the functions say, as a person wants to read it.
pub mod journal;
/// Child processes that end with us.
pub mod process;
