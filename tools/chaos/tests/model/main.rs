//! The model-based test: plans of clients, artist, Stripe, Cal.com, SQS and dying processes, run on the real functions with
//! the real Postgres and the stand-ins. Once all is quiet the promises must hold, whatever happened.
//!
//! `CHAOS_SECONDS` says how long new seeds are tried (`make chaos MINUTES=60`), `CHAOS_SEED` runs one seed. What broke a
//! promise once is kept in `tests/regressions/`, made as short as the machine could, and runs first.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use chaos::{Plan, plan, shorter};
use shared::clock::Clock;
use testing::{START, World, at};

use crate::promises::Evidence;
use crate::run::Run;

// What must hold once all is quiet.
#[path = "../promises/mod.rs"]
mod promises;
// Runs a plan in a world of its own.
mod run;

/// How many steps a plan has.
const STEPS: usize = 45;

/// How long a plan that broke something is made shorter.
const SHORTENING: Duration = Duration::from_secs(120);

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Runs a plan from nothing to quiet, and gives what does not hold.
fn broken(plan: &Plan) -> (Vec<String>, String) {
    // A runtime of its own: whatever a killed process left behind ends with it.
    runtime().block_on(async {
        let world = World::open(at(START)).await;
        let mut run = Run::begin(&world).await;
        for step in plan {
            run.step(step).await;
        }
        let mut broken = run.quiet().await;
        broken.append(&mut run.unexpected);
        let evidence = Evidence {
            owner: &world.owner,
            stripe: &world.stripe,
            calcom: &world.calcom,
            mails: &world.mails,
            now: world.now(),
        };
        broken.extend(evidence.broken().await);
        let story = run.story.join("\n");
        drop(run);
        world.close().await;
        (broken, story)
    })
}

fn regressions() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/regressions")
}

/// Makes a plan that broke something as short as time allows.
fn shortest(plan: &Plan) -> Plan {
    let begun = Instant::now();
    let mut shortest = plan.clone();
    'anew: loop {
        for candidate in shorter(&shortest) {
            if begun.elapsed() > SHORTENING {
                return shortest;
            }
            if !broken(&candidate).0.is_empty() {
                shortest = candidate;
                continue 'anew;
            }
        }
        return shortest;
    }
}

fn fail(seed: u64, plan: &Plan, what: &[String], story: &str) -> ! {
    let shortest = shortest(plan);
    let text = serde_json::to_string_pretty(&shortest).expect("a plan is JSON");
    let file = regressions().join(format!("seed-{seed}.json"));
    let kept = std::fs::write(&file, format!("{text}\n")).is_ok();
    panic!(
        "seed {seed} breaks a promise:\n  {}\n\nas it went:\n{story}\n\nshortest plan found ({} steps){}:\n{text}",
        what.join("\n  "),
        shortest.len(),
        if kept { ", kept in tools/chaos/tests/regressions" } else { "" },
    );
}

#[test]
fn what_broke_a_promise_once_breaks_none_any_more() {
    let mut files: Vec<_> = std::fs::read_dir(regressions())
        .expect("the folder of the regressions")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a readable file");
        let plan: Plan = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let (what, story) = broken(&plan);
        assert!(what.is_empty(), "{}:\n  {}\n{story}", file.display(), what.join("\n  "));
    }
}

#[test]
fn no_interleaving_loss_or_death_breaks_a_promise() {
    let set = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = set("CHAOS_SEED") {
        let plan = plan(seed, STEPS);
        let (what, story) = broken(&plan);
        assert!(what.is_empty(), "seed {seed}:\n  {}\n{story}", what.join("\n  "));
        return;
    }
    let long = Duration::from_secs(set("CHAOS_SECONDS").unwrap_or(100));
    let begun = Instant::now();
    // Other seeds each day: a machine that always tries the same has nothing left to find.
    let first = set("CHAOS_FIRST_SEED").unwrap_or_else(|| Clock::default().now().as_second().unsigned_abs());
    let (mut seeds, mut steps) = (0, 0);
    while begun.elapsed() < long {
        let seed = first.wrapping_add(seeds);
        let plan = plan(seed, STEPS);
        let (what, story) = broken(&plan);
        if !what.is_empty() {
            fail(seed, &plan, &what, &story);
        }
        seeds += 1;
        steps += plan.len();
    }
    println!(
        "{seeds} worlds from seed {first}, {steps} steps, {:.0} s: every promise held",
        begun.elapsed().as_secs_f64()
    );
}
