//! Mails on record: one per booking, template and occurrence, however often its job runs.

use jiff::Timestamp;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{Db, Repeat};
use crate::domain::ids::BookingId;
use crate::domain::job::Template;
use crate::error::Error;

/// Which mail.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// The booking it speaks of.
    pub booking: BookingId,
    /// Which of the mails.
    pub template: Template,
    /// Tells two wanted mails of one template apart.
    pub occurrence: &'a str,
}

/// Notes that a mail is about to be sent. False when it was sent before. One flight.
///
/// A process that dies between the send and [`ended`] leaves `sending` behind: then it cannot be known
/// whether the mail went out, and the next attempt sends it.
///
/// # Errors
/// The database failed.
pub async fn begin(db: &Db, occasion: Occasion<'_>, recipient: &str, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "insert into email_deliveries (id, booking_id, template, occurrence, recipient, status, created_at) \
         values ($1, $2, $3, $4, $5, 'sending', $6) \
         on conflict (booking_id, template, occurrence) do update set status = 'sending', recipient = excluded.recipient, error = null \
             where email_deliveries.status <> 'sent' \
         returning id";
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&Uuid::now_v7(), Type::UUID),
                (&occasion.booking.uuid(), Type::UUID),
                (&occasion.template.name(), Type::TEXT),
                (&occasion.occurrence, Type::TEXT),
                (&recipient, Type::TEXT),
                (&now, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    Ok(row.is_some())
}

/// Notes how sending ended: with SES's message id, or with why it was refused for good. One flight.
///
/// # Errors
/// The database failed.
pub async fn ended(db: &Db, occasion: Occasion<'_>, end: Result<&str, &str>, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "update email_deliveries set status = $4, message_id = $5, error = $6, \
             sent_at = case when $4 = 'sent' then $7 end \
         where booking_id = $1 and template = $2 and occurrence = $3";
    let (status, message_id, error) = match end {
        Ok(message_id) => ("sent", Some(message_id), None),
        Err(error) => ("refused", None, Some(error)),
    };
    db.rows(
        Repeat::Safe,
        SQL,
        &[
            (&occasion.booking.uuid(), Type::UUID),
            (&occasion.template.name(), Type::TEXT),
            (&occasion.occurrence, Type::TEXT),
            (&status, Type::TEXT),
            (&message_id, Type::TEXT),
            (&error, Type::TEXT),
            (&now, Type::TIMESTAMPTZ),
        ],
    )
    .await?;
    Ok(())
}
