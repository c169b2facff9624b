//! IRREDUNDANT: the smallest part of a cover of primes that still holds what must be held.
//!
//! Cubes that nothing else covers are *relatively essential* and stay. For the others a tautology
//! recursion is run over the region in question with every cube carrying its name: at a leaf, where
//! only full cubes are left, "one of these must stay" is a row of a covering problem. The problem is
//! then solved as such.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::budget::Stop;
use crate::care::Care;
use crate::cover::Cover;
use crate::covering::{Covering, Effort, Keep};
use crate::cube;
use crate::expand::Working;
use crate::near::Near;
use crate::recurse::{Seen, Stack};
use crate::side_by_side::{PART_LEAST, in_parts};

/// The name of cubes that are in every answer.
const CERTAIN: u32 = u32::MAX;
/// Rows derived at most; past that, cubes are simply dropped one by one.
const ROWS_MAX: usize = 60_000;
/// Steps of the local search per column of the problem.
const SEARCH_STEPS: u64 = 2_000;

/// Reduces a cover to an irredundant one; for each cube of it, whether the whole cover had no other for
/// some of its points.
pub(crate) fn irredundant(
    work: &mut Working,
    care: &Care,
    stack: &mut Stack<'_>,
) -> Result<Vec<bool>, Stop> {
    let weights: Vec<u32> = work.cover.cubes().map(cube_literals(&work.cover)).collect();
    let Needed { keep, mut alone } = needed(&work.cover, &weights, care, stack)?;
    work.cover.retain(|i| keep[i]);
    for list in [&mut work.prime, &mut alone] {
        let mut at = keep.iter();
        list.retain(|_| at.next().copied().unwrap_or(false));
    }
    Ok(alone)
}

/// Literals of one cube: fewer is better among covers of equal size.
pub(crate) fn cube_literals(cover: &Cover) -> impl Fn(&[u64]) -> u32 + '_ {
    let layout = &**cover.layout();
    move |c| {
        let mut one = 0;
        for ((word, low), full) in c.iter().zip(layout.binary_low()).zip(layout.full()) {
            let missing = !word & full;
            one += ((missing | missing >> 1) & low).count_ones();
        }
        for variable in layout.binaries()..layout.variables().len() {
            one += cube::parts_in(layout, c, variable);
        }
        one
    }
}

/// What an irredundant choice keeps.
pub(crate) struct Needed {
    pub(crate) keep: Vec<bool>,
    /// The cubes that nothing else covers, or may be such.
    alone: Vec<bool>,
}

/// Which cubes of the cover an irredundant choice keeps.
pub(crate) fn needed(
    cover: &Cover,
    weights: &[u32],
    care: &Care,
    stack: &mut Stack<'_>,
) -> Result<Needed, Stop> {
    let Question { mut keep, open, rows } = match question(cover, care, None, ROWS_MAX, stack) {
        Err(Stop::Work) => {
            let keep = one_by_one(cover, weights, care, stack)?;
            return Ok(Needed { alone: keep.clone(), keep });
        }
        question => question?,
    };
    let alone = keep.clone();
    let problem = Covering { rows, weights: open.iter().map(|&i| weights[i as usize]).collect() };
    let effort =
        Effort { keep: Keep::Weights, search_per_column: SEARCH_STEPS, bound: 0, branch: 0 };
    for slot in problem.solve(effort, usize::MAX, stack.budget)?.columns {
        keep[open[slot as usize] as usize] = true;
    }
    Ok(Needed { keep, alone })
}

/// The covering problem that a redundant cover poses.
pub(crate) struct Question {
    /// The cubes that nothing else covers: they stay.
    pub(crate) keep: Vec<bool>,
    /// The cubes among which there is a choice, as indices of the cover.
    pub(crate) open: Vec<u32>,
    /// Of each of these sets, as places in `open`, one cube must stay.
    pub(crate) rows: Vec<Vec<u32>>,
}

