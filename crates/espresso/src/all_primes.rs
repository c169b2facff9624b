//! A cover chosen from all primes: where the loop sees one neighbour at a time, this sees the whole.
//!
//! With every prime at hand, minimisation is one covering problem. Its reduction, its search and its
//! bound give a cover that is often smaller than the loop's, and a number that no cover can be below:
//! when the two meet, the cover is proved to be a minimum.

use crate::budget::Stop;
use crate::cover::Cover;
use crate::covering::{Covering, Effort};
use crate::irredundant;
use crate::minimizer::Problem;
use crate::primes::{self, Dense};
use crate::recurse::Stack;

/// What the search over all primes may cost before it gives up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caps {
    /// Entries of the prime table; a function that needs more goes the wide way.
    pub(crate) table_entries: usize,
    pub(crate) primes: usize,
    /// Sum of the lengths of the rows.
    pub(crate) row_entries: usize,
    /// Rows derived on the wide way.
    pub(crate) rows: usize,
    /// Pairs of cubes compared on the wide way; 0 closes it.
    pub(crate) wide_work: u64,
}

/// A cover of primes, and what is known about the smallest one.
pub(crate) struct Chosen {
    pub(crate) cover: Cover,
    /// No cover has fewer products.
    pub(crate) lower_bound: usize,
    /// The cap that ended the choice early, if one did.
    pub(crate) stopped: Option<Stop>,
}

/// Chooses from all primes; [`Stop::Work`] when a cap was reached. `known` is a cover from
/// elsewhere.
pub(crate) fn choose(
    problem: &Problem,
    caps: Caps,
    effort: Effort,
    known: &Cover,
    stack: &mut Stack<'_>,
) -> Result<Chosen, Stop> {
    let layout = problem.on.layout();
    let budget = stack.budget;
    let fits = Dense::entries(layout).is_some_and(|entries| entries <= caps.table_entries);
    let (primes, mut kept, columns, rows) = if fits {
        let table = Dense::new(layout, &problem.off, budget)?;
        let primes = table.primes(caps.primes, budget)?;
        let free = &problem.care.free;
        let rows = table.rows(&primes, &problem.on, free, caps.row_entries, budget)?;
        let columns: Vec<u32> = (0..primes.len() as u32).collect();
        (primes, Vec::new(), columns, rows)
    } else {
        if caps.wide_work == 0 {
            return Err(Stop::Work);
        }
        let primes = match &problem.care.pieces {
            None => {
                let cubes = problem.on.cubes().chain(problem.care.free.cubes());
                primes::all_primes(layout, cubes, caps.wide_work, stack)?
            }
            Some(_) => {
                let start = stack.push_cofactor(problem.off.cubes(), layout.full());
                let inside = stack.complement(start, caps.primes)?;
                let inside = Cover::from_bits(layout, inside);
                primes::all_primes(layout, inside.cubes(), caps.wide_work, stack)?
            }
        };
        if primes.len() > caps.primes {
            return Err(Stop::Work);
        }
        let question =
            irredundant::question(&primes, &problem.care, Some(known), caps.rows, stack)?;
        let kept = (0..primes.len() as u32).filter(|&i| question.keep[i as usize]).collect();
        (primes, kept, question.open, question.rows)
    };
    let literals = irredundant::cube_literals(&primes);
    let weights = columns.iter().map(|&i| literals(primes.cube(i as usize))).collect();
    let covering = Covering { rows, weights };
    let answer = covering.solve(effort, known.len().saturating_sub(kept.len()), budget)?;
    let lower_bound = kept.len() + answer.lower_bound;
    kept.extend(answer.columns.iter().map(|&slot| columns[slot as usize]));
    kept.sort_unstable();
    Ok(Chosen { cover: primes.reordered(&kept), lower_bound, stopped: answer.stopped })
}
