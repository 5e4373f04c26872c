//! What keeps an answer as fast in ten years as it is today: nobody reads a growing table from end to end, and nobody looks
//! at more rows because there are more. The server's own counters tell, through the compiled functions.

use std::path::PathBuf;

use bench::growth::{self, STEADY};
use bench::work::Desk;
use bench::world::World;

/// Enough for the planner to prefer an index where there is one.
const BOOKINGS: u64 = 20_000;

/// How many more rows an answer may look at when there are twenty times as many: the counters see a few of the server's own.
const SLACK: f64 = 8.0;

#[test]
fn no_answer_reads_more_because_there_is_more() {
    let world = World::start(&compiled()).expect("the services start");
    let mut read = Vec::new();
    for (database, bookings) in [("small", BOOKINGS / 20), ("large", BOOKINGS)] {
        world.create_database(database).expect("a database");
        growth::fill(&world, database, bookings).expect("it is filled");
        let mut desk = Desk::open(&world, database).expect("it has chairs");
        desk.ask_about_the_many();
        let url = world.app_url(database, None);
        for work in STEADY {
            let program = world.function(work.function()).with("DATABASE_URL", &url);
            let (rows, whole) = growth::rows_read(&world, database, &program, *work, &mut desk).expect("it answers");
            if bookings == BOOKINGS {
                assert!(whole.is_empty(), "{}: reads all of {whole:?}", work.name());
            }
            read.push((work.name(), rows));
        }
    }
    let (small, large) = read.split_at(STEADY.len());
    for ((work, small), (_, large)) in small.iter().zip(large) {
        assert!(large - small <= SLACK, "{work}: looks at {large} rows where it looked at {small}");
    }
    world.stop().expect("the services stop");
}

/// The folder of the compiled functions, which is above this test's.
fn compiled() -> PathBuf {
    let us = std::env::current_exe().expect("a test is a file");
    us.ancestors().find(|folder| folder.join("slots").is_file()).expect("the functions are compiled first").to_owned()
}