/// Derives the covering problem; [`Stop::Work`] when it has more than `rows_max` rows.
///
/// `known` is a smaller cover of the same points, if there is one: every point that counts is in one
/// of its cubes, so looking there is enough.
pub(crate) fn question(
    cover: &Cover,
    care: &Care,
    known: Option<&Cover>,
    rows_max: usize,
    stack: &mut Stack<'_>,
) -> Result<Question, Stop> {
    let count = cover.len();
    let layout = stack.layout;
    let near = [Near::new(layout, cover), Near::new(layout, &care.free)];
    let keep = match (known, &care.pieces) {
        (Some(known), None) => essential_near(cover, known, care, stack)?,
        (None, None) => in_parts(count, PART_LEAST, stack, |part, stack| {
            let mut near = near.clone();
            let mut alone = |index: usize| {
                let candidate = cover.cube(index);
                let start = stack.bits.len();
                near[0].push(cover, candidate, index, stack);
                near[1].push(&care.free, candidate, usize::MAX, stack);
                Ok(!stack.tautology(start)?)
            };
            part.map(&mut alone).collect()
        })?,
        (_, Some(pieces)) => piecewise_essential(cover, pieces, care, stack)?,
    };
    if keep.iter().all(|k| *k) {
        return Ok(Question { keep, open: Vec::new(), rows: Vec::new() });
    }
    // Of the rest, only those that the certain ones do not cover are in question.
    let mut open: Vec<u32> = (0..count as u32).filter(|&i| !keep[i as usize]).collect();
    if care.pieces.is_none() {
        let is_open = in_parts(open.len(), PART_LEAST, stack, |part, stack| {
            let mut near = near.clone();
            let mut is_open = |&index: &u32| {
                let candidate = cover.cube(index as usize);
                let start = stack.bits.len();
                for other in near[0].meeting(candidate).filter(|&i| keep[i]) {
                    stack.push_raised(cover.cube(other), candidate);
                }
                near[1].push(&care.free, candidate, usize::MAX, stack);
                Ok(!stack.tautology(start)?)
            };
            open[part].iter().map(&mut is_open).collect()
        })?;
        let mut at = is_open.iter();
        open.retain(|_| at.next().copied().unwrap_or(false));
    }
    // The name of each cube: its place among those in question, or that it is certain.
    const NOT_ASKED: u32 = u32::MAX - 1;
    let mut name_of: Vec<u32> =
        keep.iter().map(|&keep| if keep { CERTAIN } else { NOT_ASKED }).collect();
    for (slot, &index) in open.iter().enumerate() {
        name_of[index as usize] = slot as u32;
    }
    let regions: Vec<&[u64]> = match (&care.pieces, known) {
        (Some(regions), _) | (None, Some(regions)) => regions.cubes().collect(),
        (None, None) => open.iter().map(|&index| cover.cube(index as usize)).collect(),
    };
    // The sum does not depend on who adds to it first, so neither does whether it is too large.
    let derived = AtomicUsize::new(0);
    let rows = in_parts(regions.len(), PART_LEAST, stack, |part, stack| {
        let (mut near, mut names, mut rows) = (near.clone(), Names::default(), Vec::new());
        for region in &regions[part] {
            names.below.clear();
            let start = stack.bits.len();
            near[1].push(&care.free, region, usize::MAX, stack);
            names.below.resize(stack.count(start), CERTAIN);
            for index in near[0].meeting(region).filter(|&i| name_of[i] != NOT_ASKED) {
                stack.push_raised(cover.cube(index), region);
                names.below.push(name_of[index]);
            }
            let mut own = Vec::new();
            let done = stack.rows(start, &mut names, 0, &mut own, rows_max);
            stack.bits.truncate(start);
            done?;
            own.sort_unstable();
            own.dedup();
            if derived.fetch_add(own.len(), Ordering::Relaxed) + own.len() > 2 * rows_max {
                return Err(Stop::Work);
            }
            rows.append(&mut own);
        }
        Ok(rows)
    })?;
    Ok(Question { keep, open, rows })
}

/// Cubes that nothing else covers, among those that hold a cube of `known`: an essential prime does,
/// since no other prime is around for what only it covers.
fn essential_near(
    cover: &Cover,
    known: &Cover,
    care: &Care,
    stack: &mut Stack<'_>,
) -> Result<Vec<bool>, Stop> {
    let mut keep = vec![false; cover.len()];
    for (index, keep) in keep.iter_mut().enumerate() {
        let candidate = cover.cube(index);
        if known.cubes().any(|k| cube::within(k, candidate)) {
            let others = (0..cover.len()).filter(|&i| i != index).map(|i| cover.cube(i));
            *keep = !stack.covers(others.chain(care.free.cubes()), candidate)?;
        }
    }
    Ok(keep)
}

/// Cubes without which some piece is not covered.
fn piecewise_essential(
    cover: &Cover,
    pieces: &Cover,
    care: &Care,
    stack: &mut Stack<'_>,
) -> Result<Vec<bool>, Stop> {
    let count = cover.len();
    let mut keep = vec![false; count];
    let others = |index: usize| {
        (0..count).filter(move |&i| i != index).map(|i| cover.cube(i)).chain(care.free.cubes())
    };
    let layout = &**cover.layout();
    let mut part = vec![0; layout.words()];
    for piece in pieces.cubes() {
        if care.free.cubes().any(|c| cube::within(piece, c)) {
            continue;
        }
        let mut holders = (0..count).filter(|&i| cube::within(piece, cover.cube(i)));
        match (holders.next(), holders.next()) {
            (Some(_), Some(_)) => {}
            (Some(only), None) => {
                if !keep[only] && !stack.covers(others(only), piece)? {
                    keep[only] = true;
                }
            }
            (None, _) => {
                for index in 0..count {
                    let candidate = cover.cube(index);
                    if keep[index] || cube::disjoint(layout, candidate, piece) {
                        continue;
                    }
                    for ((part, a), b) in part.iter_mut().zip(candidate).zip(piece) {
                        *part = a & b;
                    }
                    keep[index] = !stack.covers(others(index), &part)?;
                }
            }
        }
    }
    Ok(keep)
}

