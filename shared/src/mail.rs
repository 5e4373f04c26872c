//! SES: sends a mail that is already written, and says whether a refusal is for ever, for now or for everyone.
//! What the mails say is in `letter` and in `templates/mail`.

use aws_sdk_sesv2::config::StalledStreamProtectionConfig;
use aws_sdk_sesv2::config::retry::{ReconnectMode, RetryConfig};
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, MessageTag, RawMessage};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_types::SdkConfig;
use jiff::Timestamp;
use std::time::Duration;
use uuid::Uuid;

use crate::aws;
use crate::config::{self, ConfigError};
use crate::domain::ids::BookingId;
use crate::domain::job::Template;
use crate::ics::Method;
use crate::redact::without_addresses;

// The mail with the link that confirms an artist's address.
pub mod contact_link;
pub mod letter;
mod mime;
pub mod returned;
pub(crate) mod words;

/// How long SES may take to answer. It is asked once: a mail whose answer is late has been taken, as a rule, and whoever asks
/// again sends it again.
const BOUND: Duration = Duration::from_secs(12);

/// The tag that names the booking of a mail.
const BOOKING: &str = "booking";

/// A mail that only needs to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    pub to: String,
    /// The name shown as sender; the address is InkFlow's own.
    pub from_name: String,
    /// Where an answer goes.
    pub reply_to: String,
    /// One line.
    pub subject: String,
    pub text: String,
    pub html: String,
    /// The appointment, for the reader's calendar.
    pub calendar: Option<CalendarFile>,
    /// When it is written.
    pub sent_at: Timestamp,
    /// What it is about, for SES's own events and for the conversation that it belongs to.
    pub matter: Matter,
}

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    Booking {
        booking: BookingId,
        template: Template,
    },
    /// The address of an artist, by the row of its link.
    ContactLink(Uuid),
}

impl Matter {
    /// Which mail it is.
    fn template(self) -> &'static str {
        match self {
            Self::Booking { template, .. } => template.name(),
            Self::ContactLink(_) => "contact_link",
        }
    }

    /// The row that it is about.
    fn subject(self) -> Uuid {
        match self {
            Self::Booking { booking, .. } => booking.uuid(),
            Self::ContactLink(link) => link,
        }
    }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The rest is personal.
        f.debug_struct("Mail").field("matter", &self.matter).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarFile {
    pub method: Method,
    pub content: String,
}

/// What SES calls a mail it has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageId(pub String);

/// Why a mail was not sent. The words hold no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailFailure {
    /// This mail will never be taken.
    #[error("refused: {0}")]
    Permanent(String),
    /// No mail is taken until an operator does something: the account is paused, over its quota or refused.
    #[error("sending is stopped: {0}")]
    Pause(String),
    /// SES did not take it, and may the next time.
    #[error("not now: {0}")]
    Retry(String),
    /// No answer: the mail may have been sent or not.
    #[error("no answer: {0}")]
    Unanswered(String),
}

/// Sends mails through SES.
#[derive(Debug, Clone)]
pub struct Mailer {
    client: aws_sdk_sesv2::Client,
    from: String,
    configuration_set: Option<String>,
}

impl Mailer {
    /// The mailer of `MAIL_FROM` and `MAIL_CONFIGURATION_SET`, at `AWS_ENDPOINT_URL_SESV2` when that is set.
    ///
    /// # Errors
    /// `MAIL_FROM` is missing or holds no address.
    pub fn from_env(aws: &SdkConfig) -> Result<Self, ConfigError> {
        let from = config::required("MAIL_FROM")?;
        let configuration_set = config::optional("MAIL_CONFIGURATION_SET");
        Self::new(aws, aws::endpoint("AWS_ENDPOINT_URL_SESV2"), &from, configuration_set)
    }

    /// A mailer that sends as `from`: `bookings@inkflow.example`, or the same with a name before it.
    ///
    /// # Errors
    /// `from` holds no address.
    pub fn new(
        aws: &SdkConfig,
        endpoint: Option<String>,
        from: &str,
        configuration_set: Option<String>,
    ) -> Result<Self, ConfigError> {
        let from = sender(from)?;
        let mut config = aws_sdk_sesv2::config::Builder::from(aws);
        config.set_endpoint_url(endpoint);
        let config = config
            .retry_config(RetryConfig::disabled().with_reconnect_mode(ReconnectMode::ReuseAllConnections))
            .timeout_config(TimeoutConfig::builder().read_timeout(BOUND).operation_timeout(BOUND).build())
            // It would end the wait after five seconds without a byte.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Ok(Self { client: aws_sdk_sesv2::Client::from_conf(config), from, configuration_set })
    }

