//! The operations of `session`, for the API's document.

use shared::openapi::{Document, Problems};

const SIGNING_IN: Problems = &[
    (400, "malformed"),
    (401, "wrong-credentials, link-expired"),
    (403, "forbidden, sign-up-closed"),
    (415, "unsupported-media-type"),
    (422, "invalid"),
    (429, "too-many-requests"),
    (503, "sign-in-unavailable, try-again"),
];

const FOLLOWING: Problems = &[
    (400, "malformed"),
    (401, "link-expired"),
    (403, "forbidden"),
    (409, "already-signed-in"),
    (415, "unsupported-media-type"),
    (429, "too-many-requests"),
    (503, "sign-in-unavailable, try-again"),
];

pub fn operations(doc: &mut Document) {
    doc.operation("GET", "/api/session", "getSession", "Who is signed in.")
        .answers::<crate::Session>(200)
        .refuses(&[(401, "unauthenticated"), (503, "sign-in-unavailable, try-again")]);
    doc.operation("POST", "/api/session", "signIn", "Signs in with a password; the tokens come in cookies.")
        .takes::<crate::Credentials>()
        .answers::<crate::Session>(200)
        .refuses(SIGNING_IN);
    doc.operation(
        "DELETE",
        "/api/session",
        "signOut",
        "Signs out, here and at Supabase; 204 only once both have ended the session.",
    )
    .answers_nothing(204)
    .refuses(&[
        (403, "forbidden"),
        (429, "too-many-requests"),
        (503, "sign-out-incomplete, sign-in-unavailable, try-again"),
    ]);
    doc.operation("GET", "/api/session/signup", "readDoors", "Who may open an account here.")
        .answers::<crate::Doors>(200)
        .refuses(&[]);
    doc.operation("POST", "/api/session/signup", "signUp", "Opens an account. 202: a mail brings a link, whether or not the address is new. 201: it was known, with this password.")
        .takes::<crate::Credentials>()
        .answers::<crate::Session>(201)
        .refuses(SIGNING_IN);
    doc.operation(
        "POST",
        "/api/session/link",
        "sendSignInLink",
        "Sends a link to whoever has an account, and says the same to everybody.",
    )
    .takes::<crate::LinkRequest>()
    .answers::<crate::Accepted>(202)
    .refuses(SIGNING_IN);
    doc.operation(
        "POST",
        "/api/session/verify",
        "followSignInLink",
        "Signs in with the link of a mail; in place of another session only with `replace`.",
    )
    .takes::<crate::LinkFollowed>()
    .answers::<crate::Session>(200)
    .refuses(FOLLOWING);
    doc.operation(
        "POST",
        "/api/session/refresh",
        "refreshSession",
        "Renews the session with the cookie of the refresh token.",
    )
    .answers::<crate::Session>(200)
    .refuses(&[
        (401, "unauthenticated"),
        (403, "forbidden"),
        (429, "too-many-requests"),
        (503, "sign-in-unavailable, try-again"),
    ]);
}
