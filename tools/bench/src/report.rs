//! The tables: printed, and written to `tools/bench/RESULTS.md` with the machine they were measured on.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::growth::Cost;
use crate::load::Load;
use crate::measure::{Cold, Distant, Warm};
use crate::stats::{Series, short, times};
use crate::work::Work;
use crate::world::{BEFORE, PEER};

/// Everything that was measured in one run.
pub struct Results {
    /// Which server, and how it is reached.
    pub database: String,
    /// Whether it was the short run.
    pub quick: bool,
    pub took: Duration,
    /// Starts.
    pub cold: Vec<Cold>,
    /// Invocations.
    pub warm: Vec<Warm>,
    /// `select 1` on the functions' connection.
    pub select: Series,
    /// Invocations over slow lines.
    pub distant: Vec<Distant>,
    /// Answers from larger and larger tables.
    pub growth: Vec<Cost>,
    /// Which size was left out, and why.
    pub remark: String,
    pub load: Vec<Load>,
}

/// What a goal demands of a figure.
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

struct Goal {
    what: &'static str,
    bound: Bound,
    unit: &'static str,
    /// The figure, and whose it is; the worst one decides.
    measured: Vec<(String, f64)>,
    /// The same of programs that decide nothing, where there are such.
    floors: Vec<(String, f64)>,
}

impl Goal {
    fn line(&self) -> String {
        let finite = self.measured.iter().filter(|(_, value)| value.is_finite());
        let (sign, limit, worst) = match self.bound {
            Bound::AtMost(limit) => ("≤", limit, finite.max_by(|a, b| a.1.total_cmp(&b.1))),
            Bound::AtLeast(limit) => ("≥", limit, finite.min_by(|a, b| a.1.total_cmp(&b.1))),
        };
        let Some((whose, value)) = worst else {
            return format!(
                "| {} | {sign} {}{} | not measured in this run | – | |",
                self.what,
                short(limit),
                self.unit
            );
        };
        let holds = match self.bound {
            Bound::AtMost(limit) => *value <= limit,
            Bound::AtLeast(limit) => *value >= limit,
        };
        let floors = self.floors.iter().map(|(whose, value)| format!("{}{} ({whose})", short(*value), self.unit));
        format!(
            "| {} | {sign} {}{} | {}{} ({whose}) | {} | {} |",
            self.what,
            short(limit),
            self.unit,
            short(*value),
            self.unit,
            if holds { "yes" } else { "**no**" },
            floors.collect::<Vec<_>>().join(", ")
        )
    }
}

impl Results {
    pub fn page(&self) -> String {
        let mut out = String::new();
        self.head(&mut out);
        self.goals_table(&mut out);
        self.cold_table(&mut out);
        self.warm_table(&mut out);
        self.distant_table(&mut out);
        self.growth_table(&mut out);
        self.load_table(&mut out);
        out
    }

    fn head(&self, out: &mut String) {
        let run = if self.quick { "`make bench QUICK=1`" } else { "`make bench`" };
        let _ = writeln!(
            out,
            "# Results\n\nWritten by {run} on {}; do not edit. [README.md](README.md) says how each figure comes about.\n\n\
             Each figure is a median, with the middle half of the measurements in brackets. The variants of a table took turns\n\
             within one run, so ratios travel further than milliseconds; times on the processor travel further than times on\n\
             the clock. Nothing here ran on AWS.\n",
            jiff::Timestamp::now().strftime("%-d %B %Y"),
        );
        let _ = writeln!(out, "| | |\n|---|---|");
        for (name, value) in machine() {
            let _ = writeln!(out, "| {name} | {value} |");
        }
        let _ = writeln!(out, "| database | {} |", self.database);
        let _ = writeln!(out, "| this run took | {:.1} min |\n", self.took.as_secs_f64() / 60.0);
    }

    fn cold_of(&self, name: &str) -> Option<&Cold> {
        self.cold.iter().find(|row| row.name == name)
    }

    fn warm_of(&self, name: &str) -> Option<&Warm> {
        self.warm.iter().find(|row| row.name == name)
    }

    fn ours(&self) -> impl Iterator<Item = &Cold> {
        let is_ours = |name: &str| !name.ends_with(PEER) && !name.ends_with(BEFORE) && !name.starts_with("floor");
        self.cold.iter().filter(move |row| row.connects && is_ours(&row.name))
    }

