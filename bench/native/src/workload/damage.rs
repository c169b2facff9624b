//! Damage under acknowledged sales: what does the store say when it is opened again?
//!
//! A child sells, each sale acknowledged and flushed, and is killed. Then, many times: a fresh copy
//! of its files, one bit flipped or one 4 KiB block zeroed, and another child that opens the copy,
//! reads every sale and compares every byte. The ends, from good to bad:
//!
//! ```text
//! clean     opened without a word, every sale right: the place held nothing that mattered
//! detected  open or read answered with an error
//! admitted  opened, and the store itself said that it cut something off
//! crashed   the process died (signal, abort, panic) or hung
//! silent    opened and read without a word, but sales are wrong or gone
//! ```
//!
//! Places are drawn from the blocks that hold anything at all: zeros in a part of a file that was
//! never written are not a store's data, and damage there would only dilute the figures.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::child::{self, End, Flush};
use crate::folder::{self, Block};
use crate::measure::{Figure, Rounds};
use crate::sale::Sale;
use crate::store::{Kind, Outcome, Peer};
use crate::workload::recovery;

const TRY_LIMIT: Duration = Duration::from_secs(60);

/// How much of what.
#[derive(Clone, Copy)]
pub struct Plan {
    pub sales: u32,
    pub tries: u32,
    pub seed: u64,
}

#[derive(Clone, Copy)]
enum Injury {
    Bit,
    Block,
}

impl Injury {
    fn workload(self) -> &'static str {
        match self {
            Injury::Bit => "damage-bit",
            Injury::Block => "damage-block",
        }
    }
}

#[derive(Default)]
struct Tally {
    clean: u32,
    detected: u32,
    admitted: u32,
    crashed: u32,
    hung: u32,
    silent: u32,
    /// Of the silent ones: tries in which a sale came back with other content.
    silent_wrong: u32,
    /// Sales missing or wrong at once, over the silent tries.
    gone_max: u32,
    gone_sum: u32,
}

/// Runs the workload for all `peers`: figures for bits and for blocks, each under its name.
pub fn run(peers: &[&dyn Peer], dir: &Path, plan: Plan) -> Outcome<Vec<(&'static str, Rounds)>> {
    let mut results = Vec::new();
    for injury in [Injury::Bit, Injury::Block] {
        results.push((injury.workload(), Rounds::default()));
    }
    for &peer in peers.iter().filter(|peer| peer.takes_part_in(Kind::Damage)) {
        let left = dir.join("left-for-damage");
        folder::fresh(&left)?;
        child::kill_when_ready(&recovery::fill_arguments(peer, &left, plan.sales), Flush::Real)?;
        let blocks = folder::blocks(&left, |name| !peer.is_rebuilt_at_open(name))?;
        check_unharmed(peer, &left, dir, plan)?;
        for (injury, (workload, rounds)) in
            [Injury::Bit, Injury::Block].into_iter().zip(&mut results)
        {
            let tally = injure(peer, &left, dir, &blocks, injury, plan)?;
            eprintln!("  {workload} {}: {} silent of {}", peer.name(), tally.silent, plan.tries);
            for figure in figures(&tally) {
                rounds.add(peer.name(), figure);
            }
        }
        folder::remove(&left)?;
    }
    Ok(results)
}

/// Without damage everything must be there, or the figures would blame the wrong cause.
fn check_unharmed(peer: &dyn Peer, left: &Path, dir: &Path, plan: Plan) -> Outcome<()> {
    let copy = dir.join("damaged");
    folder::copy(left, &copy)?;
    let arguments = recovery::arguments("child-try", peer, &copy, plan.sales);
    match child::attempt(&arguments, TRY_LIMIT)? {
        End::Answered(lines) if lines.first().is_some_and(is_clean) => Ok(()),
        End::Answered(lines) => Err(format!("{}: unharmed, but {lines:?}", peer.name()).into()),
        End::Died(status) => Err(format!("{}: unharmed, but {status}", peer.name()).into()),
        End::Hung => Err(format!("{}: unharmed, but it hung", peer.name()).into()),
    }
}

