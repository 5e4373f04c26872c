//! Dead letters go back to their queue, once what broke them is mended. A letter that is no job stays where it is.

use anyhow::{Context as _, Result};

use crate::environment::Environment;

/// What became of the dead letters.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Redriven {
    /// Sent to the queue again.
    pub sent: usize,
    /// The bodies that are no jobs: they would only come back.
    pub foreign: Vec<String>,
}

/// Sends every job among the dead letters to its queue again, then deletes the letter: a job may so be there twice, which
/// the worker's claim makes harmless, and never not at all.
pub async fn redrive(environment: &Environment) -> Result<Redriven> {
    let url = |name: &str| environment.outputs.queues.get(name).with_context(|| format!("there is no queue {name}"));
    let (dead, jobs) = (url("jobs-dead")?, url("jobs")?);
    let sqs = environment.sqs();
    let mut done = Redriven::default();
    loop {
        // A letter that stays is hidden for as long as this runs.
        let letters =
            sqs.receive_message().queue_url(dead).max_number_of_messages(10).visibility_timeout(300).send().await?;
        if letters.messages().is_empty() {
            return Ok(done);
        }
        for letter in letters.messages() {
            let (body, handle) = (letter.body().unwrap_or_default(), letter.receipt_handle().unwrap_or_default());
            if shared::queue::parse(body).is_none() {
                done.foreign.push(body.to_owned());
                continue;
            }
            sqs.send_message().queue_url(jobs).message_body(body).send().await?;
            sqs.delete_message().queue_url(dead).receipt_handle(handle).send().await?;
            done.sent += 1;
        }
    }
}
