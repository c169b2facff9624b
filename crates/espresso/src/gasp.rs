//! LAST_GASP: the way out when the loop has settled.
//!
//! Every cube is shrunk against the whole cover, each as if it were the first, so that what is left
//! of it is the least it could ever be. Primes around two such remainders (in strong mode: around
//! one, in several directions) are offered to IRREDUNDANT beside the old cover.

use crate::blocking::Blocking;
use crate::budget::Stop;
use crate::care::Care;
use crate::cover::Cover;
use crate::cube;
use crate::expand::{Expander, Raise, Working};
use crate::irredundant;
use crate::near::Near;
use crate::recurse::Stack;
use crate::reduce;
use crate::side_by_side::{PART_LEAST, in_parts};

/// How many new primes a gasp looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those around two remainders.
    Pairs,
    /// Those, and around each remainder one for every bit it could gain.
    Directions,
}

/// Most new primes that one gasp offers.
const OFFERED_MAX: usize = 4_000;

pub(crate) fn gasp(
    work: &mut Working,
    care: &Care,
    off: &Blocking<'_>,
    reach: Reach,
    stack: &mut Stack<'_>,
) -> Result<(), Stop> {
    let layout = std::sync::Arc::clone(work.cover.layout());
    let holders = care.pieces.as_ref().map(|p| reduce::holders(p, &work.cover, care));
    let near = [Near::new(&layout, &work.cover), Near::new(&layout, &care.free)];
    let cover = &work.cover;
    let rests = in_parts(cover.len(), PART_LEAST, stack, |part, stack| {
        let (mut near, mut rests) = (near.clone(), Vec::new());
        let mut smaller = vec![0; layout.words()];
        for index in part {
            let holders = holders.as_deref();
            reduce::shrink(cover, index, care, holders, &mut near, stack, &mut smaller)?;
            if smaller.as_slice() != cover.cube(index) && !cube::is_empty(&layout, &smaller) {
                rests.extend_from_slice(&smaller);
            }
        }
        Ok(rests)
    })?;
    let rests = Cover::from_bits(&layout, rests);
    let mut offered = Cover::empty(&layout);
    let mut expander = Expander::new(off, stack.budget);
    let count = rests.len();
    let mut pair = vec![0; layout.words()];
    let mut candidates: Vec<u32> = Vec::new();
    for first in 0..count {
        if offered.len() >= OFFERED_MAX {
            break;
        }
        expander.begin(rests.cube(first), Raise::All);
        candidates.clear();
        candidates.extend(
            (first + 1..count)
                .filter(|&second| expander.may_swallow(rests.cube(second)))
                .map(|i| i as u32),
        );
        for &second in &candidates {
            stack.budget.tick()?;
            for ((pair, a), b) in
                pair.iter_mut().zip(rests.cube(first)).zip(rests.cube(second as usize))
            {
                *pair = a | b;
            }
            expander.begin(&pair, Raise::All);
            let mut others: Vec<u32> = (0..count as u32).collect();
            expander.swallow(&rests, &mut others)?;
            expander.finish()?;
            offered.push(&expander.raise);
        }
        if reach == Reach::Directions {
            directions(&rests, first, off, &mut expander, &mut offered)?;
        }
    }
    offered.absorb();
    let known: std::collections::HashSet<&[u64]> = work.cover.cubes().collect();
    let fresh: Vec<bool> = offered.cubes().map(|c| !known.contains(c)).collect();
    drop(known);
    offered.retain(|i| fresh[i]);
    if offered.is_empty() {
        return Ok(());
    }
    work.cover.extend(&offered);
    work.prime.resize(work.cover.len(), true);
    irredundant::irredundant(work, care, stack)?;
    Ok(())
}

/// Primes around one remainder: for each bit that may be raised, the expansion that raises it first.
fn directions(
    rests: &Cover,
    index: usize,
    off: &Blocking<'_>,
    expander: &mut Expander<'_, '_>,
    offered: &mut Cover,
) -> Result<(), Stop> {
    let layout = off.layout;
    let rest = rests.cube(index).to_vec();
    let mut wider = rest.clone();
    let gaps: Vec<u64> = rest.iter().zip(layout.full()).map(|(r, f)| f & !r).collect();
    for bit in cube::bits(&gaps) {
        wider.copy_from_slice(&rest);
        cube::set_bit(&mut wider, bit);
        if !off.is_clear(&wider) {
            continue;
        }
        expander.begin(&wider, Raise::All);
        let mut others: Vec<u32> = (0..rests.len() as u32).collect();
        expander.swallow(rests, &mut others)?;
        expander.finish()?;
        offered.push(&expander.raise);
    }
    Ok(())
}
