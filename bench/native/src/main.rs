//! The native side of `bench sale`: the same sale in every store, side by side.
//!
//! `peers/` holds the stores, `workload/` what is asked of them, `store.rs` the interface between
//! the two. This file reads the arguments and runs the rounds: every peer once in each round, one
//! after the other in a child process each, so that whatever else the machine does is shared out.
//!
//! Results are JSON lines on standard output, `{workload, peer, metric, value, unit, …}`, with the
//! median of the rounds as the value. Progress goes to standard error.

mod child;
mod folder;
mod measure;
mod peers;
mod sale;
mod store;
mod workload;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::child::Flush;
use crate::measure::{Figure, Rounds};
use crate::sale::{NUMBER_MAX, Sale};
use crate::store::{Kind, Outcome, Peer};
use crate::workload::{damage, pace, recovery};

const USAGE: &str = "\
usage: bench-sale-native run [options]     measure; JSON lines on standard output
       bench-sale-native list              the peers and the usual workloads
       bench-sale-native sample NUMBER     the canonical bytes of a sale

options of run:
  --peers a,b            which stores (default: all)
  --workloads a,b        one, threads-N, in-flight-N, cpu, memory, recovery, damage
                         (default: one,threads-16,threads-64,in-flight-64,cpu,memory,recovery,damage)
  --rounds N             rounds of every workload but damage (default 4)
  --seconds S            selling time of one peer in one round (default 1)
  --flush-delay-ms MS    make every flush cost so much more (one, threads and in-flight)
  --recovery-sales N     sales before the kill (default 100000)
  --long                 recovery with 1,000,000 sales as well
  --memory-sales N       sales before memory is read (default 20000)
  --tries N              bits flipped, and blocks zeroed, for each peer (default 200)
  --seed N               where the damage goes (default 1)
  --dir D                folder on the disk to measure; a folder of its own is made inside and
                         removed at the end (default bench/results)";

const DAMAGE_SALES: u32 = 1_500;
const LONG_RECOVERY_SALES: u32 = 1_000_000;

fn main() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-sale-native: {error}");
            ExitCode::FAILURE
        }
    }
}

fn work() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    match command.as_str() {
        "run" => run(&Options::parse(arguments)?),
        "list" => list(),
        "sample" => sample(arguments.next().as_deref()),
        "child-pace" => child_pace(&Options::parse(arguments)?),
        "child-fill" => {
            let options = Options::parse(arguments)?;
            child::check_shim()?;
            recovery::fill(options.peer()?, &options.dir()?, options.get("sales", DAMAGE_SALES)?)
        }
        "child-ready" => {
            let options = Options::parse(arguments)?;
            let sales = options.get("sales", DAMAGE_SALES)?;
            print_figures(&recovery::ready(options.peer()?, &options.dir()?, sales)?)
        }
        "child-try" => child_try(&Options::parse(arguments)?),
        "" | "--help" | "-h" | "help" => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(format!("no such command: {other}\n{USAGE}").into()),
    }
}

fn list() -> Outcome<()> {
    for peer in peers::PEERS {
        let workloads: Vec<String> = Kind::USUAL
            .split(',')
            .filter_map(Kind::parse)
            .filter(|&kind| peer.takes_part_in(kind))
            .map(Kind::name)
            .collect();
        println!("{}", json!({"peer": peer.name(), "workloads": workloads}));
    }
    Ok(())
}

fn sample(number: Option<&str>) -> Outcome<()> {
    let number: u32 = number.ok_or("sample needs a number")?.parse()?;
    if number > NUMBER_MAX {
        return Err(format!("sale {number} is above {NUMBER_MAX}").into());
    }
    let mut bytes = Vec::new();
    Sale::nth(number).encode(&mut bytes);
    bytes.push(b'\n');
    std::io::stdout().write_all(&bytes)?;
    Ok(())
}

