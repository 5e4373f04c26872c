//! The operations of `artist-page`, for the API's document.

use serde_json::json;
use shared::openapi::Document;

pub fn operations(doc: &mut Document) {
    doc.operation("GET", "/api/artists", "listArtists", "Who can be booked here.")
        .answers::<crate::ArtistList>(200)
        .refuses(&[(503, "try-again")]);
    doc.operation("GET", "/api/artists/{slug}", "getArtist", "What the artist's page shows.")
        .in_path("slug", json!({ "type": "string" }))
        .answers::<crate::ArtistView>(200)
        .refuses(&[(404, "not-found"), (503, "try-again")]);
    doc.operation("GET", "/artist/{slug}", "getArtistPage", "The same as a page.")
        .in_path("slug", json!({ "type": "string" }))
        .in_query("lang", json!({ "enum": ["fr", "en"] }))
        .answers_as(200, "text/html", json!({ "type": "string" }))
        .refuses(&[(503, "try-again")]);
}
