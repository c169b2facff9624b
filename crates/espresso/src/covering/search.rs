//! Local search over a covering core, after Gao and others (2015).
//!
//! A column is taken out and another put in, turn by turn; the rows that stay uncovered gain weight,
//! so that the search leaves the places where it keeps failing. Steps are counted, not timed.

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

/// What the search knows about a column, side by side: a step asks for all of it at once.
#[derive(Clone)]
struct Column {
    /// Weight of the rows that it would cover, or, once held, less the weight that only it covers.
    score: i64,
    /// When it was last moved.
    stamp: u64,
    literal: u32,
    held: bool,
    may_add: bool,
}

/// Local search over one core.
pub(crate) struct Search<'c> {
    rows: &'c [Vec<u32>],
    /// Position of each used column in the compact numbering.
    names: Vec<u32>,
    compact_rows: Lists,
    lists: Lists,
    known: Vec<Column>,
    row_weight: Vec<i64>,
    held_list: Vec<u32>,
    held_at: Vec<u32>,
    times: Vec<u32>,
    uncovered: Vec<u32>,
    uncovered_at: Vec<u32>,
    best: Vec<u32>,
    best_cost: (usize, u64),
}

impl<'c> Search<'c> {
    pub(crate) fn new(rows: &'c [Vec<u32>], weights: &[u32]) -> Search<'c> {
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
            score: list.len() as i64,
            stamp: 0,
            literal: weights[name as usize],
            held: false,
            may_add: true,
        };
        let columns = names.len();
        Search {
            rows,
            known: names.iter().zip(&lists).map(column).collect(),
            names,
            lists: Lists::new(&lists),
            row_weight: vec![1; rows.len()],
            held_list: Vec::new(),
            held_at: vec![0; columns],
            times: vec![0; rows.len()],
            uncovered: (0..rows.len() as u32).collect(),
            uncovered_at: (0..rows.len() as u32).collect(),
            best: Vec::new(),
            best_cost: (usize::MAX, u64::MAX),
            compact_rows: Lists::new(&compact_rows),
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

    fn add(&mut self, column: usize) {
        self.known[column].held = true;
        self.held_at[column] = self.held_list.len() as u32;
        self.held_list.push(column as u32);
        self.known[column].score = -self.known[column].score;
        for i in 0..self.lists[column].len() {
            let row = self.lists[column][i] as usize;
            self.times[row] += 1;
            let weight = self.row_weight[row];
            match self.times[row] {
                1 => {
                    for &other in &self.compact_rows[row] {
                        if other as usize != column {
                            self.known[other as usize].score -= weight;
                            self.known[other as usize].may_add = true;
                        }
                    }
                    let at = self.uncovered_at[row] as usize;
                    let last = self.uncovered.pop().expect("the row is in the list");
                    if at < self.uncovered.len() {
                        self.uncovered[at] = last;
                        self.uncovered_at[last as usize] = at as u32;
                    }
                }
                2 => {
                    for &other in &self.compact_rows[row] {
                        if self.known[other as usize].held && other as usize != column {
                            self.known[other as usize].score += weight;
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn remove(&mut self, column: usize) {
        self.known[column].held = false;
        let at = self.held_at[column] as usize;
        let last = self.held_list.pop().expect("the column is held");
        if at < self.held_list.len() {
            self.held_list[at] = last;
            self.held_at[last as usize] = at as u32;
        }
        self.known[column].score = -self.known[column].score;
        self.known[column].may_add = false;
        for i in 0..self.lists[column].len() {
            let row = self.lists[column][i] as usize;
            self.times[row] -= 1;
            let weight = self.row_weight[row];
            match self.times[row] {
                0 => {
                    for &other in &self.compact_rows[row] {
                        if other as usize != column {
                            self.known[other as usize].score += weight;
                            self.known[other as usize].may_add = true;
                        }
                    }
                    self.uncovered_at[row] = self.uncovered.len() as u32;
                    self.uncovered.push(row as u32);
                }
                1 => {
                    for &other in &self.compact_rows[row] {
                        if self.known[other as usize].held {
                            self.known[other as usize].score -= weight;
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Takes columns while rows are uncovered: most new rows first, then fewest literals.
    pub(crate) fn greedy(&mut self) {
        while !self.uncovered.is_empty() {
            let best = (0..self.known.len())
                .filter(|&c| !self.known[c].held)
                .max_by_key(|&c| {
                    (
                        self.known[c].score,
                        std::cmp::Reverse(self.known[c].literal),
                        std::cmp::Reverse(c),
                    )
                })
                .expect("every row has a column");
            self.add(best);
        }
        self.drop_needless();
        self.record();
    }

    fn drop_needless(&mut self) {
        loop {
            let needless = self
                .held_list
                .iter()
                .copied()
                .filter(|&c| self.known[c as usize].score == 0)
                .max_by_key(|&c| (self.known[c as usize].literal, c));
            match needless {
                Some(column) => self.remove(column as usize),
                None => return,
            }
        }
    }

    fn record(&mut self) {
        let literals =
            self.held_list.iter().map(|&c| u64::from(self.known[c as usize].literal)).sum();
        let cost = (self.held_list.len(), literals);
        if cost < self.best_cost {
            self.best_cost = cost;
            self.best.clear();
            self.best.extend_from_slice(&self.held_list);
            self.best.sort_unstable();
        }
    }

    fn cheapest_held(&self, tabu: usize) -> Option<usize> {
        self.held_list.iter().map(|&c| c as usize).filter(|&c| c != tabu).max_by_key(|&c| {
            (self.known[c].score, std::cmp::Reverse(self.known[c].stamp), self.known[c].literal)
        })
    }

    /// Searches for `steps` elementary updates, or until an answer of `enough` columns is found.
    pub(crate) fn run(
        &mut self,
        steps: u64,
        seed: u64,
        enough: usize,
        budget: &Budget,
    ) -> Result<(), Stop> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut clock = 0u64;
        let mut spent = 0u64;
        let mut tabu = usize::MAX;
        while spent < steps && self.best_cost.0 > enough {
            budget.tick()?;
            clock += 1;
            while self.uncovered.is_empty() {
                self.drop_needless();
                self.record();
                match self.cheapest_held(usize::MAX) {
                    Some(column) => self.remove(column),
                    None => return Ok(()),
                }
            }
            spent += self.held_list.len() as u64 / 4 + 1;
            if let Some(column) = self.cheapest_held(tabu) {
                spent += self.touched(column);
                self.remove(column);
                self.known[column].stamp = clock;
            }
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let row = self.uncovered[(state % self.uncovered.len() as u64) as usize] as usize;
            let choice = self.compact_rows[row]
                .iter()
                .map(|&c| c as usize)
                .filter(|&c| self.known[c].may_add)
                .max_by_key(|&c| {
                    (
                        self.known[c].score,
                        std::cmp::Reverse(self.known[c].stamp),
                        std::cmp::Reverse(self.known[c].literal),
                    )
                });
            spent += self.compact_rows[row].len() as u64;
            if let Some(column) = choice {
                spent += self.touched(column);
                self.add(column);
                self.known[column].stamp = clock;
                tabu = column;
            }
            for i in 0..self.uncovered.len() {
                let row = self.uncovered[i] as usize;
                self.row_weight[row] += 1;
                spent += self.compact_rows[row].len() as u64;
                for &column in &self.compact_rows[row] {
                    self.known[column as usize].score += 1;
                }
            }
        }
        debug_assert_eq!(self.rows.len(), self.times.len());
        Ok(())
    }

    fn touched(&self, column: usize) -> u64 {
        self.lists[column].len() as u64 * 8
    }
}
