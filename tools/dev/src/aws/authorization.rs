//! The signature of the platform's own calls, as far as ministack reads one.

use crate::account::REGION;

/// The access key the functions sign with; ministack checks no signature.
pub const ACCESS_KEY: &str = "inkflow-local";

/// ministack reads the region from the scope of the signature, and checks nothing else of it.
pub(super) fn authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}
