//! `POST /api/contact/read`: how a telephone number and an e-mail address are understood, to be shown beside their fields
//! before anything is booked. The rule is the one that books; nothing is stored and nobody is asked.
//!
//! A POST, because what is asked is personal: no address of a request, and so no log, carries it.

pub mod api;

use lambda_http::Request;
use lambda_http::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use shared::domain::contact::{Country, EmailAddress, InvalidField, PhoneNumber};
use shared::domain::locale::Locale;
use shared::error::Error;
use shared::http::{self, Reply};

/// What is to be read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[derive(schemars::JsonSchema)]
pub struct ReadRequest {
    /// The artist's IANA zone: a number without its country code is one of the country there.
    timezone: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    locale: Option<String>,
}

/// How it is understood.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Reading {
    /// The number; none when none was given.
    pub phone: Option<PhoneReading>,
    /// The address; none when none was given.
    pub email: Option<EmailReading>,
}

/// A telephone number as it is understood.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct PhoneReading {
    /// With its country code, in groups: `+33 6 12 34 56 78`.
    pub written: Option<String>,
    /// Whose number it is, where that is known.
    pub country: Option<&'static str>,
    /// Why it would be refused.
    pub wrong: Option<&'static str>,
}

/// An e-mail address as it is understood.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct EmailReading {
    /// As mails are sent to it.
    pub address: Option<String>,
    /// What was probably meant, when it is a slip away from the domain of a large provider.
    pub probably: Option<String>,
    /// Why it would be refused.
    pub wrong: Option<&'static str>,
}

/// Answers one request.
///
/// # Errors
/// It is not a POST of JSON. A number or an address that would be refused is no error here: that is what is asked.
pub fn handle(request: &Request) -> Reply {
    if request.method() != Method::POST {
        return Err(Error::MethodNotAllowed);
    }
    let asked: ReadRequest = http::json(request)?;
    let locale = asked.locale.as_deref().map_or_else(|| http::language(request), Locale::from_tag);
    let home = Country::of_zone(asked.timezone.as_deref().unwrap_or_default());
    let words = |error: InvalidField| error.sentence(locale);
    let phone = asked.phone.map(|text| {
        let read = PhoneNumber::parse(&text, home);
        PhoneReading {
            written: read.as_ref().ok().map(PhoneNumber::written),
            country: read.as_ref().ok().and_then(PhoneNumber::country).map(|country| country.name(locale)),
            wrong: read.err().map(words),
        }
    });
    let email = asked.email.map(|text| {
        let read = EmailAddress::parse(&text);
        EmailReading {
            address: read.as_ref().ok().map(|address| address.as_str().to_owned()),
            probably: EmailAddress::probably(&text),
            wrong: read.err().map(words),
        }
    });
    http::reply(StatusCode::OK, &Reading { phone, email })
}
