//! Mails on record: one per booking, template and occurrence, however often its job runs, and never handed to SES more
//! than twice.

use jiff::Timestamp;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{Db, Repeat, get};
use crate::domain::ids::BookingId;
use crate::domain::job::{Occasion, Template};
use crate::error::Error;

#[derive(Debug, Clone, Copy)]
pub struct MailKey<'a> {
    pub booking: BookingId,
    pub template: Template,
    /// Tells two wanted mails of one template apart.
    pub occasion: &'a Occasion,
}

/// What an address is sent within an hour and within a day while no payment stands behind it, whoever presses what.
const TO_ONE_ADDRESS: (i32, i32) = (6, 12);

/// What one artist's clients are sent in all without a payment. A hundred confirmed by hand in a day get their mails, the
/// reminder of the hold included.
const OF_ONE_ARTIST: (i32, i32) = (80, 250);

/// Whether a mail may be handed to SES now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    Send,
    /// It was sent, or nobody knows.
    Over,
    /// As of now nobody knows whether it arrived: both tries went unanswered.
    Unknown,
    /// Not now: what this address, or this artist's clients, may be sent without a payment is used up.
    Withheld(Share),
}

/// Whose share of unpaid mails is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    Address,
    Artist,
}

/// Notes that a mail is about to be handed to SES, unless it was before. One flight.
///
/// A process that dies between the send and [`ended`] leaves the try counted: then it cannot be known whether the mail went
/// out, and it is tried once more, never a third time. A mail that `rests_on_nothing` is counted against what its address
/// and its artist may cause without a payment.
pub async fn begin(
    db: &Db,
    key: MailKey<'_>,
    recipient: &str,
    rests_on_nothing: bool,
    now: Timestamp,
) -> Result<Begun, Error> {
    const SQL: &str = "select mail_begin($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as begun";
    let row = db
        .row(
            // An answer that was lost has counted a try that was none: a mail less, never one more.
            Repeat::Safe,
            SQL,
            &[
                (&Uuid::now_v7(), Type::UUID),
                (&key.booking.uuid(), Type::UUID),
                (&key.template.name(), Type::TEXT),
                (&key.occasion.to_string(), Type::TEXT),
                (&recipient, Type::TEXT),
                (&now, Type::TIMESTAMPTZ),
                (&rests_on_nothing, Type::BOOL),
                (&TO_ONE_ADDRESS.0, Type::INT4),
                (&TO_ONE_ADDRESS.1, Type::INT4),
                (&OF_ONE_ARTIST.0, Type::INT4),
                (&OF_ONE_ARTIST.1, Type::INT4),
            ],
        )
        .await?
        .ok_or_else(|| Error::Internal("a function answers one row".into()))?;
    match get::<&str>(&row, "begun")? {
        "send" => Ok(Begun::Send),
        "over" => Ok(Begun::Over),
        "unknown" => Ok(Begun::Unknown),
        "withheld:address" => Ok(Begun::Withheld(Share::Address)),
        "withheld:artist" => Ok(Begun::Withheld(Share::Artist)),
        other => Err(Error::Internal(format!("mail_begin answers {other:?}"))),
    }
}

/// How a try to send ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End<'a> {
    /// SES took it, under this id.
    Sent(&'a str),
    /// SES refused it for good.
    Refused(&'a str),
    /// SES said that it did not take it this time.
    NotTaken(&'a str),
    /// SES gave no answer.
    Unanswered(&'a str),
}

/// Notes how a try to send ended. True when nobody will ever know whether the mail arrived: it was the second try that went
/// unanswered. One flight.
pub async fn ended(db: &Db, key: MailKey<'_>, end: End<'_>, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = r"update email_deliveries set
             status = case when $4 = 'unanswered' then case when tries >= 2 then 'unknown' else 'sending' end
                 when $4 = 'not_taken' then 'sending' else $4 end,
             tries = case when $4 in ('refused', 'not_taken') then greatest(tries - 1, 0) else tries end,
             message_id = $5, error = $6, sent_at = case when $4 = 'sent' then $7 end
         where booking_id = $1 and template = $2 and occurrence = $3 and status = 'sending' returning status";
    let (end, message_id, error) = match end {
        End::Sent(message_id) => ("sent", Some(message_id), None),
        End::Refused(error) => ("refused", None, Some(error)),
        End::NotTaken(error) => ("not_taken", None, Some(error)),
        End::Unanswered(error) => ("unanswered", None, Some(error)),
    };
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&key.booking.uuid(), Type::UUID),
                (&key.template.name(), Type::TEXT),
                (&key.occasion.to_string(), Type::TEXT),
                (&end, Type::TEXT),
                (&message_id, Type::TEXT),
                (&error, Type::TEXT),
                (&now, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    Ok(match row {
        Some(row) => get::<&str>(&row, "status")? == "unknown",
        None => false,
    })
}

/// Notes that a mail which SES had taken came back, so that whoever looks at its booking sees that it did not arrive, and
/// may send it again. False when none of that id is on record as sent. One flight.
pub async fn came_back(db: &Db, booking: BookingId, message_id: &str, why: &str) -> Result<bool, Error> {
    const SQL: &str = r"with returned as (
             update email_deliveries set status = 'refused', error = $2, sent_at = null, tries = greatest(tries - 1, 0)
             where booking_id = $3 and message_id = $1 and status = 'sent'
             returning 'send_email:' || booking_id || ':' || template || ':' || occurrence as job
         ), told as (
             update outbox o set outcome = 'discarded', last_error = $2 from returned r where o.dedupe_key = r.job and o.outcome = 'done'
         ) select job from returned";
    let row = db
        .row(Repeat::Safe, SQL, &[(&message_id, Type::TEXT), (&why, Type::TEXT), (&booking.uuid(), Type::UUID)])
        .await?;
    Ok(row.is_some())
}

/// Closes the records of mails whose job has ended without them, at most a hundred: `unknown` where SES may have one,
/// `refused` where it has none. Gives how many are `unknown`. One flight.
pub async fn close_abandoned(db: &Db) -> Result<usize, Error> {
    const SQL: &str = r"with abandoned as materialized (
             select e.id from email_deliveries e where e.status = 'sending' and not exists (
                 select from outbox o where o.done_at is null
                     and o.dedupe_key = 'send_email:' || e.booking_id || ':' || e.template || ':' || e.occurrence)
             order by e.created_at limit 100 for update skip locked
         ), closed as (
             update email_deliveries e set status = case when e.tries > 0 then 'unknown' else 'refused' end,
                 error = coalesce(e.error, 'given up') from abandoned a where e.id = a.id returning e.status
         ) select count(*) filter (where status = 'unknown') as unknown from closed";
    let row = db.row(Repeat::Safe, SQL, &[]).await?.ok_or_else(|| Error::Internal("a count answers one row".into()))?;
    Ok(usize::try_from(get::<i64>(&row, "unknown")?).unwrap_or_default())
}
