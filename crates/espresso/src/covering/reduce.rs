//! Reduction of a covering problem to its cyclic core.
//!
//! A row with one column chooses it; a row that contains another row, and a column whose rows another
//! column covers too, are taken out. Each makes room for the others, so it goes round until nothing
//! moves. What is left has no easy step: the core.

use crate::budget::{Budget, Stop};

/// The problem left after reduction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Core {
    /// Columns in every answer that the reduction kept possible.
    pub(crate) chosen: Vec<u32>,
    pub(crate) rows: Vec<Vec<u32>>,
}

/// Work one round of dominance may do before it is left as it is.
const DOMINANCE_STEPS_MAX: u64 = 40_000_000;

/// What a reduction must keep possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// An answer of fewest columns and, among those, of least weight.
    Weights,
    /// An answer of fewest columns.
    Count,
}

/// Takes essential columns, dominated rows and dominated columns out until nothing changes.
pub(crate) fn reduce(
    mut rows: Vec<Vec<u32>>,
    weights: &[u32],
    keep: Keep,
    budget: &Budget,
) -> Result<Core, Stop> {
    let mut chosen: Vec<u32> = Vec::new();
    loop {
        let before = rows.len() + rows.iter().map(Vec::len).sum::<usize>();
        rows.sort();
        rows.dedup();
        let mut picked = vec![false; weights.len()];
        let mut any = false;
        for row in &rows {
            if let [only] = row.as_slice()
                && !std::mem::replace(&mut picked[*only as usize], true)
            {
                chosen.push(*only);
                any = true;
            }
        }
        if any {
            rows.retain(|row| !row.iter().any(|&c| picked[c as usize]));
        }
        drop_dominated_rows(&mut rows, weights.len(), budget)?;
        drop_dominated_columns(&mut rows, weights, keep, budget)?;
        if rows.len() + rows.iter().map(Vec::len).sum::<usize>() == before {
            return Ok(Core { chosen, rows });
        }
    }
}

pub(crate) fn rows_of(rows: &[Vec<u32>], columns: usize) -> Vec<Vec<u32>> {
    let mut lengths = vec![0; columns];
    for &column in rows.iter().flatten() {
        lengths[column as usize] += 1;
    }
    let mut lists: Vec<Vec<u32>> = lengths.into_iter().map(Vec::with_capacity).collect();
    for (index, row) in rows.iter().enumerate() {
        for &column in row {
            lists[column as usize].push(index as u32);
        }
    }
    lists
}

/// A row that contains another row is covered whenever the other is.
fn drop_dominated_rows(
    rows: &mut Vec<Vec<u32>>,
    columns: usize,
    budget: &Budget,
) -> Result<(), Stop> {
    let lists = rows_of(rows, columns);
    let marks: Vec<u64> = rows.iter().map(|row| mark(row)).collect();
    let mut dead = vec![false; rows.len()];
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.sort_by_key(|&r| rows[r as usize].len());
    let mut steps = 0u64;
    for &small in &order {
        let row = &rows[small as usize];
        if dead[small as usize] || steps > DOMINANCE_STEPS_MAX {
            continue;
        }
        budget.tick()?;
        let Some(&rare) = row.iter().min_by_key(|&&c| lists[c as usize].len()) else { continue };
        for &other in &lists[rare as usize] {
            if other == small || dead[other as usize] || rows[other as usize].len() <= row.len() {
                continue;
            }
            if marks[small as usize] & !marks[other as usize] != 0 {
                continue;
            }
            steps += row.len() as u64;
            if subset(row, &rows[other as usize]) {
                dead[other as usize] = true;
            }
        }
    }
    let mut index = 0;
    rows.retain(|_| {
        index += 1;
        !dead[index - 1]
    });
    Ok(())
}

/// A column whose rows another column of no greater weight covers too is not needed.
fn drop_dominated_columns(
    rows: &mut [Vec<u32>],
    weights: &[u32],
    keep: Keep,
    budget: &Budget,
) -> Result<(), Stop> {
    let lists = rows_of(rows, weights.len());
    let marks: Vec<u64> = lists.iter().map(|list| mark(list)).collect();
    let mut dead = vec![false; weights.len()];
    let mut steps = 0u64;
    for column in 0..weights.len() {
        let list = &lists[column];
        if list.is_empty() || steps > DOMINANCE_STEPS_MAX {
            continue;
        }
        budget.tick()?;
        let rare = list.iter().min_by_key(|&&r| rows[r as usize].len()).expect("not empty");
        for &other in &rows[*rare as usize] {
            if marks[column] & !marks[other as usize] != 0 {
                continue;
            }
            let other_list = &lists[other as usize];
            if other as usize == column || dead[other as usize] || other_list.len() < list.len() {
                continue;
            }
            let smaller = other_list.len() > list.len();
            let lighter = (weights[other as usize], other as usize) < (weights[column], column);
            let no_heavier = keep == Keep::Count || weights[other as usize] <= weights[column];
            if !(lighter || smaller && no_heavier) {
                continue;
            }
            steps += list.len() as u64;
            if subset(list, other_list) {
                dead[column] = true;
                break;
            }
        }
    }
    for row in rows {
        row.retain(|&c| !dead[c as usize]);
    }
    Ok(())
}

/// One bit for each number, folded to 64: a list lies in another only if its mark does.
fn mark(list: &[u32]) -> u64 {
    list.iter().fold(0, |mark, number| mark | 1 << (number % 64))
}

fn subset(small: &[u32], large: &[u32]) -> bool {
    let mut rest = large.iter();
    small.iter().all(|s| rest.by_ref().find(|l| *l >= s).is_some_and(|l| l == s))
}
