//! Branch and bound: the proof that no smaller answer exists, or that answer.
//!
//! A node asks for an answer with fewer than `below` columns. It is reduced, split into blocks that
//! share no column, bounded; columns whose reduced cost rules them out are dropped; then the columns
//! of the shortest row are tried in turn, each with those before it forbidden. The nodes are counted,
//! and when they are used up the bound of the root still holds.

use crate::budget::{Budget, Stop};
use crate::covering::bound::{Matrix, ONE, relax};
use crate::covering::reduce::{Core, Keep, reduce};
use crate::covering::search::Search;
use crate::covering::{Effort, early};

/// What is known about the best answer of a core.
pub(crate) struct Proof {
    /// No answer has fewer columns.
    pub(crate) lower_bound: usize,
    /// An answer with fewer columns than were known.
    pub(crate) better: Option<Vec<u32>>,
    /// The cap that ended the proof early, if one did.
    pub(crate) stopped: Option<Stop>,
}

struct Branch<'b> {
    weights: &'b [u32],
    rounds: u32,
    nodes_left: u64,
    budget: &'b Budget,
}

/// Looks for an answer with fewer columns than `known`, or for the proof that there is none.
pub(crate) fn prove(
    rows: &[Vec<u32>],
    weights: &[u32],
    known: usize,
    effort: Effort,
    budget: &Budget,
) -> Result<Proof, Stop> {
    let mut better: Option<Vec<u32>> = None;
    let (mut lower_bound, mut stopped) = (0, None);
    let blocks = blocks(rows);
    let mut bounds = Vec::with_capacity(blocks.len());
    for block in &blocks {
        let matrix = Matrix::new(block);
        bounds.push(match relax(&matrix, known, effort.bound, budget) {
            Ok(relaxed) => relaxed.columns_least().max(1),
            Err(Stop::Cancelled) => return Err(Stop::Cancelled),
            Err(stop) => {
                stopped = Some(stop);
                1
            }
        });
    }
    let mut total: usize = bounds.iter().sum();
    if total >= known || effort.branch == 0 || stopped.is_some() {
        return Ok(Proof { lower_bound: total.min(known), better, stopped });
    }
    // Block by block: each is asked for its own best, since their sizes add up.
    let mut columns: Vec<u32> = Vec::new();
    let mut complete = true;
    let mut branch =
        Branch { weights, rounds: effort.bound.min(60), nodes_left: effort.branch, budget };
    for (block, bound) in blocks.iter().zip(&bounds) {
        let mut search = Search::new(block, weights);
        search.greedy();
        let steps = effort.search_per_column * search.columns() as u64;
        stopped = stopped.or(early(search.run(steps, 1, *bound, budget))?);
        let mut found = search.best();
        let mut least = *bound;
        while least < found.len() && stopped.is_none() {
            match branch.below(block.clone(), found.len()) {
                Ok(Some(smaller)) => found = smaller,
                Ok(None) => least = found.len(),
                Err(Stop::Work) => break,
                Err(Stop::Cancelled) => return Err(Stop::Cancelled),
                Err(stop) => stopped = Some(stop),
            }
        }
        complete &= least == found.len();
        total = total + least - bound;
        lower_bound = total;
        columns.extend(found);
    }
    if columns.len() < known {
        better = Some(columns);
    } else if complete {
        lower_bound = lower_bound.min(known);
    }
    Ok(Proof { lower_bound, better, stopped })
}