fn injure(
    peer: &dyn Peer,
    left: &Path,
    dir: &Path,
    blocks: &[Block],
    injury: Injury,
    plan: Plan,
) -> Outcome<Tally> {
    let copy = dir.join("damaged");
    let arguments = recovery::arguments("child-try", peer, &copy, plan.sales);
    // Each kind of injury draws its own places; the same seed draws the same ones again.
    let mut dice = Dice { state: plan.seed ^ ((injury as u64 + 1) << 32) };
    let mut tally = Tally::default();
    for _try in 0..plan.tries {
        folder::copy(left, &copy)?;
        let block = &blocks[dice.below(blocks.len() as u64) as usize];
        let file = OpenOptions::new().read(true).write(true).open(copy.join(&block.file))?;
        match injury {
            Injury::Bit => {
                let offset = block.offset + dice.below(block.bytes as u64);
                let mut byte = [0];
                file.read_exact_at(&mut byte, offset)?;
                byte[0] ^= 1 << dice.below(8);
                file.write_all_at(&byte, offset)?;
            }
            Injury::Block => file.write_all_at(&vec![0; block.bytes], block.offset)?,
        }
        drop(file);
        match child::attempt(&arguments, TRY_LIMIT)? {
            End::Answered(lines) => tally.count(lines.first().unwrap_or(&Value::Null)),
            End::Died(_status) => tally.crashed += 1,
            End::Hung => tally.hung += 1,
        }
    }
    folder::remove(&copy)?;
    Ok(tally)
}

impl Tally {
    fn count(&mut self, answer: &Value) {
        let number = |name: &str| answer[name].as_u64().unwrap_or(0) as u32;
        if answer["error"].is_string() {
            self.detected += 1;
        } else if is_clean(answer) {
            self.clean += 1;
        } else if answer["admits"].is_string() {
            self.admitted += 1;
        } else {
            let gone = number("missing") + number("wrong");
            self.silent += 1;
            self.silent_wrong += u32::from(number("wrong") > 0);
            self.gone_max = self.gone_max.max(gone);
            self.gone_sum += gone;
        }
    }
}

fn is_clean(answer: &Value) -> bool {
    answer["right"].is_u64() && answer["wrong"] == 0 && answer["missing"] == 0
}

fn figures(tally: &Tally) -> Vec<Figure> {
    let count = |metric: &str, value: u32| Figure::new(metric, f64::from(value), "tries");
    let harmful = tally.silent + tally.detected + tally.admitted + tally.crashed + tally.hung;
    let share = |part: u32, whole: u32| f64::from(part) / f64::from(whole.max(1));
    vec![
        count("clean", tally.clean),
        count("detected", tally.detected),
        count("admitted", tally.admitted),
        count("crashed", tally.crashed),
        count("hung", tally.hung),
        count("silent", tally.silent),
        count("silent_wrong_content", tally.silent_wrong),
        Figure::new("silent_share_of_harm", share(tally.silent, harmful), "ratio"),
        Figure::new("sales_gone_max", f64::from(tally.gone_max), "sales"),
        Figure::new("sales_gone_mean", share(tally.gone_sum, tally.silent), "sales"),
    ]
}

/// In the child: opens what is there, reads every sale, compares every byte.
pub fn try_open(peer: &dyn Peer, dir: &Path, sales: u32) -> Value {
    let mut check = Check {
        seen: vec![false; sales as usize + 1],
        right: 0,
        wrong: 0,
        times: !peer.stamps_own_times(),
        expected: Vec::new(),
    };
    let outcome = (|| -> Outcome<Option<String>> {
        let mut store = peer.open(dir)?;
        store.read_every(&mut |number, bytes| check.look(number, bytes))?;
        Ok(store.admits())
    })();
    match outcome {
        Err(error) => json!({"error": error.to_string()}),
        Ok(admits) => {
            let missing = check.seen.iter().skip(1).filter(|&&seen| !seen).count();
            json!({
                "right": check.right,
                "wrong": check.wrong,
                "missing": missing,
                "admits": admits,
            })
        }
    }
}

struct Check {
    seen: Vec<bool>,
    right: u32,
    /// Sales with other content, twice the same sale, sales that were never sold.
    wrong: u32,
    times: bool,
    expected: Vec<u8>,
}

impl Check {
    fn look(&mut self, number: u32, bytes: &[u8]) {
        let index = number as usize;
        if index == 0 || index >= self.seen.len() || self.seen[index] {
            self.wrong += 1;
            return;
        }
        self.seen[index] = true;
        let sale = Sale::nth(number);
        let sale = if self.times { sale } else { sale.without_times() };
        self.expected.clear();
        sale.encode(&mut self.expected);
        if self.expected == bytes {
            self.right += 1;
        } else {
            self.wrong += 1;
        }
    }
}

/// A small generator of even random numbers (splitmix64), so that a seed repeats a run.
struct Dice {
    state: u64,
}

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.state;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^= value >> 31;
        // The bias of the remainder is below one in 2^40 for any file this is used on.
        value % limit
    }
}
