//! Starts and invocations, variants taking turns, so that a busy minute of the machine falls on all of them alike.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::lambda::{Instance, Program, sizes};
use crate::line::Traffic;
use crate::stats::Series;
use crate::work::{Desk, Work};
use crate::world::{PEER, World};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Starts of each program of ours.
    pub starts: usize,
    /// Starts of each peer, which take a hundred times as long.
    pub peer_starts: usize,
    /// Warm invocations of each variant.
    pub invocations: usize,
    /// Warm invocations over each slow line.
    pub distant: usize,
}

impl Effort {
    pub const FULL: Self = Self { starts: 60, peer_starts: 15, invocations: 400, distant: 60 };
    /// Under three minutes, with everything else of the run.
    pub const QUICK: Self = Self { starts: 15, peer_starts: 5, invocations: 120, distant: 15 };
}

/// What the starts of one program took.
#[derive(Debug)]
pub struct Cold {
    pub name: String,
    /// Without a database, in milliseconds.
    pub wall: Series,
    /// The same on the processor.
    pub cpu: Series,
    /// With the connection to the database, in milliseconds.
    pub wall_connected: Series,
    /// The same on the processor.
    pub cpu_connected: Series,
    /// What connecting takes on the wire.
    pub connecting: Traffic,
    /// The most memory at the end of the start, in MiB.
    pub memory: f64,
    /// The program, in bytes, and in a zip.
    pub size: (u64, u64),
    /// Whether it speaks to the database at all.
    pub connects: bool,
}

/// Starts every program again and again, in turn; those of another build, in `before`, each beside its own.
pub fn cold(world: &World, effort: Effort, functions: &[String], before: Option<&Path>) -> Result<Vec<Cold>> {
    let mut programs: Vec<(Program, bool)> =
        ["floor-runtime", "floor-http"].iter().map(|name| (world.function(name), false)).collect();
    programs.push((world.peer("floor-http"), false));
    programs.push((world.function("floor-clients"), true));
    programs.push((world.peer("floor-clients"), true));
    for name in functions {
        programs.push((world.function(name), true));
        programs.extend(before.and_then(|folder| world.before(folder, name)).map(|program| (program, true)));
    }
    programs.extend(Work::WITH_PEER.iter().map(|work| (world.peer(work.function()), true)));
    let nowhere = world.app_url(world.database(), Some(closed_port()?));
    let mut rows = Vec::new();
    for (program, connects) in &programs {
        let file = program.command.last().context("no command")?;
        let size = sizes(file).with_context(|| format!("{} is not built: run `make bench`", file.display()))?;
        rows.push(Cold {
            name: program.name.clone(),
            wall: Series::default(),
            cpu: Series::default(),
            wall_connected: Series::default(),
            cpu_connected: Series::default(),
            connecting: Traffic::default(),
            memory: 0.0,
            size,
            connects: *connects,
        });
    }
    let line = world.line(Duration::ZERO)?;
    for round in 0..effort.starts {
        for ((program, connects), row) in programs.iter().zip(&mut rows) {
            if is_peer(program) && round >= effort.peer_starts {
                continue;
            }
            let start = Instance::start(&program.with("DATABASE_URL", &nowhere))?.start_cost();
            row.wall.push_ms(start.wall);
            row.cpu.push_ms(start.cpu);
            if !connects {
                continue;
            }
            let instance = Instance::start(program)?;
            let said = std::fs::read_to_string(&program.log)?;
            ensure!(!said.contains("no database at start"), "{} does not connect: {said}", program.name);
            row.wall_connected.push_ms(instance.start_cost().wall);
            row.cpu_connected.push_ms(instance.start_cost().cpu);
            if round == 0 {
                row.memory = instance.peak_kib()? as f64 / 1024.0;
                let tapped = world.app_url(world.database(), Some(line.port()));
                line.take();
                let _instance = Instance::start(&program.with("DATABASE_URL", &tapped))?;
                row.connecting = line.take();
            }
        }
    }
    for ((program, connects), row) in programs.iter().zip(&mut rows) {
        if !connects {
            row.memory = Instance::start(program)?.peak_kib()? as f64 / 1024.0;
        }
    }
    Ok(rows)
}

/// Whether a program is one of the peers.
fn is_peer(program: &Program) -> bool {
    program.command.len() > 1
}

/// A port on which nobody listens.
fn closed_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// What the invocations of one program took.
#[derive(Debug)]
pub struct Warm {
    pub name: String,
    /// The first invocation of a process, in milliseconds.
    pub first: Series,
    /// The first invocation on the processor.
    pub first_cpu: Series,
    /// The others, in milliseconds.
    pub wall: Series,
    /// The others on the processor.
    pub cpu: Series,
    /// What one invocation takes on the wire.
    pub traffic: Traffic,
    /// The most memory after all of them, in MiB.
    pub memory: f64,
}

