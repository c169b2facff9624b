//! POOL: many covers of primes, and the best choice among all their primes.
//!
//! Where all primes are too many to list, some are enough, if they come from different places. Each
//! round expands a start in an order of its own and with blurred choices; the starts take turns: the
//! ON-set as listed, the ON-set with its outputs apart, the best cover reduced in a shuffled order.
//! IRREDUNDANT then chooses from all primes that any round found. A round depends on nothing but its
//! number, so rounds may run side by side and the answer is the same.

use std::num::NonZeroU64;

use crate::blocking::Blocking;
use crate::budget::Stop;
use crate::care::Care;
use crate::cover::Cover;
use crate::expand::{Expander, Raise, Working};
use crate::irredundant;
use crate::recurse::Stack;
use crate::reduce::{self, Order};
use crate::side_by_side::in_parts;

/// What the rounds of one pool start from.
pub(crate) struct Starts<'p> {
    /// The ON-set as listed.
    pub(crate) listed: &'p Cover,
    /// The ON-set as the loop began with it.
    pub(crate) apart: &'p Cover,
    pub(crate) off: &'p Blocking<'p>,
    pub(crate) care: &'p Care,
}

const ROUNDS_LEAST: u64 = 3;
const PIECES_MORE: u64 = 3;

/// How many rounds there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) most: u64,
    /// The same where ON and OFF are listed, so that only listed pieces count in the choice.
    pub(crate) most_listed: u64,
    /// Pairs of ON and OFF cubes that all rounds together may look at; [`ROUNDS_LEAST`] run in any case.
    pub(crate) pairs: u64,
    /// Rounds between two choices.
    pub(crate) batch: u64,
}

/// Lowers the cover in `work` by what the rounds find.
pub(crate) fn improve(
    work: &mut Working,
    starts: &Starts<'_>,
    off_count: usize,
    rounds: Rounds,
    stack: &mut Stack<'_>,
) -> Result<(), Stop> {
    if work.cover.len() < 2 {
        return Ok(());
    }
    let pairs = (starts.apart.len() as u64 * off_count as u64).max(1);
    // The choice is cheap where only listed pieces count: more rounds pay there.
    let is_listed = starts.care.pieces.is_some();
    let (more, most) = if is_listed { (PIECES_MORE, rounds.most_listed) } else { (1, rounds.most) };
    let count = (rounds.pairs * more / pairs).clamp(ROUNDS_LEAST * more, most);
    let mut seed = 0;
    while seed < count {
        let batch: Vec<u64> = (seed..count.min(seed + rounds.batch)).collect();
        seed += batch.len() as u64;
        let before = work.cover.cost();
        let mut pool = work.cover.clone();
        let best = &work.cover;
        let covers = in_parts(batch.len(), 1, stack, |part, stack| {
            batch[part].iter().map(|&number| round(number, best, starts, stack)).collect()
        })?;
        covers.iter().for_each(|cover| pool.extend(cover));
        pool.absorb();
        stack.budget.hold(pool.words().len() * 8)?;
        let mut next = Working::new(pool);
        next.prime.fill(true);
        irredundant::irredundant(&mut next, starts.care, stack)?;
        let cost = next.cover.cost();
        if cost < before {
            *work = next;
        } else if !is_listed || seed >= count / 2 {
            // A batch that found nothing is rarely followed by one that does.
            return Ok(());
        }
    }
    Ok(())
}

/// One round: a cover of primes.
fn round(
    number: u64,
    best: &Cover,
    starts: &Starts<'_>,
    stack: &mut Stack<'_>,
) -> Result<Cover, Stop> {
    let mut work = match number % 3 {
        0 => Working::new(starts.apart.clone()),
        1 => {
            let mut work = Working::new(best.clone());
            work.prime.fill(true);
            reduce::reduce(&mut work, starts.care, Order::Shuffled(number), stack)?;
            work
        }
        _ => Working::new(starts.listed.clone()),
    };
    let order = reduce::shuffled(work.cover.len(), !number);
    let mut expander = Expander::new(starts.off, stack.budget);
    expander.blur(NonZeroU64::MIN.saturating_add(number.wrapping_mul(0x5851_F42D_4C95_7F2D)));
    expander.expand_in(&order, &mut work, Raise::All)?;
    Ok(work.cover)
}
