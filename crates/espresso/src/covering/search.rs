//! Local search over a covering core, after Gao and others (2015).
//!
//! A column is taken out and another put in, turn by turn; the rows that stay uncovered gain weight,
//! so that the search leaves the places where it keeps failing. Steps are counted, not timed.
//!
//! Three things keep a turn short. A row gains one unit of weight in every turn that it is uncovered,
//! so its weight then is a line in time, `weight + turn`, and what a column would gain is the sum of
//! such lines, `base + count · turn`: nothing is touched while a row merely waits. A row knows the XOR
//! of the columns that hold it, so the last of them is known without a search. And what each held
//! column would lose stands in one list by itself, which is scanned in one sweep.

use std::collections::BinaryHeap;
use std::ops::Index;

use crate::budget::{Budget, Stop};
use crate::covering::reduce::rows_of;

/// Lists of numbers, one behind the other: the search walks over them all the time.
struct Lists {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    fn new(lists: &[Vec<u32>]) -> Lists {
        let mut starts = vec![0];
        let mut items = Vec::with_capacity(lists.iter().map(Vec::len).sum());
        for list in lists {
            items.extend_from_slice(list);
            starts.push(items.len() as u32);
        }
        Lists { starts, items }
    }
}

impl Index<usize> for Lists {
    type Output = [u32];
    #[inline]
    fn index(&self, at: usize) -> &[u32] {
        &self.items[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

/// What the search knows about a column that is not held, side by side: a step asks for all of it at
/// once. Sums wrap, since the line of a sum may start far below zero; the sum itself is never as large
/// as [`STEPS_MAX`].
#[derive(Clone)]
struct Column {
    /// With `count` times the turn: the weight of the rows that it would cover.
    base: i32,
    /// Uncovered rows that it would cover.
    count: i32,
    /// Move at which it was last added or removed.
    moved: u32,
    literal: u32,
}

#[derive(Clone)]
struct Row {
    /// Its weight; while it is uncovered, less the turn at which it became so.
    weight: i32,
    /// How many held columns cover it.
    times: u32,
    /// The XOR of those columns.
    holders: u32,
    /// Move at which it was last covered or uncovered.
    flipped: u32,
    /// Its place in the list of the uncovered rows.
    at: u32,
}

/// Steps one search may take: no sum of weights can be larger.
const STEPS_MAX: u64 = 1 << 30;
/// The part of its steps in which a search must find something smaller, or end.
const PATIENCE: u64 = 3;

/// Local search over one core.
pub(crate) struct Search {
    /// Position of each used column in the compact numbering.
    names: Vec<u32>,
    columns_of: Lists,
    rows_of: Lists,
    columns: Vec<Column>,
    rows: Vec<Row>,
    held: Vec<u32>,
    /// For each held column the weight of the rows that only it covers.
    losses: Vec<i32>,
    /// Place of each column in `held`.
    held_at: Vec<u32>,
    uncovered: Vec<u32>,
    turn: i32,
    moves: u32,
    best: Vec<u32>,
    best_cost: (usize, u64),
}

const NOT_HELD: u32 = u32::MAX;

impl Search {
    pub(crate) fn new(rows: &[Vec<u32>], weights: &[u32]) -> Search {
        let mut names: Vec<u32> = rows.iter().flatten().copied().collect();
        names.sort_unstable();
        names.dedup();
        let mut place = vec![u32::MAX; weights.len()];
        for (index, &name) in names.iter().enumerate() {
            place[name as usize] = index as u32;
        }
        let compact_rows: Vec<Vec<u32>> =
            rows.iter().map(|row| row.iter().map(|&c| place[c as usize]).collect()).collect();
        let lists = rows_of(&compact_rows, names.len());
        let column = |(&name, list): (&u32, &Vec<u32>)| Column {
            base: list.len() as i32,
            count: list.len() as i32,
            moved: 0,
            literal: weights[name as usize],
        };
        let row = |at| Row { weight: 1, times: 0, holders: 0, flipped: 0, at };
        Search {
            columns: names.iter().zip(&lists).map(column).collect(),
            rows: (0..rows.len() as u32).map(row).collect(),
            held: Vec::new(),
            losses: Vec::new(),
            held_at: vec![NOT_HELD; names.len()],
            uncovered: (0..rows.len() as u32).collect(),
            turn: 0,
            moves: 0,
            best: Vec::new(),
            best_cost: (usize::MAX, u64::MAX),
            columns_of: Lists::new(&compact_rows),
            rows_of: Lists::new(&lists),
            names,
        }
    }

    /// Number of columns in the core.
    pub(crate) fn columns(&self) -> usize {
        self.names.len()
    }

    /// The best answer so far, as columns of the problem.
    pub(crate) fn best(&self) -> Vec<u32> {
        self.best.iter().map(|&c| self.names[c as usize]).collect()
    }

    /// Weight of the uncovered rows that a column would cover.
    #[inline]
    fn gain(&self, column: usize) -> i32 {
        let Column { base, count, .. } = self.columns[column];
        base.wrapping_add(count.wrapping_mul(self.turn))
    }

    fn add(&mut self, column: usize) {
        self.moves += 1;
        self.columns[column].moved = self.moves;
        let mut loss = 0;
        for &index in &self.rows_of[column] {
            let row = &mut self.rows[index as usize];
            row.times += 1;
            if row.times == 1 {
                for &other in &self.columns_of[index as usize] {
                    let other = &mut self.columns[other as usize];
                    other.base = other.base.wrapping_sub(row.weight);
                    other.count -= 1;
                }
                row.weight = row.weight.wrapping_add(self.turn);
                row.flipped = self.moves;
                loss += row.weight;
                let at = row.at as usize;
                self.uncovered.swap_remove(at);
                if let Some(&moved) = self.uncovered.get(at) {
                    self.rows[moved as usize].at = at as u32;
                }
            } else if row.times == 2 {
                self.losses[self.held_at[row.holders as usize] as usize] -= row.weight;
            }
            self.rows[index as usize].holders ^= column as u32;
        }
        self.held_at[column] = self.held.len() as u32;
        self.held.push(column as u32);
        self.losses.push(loss);
    }

    fn remove(&mut self, column: usize) {
        self.moves += 1;
        self.columns[column].moved = self.moves;
        let at = self.held_at[column] as usize;
        self.held_at[column] = NOT_HELD;
        self.held.swap_remove(at);
        self.losses.swap_remove(at);
        if let Some(&moved) = self.held.get(at) {
            self.held_at[moved as usize] = at as u32;
        }
        for &index in &self.rows_of[column] {
            let row = &mut self.rows[index as usize];
            row.times -= 1;
            row.holders ^= column as u32;
            if row.times == 0 {
                row.weight = row.weight.wrapping_sub(self.turn);
                row.flipped = self.moves;
                row.at = self.uncovered.len() as u32;
                self.uncovered.push(index);
                for &other in &self.columns_of[index as usize] {
                    let other = &mut self.columns[other as usize];
                    other.base = other.base.wrapping_add(row.weight);
                    other.count += 1;
                }
            } else if row.times == 1 {
                self.losses[self.held_at[row.holders as usize] as usize] += row.weight;
            }
        }
    }

    /// Takes columns while rows are uncovered: most new rows first, then fewest literals.
    pub(crate) fn greedy(&mut self) {
        let key = |search: &Search, column: u32| {
            let literals = std::cmp::Reverse(search.columns[column as usize].literal);
            (search.gain(column as usize), literals, std::cmp::Reverse(column))
        };
        let mut queue: BinaryHeap<_> =
            (0..self.columns.len() as u32).map(|column| key(self, column)).collect();
        while !self.uncovered.is_empty() {
            // What a column would gain only falls; the first whose entry is not out of date is best.
            let entry = queue.pop().expect("every row has a column");
            let now = key(self, entry.2.0);
            if now == entry {
                self.add(entry.2.0 as usize);
            } else if now.0 > 0 {
                queue.push(now);
            }
        }
        self.drop_needless();
        self.record();
    }

    fn drop_needless(&mut self) {
        loop {
            let needless = self
                .held
                .iter()
                .zip(&self.losses)
                .filter(|(_, loss)| **loss == 0)
                .map(|(&c, _)| c)
                .max_by_key(|&c| (self.columns[c as usize].literal, c));
            match needless {
                Some(column) => self.remove(column as usize),
                None => return,
            }
        }
    }

    /// Keeps what is held if it is better than the best answer; whether it has fewer columns.
    fn record(&mut self) -> bool {
        let is_smaller = self.held.len() < self.best_cost.0;
        let literals = self.held.iter().map(|&c| u64::from(self.columns[c as usize].literal)).sum();
        let cost = (self.held.len(), literals);
        if cost < self.best_cost {
            self.best_cost = cost;
            self.best.clear();
            self.best.extend_from_slice(&self.held);
            self.best.sort_unstable();
        }
        is_smaller
    }

    /// The held column whose removal uncovers least weight, but for one that was just added; among
    /// equals the one that was moved least recently.
    fn cheapest_held(&self, but: Option<usize>) -> Option<usize> {
        const SWEEP: usize = 16;
        let spared = but.map_or(usize::MAX, |column| self.held_at[column] as usize);
        let least = |losses: &[i32]| losses.iter().copied().min().unwrap_or(i32::MAX);
        let loss = if spared < self.held.len() {
            least(&self.losses[..spared]).min(least(&self.losses[spared + 1..]))
        } else {
            least(&self.losses)
        };
        let mut best = None;
        for (sweep, losses) in self.losses.chunks(SWEEP).enumerate() {
            if losses.iter().fold(false, |any, &other| any | (other == loss)) {
                for (slot, &other) in losses.iter().enumerate() {
                    let at = sweep * SWEEP + slot;
                    if other == loss && at != spared {
                        let column = self.held[at];
                        let Column { moved, literal, .. } = self.columns[column as usize];
                        best = best.max(Some((!moved, literal, column)));
                    }
                }
            }
        }
        best.map(|(_, _, column)| column as usize)
    }

    /// The column that covers most weight with this row; among equals the one that was moved least
    /// recently. A column that was removed comes back only when something around it has changed.
    fn dearest_of(&self, row: usize) -> Option<usize> {
        let mut passed: Vec<usize> = Vec::new();
        loop {
            let mut best: Option<(i32, u32, u32, usize)> = None;
            for &column in &self.columns_of[row] {
                let column = column as usize;
                let Column { moved, literal, .. } = self.columns[column];
                let key = (self.gain(column), !moved, !literal, column);
                if best.is_none_or(|best| key > best) && !passed.contains(&column) {
                    best = Some(key);
                }
            }
            let column = best?.3;
            let moved = self.columns[column].moved;
            let may_return = moved == 0
                || self.rows_of[column].iter().any(|&r| self.rows[r as usize].flipped > moved);
            if may_return {
                return Some(column);
            }
            passed.push(column);
        }
    }

    /// Searches for `steps` elementary updates, or until an answer of `enough` columns is found, or
    /// until nothing smaller was found for as long as it took to come so far, and for some part of
    /// all steps.
    pub(crate) fn run(
        &mut self,
        steps: u64,
        seed: u64,
        enough: usize,
        budget: &Budget,
    ) -> Result<(), Stop> {
        let steps = steps.min(STEPS_MAX);
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut spent = 0u64;
        let mut settled = 0u64;
        while spent < steps && spent < 2 * settled + steps / PATIENCE && self.best_cost.0 > enough {
            budget.tick()?;
            while self.uncovered.is_empty() {
                self.drop_needless();
                if self.record() {
                    settled = spent;
                }
                match self.cheapest_held(None) {
                    Some(column) => self.remove(column),
                    None => return Ok(()),
                }
            }
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let row = self.uncovered[(state % self.uncovered.len() as u64) as usize] as usize;
            spent += self.columns_of[row].len() as u64 + self.held.len() as u64 / 4 + 1;
            let added = self.dearest_of(row);
            if let Some(column) = added {
                spent += self.touched(column);
                self.add(column);
            }
            if let Some(column) = self.cheapest_held(added) {
                spent += self.touched(column);
                self.remove(column);
            }
            self.turn += 1;
            spent += self.uncovered.len() as u64;
        }
        Ok(())
    }

    fn touched(&self, column: usize) -> u64 {
        self.rows_of[column].len() as u64 * 8
    }
}