    /// Ours and theirs, for each endpoint that there is twice.
    fn pairs<T>(&self, of: impl Fn(&str) -> Option<T>) -> Vec<(String, T, T)> {
        Work::WITH_PEER
            .iter()
            .filter_map(|work| {
                let name = work.function();
                Some((name.to_owned(), of(name)?, of(&format!("{name}{PEER}"))?))
            })
            .collect()
    }

    fn goals(&self) -> Vec<Goal> {
        let [start, beside_node] = self.goals_of_a_start();
        let [memory, warm_beside_node] = self.goals_beside_node();
        let [beside_select, growth] = self.goals_of_slots();
        let zip = Goal {
            what: "zip of each function",
            bound: Bound::AtMost(3.0),
            unit: " MB",
            measured: self.ours().map(|row| (row.name.clone(), row.size.1 as f64 / 1e6)).collect(),
            floors: Vec::new(),
        };
        vec![start, beside_node, memory, beside_select, warm_beside_node, growth, zip]
    }

    fn goals_of_a_start(&self) -> [Goal; 2] {
        let floor = self.cold_of("floor-http").map_or(f64::NAN, |row| row.cpu.median());
        let cold = |name: &str| self.cold_of(name).map(|row| row.cpu.median());
        let cold_floors = ["floor-http", "floor-clients"]
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), cold(name)?, cold(&format!("{name}{PEER}"))?)))
            .collect();
        [
            Goal {
                what: "processor time of a start ÷ bare `lambda_http`",
                bound: Bound::AtMost(1.4),
                unit: " ×",
                measured: self.ours().map(|row| (row.name.clone(), row.cpu.median() / floor)).collect(),
                floors: cold("floor-clients")
                    .map(|cpu| ("floor-clients".to_owned(), cpu / floor))
                    .into_iter()
                    .collect(),
            },
            Goal {
                what: "processor time of a start, Node.js ÷ ours",
                bound: Bound::AtLeast(70.0),
                unit: " ×",
                measured: ratio(self.pairs(cold)),
                floors: ratio(cold_floors),
            },
        ]
    }

    fn goals_beside_node(&self) -> [Goal; 2] {
        let warm_floors = |of: fn(&Warm) -> f64| {
            let floors = Work::FLOORS.iter().filter_map(|work| {
                let name = work.name();
                Some((name.to_owned(), of(self.warm_of(name)?), of(self.warm_of(&format!("{name}{PEER}"))?)))
            });
            ratio(floors.collect())
        };
        [
            Goal {
                what: "memory, Node.js ÷ ours",
                bound: Bound::AtLeast(10.0),
                unit: " ×",
                measured: ratio(self.pairs(|name| Some(self.warm_of(name)?.memory))),
                floors: warm_floors(|row| row.memory),
            },
            Goal {
                what: "processor time of a warm invocation, Node.js ÷ ours",
                bound: Bound::AtLeast(8.0),
                unit: " ×",
                measured: ratio(self.pairs(|name| Some(self.warm_of(name)?.cpu.median()))),
                floors: warm_floors(|row| row.cpu.median()),
            },
        ]
    }

    fn goals_of_slots(&self) -> [Goal; 2] {
        let growth = self
            .growth
            .iter()
            .filter(|cost| cost.work == Work::Slots && cost.bookings > 1_000)
            .filter_map(|cost| {
                let small = self.growth.iter().find(|small| small.work == cost.work && small.bookings == 1_000)?;
                Some((format!("at {}", thousands(cost.bookings)), cost.wall.median() / small.wall.median()))
            })
            .collect();
        [
            Goal {
                what: "warm `slots` − one bare `select`",
                bound: Bound::AtMost(0.5),
                unit: " ms",
                measured: self
                    .warm_of("slots")
                    .map(|row| vec![("p50".to_owned(), row.wall.median() - self.select.median())])
                    .unwrap_or_default(),
                floors: Vec::new(),
            },
            Goal {
                what: "`slots` in a large table ÷ at 1 000 bookings",
                bound: Bound::AtMost(1.2),
                unit: " ×",
                measured: growth,
                floors: Vec::new(),
            },
        ]
    }

    fn goals_table(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "## Goals\n\nThe worst of all it applies to. The floor is the same figure of programs that decide nothing: an answer and no more, or\n\
             the same clients and the same exchanges, in both languages.\n"
        );
        let _ = writeln!(out, "| what | goal | measured | holds | floor |\n|---|---|---|---|---|");
        for goal in self.goals() {
            let _ = writeln!(out, "{}", goal.line());
        }
        out.push('\n');
    }

    fn cold_table(&self, out: &mut String) {
        let starts = self.ours().next().map_or(0, |row| row.cpu.len());
        let _ = writeln!(
            out,
            "## Cold starts\n\nFrom the fork to the first request for work, {starts} starts of each (fewer in Node.js). \"start\" is with every\n\
             client and TLS made and no database to be reached; \"connecting\" is what TLS, SCRAM and the connection itself add.\n"
        );
        let _ = writeln!(
            out,
            "| program | start, CPU ms | ÷ floor | start, ms | connecting, CPU ms | connecting, ms | flights | memory, MiB | size, MB | zip, MB |\n\
             |---|---|---|---|---|---|---|---|---|---|"
        );
        let floor = self.cold_of("floor-http").map_or(f64::NAN, |row| row.cpu.median());
        for row in &self.cold {
            let added = |with: &Series, without: &Series| {
                if row.connects { short(with.median() - without.median()) } else { "–".to_owned() }
            };
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                row.name,
                row.cpu.show(),
                short(row.cpu.median() / floor),
                row.wall.show(),
                added(&row.cpu_connected, &row.cpu),
                added(&row.wall_connected, &row.wall),
                if row.connects { row.connecting.flights.to_string() } else { "–".to_owned() },
                short(row.memory),
                short(row.size.0 as f64 / 1e6),
                short(row.size.1 as f64 / 1e6),
            );
        }
        out.push('\n');
    }

    fn warm_table(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "## Invocations\n\nEach with its own event; Stripe, SQS and SES are the local ones, and their time is in the figures on the clock.\n\
             A bare `select 1` on the functions' own connection takes {} ms.\n",
            self.select.show()
        );
        let _ = writeln!(
            out,
            "| program | first, ms | first, CPU ms | p50, ms | p99, ms | CPU ms | flights | bytes out / in | peak memory, MiB |\n\
             |---|---|---|---|---|---|---|---|---|"
        );
        for row in &self.warm {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} | {} / {} | {} |",
                row.name,
                short(row.first.median()),
                short(row.first_cpu.median()),
                row.wall.show(),
                short(row.wall.quantile(0.99)),
                row.cpu.show(),
                row.traffic.flights,
                row.traffic.sent,
                row.traffic.received,
                short(row.memory),
            );
        }
        let _ = writeln!(
            out,
            "\nBetween two bare hellos, or two programs that only exchange the same, there is no work for a faster program to be faster at:\n\
             those are the floors that the other ratios start from.\n\n| Node.js ÷ ours | p50 | CPU | peak memory |\n|---|---|---|---|"
        );
        let floors = Work::FLOORS.iter().filter_map(|work| {
            let name = work.name();
            Some((name.to_owned(), self.warm_of(name)?, self.warm_of(&format!("{name}{PEER}"))?))
        });
        for (name, ours, theirs) in floors.chain(self.pairs(|name| self.warm_of(name))) {
            let _ = writeln!(
                out,
                "| {name} | {} | {} | {} |",
                times(theirs.wall.median(), ours.wall.median()),
                times(theirs.cpu.median(), ours.cpu.median()),
                times(theirs.memory, ours.memory)
            );
        }
        out.push('\n');
    }

    fn distant_table(&self, out: &mut String) {
        let Some(first) = self.distant.first() else { return };
        let _ = writeln!(
            out,
            "## Distance to the database\n\nWhat a start with its connection and a warm invocation take, in ms, when a round trip takes so much longer.\n"
        );
        let lines: Vec<String> =
            first.wall.iter().map(|(round_trip, _)| format!("{} ms", round_trip.as_millis())).collect();
        let heads: String = lines.iter().map(|line| format!(" start, +{line} | warm, +{line} |")).collect();
        let _ = writeln!(out, "| program |{heads}\n|---|{}", "---|---|".repeat(lines.len()));
        for row in &self.distant {
            let cells: String = row
                .wall
                .iter()
                .zip(&row.start)
                .map(|((_, wall), (_, start))| format!(" {} | {} |", short(start.median()), short(wall.median())))
                .collect();
            let _ = writeln!(out, "| {} |{cells}", row.name);
        }
        out.push('\n');
    }

    fn growth_table(&self, out: &mut String) {
        let mut sizes: Vec<u64> = self.growth.iter().map(|cost| cost.bookings).collect();
        sizes.sort_unstable();
        sizes.dedup();
        if sizes.is_empty() {
            return;
        }
        let _ = writeln!(
            out,
            "## Growth\n\nOne database of each size, asked in turn; p50 in ms, and in brackets the rows of the growing tables that one invocation\n\
             looked at. A thousand bookings are one artist's. None of these tables is read from end to end beyond 1 000 bookings:\n\
             {}.\n\
             The last five are reached by a key alone and have no more than {} rows.{}{}\n",
            crate::growth::GROWING.join(", "),
            thousands(crate::growth::REACHED_BY_KEY),
            if self.remark.is_empty() { "" } else { " " },
            self.remark
        );
        let heads: String = sizes.iter().map(|size| format!(" {} |", thousands(*size))).collect();
        let _ = writeln!(out, "| work | {heads} largest ÷ smallest |\n|---|{}---|", "---|".repeat(sizes.len()));
        for work in crate::growth::STEADY {
            let costs: Vec<&Cost> = self.growth.iter().filter(|cost| cost.work == *work).collect();
            let (Some(smallest), Some(largest)) = (costs.first(), costs.last()) else { continue };
            let cells: String = costs
                .iter()
                .map(|cost| {
                    let whole = match &cost.read_whole[..] {
                        [] => String::new(),
                        _ if cost.bookings <= 1_000 => String::new(),
                        tables => format!(" **all of {}**", tables.join(", ")),
                    };
                    format!(" {} ({:.0}){whole} |", short(cost.wall.median()), cost.rows_read)
                })
                .collect();
            let _ =
                writeln!(out, "| {} |{cells} {} |", work.name(), short(largest.wall.median() / smallest.wall.median()));
        }
        out.push('\n');
    }

    fn load_table(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "## Load\n\nFunctions, Postgres, the stand-ins and the bench share this machine's processors: a lower bound for a real platform, and a\n\
             check that nothing is lost or doubled under it.\n"
        );
        let _ = writeln!(
            out,
            "| what | instances | done | per second | p50, ms | p99, ms | connections | afterwards |\n|---|---|---|---|---|---|---|---|"
        );
        for load in &self.load {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} | {} |",
                load.name,
                load.instances,
                thousands(load.done),
                short(load.per_second()),
                short(load.wall.median()),
                short(load.wall.quantile(0.99)),
                load.connections,
                load.remark,
            );
        }
    }

    /// Goals that do not hold, in words.
    pub fn missed(&self) -> Vec<String> {
        self.goals().iter().map(Goal::line).filter(|line| line.contains("**no**")).collect()
    }
}

