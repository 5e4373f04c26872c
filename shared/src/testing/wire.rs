//! A proxy before Postgres that counts flights and can cut the line.
//!
//! A flight is something sent and then waited for. The budgets of round trips and our outages are tested with it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The proxy, for as long as the test runs.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    line: Arc<Line>,
}

/// What all connections share.
#[derive(Debug)]
struct Line {
    flights: AtomicU64,
    /// After so many more flights the next answer does not arrive; `u64::MAX` for never.
    lose_after: AtomicU64,
    cut: watch::Sender<bool>,
}

impl Wire {
    /// Listens on any port and passes everything on to `upstream` (host and port).
    ///
    /// # Panics
    /// No port is free.
    pub async fn tap(upstream: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let line = Arc::new(Line {
            flights: AtomicU64::new(0),
            lose_after: AtomicU64::new(u64::MAX),
            cut: watch::Sender::new(false),
        });
        let shared = Arc::clone(&line);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, upstream.clone(), Arc::clone(&shared)));
            }
        });
        Self { address, line }
    }

    /// The same database through the tap.
    ///
    /// # Panics
    /// The URL has no host and port.
    pub fn url(&self, url: &str) -> String {
        let (before, rest) = url.rsplit_once('@').expect("a URL with a user");
        let (_host, database) = rest.split_once('/').expect("a URL with a database");
        format!("{before}@{}/{database}?sslmode=disable", self.address)
    }

    /// The flights so far.
    pub fn flights(&self) -> u64 {
        self.line.flights.load(Ordering::SeqCst)
    }

    /// Counts from zero again.
    pub fn reset(&self) {
        self.line.flights.store(0, Ordering::SeqCst);
    }

    /// Cuts every connection and takes no new one, until [`Self::mend`].
    pub fn cut(&self) {
        self.line.cut.send_replace(true);
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.line.cut.send_replace(false);
    }

    /// Lets `flights` more flights pass, carries the one after them to the server, and loses its answer: the line
    /// drops as soon as the server has done its work.
    pub fn lose_answer_after(&self, flights: u64) {
        self.line.lose_after.store(self.flights() + flights, Ordering::SeqCst);
    }
}

async fn pass(client: TcpStream, upstream: String, line: Arc<Line>) {
    let mut cut = line.cut.subscribe();
    if *cut.borrow() {
        return;
    }
    let Ok(server) = TcpStream::connect(&upstream).await else { return };
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    // True while the server has spoken last: what the client says next opens a new flight.
    let server_spoke = Arc::new(AtomicBool::new(true));
    let (spoke, counted) = (Arc::clone(&server_spoke), Arc::clone(&line));
    let back = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
            if counted.flights.load(Ordering::SeqCst) > counted.lose_after.load(Ordering::SeqCst) {
                counted.lose_after.store(u64::MAX, Ordering::SeqCst);
                break;
            }
            spoke.store(true, Ordering::SeqCst);
            if to_client.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
    };
    let forth = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            if server_spoke.swap(false, Ordering::SeqCst) {
                line.flights.fetch_add(1, Ordering::SeqCst);
            }
            if to_server.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
    };
    // Whichever side ends first ends both; a flight's answer is only complete once the server has committed.
    tokio::select! {
        () = back => {}
        () = forth => {}
        _ = cut.wait_for(|cut| *cut) => {}
    }
}
