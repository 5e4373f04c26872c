//! The operations of `page-errors`, for the API's document.

use shared::openapi::Document;

pub fn operations(doc: &mut Document) {
    doc.operation(
        "POST",
        "/api/page-errors",
        "tellPageError",
        "A page of the site failed in a browser: one line for the operator.",
    )
    .takes::<crate::PageError>()
    .answers::<crate::Noted>(202)
    .refuses(&[
        (400, "malformed"),
        (413, "payload-too-large"),
        (415, "unsupported-media-type"),
        (422, "invalid"),
        (429, "too-many-requests"),
        (503, "try-again"),
    ]);
}
