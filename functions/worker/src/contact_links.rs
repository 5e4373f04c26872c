//! Mails the links that confirm an artist's address: each once, and to nobody who is not asked any more.

use jiff::Timestamp;
use shared::db::contact_links;
use shared::domain::job::Outcome;
use shared::error::Error;
use shared::mail::{MailFailure, contact_link};
use shared::vault;
use uuid::Uuid;

use crate::mails::PAUSED;
use crate::{App, wait};

pub(crate) async fn send(app: &App, link: Uuid, attempts: i32, now: Timestamp) -> Result<Outcome, Error> {
    let token = vault::random_secret().map_err(|error| Error::Internal(error.to_string()))?;
    // The hash first: a link that works nowhere is worse than one that is not mailed.
    let Some(wanted) = contact_links::begin(&app.db, link, token.expose(), now).await? else {
        return Ok(Outcome::Discard {
            why: "the link is used, replaced, or perhaps mailed: it is not wanted any more".into(),
        });
    };
    let letter = contact_link::Letter {
        to: &wanted.email,
        locale: wanted.locale,
        token: token.expose(),
        public_url: &app.public_url,
        sender: app.mailer.sender(),
        link,
        sent_at: now,
    };
    match app.mailer.send(&letter.compose()).await {
        Ok(_message) => Ok(Outcome::Done),
        Err(MailFailure::Permanent(why)) => Ok(Outcome::Discard { why }),
        // The artist may ask for another one, which costs less than two of which one works.
        Err(MailFailure::Unanswered(why)) => Ok(Outcome::Discard { why }),
        Err(MailFailure::Pause(why)) => {
            contact_links::not_taken(&app.db, link).await?;
            Ok(Outcome::Retry { after: PAUSED, why })
        }
        Err(MailFailure::Retry(why)) => {
            contact_links::not_taken(&app.db, link).await?;
            Ok(Outcome::Retry { after: wait(attempts), why })
        }
    }
}
