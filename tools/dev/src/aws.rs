//! A private AWS, of which SQS and SES are used most: ministack in a virtual environment, and our gates before it.
//!
//! The semantics of the queue are ministack's; the gates only pass, count, delay or refuse.

mod authorization;
mod gate;
mod mail_gate;
mod ministack;
mod provision;
mod sqs;

pub use self::authorization::ACCESS_KEY;
pub use self::gate::{Condition, SqsGate};
pub use self::mail_gate::{Attachment, Inbox, Mail, MailGate};
pub use self::ministack::Ministack;
pub(crate) use self::provision::fetch;
pub use self::provision::{
    DEAD_JOBS, JOBS, PICTURES, Queues, UPLOADS, provide, provide_bucket, provide_uploads, upload,
};
pub use self::sqs::Sqs;