/// Theirs ÷ ours.
fn ratio(pairs: Vec<(String, f64, f64)>) -> Vec<(String, f64)> {
    pairs.into_iter().map(|(name, ours, theirs)| (name, theirs / ours)).collect()
}

/// A number as people write it.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// What this machine is.
fn machine() -> Vec<(&'static str, String)> {
    let first_line = |program: &str, arguments: &[&str]| {
        let told = Command::new(program).args(arguments).output().ok();
        told.and_then(|told| String::from_utf8(told.stdout).ok()?.lines().next().map(str::to_owned)).unwrap_or_default()
    };
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(Path::new(file)).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).and_then(|line| line.split_once(':'));
        line.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let memory: f64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    vec![
        ("processor", format!("{processors} × {}", field("/proc/cpuinfo", "model name"))),
        ("memory", format!("{:.0} GiB", memory / 1024.0 / 1024.0)),
        ("system", first_line("uname", &["-srm"])),
        ("load at the end of the run", load.split(' ').next().unwrap_or_default().to_owned()),
        ("compiler", first_line("rustc", &["--version"])),
        ("Node.js", first_line("node", &["--version"])),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(bound: Bound, values: &[f64]) -> String {
        let measured = values.iter().map(|value| (format!("f{value}"), *value)).collect();
        Goal { what: "it", bound, unit: "", measured, floors: Vec::new() }.line()
    }

    #[test]
    fn the_worst_figure_decides_whether_a_goal_holds() {
        assert!(goal(Bound::AtMost(1.4), &[1.1, 1.5, 1.2]).contains("1.50 (f1.5) | **no**"));
        assert!(goal(Bound::AtLeast(10.0), &[12.0, 11.0]).contains("11.0 (f11) | yes"));
    }

    #[test]
    fn what_was_not_measured_is_not_called_reached() {
        assert!(goal(Bound::AtMost(1.4), &[f64::NAN]).contains("not measured"));
    }

    #[test]
    fn large_numbers_can_be_read() {
        assert_eq!(thousands(10_000_000), "10\u{202f}000\u{202f}000");
        assert_eq!(thousands(999), "999");
    }
}
