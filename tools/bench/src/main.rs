//! `bench` measures everything and writes `tools/bench/RESULTS.md`; `bench quick` does so in under three minutes.
//! Words and exit codes only: the work is the library's.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bench::growth;
use bench::lambda::Instance;
use bench::load::{self, Amount};
use bench::measure::{self, Effort};
use bench::report::Results;
use bench::same;
use bench::work::{Desk, Work};
use bench::world::World;

const USAGE: &str =
    "usage: bench [quick] [--binaries <folder>] [--before <folder>] [--only cold|warm|distant|growth|load]...

  quick       fewer of everything, and no table of more than 100 000 bookings
  --binaries  where the compiled functions are; beside this program unless said otherwise
  --before    where those of another build are, whose starts are measured in turn with ours
  --only      a part of it, printed and not written

       bench drive <function> <invocations> <command...>

  starts a function under a tool (perf record, valgrind --tool=callgrind) and gives it work";

struct Arguments {
    quick: bool,
    binaries: PathBuf,
    before: Option<PathBuf>,
    only: Vec<String>,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.split_first() {
        Some((word, rest)) if word == "drive" => drive(rest),
        _ => arguments().and_then(|arguments| run(&arguments)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Result<Arguments> {
    let mut this = Arguments { quick: false, binaries: beside_us()?, before: None, only: Vec::new() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "quick" => this.quick = true,
            "--binaries" => this.binaries = words.next().context(USAGE)?.into(),
            "--before" => this.before = Some(words.next().context(USAGE)?.into()),
            "--only" => this.only.push(words.next().context(USAGE)?),
            _ => anyhow::bail!("{USAGE}"),
        }
    }
    Ok(this)
}

fn run(arguments: &Arguments) -> Result<()> {
    ensure!(cfg!(target_os = "linux"), "processor time of another process can only be read on Linux");
    let begun = Instant::now();
    let wanted = |part: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == part);
    let (effort, amount) = if arguments.quick { (Effort::QUICK, Amount::QUICK) } else { (Effort::FULL, Amount::FULL) };
    let step = |what: &str| eprintln!("{:>6.1} s  {what}", begun.elapsed().as_secs_f64());
    step("starting Postgres, SQS, SES, Stripe and Cal.com");
    let world = World::start(&arguments.binaries)?;
    let mut desk = Desk::open(&world, world.database())?;
    let mut results = Results {
        database: world.describe_database(),
        quick: arguments.quick,
        took: begun.elapsed(),
        cold: Vec::new(),
        warm: Vec::new(),
        select: Default::default(),
        distant: Vec::new(),
        growth: Vec::new(),
        remark: String::new(),
        load: Vec::new(),
    };
    if wanted("warm") {
        step("checking that the peers answer and write what we do");
        same::check(&world, &mut desk)?;
    }
    if wanted("cold") {
        step("cold starts");
        let functions = measure::functions(world.root())?;
        results.cold = measure::cold(&world, effort, &functions, arguments.before.as_deref())?;
    }
    if wanted("warm") {
        step("invocations");
        results.select = measure::bare_select(&world, effort)?;
        results.warm = measure::warm(&world, &mut desk, effort)?;
    }
    if wanted("distant") {
        step("distance to the database");
        results.distant = measure::distant(&world, &mut desk, effort)?;
    }
    if wanted("load") {
        step("load");
        results.load = load::all(&world, &mut desk, amount)?;
    }
    if wanted("growth") {
        (results.growth, results.remark) = grow(&world, arguments.quick, &step)?;
    }
    results.took = begun.elapsed();
    let page = results.page();
    println!("{page}");
    if arguments.only.is_empty() {
        let file = world.root().join("tools/bench/RESULTS.md");
        std::fs::write(&file, &page).with_context(|| format!("writing {}", file.display()))?;
    }
    world.stop()?;
    for missed in results.missed() {
        eprintln!("does not hold: {missed}");
    }
    step("done");
    Ok(())
}

/// Gives work to a function that runs under a tool, which says where its time goes.
fn drive(words: &[String]) -> Result<()> {
    let [function, invocations, tool @ ..] = words else { anyhow::bail!("{USAGE}") };
    let work = Work::ALL.iter().find(|work| work.function() == function).context(USAGE)?;
    let binaries = std::env::var_os("BENCH_BINARIES").map_or_else(beside_us, |folder| Ok(folder.into()))?;
    let world = World::start(&binaries)?;
    let mut desk = Desk::open(&world, world.database())?;
    let mut program = world.function(function);
    program.command.splice(0..0, tool.iter().map(PathBuf::from));
    let mut instance = Instance::start(&program)?;
    for _ in 0..invocations.parse::<u64>()? {
        work.check(&instance.invoke(&desk.event(*work)?)?.answer)?;
    }
    instance.ask_to_end(nix::sys::signal::Signal::SIGINT)?;
    world.stop()
}

fn beside_us() -> Result<PathBuf> {
    let us = std::env::current_exe()?;
    Ok(us.parent().context("a program without a folder")?.to_owned())
}

fn grow(world: &World, quick: bool, step: &impl Fn(&str)) -> Result<(Vec<growth::Cost>, String)> {
    let mut sizes = vec![("grown_3", 1_000), ("grown_5", 100_000), ("grown_6", 1_000_000), ("grown_7", 10_000_000)];
    let mut remark = String::new();
    if quick {
        sizes.truncate(2);
        "The short run has no larger table.".clone_into(&mut remark);
    }
    let mut filled = Vec::new();
    let mut last = Duration::ZERO;
    for (database, bookings) in sizes {
        if bookings == 10_000_000 {
            let room = room()?;
            if room < growth::ROOM_FOR_TEN_MILLION {
                remark = format!("Ten million were left out: only {} GiB of disk were free.", room >> 30);
                break;
            }
            if last > growth::TOO_SLOW_FOR_TEN_MILLION {
                remark = format!("Ten million were left out: one million took {} s to write.", last.as_secs());
                break;
            }
        }
        step(&format!("filling a database with {bookings} bookings"));
        let begun = Instant::now();
        world.create_database(database)?;
        growth::fill(world, database, bookings)?;
        last = begun.elapsed();
        filled.push((database, bookings));
    }
    step("growth");
    Ok((growth::measure(world, &filled, if quick { 60 } else { 200 })?, remark))
}

/// Free space where the databases are, in bytes.
fn room() -> Result<u64> {
    let found = nix::sys::statvfs::statvfs(&std::env::temp_dir())?;
    Ok(found.blocks_available() * found.fragment_size())
}
