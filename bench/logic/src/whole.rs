//! Whole processes beside each other: the C program and ours, one file after the other.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::goals::{Goals, NO_GOAL, limits};
use crate::process::{self, Run};
use crate::set::{File, Group};
use crate::{Options, Outcome, checker, cover};

/// A side that took longer than this is not run again.
const ONCE_ABOVE: Duration = Duration::from_secs(3);
/// Files below this time of the C program count in sums only, not in a mean of ratios.
const MEAN_ABOVE: Duration = Duration::from_millis(5);

/// One side of one file.
#[derive(Default)]
struct Side {
    times: Vec<Duration>,
    peak_kib: u64,
    output: String,
    finished: bool,
}

impl Side {
    fn take(&mut self, run: Run) {
        self.times.push(run.processor);
        self.peak_kib = self.peak_kib.max(run.peak_kib);
        self.output = run.output;
        self.finished = run.finished;
    }
    fn median(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }
    fn is_slow(&self) -> bool {
        self.times.iter().any(|time| *time > ONCE_ABOVE)
    }
}

/// Sums over the files that both sides finished.
#[derive(Default)]
struct Sum {
    files: usize,
    products: [usize; 2],
    literals: [usize; 2],
    literals_where_no_larger: [usize; 2],
    time: [Duration; 2],
    larger: Vec<String>,
}

fn command(side: usize, workload: &str, options: &Options, path: &Path) -> Outcome<Command> {
    if side == 1 {
        let mut ours = Command::new(std::env::current_exe()?);
        ours.args(["child", workload]).arg(path).arg(options.limit_s.to_string());
        return Ok(ours);
    }
    let mut theirs = Command::new(&options.program);
    match workload {
        "fast" => theirs.arg("-efast"),
        "exact" => theirs.arg("-Dexact"),
        "primes" => theirs.arg("-Dprimes"),
        _ => &mut theirs,
    };
    theirs.arg(path);
    Ok(theirs)
}

/// Largest peak memory: of ours, of the C program where it ended, and the largest ratio of a file.
#[derive(Default)]
struct Memory {
    ours: (u64, String),
    theirs: (u64, String),
    ratio: (f64, String),
    o64: u64,
}

impl Memory {
    fn take(&mut self, name: &str, theirs: &Side, ours: &Side) {
        self.ours = self.ours.clone().max((ours.peak_kib, name.to_owned()));
        if name == "o64.pla" {
            self.o64 = ours.peak_kib;
        }
        if theirs.finished {
            self.theirs = self.theirs.clone().max((theirs.peak_kib, name.to_owned()));
            let ratio = ours.peak_kib as f64 / theirs.peak_kib as f64;
            if ratio > self.ratio.0 {
                self.ratio = (ratio, name.to_owned());
            }
        }
    }
    fn add(&self, goals: &mut Goals) {
        let [(ours, ours_in), (theirs, theirs_in)] = [&self.ours, &self.theirs];
        let ratio = *ours as f64 / (*theirs).max(1) as f64;
        goals.add(
            "11",
            "peak memory, largest of each side",
            limits("≤ 10×", "≤ 4×", "≤ 2×"),
            Some(ratio),
            format!(
                "{ratio:.2} ({ours} KiB {ours_in} / {theirs} KiB {theirs_in}); worst file {:.2} {}",
                self.ratio.0, self.ratio.1
            ),
        );
        let o64 = format!("{} KiB", self.o64);
        let below = limits("–", "–", "< 16 MB");
        goals.add("11", "peak memory, o64", below, Some(self.o64 as f64 / 1024.0), o64);
    }
}

/// What was proved to be a minimum, by whom, and how near the others came.
#[derive(Default)]
struct Proofs {
    ours: usize,
    /// By the exact mode of the C program in this run.
    exact: usize,
    /// By that mode or by its signature cubes when the reference was made, in a minute each.
    reference: usize,
    open: Vec<String>,
    near: usize,
}

impl Proofs {
    fn take(&mut self, name: &str, bound: Option<(usize, bool)>, products: usize) {
        match bound {
            Some((_, true)) => self.ours += 1,
            Some((least, false)) => {
                self.near += usize::from(least * 100 >= products * 97);
                self.open.push(format!("{name} {least}..{products}"));
            }
            None => self.open.push(format!("{name} none")),
        }
    }
    fn add(&self, limit_s: u64, goals: &mut Goals) {
        let value = self.ours as f64 / self.reference.max(1) as f64;
        goals.add(
            "7",
            format!("minima proved in {limit_s} s a file"),
            limits("as C", "+ 3 %", "+ 7 %, bounds within 3 %"),
            Some(value),
            format!(
                "{}; C {} exact or by signature ({} exact in this run): {:+.1} %; open {}, {} of them within 3 %: {}",
                self.ours,
                self.reference,
                self.exact,
                (value - 1.0) * 100.0,
                self.open.len(),
                self.near,
                self.open.join(", ")
            ),
        );
    }
}

