//! Names of people: one line of 2 to 100 characters, without a link in it.

use super::{FullName, InvalidField, holds_link};
use crate::domain::text::{is_one_line, seen, unstrayed};

impl FullName {
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        let name = unstrayed(text);
        let name = name.trim();
        if !is_one_line(name) {
            return Err(InvalidField::NameNotPlain);
        }
        if holds_link(name) {
            return Err(InvalidField::NameHoldsLink);
        }
        match (seen(name), name.chars().count()) {
            (0..2, _) => Err(InvalidField::NameTooShort),
            (_, 2..=100) => Ok(Self(name.to_owned())),
            _ => Err(InvalidField::NameTooLong),
        }
    }
}
