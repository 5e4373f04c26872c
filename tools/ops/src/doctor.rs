//! Every setting of a deployed environment, looked at from outside: what is wrong, and what to do about it.

mod accounts;
mod calcom;
mod database;
mod finding;
mod lost;
mod mail;
mod queue;
mod secrets;
mod site;
mod stripe;
mod told;

use jiff::Timestamp;

use crate::environment::Environment;

pub use self::finding::{Finding, Verdict};

/// Looks at everything. With `mend`, a Stripe endpoint that is missing is made.
pub async fn examine(environment: &Environment, mend: bool) -> Vec<Finding> {
    let secrets = secrets::examine(environment);
    #[expect(clippy::disallowed_methods, reason = "how far back to look is counted from the real time")]
    let now = Timestamp::now();
    let beside = Box::pin(async {
        tokio::join!(
            told::alarms(environment),
            told::concurrency(environment),
            told::postage(environment),
            lost::payments(environment, now),
        )
    });
    let (cache, database, accounts, stripe, calcom, mail, queue, site, beside) = tokio::join!(
        site::cache(environment),
        database::examine(environment),
        accounts::examine(environment),
        stripe::examine(environment, mend),
        calcom::examine(environment),
        mail::examine(environment),
        queue::examine(environment),
        site::examine(environment),
        beside,
    );
    let (alarms, concurrency, postage, lost) = beside;
    [site, cache, secrets, database, accounts, stripe, lost, calcom, mail, postage, queue, concurrency, alarms]
        .into_iter()
        .flatten()
        .collect()
}
