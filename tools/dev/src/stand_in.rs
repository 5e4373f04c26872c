//! What the stand-ins share: a loopback-only server, a clock to shift, failure switches, a request log, a state file.
//!
//! It must not know which service is being stood in for.

mod call;
mod clock;
mod control;
mod deliveries;
mod log;
mod loopback;
mod service;
mod signing;
mod state_file;
mod troubles;

pub(crate) use self::call::{Answered, Api, Call, handle};
pub(crate) use self::control::{control, done, refused};
pub(crate) use self::deliveries::Deliveries;
pub use self::log::Recorded;
pub(crate) use self::loopback::{bind, refuse_cross_site};
pub(crate) use self::service::{Base, Service, StandIn};
pub(crate) use self::signing::{alphanumeric, hmac_sha256_hex};
pub(crate) use self::troubles::AfterWrite;
pub use self::troubles::{Down, Troubles};
