//! A proxy before Postgres that counts flights: how often the client sends something and then waits for the answer.
//! What the budgets of round trips are measured with.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The proxy, for as long as the test runs.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    flights: Arc<AtomicU64>,
}

impl Wire {
    /// Listens on any port and passes everything on to `upstream` (host and port).
    ///
    /// # Panics
    /// No port is free.
    pub async fn tap(upstream: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let flights = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&flights);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, upstream.clone(), Arc::clone(&counter)));
            }
        });
        Self { address, flights }
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
        self.flights.load(Ordering::SeqCst)
    }
}

async fn pass(client: TcpStream, upstream: String, flights: Arc<AtomicU64>) {
    let Ok(server) = TcpStream::connect(&upstream).await else { return };
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    // True while the server has spoken last: what the client says next opens a new flight.
    let server_spoke = Arc::new(AtomicBool::new(true));
    let spoke = Arc::clone(&server_spoke);
    let back = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
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
                flights.fetch_add(1, Ordering::SeqCst);
            }
            if to_server.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
    };
    tokio::join!(back, forth);
}