/// Invokes every program again and again, in turn.
pub fn warm(world: &World, desk: &mut Desk<'_>, effort: Effort) -> Result<Vec<Warm>> {
    const TURN: usize = 20;
    const FIRSTS: usize = 5;
    let mut programs: Vec<(Program, Work)> = Vec::new();
    for work in Work::ALL {
        programs.push((world.function(work.function()), *work));
        if work.has_peer() {
            programs.push((world.peer(work.function()), *work));
        }
    }
    let mut rows: Vec<Warm> = Vec::new();
    let mut instances = Vec::new();
    for (program, work) in &programs {
        let mut row = Warm {
            name: format!("{}{}", work.name(), if is_peer(program) { PEER } else { "" }),
            first: Series::default(),
            first_cpu: Series::default(),
            wall: Series::default(),
            cpu: Series::default(),
            traffic: Traffic::default(),
            memory: 0.0,
        };
        // The one that stays is the last of those whose first invocation was measured.
        let mut last = None;
        for _ in 0..FIRSTS {
            let mut instance = Instance::start(program)?;
            let first = instance.invoke(&desk.event(*work)?)?;
            work.check(&first.answer)?;
            row.first.push_ms(first.wall);
            row.first_cpu.push_ms(first.cpu);
            last = Some(instance);
        }
        instances.push(last.context("no instance")?);
        rows.push(row);
    }
    let mut done = 0;
    while done < effort.invocations {
        for (((_, work), row), instance) in programs.iter().zip(&mut rows).zip(&mut instances) {
            for _ in 0..TURN {
                let event = desk.event(*work)?;
                let took = instance.invoke(&event)?;
                work.check(&took.answer)?;
                row.wall.push_ms(took.wall);
                row.cpu.push_ms(took.cpu);
            }
        }
        done += TURN;
        desk.let_holds_go()?;
    }
    let line = world.line(Duration::ZERO)?;
    let tapped = world.app_url(world.database(), Some(line.port()));
    for (((program, work), row), instance) in programs.iter().zip(&mut rows).zip(&instances) {
        row.memory = instance.peak_kib()? as f64 / 1024.0;
        let mut instance = Instance::start(&program.with("DATABASE_URL", &tapped))?;
        work.check(&instance.invoke(&desk.event(*work)?)?.answer)?;
        line.take();
        work.check(&instance.invoke(&desk.event(*work)?)?.answer)?;
        row.traffic = line.take();
    }
    Ok(rows)
}

/// A bare `select 1` on the functions' own connection, as a client inside the process sees it.
pub fn bare_select(world: &World, effort: Effort) -> Result<Series> {
    let mut instance = Instance::start(&world.function("floor-select"))?;
    let mut series = Series::default();
    for _ in 0..effort.invocations {
        // One at a time and from outside, so that it begins as cold as a function's own question does.
        let answer = instance.invoke(br#"{"series":1}"#)?.answer;
        let took: Value = serde_json::from_slice(&answer)?;
        series.push(took[0].as_f64().context("no duration")? / 1e6);
    }
    Ok(series)
}

/// The median of one kind of work over a line on which a round trip takes longer.
#[derive(Debug)]
pub struct Distant {
    pub name: String,
    /// How much longer, and what an invocation then took.
    pub wall: Vec<(Duration, Series)>,
    /// How long a start with its connection then took.
    pub start: Vec<(Duration, Series)>,
}

/// Invokes over lines of several lengths.
pub fn distant(world: &World, desk: &mut Desk<'_>, effort: Effort) -> Result<Vec<Distant>> {
    const STARTS: usize = 5;
    let lines: Vec<_> = [0, 2, 20]
        .into_iter()
        .map(|ms| {
            let round_trip = Duration::from_millis(ms);
            Ok((round_trip, world.line(round_trip)?))
        })
        .collect::<Result<_>>()?;
    let mut rows = Vec::new();
    for work in Work::WITH_PEER {
        for program in [world.function(work.function()), world.peer(work.function())] {
            let mut row = Distant { name: program.name.clone(), wall: Vec::new(), start: Vec::new() };
            for (round_trip, line) in &lines {
                let url = world.app_url(world.database(), Some(line.port()));
                let program = program.with("DATABASE_URL", &url);
                let (mut start, mut wall) = (Series::default(), Series::default());
                let mut last = None;
                for _ in 0..STARTS {
                    let instance = Instance::start(&program)?;
                    start.push_ms(instance.start_cost().wall);
                    last = Some(instance);
                }
                let mut instance = last.context("no instance")?;
                for number in 0..=effort.distant {
                    let event = desk.event(*work)?;
                    let took = instance.invoke(&event)?;
                    work.check(&took.answer)?;
                    if number > 0 {
                        wall.push_ms(took.wall);
                    }
                }
                row.wall.push((*round_trip, wall));
                row.start.push((*round_trip, start));
            }
            rows.push(row);
        }
        desk.let_holds_go()?;
    }
    Ok(rows)
}

/// The functions of this checkout, by their folders.
pub fn functions(root: &Path) -> Result<Vec<String>> {
    let mut names: Vec<String> = std::fs::read_dir(root.join("functions"))?
        .flatten()
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}
