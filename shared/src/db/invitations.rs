//! Whom the operator has asked to open a page. The operator alone writes them (`make artist`).

use tokio_postgres::types::Type;

use super::{Db, Repeat};
use crate::error::Error;

/// Whether an address is invited. One flight.
pub async fn includes(db: &Db, email: &str) -> Result<bool, Error> {
    const SQL: &str = "select from invitations where email = lower($1)";
    Ok(db.row(Repeat::Safe, SQL, &[(&email, Type::TEXT)]).await?.is_some())
}
