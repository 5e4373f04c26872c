//! A line between two parts that can be cut, reset and made slow: a TCP proxy on loopback, so that a database behind it
//! looks as it does over a bad network.
//!
//! It counts round trips, and can lose the answer of one.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The line; its connections end when it is dropped.
#[derive(Debug)]
pub struct Line {
    address: SocketAddr,
    state: Arc<State>,
    listening: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    /// Counts the ends of all connections; each connection that began before ends.
    ended: watch::Sender<u64>,
    cut: watch::Sender<bool>,
    delay_ms: AtomicU64,
    flights: AtomicU64,
    /// After so many flights the next answer does not arrive; `u64::MAX` for never.
    lose_after: AtomicU64,
}

impl State {
    /// The server has said something; false when it is lost on the way.
    fn is_answered(&self) -> bool {
        let lost = self.flights.load(Ordering::SeqCst) > self.lose_after.load(Ordering::SeqCst);
        if lost {
            self.lose_after.store(u64::MAX, Ordering::SeqCst);
        }
        !lost
    }
}

impl Line {
    /// Listens on any port and passes everything on to `upstream` (host and port).
    ///
    /// # Errors
    /// No port is free.
    pub async fn to(upstream: String) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            ended: watch::Sender::new(0),
            cut: watch::Sender::new(false),
            delay_ms: AtomicU64::new(0),
            flights: AtomicU64::new(0),
            lose_after: AtomicU64::new(u64::MAX),
        });
        let shared = Arc::clone(&state);
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, upstream.clone(), Arc::clone(&shared)));
            }
        });
        Ok(Self { address, state, listening })
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How often something was sent and then waited for.
    pub fn flights(&self) -> u64 {
        self.state.flights.load(Ordering::SeqCst)
    }

    /// Counts flights from zero again.
    pub fn count_anew(&self) {
        self.state.flights.store(0, Ordering::SeqCst);
    }

    /// Lets `flights` more flights pass, carries the one after them to the server, and loses its answer: the connection
    /// drops as soon as the server has done its work.
    pub fn lose_answer_after(&self, flights: u64) {
        self.state.lose_after.store(self.flights() + flights, Ordering::SeqCst);
    }

    /// Ends every connection in the middle of whatever it carries, and takes no new one until [`Self::mend`].
    pub fn cut(&self) {
        self.state.cut.send_replace(true);
        self.reset();
    }

    /// Takes connections again.
    pub fn mend(&self) {
        self.state.cut.send_replace(false);
    }

    /// Resets every connection (RST, not FIN); new ones are taken at once.
    pub fn reset(&self) {
        self.state.ended.send_modify(|ended| *ended += 1);
    }

    /// Makes each piece of data wait so long on its way, in each direction.
    pub fn delay(&self, by: Duration) {
        self.state.delay_ms.store(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.listening.abort();
        self.reset();
    }
}

async fn pass(client: TcpStream, upstream: String, state: Arc<State>) {
    let mut ended = state.ended.subscribe();
    if *state.cut.borrow() {
        let _ = SockRef::from(&client).set_linger(Some(Duration::ZERO));
        return;
    }
    let Ok(server) = TcpStream::connect(&upstream).await else { return };
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
    }
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    // True while the server has spoken last: what the client says next opens a new flight.
    let server_spoke = AtomicBool::new(true);
    let asked = || {
        if server_spoke.swap(false, Ordering::SeqCst) {
            state.flights.fetch_add(1, Ordering::SeqCst);
        }
        true
    };
    let answered = || {
        let arrives = state.is_answered();
        server_spoke.fetch_or(arrives, Ordering::SeqCst);
        arrives
    };
    // Whichever side ends first ends both; a flight's answer is only complete once the server has committed.
    let broken = tokio::select! {
        () = carry(&mut from_client, &mut to_server, &state, asked) => false,
        () = carry(&mut from_server, &mut to_client, &state, answered) => false,
        _ = ended.changed() => true,
    };
    if broken {
        for stream in [from_client.as_ref(), from_server.as_ref()] {
            // Dropping it sends RST: what was under way is lost, as when a network fails.
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }
}

/// Carries one direction, as long as `passes` says so of each piece.
async fn carry(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, state: &State, passes: impl Fn() -> bool) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if !passes() {
            return;
        }
        let delay = state.delay_ms.load(Ordering::SeqCst);
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that says everything again.
    async fn echo() -> String {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket").to_string();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.into_split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        address
    }

    async fn says(stream: &mut TcpStream, word: &[u8]) -> io::Result<Vec<u8>> {
        stream.write_all(word).await?;
        let mut heard = vec![0; word.len()];
        stream.read_exact(&mut heard).await?;
        Ok(heard)
    }

    #[tokio::test]
    async fn a_line_carries_until_it_is_cut_and_again_once_it_is_mended() {
        let line = Line::to(echo().await).await.expect("a line");
        let dial = || TcpStream::connect((Ipv4Addr::LOCALHOST, line.port()));
        let mut stream = dial().await.expect("a connection");
        assert_eq!(says(&mut stream, b"one").await.expect("carried"), b"one");
        line.cut();
        assert!(says(&mut stream, b"two").await.is_err(), "the connection is gone");
        let mut refused = dial().await.expect("the listener lives");
        assert!(says(&mut refused, b"three").await.is_err(), "no new one is carried");
        line.mend();
        let mut stream = dial().await.expect("a connection");
        assert_eq!(says(&mut stream, b"four").await.expect("carried"), b"four");
        line.reset();
        assert!(says(&mut stream, b"five").await.is_err());
    }

    #[tokio::test]
    async fn a_line_counts_flights_and_loses_the_answer_of_one() {
        let line = Line::to(echo().await).await.expect("a line");
        let dial = || TcpStream::connect((Ipv4Addr::LOCALHOST, line.port()));
        let mut stream = dial().await.expect("a connection");
        for word in [b"one", b"two"] {
            assert_eq!(says(&mut stream, word).await.expect("carried"), word);
        }
        assert_eq!(line.flights(), 2);
        line.count_anew();
        line.lose_answer_after(1);
        assert_eq!(says(&mut stream, b"six").await.expect("one more passes"), b"six");
        assert!(says(&mut stream, b"ten").await.is_err(), "the answer is lost");
        assert_eq!(line.flights(), 2);
        let mut stream = dial().await.expect("a connection");
        assert_eq!(says(&mut stream, b"new").await.expect("only that one"), b"new");
    }
}
