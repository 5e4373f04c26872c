//! A line to Postgres of a chosen length: counts what passes and lets it take its time.
//!
//! `dev::line` is for breaking, this one for measuring: its threads can sleep for half a millisecond, where a runtime's timer counts whole
//! milliseconds, and a runtime's own work would be in the figures.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

/// What passed since the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Times that something was sent and then waited for.
    pub flights: u64,
    /// Bytes to the server.
    pub sent: u64,
    /// Bytes from it.
    pub received: u64,
    /// Connections that were opened.
    pub connections: u64,
}

#[derive(Default)]
struct Counters {
    flights: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    connections: AtomicU64,
}

/// The line. Its threads end with the connections.
pub struct Line {
    address: SocketAddr,
    counters: Arc<Counters>,
}

impl Line {
    /// Lays a line to `port` on this machine on which a round trip takes `round_trip` longer.
    ///
    /// # Errors
    /// No port is free.
    pub fn to(port: u16, round_trip: Duration) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let counters = Arc::new(Counters::default());
        let shared = Arc::clone(&counters);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect((Ipv4Addr::LOCALHOST, port))) else { break };
                shared.connections.fetch_add(1, Ordering::Relaxed);
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let server_spoke = Arc::new(AtomicBool::new(true));
                let (counters, spoke) = (Arc::clone(&shared), Arc::clone(&server_spoke));
                carry(&client, &server, round_trip / 2, move |bytes| {
                    if spoke.swap(false, Ordering::SeqCst) {
                        counters.flights.fetch_add(1, Ordering::Relaxed);
                    }
                    counters.sent.fetch_add(bytes, Ordering::Relaxed);
                });
                let counters = Arc::clone(&shared);
                carry(&server, &client, round_trip / 2, move |bytes| {
                    server_spoke.store(true, Ordering::SeqCst);
                    counters.received.fetch_add(bytes, Ordering::Relaxed);
                });
            }
        });
        Ok(Self { address, counters })
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What passed since the last call.
    pub fn take(&self) -> Traffic {
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        let Counters { flights, sent, received, connections } = &*self.counters;
        Traffic { flights: take(flights), sent: take(sent), received: take(received), connections: take(connections) }
    }
}

/// Carries one direction. Reading never waits for writing, so that the delay is a length and not a width.
fn carry(from: &TcpStream, to: &TcpStream, delay: Duration, count: impl Fn(u64) + Send + 'static) {
    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else { return };
    let (sender, receiver) = channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            count(read as u64);
            if sender.send((Instant::now() + delay, buffer[..read].to_vec())).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