/// Drops, heaviest first, every cube that the others cover.
fn one_by_one(
    cover: &Cover,
    weights: &[u32],
    care: &Care,
    stack: &mut Stack<'_>,
) -> Result<Vec<bool>, Stop> {
    let words = cover.layout().words();
    let mut keep = vec![true; cover.len()];
    let mut order: Vec<usize> = (0..cover.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(weights[i]));
    for index in order {
        let parts = care.parts_of(cover.cube(index));
        let mut covered = true;
        for part in parts.chunks_exact(words) {
            let others = (0..cover.len()).filter(|&i| i != index && keep[i]).map(|i| cover.cube(i));
            if !stack.covers(others.chain(care.free.cubes()), part)? {
                covered = false;
                break;
            }
        }
        keep[index] = !covered;
    }
    Ok(keep)
}

/// The names that go with a recursion over named cubes.
#[derive(Default)]
struct Names {
    /// Of the cubes on the stack, in their order.
    below: Vec<u32>,
    /// Of the cubes that hold all of the region at hand, and are on the stack no more.
    full: Vec<u32>,
}

impl Stack<'_> {
    /// Derives the rows of a region whose cubes are named by `names.below[base..]`.
    fn rows(
        &mut self,
        start: usize,
        names: &mut Names,
        base: usize,
        rows: &mut Vec<Vec<u32>>,
        rows_max: usize,
    ) -> Result<(), Stop> {
        let full = names.full.len();
        let done = self.rows_loop(start, names, base, rows, rows_max);
        names.full.truncate(full);
        done
    }

    fn rows_loop(
        &mut self,
        start: usize,
        names: &mut Names,
        base: usize,
        rows: &mut Vec<Vec<u32>>,
        rows_max: usize,
    ) -> Result<(), Stop> {
        let layout = self.layout;
        loop {
            // A look stops at a full cube; here the full ones are set aside first.
            let full = |c: &[u64]| cube::within(layout.full(), c);
            let Names { below, full: held } = &mut *names;
            let mut is_certain = false;
            keep_named(&mut self.bits, start, below, base, layout.words(), |c, name| {
                let is_full = full(c);
                if is_full {
                    held.push(name);
                    is_certain |= name == CERTAIN;
                }
                !is_full
            });
            if is_certain {
                return Ok(());
            }
            match self.look(start)? {
                Seen::Nothing => {
                    let mut row = names.full.clone();
                    row.sort_unstable();
                    rows.push(row);
                    if rows.len() > rows_max {
                        rows.sort_unstable();
                        rows.dedup();
                        if rows.len() > rows_max / 2 {
                            return Err(Stop::Work);
                        }
                    }
                    return Ok(());
                }
                Seen::Full => unreachable!("full cubes were set aside"),
                Seen::Mixed { unate: true, .. } => {
                    let unate = &self.unate;
                    let keep = |c: &[u64], _| cube::within(unate, c);
                    keep_named(&mut self.bits, start, below, base, layout.words(), keep);
                }
                Seen::Mixed { .. } => {
                    let split = self.select(start, None);
                    let end = self.bits.len();
                    let names_end = names.below.len();
                    for right in [false, true] {
                        let words = layout.words();
                        for (at, from) in (start..end).step_by(words).enumerate() {
                            let meets = split.halves.spans().any(|(w, a, b)| {
                                self.bits[from + w] & if right { b } else { a } != 0
                            });
                            if meets {
                                names.below.push(names.below[base + at]);
                            }
                        }
                        let top = self.push_half(start, end, &split, right);
                        let done = self.rows(top, names, names_end, rows, rows_max);
                        self.bits.truncate(end);
                        names.below.truncate(names_end);
                        done?;
                    }
                    return Ok(());
                }
            }
        }
    }
}

/// Keeps the cubes from `start` on, and their names from `base` on, that the question answers with
/// yes.
fn keep_named(
    bits: &mut Vec<u64>,
    start: usize,
    names: &mut Vec<u32>,
    base: usize,
    words: usize,
    mut keep: impl FnMut(&[u64], u32) -> bool,
) {
    let (mut to, mut name_to) = (start, base);
    for at in base..names.len() {
        let from = start + (at - base) * words;
        if keep(&bits[from..from + words], names[at]) {
            if to != from {
                bits.copy_within(from..from + words, to);
                names[name_to] = names[at];
            }
            to += words;
            name_to += 1;
        }
    }
    bits.truncate(to);
    names.truncate(name_to);
}
