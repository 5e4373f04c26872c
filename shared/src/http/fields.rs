//! What is wrong with a request, field by field.

use crate::domain::locale::Locale;
use crate::domain::settings::Flaws;
use crate::error::{Error, FieldError};

/// Collects what is wrong with a request's fields, so that the client hears of all at once.
#[derive(Debug, Default)]
pub struct Fields(Vec<FieldError>);

impl Fields {
    /// Notes that the field at `pointer` is wrong.
    pub fn refuse(&mut self, pointer: &str, detail: impl Into<String>) {
        self.0.push(FieldError::new(format!("#{pointer}"), detail));
    }

    /// Keeps a good value, notes a bad one.
    pub fn keep<T, E>(&mut self, pointer: &str, value: Result<T, E>, words: impl FnOnce(E) -> String) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(pointer, words(error));
                None
            }
        }
    }

    /// Notes everything that a rule of the domain found, in this language.
    pub fn refuse_all(&mut self, flaws: Flaws, locale: Locale) {
        self.0.extend(flaws.into_vec().into_iter().map(|flaw| FieldError {
            pointer: format!("#{}", flaw.pointer),
            detail: flaw.sentence(locale).to_owned(),
            suggestions: flaw.suggestions,
        }));
    }

    /// All of it as one [`Error::Invalid`].
    pub fn into_error(self) -> Error {
        Error::Invalid(self.0)
    }

    /// True while nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
