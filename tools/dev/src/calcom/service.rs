//! What Cal.com does by itself: it knows its users, and what each does in its pages is told to the subscribers.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use serde_json::Value;

use super::delivery::Delivery;
use super::diary::{Diary, Notice};
use super::error::ApiError;
use super::slots::Span;
use super::switches::{Canceller, Switches};
use super::user::{EventType, User};
use crate::machine::lock;
use crate::stand_in::{Base, Deliveries, Service, Troubles};

/// What the routes and the background tasks share.
pub struct Inner {
    pub(super) base: Base<Switches, Diary>,
    pub(super) users: Vec<User>,
    pub(super) base_url: String,
    pub(super) deliveries: Deliveries<Delivery>,
    pub(super) rate_limit: Option<u32>,
    pub(super) calls: Mutex<HashMap<String, VecDeque<Timestamp>>>,
}

impl Service for Inner {
    type Switches = Switches;
    type State = Diary;
    const NAME: &'static str = "Cal.com";

    fn base(&self) -> &Base<Switches, Diary> {
        &self.base
    }

    fn troubles(switches: &mut Switches) -> &mut Troubles {
        &mut switches.api
    }

    /// Bookings and blocks; subscriptions stay.
    fn forget(&self) {
        {
            let mut diary = self.diary();
            diary.bookings.clear();
            diary.blocks.clear();
        }
        self.deliveries.clear();
    }
}

impl Inner {
    pub(super) fn diary(&self) -> MutexGuard<'_, Diary> {
        lock(&self.base.state)
    }

    pub(super) fn user(&self, username: &str) -> Option<&User> {
        self.users.iter().find(|user| user.username == username)
    }

    pub(super) fn user_by_key(&self, key: &str) -> Option<&User> {
        self.users.iter().find(|user| user.api_key == key)
    }

    pub(super) fn event_type(&self, id: u64) -> Option<(&User, &EventType)> {
        self.users.iter().find_map(|user| user.event_type(id).map(|event_type| (user, event_type)))
    }

    /// The user whose booking it is.
    pub(super) fn host(&self, diary: &Diary, uid: &str) -> Result<&User, ApiError> {
        diary
            .booking(uid)
            .and_then(|booking| self.user(&booking.username))
            .ok_or_else(|| ApiError::not_found(format!("Booking with uid={uid} was not found in the database")))
    }

    /// What the artist does in Cal.com's own pages.
    pub(super) fn as_host<T>(
        self: &Arc<Self>,
        uid: &str,
        act: impl FnOnce(&mut Diary, &User, Timestamp) -> Result<(T, Vec<Notice>), ApiError>,
    ) -> Result<T, String> {
        let (result, notices) = {
            let mut diary = self.diary();
            let user = self.host(&diary, uid).map_err(|error| error.message)?;
            act(&mut diary, user, self.base.clock.now()).map_err(|error| error.message)?
        };
        self.changed();
        self.tell(notices);
        Ok(result)
    }

    pub(super) fn cancel(self: &Arc<Self>, uid: &str, by: Canceller, reason: &str) -> Result<(), String> {
        let disabled = lock(&self.base.switches).disable_cancelling;
        self.as_host(uid, |diary, user, now| {
            if by != Canceller::Reschedule {
                diary.may_be_cancelled(user, uid, disabled)?;
            }
            Ok(((), diary.cancel(user, uid, Some(reason.to_owned()), by, now)?))
        })
    }

    pub(super) fn reschedule(self: &Arc<Self>, uid: &str, start: Timestamp) -> Result<String, String> {
        self.as_host(uid, |diary, user, now| {
            let by = Some(user.email.clone());
            let (booking, notices) = diary.reschedule(user, uid, start, (None, by), true, now)?;
            Ok((booking.uid, notices))
        })
    }

    pub(super) fn decide(self: &Arc<Self>, uid: &str, accept: bool, reason: Option<String>) -> Result<(), String> {
        self.as_host(uid, |diary, user, now| Ok(((), diary.decide(user, uid, accept, reason, now)?)))
    }

    pub(super) fn block(&self, username: &str, start: Timestamp, end: Timestamp, label: &str) -> Result<u64, String> {
        if self.user(username).is_none() {
            return Err(format!("no user `{username}`"));
        }
        if start >= end {
            return Err("the end must come after the start".to_owned());
        }
        let id = self.diary().block(username, Span { start, end }, label);
        self.changed();
        Ok(id)
    }

    pub(super) fn unblock(&self, id: u64) -> bool {
        let removed = self.diary().unblock(id);
        self.changed();
        removed
    }

    pub(super) fn bookings(&self) -> Vec<Value> {
        let diary = self.diary();
        diary.bookings.iter().filter_map(|booking| Some(booking.object(self.user(&booking.username)?))).collect()
    }
}