/// Both sides of every file, in rounds.
fn measure(workload: &str, options: &Options) -> Outcome<Vec<[Side; 2]>> {
    let mut sides: Vec<[Side; 2]> = options.files.iter().map(|_| Default::default()).collect();
    for round in 0..options.rounds {
        eprintln!("{workload}: round {} of {}", round + 1, options.rounds);
        for (file, sides) in options.files.iter().zip(&mut sides) {
            for turn in 0..2 {
                let side = (turn + round) % 2;
                // What never ends is not waited for again.
                let is_endless = workload == "exact" && side == 0 && !file.c_exact_ends;
                if sides[side].is_slow() || is_endless {
                    continue;
                }
                let command = command(side, workload, options, &file.path)?;
                sides[side].take(process::run(&command, options.limit_s)?);
            }
        }
    }
    Ok(sides)
}

/// The normal, fast or exact mode of both.
pub fn run(workload: &str, options: &Options, goals: &mut Goals) -> Outcome<()> {
    let measured = measure(workload, options)?;
    let mut sums: [Sum; 3] = Default::default();
    let (mut right, mut wrong) = (0, Vec::new());
    let mut ratios = Vec::new();
    let mut memory = Memory::default();
    let mut proofs = Proofs::default();
    let mut prove_time = [Duration::ZERO; 2];
    for (file, sides) in options.files.iter().zip(&measured) {
        let question = checker::read(&file.text);
        let [theirs, ours] = sides;
        let verdict = if !ours.finished {
            Err("not finished".to_owned())
        } else {
            checker::check(&question, &checker::read(&ours.output))
        };
        match &verdict {
            Ok(()) => right += 1,
            Err(reason) => wrong.push(format!("{}: {reason}", file.name)),
        }
        let sizes = [theirs, ours].map(|side| cover::size(&question, &side.output));
        let times = [theirs.median(), ours.median()];
        let bound = bound_of(&ours.output);
        println!(
            "{}",
            json!({
                "workload": workload, "file": file.name, "equivalent": verdict.is_ok(),
                "products": { "c": theirs.finished.then_some(sizes[0].products), "ours": sizes[1].products },
                "literals": { "c": theirs.finished.then_some(sizes[0].literals), "ours": sizes[1].literals },
                "processorMs": { "c": milliseconds(times[0]), "ours": milliseconds(times[1]) },
                "peakKib": { "c": theirs.peak_kib, "ours": ours.peak_kib },
                "cFinished": theirs.finished, "lowerBound": bound.map(|b| b.0), "proved": bound.map(|b| b.1),
            })
        );
        memory.take(&file.name, theirs, ours);
        if workload == "exact" {
            proofs.take(&file.name, bound, sizes[1].products);
            proofs.exact += usize::from(theirs.finished);
            proofs.reference += usize::from(file.c_proved);
        }
        if !theirs.finished {
            continue;
        }
        if bound.is_some_and(|b| b.1) {
            prove_time[0] += times[0];
            prove_time[1] += times[1];
        }
        if times[0] >= MEAN_ABOVE {
            ratios.push((times[1].as_secs_f64() / times[0].as_secs_f64(), file.name.clone()));
        }
        let group = usize::from(file.group == Group::Tables);
        for sum in [Some(group), file.is_dense().then_some(2)].into_iter().flatten() {
            let sum = &mut sums[sum];
            sum.files += 1;
            for side in 0..2 {
                sum.products[side] += sizes[side].products;
                sum.literals[side] += sizes[side].literals;
                sum.time[side] += times[side];
                if sizes[1].products <= sizes[0].products {
                    sum.literals_where_no_larger[side] += sizes[side].literals;
                }
            }
            if sizes[1].products > sizes[0].products {
                sum.larger
                    .push(format!("{} {}>{}", file.name, sizes[1].products, sizes[0].products));
            }
        }
    }
    let equivalent = right as f64 / options.files.len().max(1) as f64;
    goals.add(
        "1",
        format!("{workload}: equivalent by the independent checker"),
        limits("100 %", "100 %", "10⁶ random functions too"),
        Some(equivalent),
        format!("{right} of {} {}", options.files.len(), wrong.join("; ")),
    );
    let mut sizes = |row, what: String, limits, pair: [usize; 2]| {
        if pair[0] > 0 {
            let measured = format!("{:.4} ({} / {})", ratio(pair), pair[1], pair[0]);
            goals.add(row, what, limits, Some(ratio(pair)), measured);
        }
    };
    let [mcnc, tables, dense] = &sums;
    if workload == "normal" {
        let what = format!("products, MCNC, {} files", mcnc.files);
        sizes("2", what, limits("≤ 1.000", "≤ 0.985", "≤ 0.970"), mcnc.products);
        let what = format!("products, dense tables, {} files", dense.files);
        sizes("2b", what, limits("≤ 0.98", "≤ 0.88", "≤ 0.83"), dense.products);
        let what = format!("products, decision and BOOM tables, {} files", tables.files);
        sizes("3", what, limits("≤ 1.00", "≤ 0.98", "≤ 0.95"), tables.products);
        let what = "literals, MCNC, where products are no more".to_owned();
        let pair = mcnc.literals_where_no_larger;
        sizes("4", what, limits("≤ 1.00", "≤ 0.985", "≤ 0.97"), pair);
    } else {
        for (name, sum) in [("MCNC", mcnc), ("tables", tables)] {
            sizes("–", format!("{workload}: products, {name}"), NO_GOAL, sum.products);
            sizes("–", format!("{workload}: literals, {name}"), NO_GOAL, sum.literals);
        }
    }
    let mut time = |row, what: String, limits, pair: [Duration; 2]| {
        let [theirs, ours] = pair.map(|t| t.as_secs_f64());
        if theirs > 0.0 {
            let measured = format!("{:.3} ({ours:.2} s / {theirs:.2} s)", ours / theirs);
            goals.add(row, what, limits, Some(ours / theirs), measured);
        }
    };
    match workload {
        "normal" => {
            let what = "processor time, MCNC".to_owned();
            time("5", what, limits("≤ 1.0", "≤ 0.5", "≤ 0.2"), mcnc.time);
            let what = "processor time, decision and BOOM tables".to_owned();
            time("6", what, limits("≤ 0.2", "≤ 0.05", "≤ 0.01"), tables.time);
        }
        "fast" => {
            let what = "fast mode: processor time, MCNC".to_owned();
            time("5", what, limits("–", "–", "≤ 0.2"), mcnc.time);
            time("–", "fast mode: processor time, tables".to_owned(), NO_GOAL, tables.time);
        }
        _ => {
            let what = "time to prove what C proves".to_owned();
            time("8", what, limits("≤ 1.0", "≤ 0.2", "≤ 0.05"), prove_time);
            proofs.add(options.limit_s, goals);
            goals.add(
                "11",
                "peak memory, exact mode",
                limits("–", "–", "no mode above its cap"),
                Some(memory.ours.0 as f64 / 1024.0),
                format!("{} KiB ({}), cap of 1 GiB", memory.ours.0, memory.ours.1),
            );
        }
    }
    if workload == "normal" {
        let larger: Vec<&str> =
            mcnc.larger.iter().chain(&tables.larger).map(String::as_str).collect();
        goals.add(
            "2",
            "files with more products than C",
            limits("none", "none", "none"),
            Some(larger.len() as f64),
            format!("{} {}", larger.len(), larger.join(", ")),
        );
        ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mean =
            (ratios.iter().map(|r| r.0.ln()).sum::<f64>() / ratios.len().max(1) as f64).exp();
        let worst = ratios.last().map_or(String::new(), |r| format!("{:.2} {}", r.0, r.1));
        let what = "geometric mean of time ratios; worst";
        goals.add("5, 6", what, NO_GOAL, Some(mean), format!("{mean:.3}; {worst}"));
        memory.add(goals);
        for name in ["promo_l1.pla", "promo_l3.pla"] {
            if let Some(at) = options.files.iter().position(|file| file.name == name) {
                let [theirs, ours] = [0, 1].map(|side| milliseconds(measured[at][side].median()));
                let limits = limits("≤ 1 s", "≤ 200 ms", "≤ 50 ms");
                goals.add("14", name, limits, Some(ours), format!("{ours} ms (C {theirs} ms)"));
            }
        }
    }
    Ok(())
}

