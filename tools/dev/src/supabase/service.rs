//! What the project has and does by itself: its first accounts, and its mails.

use std::sync::{Mutex, MutexGuard};

use jiff::Timestamp;
use uuid::Uuid;

use super::book::{Account, Book};
use super::limits::Buckets;
use super::switches::Switches;
use crate::aws::{Inbox, Mail};
use crate::machine::lock;
use crate::stand_in::{Base, Service, Troubles};

/// An account that is there from the start.
#[derive(Clone, Debug)]
pub struct User {
    /// The subject of its tokens.
    pub id: Uuid,
    pub email: String,
    pub password: String,
}

/// The mails it writes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Letter {
    Confirmation,
    MagicLink,
}

/// What the routes share.
pub struct Inner {
    pub(super) base: Base<Switches, Book>,
    pub(super) issuer: String,
    pub(super) publishable_key: String,
    pub(super) secret_key: String,
    pub(super) users: Vec<User>,
    pub(super) site_url: String,
    pub(super) inbox: Option<Inbox>,
    pub(super) buckets: Mutex<Buckets>,
}

impl Service for Inner {
    type Switches = Switches;
    type State = Book;
    const NAME: &'static str = "Supabase";

    fn base(&self) -> &Base<Switches, Book> {
        &self.base
    }

    fn troubles(switches: &mut Switches) -> &mut Troubles {
        &mut switches.api
    }

    /// The accounts made since it began, all sessions and links.
    fn forget(&self) {
        self.book().clear();
        self.settle_in();
    }
}

impl Inner {
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.base.state)
    }

    /// Makes sure that the accounts it begins with are there.
    pub(super) fn settle_in(&self) {
        let now = self.base.clock.now();
        let mut book = self.book();
        for user in &self.users {
            if book.by_id(user.id).is_none() {
                book.accounts.push(Account::new(user.id, &user.email, Some(&user.password), now).confirmed(now));
            }
        }
    }

    /// Sends a mail with a link, written as the project's templates are told to (docs/deploy.md, step 8).
    pub(super) fn send(&self, letter: Letter, to: &str, token_hash: &str) {
        let (kind, subject, sentence) = match letter {
            Letter::Confirmation => ("signup", "Confirmez votre adresse", "Pour confirmer votre adresse et entrer :"),
            Letter::MagicLink => ("magiclink", "Votre lien de connexion", "Pour entrer, sans mot de passe :"),
        };
        let link = format!("{}/dashboard?token_hash={token_hash}&type={kind}", self.site_url);
        let html = format!("<p>{sentence}</p><p><a href=\"{}\">{subject}</a></p>", link.replace('&', "&amp;"));
        if let Some(inbox) = &self.inbox {
            inbox.keep(Mail {
                message_id: format!("supabase-{}", Uuid::now_v7()),
                at: Timestamp::now(),
                from: "Supabase Auth <noreply@mail.app.supabase.io>".to_owned(),
                to: to.to_owned(),
                reply_to: String::new(),
                subject: subject.to_owned(),
                text: format!("{sentence}\n\n{link}\n"),
                html,
                tags: Vec::new(),
                headers: Vec::new(),
                invitation: None,
                attachments: Vec::new(),
            });
        }
    }
}
