//! The operations of `contact`, for the API's document.

use shared::openapi::Document;

pub fn operations(doc: &mut Document) {
    doc.operation(
        "POST",
        "/api/contact/read",
        "readContact",
        "How a telephone number and an e-mail address are understood, before anything is booked.",
    )
    .takes::<crate::ReadRequest>()
    .answers::<crate::Reading>(200)
    .refuses(&[(400, "malformed"), (413, "payload-too-large"), (415, "unsupported-media-type")]);
}