/// All primes of the table for which that takes the C program longest.
pub fn primes(options: &Options, goals: &mut Goals) -> Outcome<()> {
    let Some(file) = options.files.iter().find(|file| file.name == "ex1010.pla") else {
        return Ok(());
    };
    eprintln!("primes: {}", file.name);
    let mut sides: [Side; 2] = Default::default();
    for round in 0..options.rounds {
        for side in [round % 2, (round + 1) % 2] {
            if !sides[side].is_slow() {
                let command = command(side, "primes", options, &file.path)?;
                sides[side].take(process::run(&command, options.limit_s)?);
            }
        }
    }
    let count =
        |file: &File, side: &Side| cover::size(&checker::read(&file.text), &side.output).products;
    let [theirs, ours] = [0, 1].map(|side| sides[side].median());
    let counts = [0, 1].map(|side| count(file, &sides[side]));
    println!(
        "{}",
        json!({
            "workload": "primes", "file": file.name, "primes": { "c": counts[0], "ours": counts[1] },
            "processorMs": { "c": milliseconds(theirs), "ours": milliseconds(ours) },
        })
    );
    let value = ours.as_secs_f64() / theirs.as_secs_f64();
    let measured = format!(
        "{value:.4} ({} ms / {} ms; {} and {} primes)",
        milliseconds(ours),
        milliseconds(theirs),
        counts[1],
        counts[0]
    );
    let limits = limits("≤ 0.1", "≤ 0.01", "≤ 0.001");
    goals.add("9", "all primes of ex1010", limits, Some(value), measured);
    Ok(())
}

/// Lower bound and whether it is met, from the last line of our side.
fn bound_of(output: &str) -> Option<(usize, bool)> {
    let line = output.lines().rev().find(|line| line.starts_with("# bound "))?;
    let words: Vec<&str> = line.split(' ').collect();
    Some((words.get(2)?.parse().ok()?, *words.get(4)? == "true"))
}

fn ratio([theirs, ours]: [usize; 2]) -> f64 {
    ours as f64 / theirs as f64
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}
