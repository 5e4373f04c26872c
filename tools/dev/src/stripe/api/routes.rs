//! Which call is answered where.

use std::sync::Arc;

use super::call::{Call, Outcome};
use super::{balance, disputes, endpoints, events, payments, refunds, sessions};
use crate::stripe::error::ApiError;
use crate::stripe::ledger::{Cause, Ledger};
use crate::stripe::params::Params;
use crate::stripe::service::Inner;

/// A call with all that answers it.
pub(super) struct Ask<'a> {
    pub(super) inner: &'a Arc<Inner>,
    pub(super) ledger: &'a mut Ledger,
    pub(super) call: &'a Call,
    pub(super) now: i64,
    pub(super) cause: &'a Cause,
}

impl<'a> Ask<'a> {
    /// The connected account it is about.
    pub(super) fn account(&self) -> Option<&'a str> {
        self.call.header("stripe-account")
    }

    pub(super) fn unknown_url(&self) -> ApiError {
        ApiError::unknown_url(self.call.method.as_str(), &self.call.path)
    }
}

/// The parts of a call that choose its answer: the method, and the path below the name of the collection.
pub(super) type Route<'a> = (&'a str, &'a [&'a str]);

pub(super) fn route(ask: &mut Ask<'_>) -> Outcome {
    let params = Params::from_pairs(&ask.call.pairs)?;
    let (call, method) = (ask.call, ask.call.method.as_str());
    let path: Vec<&str> = call.path.trim_matches('/').split('/').skip(1).collect();
    match path.as_slice() {
        ["checkout", "sessions", rest @ ..] => sessions::route(ask, (method, rest), params),
        ["payment_intents", rest @ ..] => payments::intents(ask, (method, rest), params),
        ["charges", rest @ ..] => payments::charges(ask, (method, rest), params),
        ["refunds", rest @ ..] => refunds::route(ask, (method, rest), params),
        ["disputes", rest @ ..] => disputes::route(ask, (method, rest), params),
        ["balance"] if method == "GET" => balance::balance(ask, params),
        ["balance_transactions", rest @ ..] => balance::movements(ask, (method, rest), params),
        ["events", rest @ ..] => events::route(ask, (method, rest), params),
        ["webhook_endpoints", rest @ ..] => endpoints::route(ask, (method, rest), params),
        _ => Err(ask.unknown_url()),
    }
}