impl Branch<'_> {
    /// An answer with fewer than `below` columns, if there is one.
    fn below(&mut self, rows: Vec<Vec<u32>>, below: usize) -> Result<Option<Vec<u32>>, Stop> {
        if self.nodes_left == 0 {
            return Err(Stop::Work);
        }
        self.nodes_left -= 1;
        self.budget.look()?;
        let Core { mut chosen, mut rows } = reduce(rows, self.weights, Keep::Count, self.budget)?;
        if chosen.len() >= below {
            return Ok(None);
        }
        if rows.is_empty() {
            return Ok(Some(chosen));
        }
        let parts = blocks(&rows);
        if parts.len() > 1 {
            let mut ahead: usize = 0;
            let mut bounds = Vec::new();
            for part in &parts {
                let least = relax(&Matrix::new(part), below, self.rounds, self.budget)?;
                bounds.push(least.columns_least().max(1));
                ahead += bounds[bounds.len() - 1];
            }
            for (part, bound) in parts.into_iter().zip(bounds) {
                ahead -= bound;
                let room = below.saturating_sub(chosen.len() + ahead);
                match self.below(part, room)? {
                    Some(columns) => chosen.extend(columns),
                    None => return Ok(None),
                }
            }
            return Ok((chosen.len() < below).then_some(chosen));
        }
        let room = below - chosen.len();
        let matrix = Matrix::new(&rows);
        let relaxed = relax(&matrix, room, self.rounds, self.budget)?;
        if relaxed.columns_least() >= room {
            return Ok(None);
        }
        // A column that would lift the bound to `room` is in no answer that is asked for.
        let most = (room as i64 - 1) * ONE;
        let mut ruled_out = vec![false; matrix.names.len()];
        let mut any = false;
        for (out, &reduced) in ruled_out.iter_mut().zip(&relaxed.reduced) {
            *out = reduced > 0 && relaxed.value + reduced > most;
            any |= *out;
        }
        if any {
            for (row, compact) in rows.iter_mut().zip(&matrix.rows) {
                let mut at = 0;
                row.retain(|_| {
                    at += 1;
                    !ruled_out[compact[at - 1] as usize]
                });
            }
            if rows.iter().any(Vec::is_empty) {
                return Ok(None);
            }
        }
        let row = rows.iter().min_by_key(|row| row.len()).expect("there are rows");
        let cost = |c: u32| {
            let place = matrix.names.binary_search(&c).expect("every column is listed");
            (relaxed.reduced[place], std::cmp::Reverse(matrix.columns[place].len()), c)
        };
        let mut tried: Vec<u32> = row.clone();
        tried.sort_by_key(|&c| cost(c));
        for index in 0..tried.len() {
            let column = tried[index];
            let mut rest: Vec<Vec<u32>> = Vec::with_capacity(rows.len());
            let mut dead = false;
            for row in &rows {
                if row.contains(&column) {
                    continue;
                }
                let left: Vec<u32> =
                    row.iter().copied().filter(|c| !tried[..index].contains(c)).collect();
                dead |= left.is_empty();
                rest.push(left);
            }
            if dead {
                continue;
            }
            if let Some(mut columns) = self.below(rest, room - 1)? {
                columns.push(column);
                columns.extend(chosen);
                return Ok(Some(columns));
            }
        }
        Ok(None)
    }
}

/// The rows in groups that share no column.
fn blocks(rows: &[Vec<u32>]) -> Vec<Vec<Vec<u32>>> {
    let columns = rows.iter().flatten().max().map_or(0, |&c| c as usize + 1);
    let mut parent: Vec<u32> = (0..columns as u32).collect();
    fn root(parent: &mut [u32], mut at: u32) -> u32 {
        while parent[at as usize] != at {
            parent[at as usize] = parent[parent[at as usize] as usize];
            at = parent[at as usize];
        }
        at
    }
    for row in rows {
        for pair in row.windows(2) {
            let (a, b) = (root(&mut parent, pair[0]), root(&mut parent, pair[1]));
            parent[a as usize] = b;
        }
    }
    let mut place: Vec<usize> = vec![usize::MAX; columns];
    let mut groups: Vec<Vec<Vec<u32>>> = Vec::new();
    for row in rows {
        let Some(&first) = row.first() else { continue };
        let root = root(&mut parent, first) as usize;
        if place[root] == usize::MAX {
            place[root] = groups.len();
            groups.push(Vec::new());
        }
        groups[place[root]].push(row.clone());
    }
    groups
}