fn run(options: &Options) -> Outcome<()> {
    // A folder of our own, because it is emptied: the given one may hold anything.
    let dir = options.dir()?.join(format!("native-{}", std::process::id()));
    folder::fresh(&dir)?;
    warn_of_memory_disk(&dir);
    let failures = run_all(options, &dir);
    folder::remove(&dir)?;
    match failures? {
        0 => Ok(()),
        failures => Err(format!("{failures} measurements failed").into()),
    }
}

/// Runs every workload in `dir` and returns how many measurements failed.
fn run_all(options: &Options, dir: &Path) -> Outcome<usize> {
    let peers = options.peers()?;
    let kinds = options.kinds()?;
    let rounds: usize = options.get("rounds", 4)?;
    let mut failures = 0;
    for kind in kinds {
        match kind {
            Kind::Recovery => {
                let mut sizes = vec![options.get("recovery-sales", 100_000)?];
                if options.has("long") {
                    sizes.push(LONG_RECOVERY_SALES);
                }
                for sales in sizes {
                    recovery::run(&peers, dir, sales, rounds)?
                        .print(&format!("recovery-{sales}"), &json!({"flushDelayMs": 0}));
                }
            }
            Kind::Damage => {
                let plan = damage::Plan {
                    sales: DAMAGE_SALES,
                    tries: options.get("tries", 200)?,
                    seed: options.get("seed", 1)?,
                };
                let extra = json!({"tries": plan.tries, "sales": plan.sales, "seed": plan.seed});
                for (workload, results) in damage::run(&peers, dir, plan)? {
                    results.print(workload, &extra);
                }
            }
            _ => failures += run_paced(options, dir, &peers, kind, rounds)?,
        }
    }
    Ok(failures)
}

/// Every peer once in each round; the first of a round is another one each time, so that no peer
/// always runs behind the same neighbour. Returns how many measurements failed.
fn run_paced(
    options: &Options,
    dir: &Path,
    peers: &[&dyn Peer],
    kind: Kind,
    rounds: usize,
) -> Outcome<usize> {
    let delay_ms: u64 = options.get("flush-delay-ms", 0)?;
    let (flush, delay_ms) = match kind {
        Kind::Cpu => (Flush::Skipped, 0),
        Kind::Memory => (Flush::Real, 0),
        _ if delay_ms > 0 => (Flush::Slow(Duration::from_millis(delay_ms)), delay_ms),
        _ => (Flush::Real, 0),
    };
    let taking_part: Vec<_> = peers.iter().filter(|peer| peer.takes_part_in(kind)).collect();
    let mut results = Rounds::default();
    let mut failures = 0;
    for round in 0..rounds {
        for offset in 0..taking_part.len() {
            let peer = taking_part[(offset + round) % taking_part.len()];
            let work = dir.join("pace");
            folder::fresh(&work)?;
            folder::settle(&work)?;
            let arguments = [
                "child-pace".into(),
                "--peer".into(),
                peer.name().into(),
                "--workloads".into(),
                kind.name(),
                "--dir".into(),
                work.to_string_lossy().into_owned(),
                "--seconds".into(),
                options.get("seconds", 1.0)?.to_string(),
                "--memory-sales".into(),
                options.get("memory-sales", 20_000)?.to_string(),
                "--flush-delay-ms".into(),
                delay_ms.to_string(),
            ];
            match child::run(&arguments, flush) {
                Ok(lines) => {
                    let figures: Vec<Figure> = lines.iter().filter_map(Figure::from_json).collect();
                    if let Some(first) = figures.first() {
                        eprintln!(
                            "  {} round {} {}: {:.1} {}",
                            kind.name(),
                            round + 1,
                            peer.name(),
                            first.value,
                            first.unit
                        );
                    }
                    for figure in figures {
                        results.add(peer.name(), figure);
                    }
                }
                Err(error) => {
                    failures += 1;
                    eprintln!("  {} round {} {}: {error}", kind.name(), round + 1, peer.name());
                }
            }
            folder::remove(&work)?;
        }
    }
    results.print(&kind.name(), &json!({"flushDelayMs": delay_ms}));
    Ok(failures)
}

