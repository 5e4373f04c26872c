//! A proxy before Postgres that counts flights and can cut the line.
//!
//! A flight is something sent and then waited for. The budgets of round trips and our outages are tested with it.

use std::mem::ManuallyDrop;

use dev::line::Line;

/// The proxy, for as long as the test runs.
#[derive(Debug)]
pub struct Wire {
    /// Never dropped: whoever connects through the tap may outlive it.
    line: ManuallyDrop<Line>,
}

impl Wire {
    /// Listens on any port and passes everything on to `upstream` (host and port).
    ///
    /// # Panics
    /// No port is free.
    pub async fn tap(upstream: String) -> Self {
        Self { line: ManuallyDrop::new(Line::to(upstream).await.expect("a free port")) }
    }

    /// The same database through the tap.
    ///
    /// # Panics
    /// The URL has no host and port.
    pub fn url(&self, url: &str) -> String {
        let (before, rest) = url.rsplit_once('@').expect("a URL with a user");
        let (_host, database) = rest.split_once('/').expect("a URL with a database");
        format!("{before}@127.0.0.1:{}/{database}?sslmode=disable", self.line.port())
    }

    /// The flights so far.
    pub fn flights(&self) -> u64 {
        self.line.flights()
    }

    /// Counts from zero again.
    pub fn reset(&self) {
        self.line.count_anew();
    }

    /// Cuts every connection and takes no new one, until [`Self::mend`].
    pub fn cut(&self) {
        self.line.cut();
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.line.mend();
    }

    /// Lets `flights` more flights pass, carries the one after them to the server, and loses its answer: the line
    /// drops as soon as the server has done its work.
    pub fn lose_answer_after(&self, flights: u64) {
        self.line.lose_answer_after(flights);
    }
}