    /// The address that mails come from.
    pub fn sender(&self) -> &str {
        &self.from
    }

    /// Sends a mail.
    ///
    /// SES knows no idempotency key: whoever calls this remembers that it did.
    pub async fn send(&self, mail: &Mail) -> Result<MessageId, MailFailure> {
        if !is_plain_address(&mail.to) || !is_plain_address(&mail.reply_to) {
            return Err(MailFailure::Permanent("an address is malformed".into()));
        }
        let message = mime::compose(mail, &self.from).map_err(|error| MailFailure::Permanent(error.to_string()))?;
        let message = RawMessage::builder().data(Blob::new(message)).build();
        let message = message.map_err(|error| MailFailure::Permanent(error.to_string()))?;
        let mut request = self
            .client
            .send_email()
            // The envelope; names and answers are in the message's own headers.
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(&mail.to).build())
            .content(EmailContent::builder().raw(message).build())
            .set_configuration_set_name(self.configuration_set.clone());
        let about = match mail.matter {
            Matter::Booking { booking, .. } => Some((BOOKING, booking.to_string())),
            Matter::ContactLink(_) => None,
        };
        for (name, value) in about.into_iter().chain([("template", mail.matter.template().to_owned())]) {
            let tag = MessageTag::builder().name(name).value(value).build();
            request = request.email_tags(tag.map_err(|error| MailFailure::Permanent(error.to_string()))?);
        }
        match request.send().await {
            Ok(sent) => Ok(MessageId(sent.message_id.unwrap_or_default())),
            Err(error) => Err(failure(&error)),
        }
    }
}

/// The address in `MAIL_FROM`, which may have a name before it; the name is each mail's own.
///
/// # Errors
/// It holds no address.
pub fn sender(mail_from: &str) -> Result<String, ConfigError> {
    let address =
        mail_from.rsplit_once('<').map_or(mail_from, |(_, rest)| rest.trim_end().trim_end_matches('>')).trim();
    if is_plain_address(address) {
        Ok(address.to_owned())
    } else {
        Err(ConfigError::Invalid { name: "MAIL_FROM", why: "must be an e-mail address".into() })
    }
}

/// An address that cannot be read as anything else, such as a second recipient.
fn is_plain_address(address: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"<>()[],;:\\\"".contains(&byte);
    let mut parts = address.split('@');
    matches!((parts.next(), parts.next(), parts.next()), (Some(name), Some(domain), None)
        if !name.is_empty() && !domain.is_empty() && address.bytes().all(plain))
}

