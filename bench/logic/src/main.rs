//! `bench logic`: the minimiser beside the C program of 1988, on the same files, in turns.
//!
//! The C program is built from the sources that the crate `espresso-logic` carries (`setup.mjs
//! logic`), with `-O2`; the crate itself is the second peer, inside this process. Every file goes
//! through every side once in each round, the sides in another order each round, and the figure of a
//! side is the median of its rounds. "Equivalent" is said by the checker of the test suite, which
//! shares no code with the minimiser.
//!
//! Results are JSON lines on standard output; at the end a table of the goals, floor, target and
//! moonshot beside what was measured, goes to standard error with the progress.

mod cover;
mod goals;
mod inside;
mod isolated;
mod process;
mod set;
mod whole;

#[path = "../../../crates/espresso/tests/support/mod.rs"]
mod checker;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use pos_kernel_espresso::{Minimizer, Mode, Pla};
use pos_kernel_isolate::{WORKER_VARIABLE, worker_main};

const USAGE: &str = "\
usage: bench-logic run [options]          measure; JSON lines on standard output
       bench-logic child MODE FILE S      minimise one file (what `run` starts for our side)
       bench-logic weigh S COMMAND...     run a command, S seconds at most, and say what it cost

options of run:
  --program PATH     the C program (default bench/logic/target/espresso-c)
  --files DIR        the PLA set (default crates/espresso/tests/data/pla)
  --workloads a,b    normal, fast, exact, primes, inside, threads, concurrent, isolated
                     (default: all but exact)
  --only TEXT        only files whose name contains TEXT
  --group NAME       only mcnc or tables
  --rounds N         rounds of every file that takes less than three seconds (default 3)
  --limit-s N        processor seconds after which a run is ended (default 60)
  --goals FORM       table, to standard error, or json, lines like the others (default table)";

pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What `run` was asked for.
pub struct Options {
    pub program: PathBuf,
    pub files: Vec<set::File>,
    pub workloads: Vec<String>,
    pub rounds: usize,
    pub limit_s: u64,
    pub goals_as_json: bool,
}

fn main() -> ExitCode {
    if std::env::var_os(WORKER_VARIABLE).is_some() {
        return ExitCode::from(worker_main());
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["run", options @ ..] => options_of(options).and_then(|options| run(&options)),
        ["child", mode, file, limit_s] => child(mode, file, limit_s),
        ["weigh", limit_s, command @ ..] => process::weigh(limit_s, command),
        _ => {
            println!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-logic: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options_of(words: &[&str]) -> Outcome<Options> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folder = root.join("crates/espresso/tests/data/pla");
    let (mut only, mut group) = (String::new(), None);
    let mut options = Options {
        program: root.join("bench/logic/target/espresso-c"),
        files: Vec::new(),
        workloads: ["normal", "fast", "primes", "inside", "threads", "concurrent", "isolated"]
            .map(str::to_owned)
            .to_vec(),
        rounds: 3,
        limit_s: 60,
        goals_as_json: false,
    };
    for pair in words.chunks(2) {
        let &[name, value] = pair else { return Err(format!("{} needs a value", pair[0]).into()) };
        match name {
            "--program" => options.program = value.into(),
            "--files" => folder = value.into(),
            "--workloads" => options.workloads = value.split(',').map(str::to_owned).collect(),
            "--only" => only = value.to_owned(),
            "--group" => {
                group = Some(match value {
                    "mcnc" => set::Group::Mcnc,
                    "tables" => set::Group::Tables,
                    other => return Err(format!("no group {other}").into()),
                });
            }
            "--rounds" => options.rounds = value.parse::<usize>()?.max(1),
            "--goals" => options.goals_as_json = value == "json",
            "--limit-s" => options.limit_s = value.parse()?,
            other => return Err(format!("no option {other}\n{USAGE}").into()),
        }
    }
    options.files = set::read(&folder)?;
    options
        .files
        .retain(|file| file.name.contains(&only) && group.is_none_or(|group| file.group == group));
    Ok(options)
}

fn run(options: &Options) -> Outcome<()> {
    let mut goals = goals::Goals::default();
    for workload in &options.workloads {
        match workload.as_str() {
            "normal" | "fast" | "exact" => whole::run(workload, options, &mut goals)?,
            "primes" => whole::primes(options, &mut goals)?,
            "inside" => inside::beside_the_bindings(options, &mut goals)?,
            "threads" => inside::threads(options, &mut goals)?,
            "concurrent" => inside::concurrent(&mut goals)?,
            "isolated" => isolated::run(&mut goals)?,
            other => return Err(format!("no workload {other}").into()),
        }
    }
    if options.goals_as_json {
        goals.print_json();
    } else {
        goals.print();
    }
    Ok(())
}

/// Our side of a run: reads, minimises, writes. The exact mode ends itself a little before the limit
/// of processor time would end it.
fn child(mode: &str, file: &str, limit_s: &str) -> Outcome<()> {
    let limit = Duration::from_secs(limit_s.parse::<u64>()?);
    let pla = Pla::parse(&std::fs::read(file)?)?;
    let minimizer = Minimizer::new(&pla.layout);
    if mode == "primes" {
        let sets = pla.sets(&minimizer)?;
        let primes = minimizer.primes(&sets.f, sets.d.as_ref())?;
        print!("{}", pla.text(&primes, None, None));
        return Ok(());
    }
    let minimizer = match mode {
        "normal" => minimizer,
        "fast" => minimizer.mode(Mode::Fast),
        "exact" => minimizer.mode(Mode::Exact).time_limit(limit * 29 / 30),
        other => return Err(format!("no mode {other}").into()),
    };
    let answer = pla.minimize(&minimizer)?;
    print!("{}", pla.text(&answer.f, None, None));
    println!("# bound {} proved {}", answer.lower_bound, answer.proved);
    Ok(())
}
