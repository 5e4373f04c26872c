//! The sessions that somebody has signed out of.
//!
//! Their tokens are good for a while longer, to whoever only looks at tokens;
//! here they open nothing any more: `account()` of V021 asks this table inside each statement.

use jiff::Timestamp;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{Db, Repeat, get};
use crate::error::Error;

/// Ends a session here. Tells whether it has ended at Supabase as well, by an earlier wish. One flight.
pub async fn end(db: &Db, session: Uuid, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = r"with ended as (
             insert into ended_sessions (session_id, ended_at) values ($1, $2) on conflict (session_id) do nothing
         ) select exists (select from ended_sessions where session_id = $1 and confirmed) as confirmed";
    let row = db.row(Repeat::Safe, SQL, &[(&session, Type::UUID), (&now, Type::TIMESTAMPTZ)]).await?;
    get(&row.ok_or_else(|| Error::Internal("ending a session answers one row".into()))?, "confirmed")
}

/// Notes that a session has ended at Supabase too: no new token of it will come. One flight.
pub async fn confirm(db: &Db, session: Uuid) -> Result<(), Error> {
    const SQL: &str = "update ended_sessions set confirmed = true where session_id = $1";
    db.rows(Repeat::Safe, SQL, &[(&session, Type::UUID)]).await.map(drop)
}