fn failure(error: &SdkError<SendEmailError, HttpResponse>) -> MailFailure {
    let SdkError::ServiceError(context) = error else {
        let why = without_addresses(&DisplayErrorContext(error).to_string());
        return match error {
            SdkError::ConstructionFailure(_) => MailFailure::Permanent(why),
            SdkError::DispatchFailure(failure) if failure.as_connector_error().is_some_and(aws::never_connected) => {
                MailFailure::Retry(why)
            }
            _ => MailFailure::Unanswered(why),
        };
    };
    let (refusal, status) = (context.err(), context.raw().status().as_u16());
    let code = refusal.code().unwrap_or("no code");
    let why = without_addresses(&format!("{status} {code} {}", refusal.message().unwrap_or_default()));
    match refusal {
        SendEmailError::MessageRejected(_)
        | SendEmailError::MailFromDomainNotVerifiedException(_)
        | SendEmailError::BadRequestException(_)
        | SendEmailError::NotFoundException(_) => MailFailure::Permanent(why),
        SendEmailError::AccountSuspendedException(_)
        | SendEmailError::SendingPausedException(_)
        | SendEmailError::LimitExceededException(_) => MailFailure::Pause(why),
        SendEmailError::TooManyRequestsException(_) => MailFailure::Retry(why),
        _ if status == 429 || code.contains("Throttl") => MailFailure::Retry(why),
        // 503 says that nothing was begun, and so does a failure that SES names. What stands before it names none.
        _ if status == 503 || (status == 500 && refusal.code().is_some()) => MailFailure::Retry(why),
        _ if status >= 500 => MailFailure::Unanswered(why),
        // Wrong keys and missing rights, which are nobody's mail's fault.
        _ if status == 401 || status == 403 || code.contains("Token") || code.contains("AccessDenied") => {
            MailFailure::Pause(why)
        }
        _ => MailFailure::Permanent(why),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sesv2::error::ErrorMetadata;
    use aws_sdk_sesv2::types::error as refusals;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn answered(status: u16, error: SendEmailError) -> MailFailure {
        let status = StatusCode::try_from(status).expect("a status");
        failure(&SdkError::service_error(error, HttpResponse::new(status, SdkBody::empty())))
    }

    fn unknown(status: u16, code: &str) -> MailFailure {
        answered(status, SendEmailError::generic(ErrorMetadata::builder().code(code).message("x").build()))
    }

    #[test]
    fn every_refusal_of_ses_has_its_class() {
        use MailFailure::{Pause, Permanent, Retry};
        use SendEmailError as E;
        let rejected =
            refusals::MessageRejected::builder().message("Email address is not verified: camille@example.com").build();
        let Permanent(why) = answered(400, E::MessageRejected(rejected)) else { panic!("not permanent") };
        assert!(!why.contains("camille"), "{why}");
        let build = (
            refusals::MailFromDomainNotVerifiedException::builder().build(),
            refusals::BadRequestException::builder().build(),
            refusals::NotFoundException::builder().build(),
        );
        assert!(matches!(answered(400, E::MailFromDomainNotVerifiedException(build.0)), Permanent(_)));
        assert!(matches!(answered(400, E::BadRequestException(build.1)), Permanent(_)));
        assert!(matches!(answered(404, E::NotFoundException(build.2)), Permanent(_)));

        let build = (
            refusals::AccountSuspendedException::builder().build(),
            refusals::SendingPausedException::builder().build(),
            refusals::LimitExceededException::builder().build(),
            refusals::TooManyRequestsException::builder().build(),
        );
        assert!(matches!(answered(400, E::AccountSuspendedException(build.0)), Pause(_)));
        assert!(matches!(answered(400, E::SendingPausedException(build.1)), Pause(_)));
        assert!(matches!(answered(400, E::LimitExceededException(build.2)), Pause(_)));
        assert!(matches!(answered(429, E::TooManyRequestsException(build.3)), Retry(_)));
    }

    #[test]
    fn an_unknown_refusal_is_judged_by_its_status() {
        assert!(matches!(unknown(500, "InternalFailure"), MailFailure::Retry(_)));
        assert!(matches!(unknown(503, "ServiceUnavailable"), MailFailure::Retry(_)));
        let unnamed = |status| answered(status, SendEmailError::generic(ErrorMetadata::builder().build()));
        assert!(matches!(unnamed(503), MailFailure::Retry(_)));
        assert!(matches!(unnamed(500), MailFailure::Unanswered(_)), "whose answer is it?");
        assert!(matches!(unknown(504, "GatewayTimeout"), MailFailure::Unanswered(_)));
        assert!(matches!(unknown(400, "ThrottlingException"), MailFailure::Retry(_)));
        assert!(matches!(unknown(403, "InvalidSignatureException"), MailFailure::Pause(_)));
        assert!(matches!(unknown(400, "ExpiredTokenException"), MailFailure::Pause(_)));
        assert!(matches!(unknown(400, "ValidationException"), MailFailure::Permanent(_)));
    }

    #[test]
    fn after_a_silence_nobody_knows() {
        let broken = |error| failure(&SdkError::dispatch_failure(error));
        assert!(matches!(broken(ConnectorError::timeout("t".into())), MailFailure::Unanswered(_)));
        assert!(matches!(broken(ConnectorError::io("reset".into())), MailFailure::Unanswered(_)));
        assert!(matches!(failure(&SdkError::timeout_error("t")), MailFailure::Unanswered(_)));
        assert!(matches!(failure(&SdkError::construction_failure("c")), MailFailure::Permanent(_)));
    }

    #[test]
    fn an_address_is_one_address() {
        for address in ["a@b.fr", "o'neil+x@b.co.uk", "a_b=c@xn--bcher-kva.example"] {
            assert!(is_plain_address(address), "{address}");
        }
        for address in [
            "",
            "a",
            "@b.fr",
            "a@",
            "a@b@c",
            "a@b.fr,c@d.fr",
            "a b@c.fr",
            "a@b.fr\r\nBcc: c@d.fr",
            "<a@b.fr>",
            "é@b.fr",
        ] {
            assert!(!is_plain_address(address), "{address}");
        }
    }
}
