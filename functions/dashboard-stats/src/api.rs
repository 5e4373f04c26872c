//! The operations of `dashboard-stats`, for the API's document.

use shared::openapi::{DASHBOARD, Document};

pub fn operations(doc: &mut Document) {
    doc.operation("GET", "/api/dashboard/stats", "getStats", "The figures of the month and of the last twelve.")
        .answers::<shared::db::stats::Stats>(200)
        .refuses(DASHBOARD);
}