fn child_pace(options: &Options) -> Outcome<()> {
    child::check_shim()?;
    let kind = *options.kinds()?.first().ok_or("child-pace needs a workload")?;
    let amount = pace::Amount {
        time: Duration::from_secs_f64(options.get("seconds", 1.0)?),
        memory_sales: options.get("memory-sales", 20_000)?,
        flush_delay: Duration::from_millis(options.get("flush-delay-ms", 0)?),
    };
    print_figures(&pace::measure(options.peer()?, kind, &options.dir()?, &amount)?)
}

fn child_try(options: &Options) -> Outcome<()> {
    // A store that dies on damaged files would leave a core file for each try.
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(rustix::process::Resource::Core, none)?;
    let sales = options.get("sales", DAMAGE_SALES)?;
    print_line(&damage::try_open(options.peer()?, &options.dir()?, sales))
}

fn print_figures(figures: &[Figure]) -> Outcome<()> {
    figures.iter().try_for_each(|figure| print_line(&figure.to_json()))
}

fn print_line(value: &Value) -> Outcome<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}")?;
    out.flush()?;
    Ok(())
}

/// A flush costs nothing in memory, and every ratio would be nonsense.
fn warn_of_memory_disk(dir: &Path) {
    const TMPFS: i64 = 0x0102_1994;
    if rustix::fs::statfs(dir).is_ok_and(|facts| facts.f_type == TMPFS) {
        eprintln!("warning: {} is in memory (tmpfs); use --dir on a disk", dir.display());
    }
}

/// `--name value` and `--switch`, in any order.
struct Options {
    given: BTreeMap<String, String>,
}

impl Options {
    const SWITCHES: [&str; 1] = ["long"];
    const VALUES: [&str; 12] = [
        "peers",
        "peer",
        "workloads",
        "rounds",
        "seconds",
        "flush-delay-ms",
        "recovery-sales",
        "memory-sales",
        "sales",
        "tries",
        "seed",
        "dir",
    ];

    fn parse(mut arguments: impl Iterator<Item = String>) -> Outcome<Options> {
        let mut given = BTreeMap::new();
        while let Some(argument) = arguments.next() {
            let name = argument.strip_prefix("--").unwrap_or_default();
            let value = if Options::SWITCHES.contains(&name) {
                String::new()
            } else if Options::VALUES.contains(&name) {
                arguments.next().ok_or_else(|| format!("--{name} needs a value"))?
            } else {
                return Err(format!("unknown argument: {argument}\n{USAGE}").into());
            };
            given.insert(name.to_owned(), value);
        }
        Ok(Options { given })
    }

    fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    fn get<T: FromStr>(&self, name: &str, otherwise: T) -> Outcome<T> {
        match self.given.get(name) {
            None => Ok(otherwise),
            Some(text) => {
                text.parse().map_err(|_unreadable| format!("--{name} cannot be {text}").into())
            }
        }
    }

    fn dir(&self) -> Outcome<PathBuf> {
        let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
        let dir = self.given.get("dir").map_or(default, PathBuf::from);
        std::fs::create_dir_all(&dir)?;
        Ok(dir.canonicalize()?)
    }

    fn peer(&self) -> Outcome<&'static dyn Peer> {
        find_peer(self.given.get("peer").ok_or("--peer is missing")?)
    }

    fn peers(&self) -> Outcome<Vec<&'static dyn Peer>> {
        match self.given.get("peers") {
            None => Ok(peers::PEERS.to_vec()),
            Some(names) => names.split(',').map(find_peer).collect(),
        }
    }

    fn kinds(&self) -> Outcome<Vec<Kind>> {
        let names = self.given.get("workloads").map_or(Kind::USUAL, String::as_str);
        let parse = |name| Kind::parse(name).ok_or_else(|| format!("no such workload: {name}"));
        Ok(names.split(',').map(parse).collect::<Result<_, _>>()?)
    }
}

fn find_peer(name: &str) -> Outcome<&'static dyn Peer> {
    peers::find(name).ok_or_else(|| format!("no such peer: {name}").into())
}
