//! What a table says twice, leaves out, or says in vain, each with an input that shows it.

use super::cell::Cell;
use super::column::Held;
use super::compile::{Effort, LONG, Source};
use super::space::Cube;
use super::table::{HitPolicy, Table};
use crate::error::Result;
use pos_kernel_espresso::{Cover, Mode};

/// Findings of one kind that a report lists; it counts the others.
const SHOWN_MAX: usize = 100;
/// Gaps that are worth putting together into fewer.
const GAPS_JOINED_MAX: usize = 4096;
/// Rows among which those that are needed to shadow another are looked for one by one.
const SHADOWS_TRIED_MAX: usize = 64;

/// Findings of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding<T> {
    /// How many there are.
    pub count: usize,
    /// The first hundred.
    pub shown: Vec<T>,
}

/// What was found in a table. Rows are counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Rows of the table.
    pub rows: usize,
    /// Different answers.
    pub answers: usize,
    /// Products of the compiled table; 0 when it contradicts itself.
    pub products: usize,
    /// Two rows that both apply and must not.
    pub contradictions: Finding<Contradiction>,
    /// Inputs of which no row speaks.
    pub gaps: Finding<Gap>,
    /// Rows that never decide anything.
    pub shadowed: Finding<Shadowed>,
}

/// Two rows that both apply: under `unique` in any case, under `any` with different results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The rows.
    pub rows: [usize; 2],
    /// An input of both, one value for each condition column.
    pub example: Vec<Held>,
}

/// Inputs of which no row speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The inputs, one condition for each condition column.
    pub when: Vec<Cell>,
    /// One of them.
    pub example: Vec<Held>,
}

/// A row that never decides: where it applies, others have decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadowed {
    /// The row.
    pub row: usize,
    /// Rows that decide in its place.
    pub by: Vec<usize>,
    /// An input of the row.
    pub example: Vec<Held>,
}

impl Report {
    /// Nothing contradicts, nothing is shadowed, and there are no gaps but those that are allowed.
    #[must_use]
    pub fn is_clean(&self, table: &Table) -> bool {
        let gaps_matter = !table.gaps_allowed() && table.hit() != HitPolicy::Collect;
        self.contradictions.count == 0
            && self.shadowed.count == 0
            && (!gaps_matter || self.gaps.count == 0)
    }
}

impl<T> Default for Finding<T> {
    fn default() -> Self {
        Self { count: 0, shown: Vec::new() }
    }
}

impl<T> Finding<T> {
    fn add(&mut self, finding: impl FnOnce() -> T) {
        self.count += 1;
        if self.shown.len() < SHOWN_MAX {
            self.shown.push(finding());
        }
    }
}

pub(super) fn contradictions(source: &Source<'_>) -> Finding<Contradiction> {
    let mut found = Finding::default();
    let hit = source.table.hit();
    if !matches!(hit, HitPolicy::Unique | HitPolicy::Any) {
        return found;
    }
    for (second, region) in source.regions.iter().enumerate() {
        for first in 0..second {
            if hit == HitPolicy::Any && source.answer_of[first] == source.answer_of[second] {
                continue;
            }
            if let Some(both) = source.space.meet(&source.regions[first], region) {
                found.add(|| Contradiction {
                    rows: [first, second],
                    example: source.example(&both),
                });
            }
        }
    }
    found
}

/// The inputs of which no row speaks, and the findings that tell of them.
pub(super) fn gaps(source: &Source<'_>, effort: &Effort) -> Result<(Cover, Finding<Gap>)> {
    let failed = |error| effort.failed(error);
    let gaps = match &source.dense {
        Some(dense) if source.regions.len() > LONG => {
            let cubes = dense.gaps(source.space);
            source.space.cover(&cubes).map_err(failed)?
        }
        _ => {
            let all = source.space.cover(&source.regions).map_err(failed)?;
            let gaps = effort.ask(|minimizer| minimizer.complement(&all))?;
            if (2..=GAPS_JOINED_MAX).contains(&gaps.len()) {
                effort.ask(|minimizer| {
                    let fast = minimizer.clone().mode(Mode::Fast);
                    Ok(fast.minimize(&gaps, None, Some(&all))?.f)
                })?
            } else {
                gaps
            }
        }
    };
    let mut found = Finding::default();
    for cube in gaps.cubes() {
        found.add(|| Gap {
            when: source.space.cells(cube, source.table),
            example: source.example(cube),
        });
    }
    Ok((gaps, found))
}

/// The rows that decide anywhere, in their order, and those that never do. Under `unique` a row that
/// never decides is a contradiction.
pub(super) fn shadowed(
    source: &Source<'_>,
    effort: &Effort,
) -> Result<(Vec<usize>, Finding<Shadowed>)> {
    let mut found = Finding::default();
    let hit = source.table.hit();
    let mut live = Vec::with_capacity(source.order.len());
    if hit == HitPolicy::Unique {
        live.extend(source.order.iter().map(|&row| row as usize));
        return Ok((live, found));
    }
    let same_only = matches!(hit, HitPolicy::Any | HitPolicy::Collect);
    let mut rows = Vec::new();
    let dense = source.dense.as_ref().filter(|_| !same_only);
    for (place, &row) in source.order.iter().enumerate() {
        let region = &source.regions[row as usize];
        if let Some(dense) = dense {
            let by = dense.grid.values(&dense.deciding, region, source.regions.len());
            if by.contains(&(row as usize)) {
                live.push(row as usize);
            } else {
                rows.push((row as usize, by));
            }
            continue;
        }
        let earlier = source.before(place, region).filter(|&other| {
            !same_only || source.answer_of[other] == source.answer_of[row as usize]
        });
        let mut by: Vec<usize> = earlier.collect();
        if by.is_empty() || !covered(source, effort, &by, region)? {
            live.push(row as usize);
            continue;
        }
        if by.len() <= SHADOWS_TRIED_MAX {
            for index in (0..by.len()).rev() {
                let mut fewer = by.clone();
                fewer.remove(index);
                if covered(source, effort, &fewer, region)? {
                    by = fewer;
                }
            }
        }
        rows.push((row as usize, by));
    }
    rows.sort_unstable();
    for (row, mut by) in rows {
        by.sort_unstable();
        found.add(|| Shadowed { row, by, example: source.example(&source.regions[row]) });
    }
    Ok((live, found))
}

fn covered(source: &Source<'_>, effort: &Effort, by: &[usize], region: &Cube) -> Result<bool> {
    let regions = by.iter().map(|&row| &source.regions[row]);
    let all = source.space.cover(regions).map_err(|error| effort.failed(error))?;
    let one = source.space.cover([region]).map_err(|error| effort.failed(error))?;
    effort.ask(|minimizer| minimizer.contains(&all, &one))
}
