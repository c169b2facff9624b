//! Minimum covering: every row wants at least one of its columns.
//!
//! IRREDUNDANT, the search over primes and exact minimisation all end here. `reduce.rs` takes out what
//! is easy, down to the cyclic core; `search.rs` finds a small answer for the core; `bound.rs` says
//! how small an answer could be at best; `branch.rs` closes the gap between the two. All of it counts
//! steps, not time, so an answer is the same on every machine.

mod bound;
mod branch;
mod reduce;
mod search;

use crate::budget::{Budget, Stop};
pub(crate) use reduce::Keep;
use reduce::reduce;
use search::Search;

/// A covering problem.
#[derive(Debug, Clone, Default)]
pub(crate) struct Covering {
    /// For each row the columns that cover it, ascending.
    pub(crate) rows: Vec<Vec<u32>>,
    /// Literals of each column; decides between answers of equal size.
    pub(crate) weights: Vec<u32>,
}

/// An answer, and what is known about the best one.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The columns, ascending.
    pub(crate) columns: Vec<u32>,
    /// No answer has fewer columns.
    pub(crate) lower_bound: usize,
    /// The cap that ended the search early, if one did.
    pub(crate) stopped: Option<Stop>,
}

/// How much work goes into an answer, in elementary steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) keep: Keep,
    /// Steps of the local search for each column of the core.
    pub(crate) search_per_column: u64,
    /// Rounds that raise the lower bound; 0 leaves it at what the reduction shows.
    pub(crate) bound: u32,
    /// Nodes of the branch and bound.
    pub(crate) branch: u64,
}

impl Covering {
    /// A small set of columns that covers every row. `upper` is the size of an answer known from
    /// elsewhere: only smaller ones matter to the bound.
    pub(crate) fn solve(
        mut self,
        effort: Effort,
        upper: usize,
        budget: &Budget,
    ) -> Result<Answer, Stop> {
        let core = reduce(std::mem::take(&mut self.rows), &self.weights, effort.keep, budget)?;
        let mut columns = core.chosen;
        let mut lower_bound = columns.len();
        let mut stopped = None;
        if !core.rows.is_empty() {
            let mut search = Search::new(&core.rows, &self.weights);
            search.greedy();
            let steps = effort.search_per_column * search.columns() as u64;
            stopped = early(search.run(steps, 0, 0, budget))?;
            let mut found = search.best();
            let mut least = 1;
            if effort.bound > 0 && stopped.is_none() {
                let known = found.len().min(upper.saturating_sub(columns.len()));
                let proof = branch::prove(&core.rows, &self.weights, known, effort, budget)?;
                least = proof.lower_bound;
                stopped = proof.stopped;
                if let Some(better) = proof.better
                    && better.len() < found.len()
                {
                    found = better;
                }
            }
            lower_bound += least;
            columns.extend(found);
        }
        columns.sort_unstable();
        Ok(Answer { columns, lower_bound, stopped })
    }
}

/// A cap that ends a search leaves what it has found; cancelling ends everything.
fn early(outcome: Result<(), Stop>) -> Result<Option<Stop>, Stop> {
    match outcome {
        Ok(()) => Ok(None),
        Err(Stop::Cancelled) => Err(Stop::Cancelled),
        Err(stop) => Ok(Some(stop)),
    }
}

#[cfg(test)]
mod covering_test;
