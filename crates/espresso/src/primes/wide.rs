//! All primes by splitting and merging, for functions of many inputs.
//!
//! The primes of a unate cover are its cubes that no other cube holds. Any other cover is split on
//! its most binate variable. A prime of the whole is then a prime of one half kept to its half, or
//! the part that a prime of each half have in common, with the values of both (their consensus);
//! what another candidate holds is no prime.

use std::sync::Arc;

use crate::budget::Stop;
use crate::cover::Cover;
use crate::cube;
use crate::layout::Layout;
use crate::recurse::{Seen, Stack};

/// All primes of the union of the cubes, unless `work_max` pairs of cubes were compared before.
pub(crate) fn all_primes<'c>(
    layout: &Arc<Layout>,
    cubes: impl Iterator<Item = &'c [u64]>,
    work_max: u64,
    stack: &mut Stack<'_>,
) -> Result<Cover, Stop> {
    let start = stack.push_cofactor(cubes, layout.full());
    let mut work = work_max;
    let primes = stack.primes(start, layout, layout.full(), 0, &mut work);
    stack.bits.truncate(start);
    primes
}

impl Stack<'_> {
    /// The primes of a region that is a cofactor by `space`; outside the space they allow everything.
    /// `held` counts the words that the steps above hold meanwhile.
    fn primes(
        &mut self,
        start: usize,
        layout: &Arc<Layout>,
        space: &[u64],
        held: usize,
        work: &mut u64,
    ) -> Result<Cover, Stop> {
        let words = layout.words();
        match self.look(start)? {
            Seen::Nothing => return Ok(Cover::empty(layout)),
            Seen::Full => return Ok(Cover::from_bits(layout, layout.full().to_vec())),
            Seen::Mixed { binate: 0, valued: false, .. } => {
                let mut primes = Cover::from_bits(layout, self.bits[start..].to_vec());
                spend(work, primes.len() as u64 * primes.len() as u64 / 2)?;
                primes.absorb_within(self.budget)?;
                return Ok(primes);
            }
            Seen::Mixed { .. } => {}
        }
        let split = self.select(start, Some(space));
        let end = self.bits.len();
        let mut halves: Vec<Cover> = Vec::with_capacity(2);
        for right in [false, true] {
            let mut half = space.to_vec();
            for &(word, mask) in layout.spans(split.variable) {
                half[word as usize] &= !mask;
            }
            for (w, a, b) in split.halves.spans() {
                half[w] |= space[w] & if right { b } else { a };
            }
            let part = self.push_half(start, end, &split, right);
            let held = held + halves.first().map_or(0, |left| left.words().len());
            let mut primes = self.primes(part, layout, &half, held, work)?;
            self.bits.truncate(end);
            // Kept to its half; what lies outside the space stays allowed.
            for index in 0..primes.len() {
                let prime = primes.cube_mut(index);
                for (w, a, b) in split.halves.spans() {
                    prime[w] &= !if right { a } else { b };
                }
            }
            halves.push(primes);
        }
        let (left, right) = (&halves[0], &halves[1]);
        spend(work, left.len() as u64 * right.len() as u64)?;
        let mut all = left.clone();
        all.extend(right);
        let (mut both, mut inside) = (vec![0; words], vec![0; words]);
        // What the two halves hold is held twice: in themselves, and in the list of all.
        let held = held + all.words().len();
        for a in left.cubes() {
            self.budget.tick()?;
            // Absorbing takes as much again as the list, in columns of bits.
            self.budget.hold((held + 2 * all.words().len() + self.bits.len()) * 8)?;
            for b in right.cubes() {
                for ((both, a), b) in both.iter_mut().zip(a).zip(b) {
                    *both = a & b;
                }
                for &(word, mask) in layout.spans(split.variable) {
                    both[word as usize] |= (a[word as usize] | b[word as usize]) & mask;
                }
                // Outside the space every cube allows everything, so only there could they meet.
                for ((inside, both), space) in inside.iter_mut().zip(&both).zip(space) {
                    *inside = both & space;
                }
                if !cube::is_empty(layout, &inside) {
                    all.push(&both);
                }
            }
        }
        self.budget.hold((held + 2 * all.words().len() + self.bits.len()) * 8)?;
        spend(work, (all.len() as u64).saturating_mul(left.len() as u64 + right.len() as u64) / 8)?;
        all.absorb_within(self.budget)?;
        Ok(all)
    }
}

fn spend(work: &mut u64, pairs: u64) -> Result<(), Stop> {
    *work = work.checked_sub(pairs).ok_or(Stop::Work)?;
    Ok(())
}
