//! What is asked about money that goes back.

use std::collections::BTreeMap;

use crate::stripe::error::ApiError;
use crate::stripe::ledger::{DisputeAnswer, NewRefund};
use crate::stripe::objects::{Dispute, EVIDENCE_FILES, EVIDENCE_TEXTS};
use crate::stripe::params::Params;

/// The longest text of an answer to a dispute.
const LONGEST_TEXT: usize = 20_000;

/// `POST /v1/refunds`.
pub(in crate::stripe) fn new_refund(params: &mut Params, account: Option<&str>) -> Result<NewRefund, ApiError> {
    let intent = params.text("payment_intent")?;
    let charge = params.text("charge")?;
    if intent.is_none() && charge.is_none() {
        return Err(ApiError::invalid(
            "One of the following params should be provided for this request: payment_intent or charge.",
        ));
    }
    let amount = params.positive("amount")?;
    let reason = params.choice("reason", &["duplicate", "fraudulent", "requested_by_customer"])?;
    let metadata = params.metadata()?;
    Ok(NewRefund { account: account.map(str::to_owned), intent, charge, amount, reason, metadata })
}

pub(in crate::stripe) fn finish_refund(params: Params) -> Result<(), ApiError> {
    params.finish(&[
        "currency",
        "customer",
        "instructions_email",
        "origin",
        "refund_application_fee",
        "reverse_transfer",
    ])
}

/// `POST /v1/disputes/{id}`.
pub(in crate::stripe) fn dispute_answer(params: &mut Params, dispute: &Dispute) -> Result<DisputeAnswer, ApiError> {
    let mut evidence = BTreeMap::new();
    if let Some(mut group) = params.group("evidence")? {
        for name in EVIDENCE_TEXTS {
            if let Some(text) = group.bounded_text(name, LONGEST_TEXT)? {
                evidence.insert((*name).to_owned(), text);
            }
        }
        for name in EVIDENCE_FILES {
            if let Some(file) = group.text(name)? {
                return Err(ApiError::invalid(format!("No such file upload: '{file}'"))
                    .code("resource_missing")
                    .param(format!("evidence[{name}]")));
            }
        }
        group.finish(&["appeal", "enhanced_evidence"])?;
    }
    let submit = params.boolean("submit")?;
    let metadata = params.metadata_over(&dispute.metadata)?;
    Ok(DisputeAnswer { evidence, submit, metadata })
}
