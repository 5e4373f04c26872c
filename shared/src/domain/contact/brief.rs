//! What a client wants drawn.

use std::fmt;

use super::InvalidField;
use crate::domain::money::Cents;
use crate::domain::text::{is_one_line, is_text, seen, unstrayed};

/// What a client wants drawn, in their words.
#[derive(Clone, PartialEq, Eq)]
pub struct ProjectBrief {
    description: String,
    body_zone: String,
    budget: Option<Cents>,
}

impl ProjectBrief {
    /// Reads a project; every wrong field is named with what is wrong with it.
    ///
    /// # Errors
    /// One entry for each wrong field: `description`, `body_zone` or `budget`.
    pub fn parse(
        description: &str,
        body_zone: &str,
        budget: Option<Cents>,
    ) -> Result<Self, Vec<(&'static str, InvalidField)>> {
        let description = unstrayed(description).replace("\r\n", "\n");
        let description = description.trim();
        let body_zone = unstrayed(body_zone);
        let body_zone = body_zone.trim();
        let mut errors = Vec::new();

        if !is_text(description) {
            errors.push(("description", InvalidField::DescriptionNotPlain));
        } else {
            match (seen(description), description.chars().count()) {
                (0..10, _) => errors.push(("description", InvalidField::DescriptionTooShort)),
                (_, 10..=2_000) => {}
                _ => errors.push(("description", InvalidField::DescriptionTooLong)),
            }
        }
        if !is_one_line(body_zone) {
            errors.push(("body_zone", InvalidField::BodyZoneNotPlain));
        } else {
            match (seen(body_zone), body_zone.chars().count()) {
                (0, _) => errors.push(("body_zone", InvalidField::BodyZoneMissing)),
                (_, 1..=80) => {}
                _ => errors.push(("body_zone", InvalidField::BodyZoneTooLong)),
            }
        }
        if budget.is_some_and(|budget| budget <= Cents::ZERO) {
            errors.push(("budget", InvalidField::BudgetNotPositive));
        } else if budget.is_some_and(|budget| budget > Cents::MAX) {
            errors.push(("budget", InvalidField::BudgetTooLarge));
        }

        if errors.is_empty() {
            Ok(Self { description: description.to_owned(), body_zone: body_zone.to_owned(), budget })
        } else {
            Err(errors)
        }
    }

    /// Takes back what was parsed once and stored.
    #[must_use]
    pub fn from_stored(description: String, body_zone: String, budget: Option<Cents>) -> Self {
        Self { description, body_zone, budget }
    }

    /// What to draw; may hold line breaks.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Where on the body, on one line.
    #[must_use]
    pub fn body_zone(&self) -> &str {
        &self.body_zone
    }

    /// What the client would like to spend, when they say so.
    #[must_use]
    pub fn budget(&self) -> Option<Cents> {
        self.budget
    }
}

impl fmt::Debug for ProjectBrief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
