//! What this machine can take: many instances at once against one database, all of it on the same processors.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use serde_json::Value;

use crate::lambda::{Instance, Program};
use crate::stats::Series;
use crate::work::{Desk, Work};
use crate::world::World;

/// What came of one load.
#[derive(Debug)]
pub struct Load {
    pub name: String,
    /// How many instances worked at once.
    pub instances: usize,
    pub done: u64,
    pub took: Duration,
    /// What a single invocation took, in milliseconds.
    pub wall: Series,
    /// The most connections that the functions had.
    pub connections: i64,
    /// What was looked at afterwards.
    pub remark: String,
}

impl Load {
    /// Things done in a second.
    pub fn per_second(&self) -> f64 {
        self.done as f64 / self.took.as_secs_f64()
    }
}

/// How much load is made.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    /// Bookings at each number of instances.
    pub bookings: u64,
    /// Rounds in which all want one slot.
    pub rushes: u64,
    /// Events in the burst.
    pub burst: u64,
    /// Batches of ten jobs.
    pub batches: u64,
}

impl Amount {
    pub const FULL: Self = Self { bookings: 2_000, rushes: 40, burst: 10_000, batches: 100 };
    pub const QUICK: Self = Self { bookings: 250, rushes: 5, burst: 1_000, batches: 15 };
}

/// All loads, one after the other.
///
/// # Errors
/// An invocation fails, or what it left behind is not right.
pub fn all(world: &World, desk: &mut Desk<'_>, amount: Amount) -> Result<Vec<Load>> {
    let mut loads = Vec::new();
    for instances in [1, 8, 32] {
        let events = (0..amount.bookings).map(|_| desk.event(Work::CreateBooking)).collect::<Result<Vec<_>>>()?;
        let program = world.function("create-booking");
        let mut load = run(world, "bookings, each a slot of its own", &program, instances, &events, |answer| {
            Work::CreateBooking.check(answer).map(|_| ())
        })?;
        load.remark = "all of them held".to_owned();
        loads.push(load);
        desk.let_holds_go()?;
    }
    for instances in [8, 32] {
        loads.push(rush(world, desk, instances, amount.rushes)?);
    }
    desk.prepare(amount.burst)?;
    let events = (0..amount.burst).map(|_| desk.event(Work::StripeWebhook)).collect::<Result<Vec<_>>>()?;
    let (before, program) = (captures(world)?, world.function("stripe-webhook"));
    let mut load = run(world, "webhooks in one burst", &program, 8, &events, |answer| {
        Work::StripeWebhook.check(answer).map(|_| ())
    })?;
    let written = captures(world)? - before;
    ensure!(u64::try_from(written)? == amount.burst, "{written} captures for {} events", amount.burst);
    load.remark = "one capture for each event".to_owned();
    loads.push(load);
    let events = desk.batches(amount.batches, 10)?;
    let program = world.function("worker");
    let mut load = run(world, "jobs of the worker (a mail each, ten to a batch)", &program, 4, &events, |answer| {
        Work::Worker.check(answer).map(|_| ())
    })?;
    load.done *= 10;
    load.remark = "no message came back; the local SES takes most of the time".to_owned();
    world.clear_mails();
    loads.push(load);
    Ok(loads)
}

/// All instances want the same slot at the same moment, again and again.
fn rush(world: &World, desk: &mut Desk<'_>, instances: usize, rounds: u64) -> Result<Load> {
    let program = world.function("create-booking");
    let clients = instances as u64;
    let events: Vec<Vec<Vec<u8>>> = (0..rounds).map(|_| desk.rush(clients)).collect::<Result<_>>()?;
    let events: Vec<Vec<u8>> = events.into_iter().flatten().collect();
    let winners = AtomicUsize::new(0);
    let mut load = run(world, "bookings, all for one slot", &program, instances, &events, |answer| {
        let answer: Value = serde_json::from_slice(answer)?;
        match answer["statusCode"].as_i64() {
            Some(201) => {
                winners.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Some(409) => Ok(()),
            _ => Err(anyhow!("neither held nor refused: {answer}")),
        }
    })?;
    let winners = winners.into_inner();
    ensure!(winners as u64 == rounds, "{winners} winners in {rounds} rounds");
    load.remark = format!("{rounds} slots, one winner each");
    desk.let_holds_go()?;
    Ok(load)
}

fn captures(world: &World) -> Result<i64> {
    let client = world.demo_owner()?;
    Ok(world.wait(client.query_one("select count(*) from payments where kind = 'capture'", &[]))?.get(0))
}

/// Hands the events to so many instances as fast as they take them.
fn run(
    world: &World,
    name: &str,
    program: &Program,
    instances: usize,
    events: &[Vec<u8>],
    check: impl Fn(&[u8]) -> Result<()> + Sync,
) -> Result<Load> {
    let mut started = Vec::new();
    for _ in 0..instances {
        started.push(Instance::start(program)?);
    }
    let client = world.demo_owner()?;
    let sql = "select count(*) from pg_stat_activity where usename = 'inkflow_app'";
    let connections = world.wait(client.query_one(sql, &[]))?.get(0);
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    let results: Vec<Result<Series>> = thread::scope(|scope| {
        let threads: Vec<_> = started
            .iter_mut()
            .map(|instance| {
                let (next, check) = (&next, &check);
                scope.spawn(move || {
                    let mut series = Series::default();
                    while let Some(event) = events.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let took = instance.invoke(event)?;
                        check(&took.answer)?;
                        series.push_ms(took.wall);
                    }
                    Ok(series)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a thread of the load broke"))?).collect()
    });
    let took = begun.elapsed();
    let mut wall = Series::default();
    for series in results {
        wall.append(series?);
    }
    Ok(Load {
        name: name.to_owned(),
        instances,
        done: events.len() as u64,
        took,
        wall,
        connections,
        remark: String::new(),
    })
}
