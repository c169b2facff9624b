//! ESSENTIAL: primes that are in every cover of primes, taken out of the loop once and for all.
//!
//! A prime is essential when the cubes around it do not cover it even after each has been stretched
//! into it along one variable (their consensus with it). Essential primes count as covered from then
//! on, and are put back at the end.

use crate::budget::Stop;
use crate::care::Care;
use crate::cover::Cover;
use crate::cube;
use crate::expand::Working;
use crate::near::Near;
use crate::recurse::Stack;
use crate::side_by_side::{PART_LEAST, in_parts};

/// Takes the essential primes out of the cover; they are added to what counts as covered. They are
/// among those that are `alone`: that other primes do not cover.
pub(crate) fn take_essential(
    work: &mut Working,
    alone: &[bool],
    care: &mut Care,
    stack: &mut Stack<'_>,
) -> Result<Cover, Stop> {
    let layout = std::sync::Arc::clone(work.cover.layout());
    let mut taken = Cover::empty(&layout);
    if care.pieces.is_some() {
        // The don't-cares are not at hand, and a neighbour of a prime may be one.
        return Ok(taken);
    }
    let near = [Near::new(stack.layout, &work.cover), Near::new(stack.layout, &care.free)];
    let asked = &*work;
    let essential = in_parts(asked.cover.len(), PART_LEAST, stack, |part, stack| {
        let mut near = near.clone();
        let mut answer = |index: usize| {
            Ok(asked.prime[index]
                && alone[index]
                && is_essential(&asked.cover, index, care, &mut near, stack)?)
        };
        part.map(&mut answer).collect()
    })?;
    for (index, essential) in essential.iter().enumerate() {
        if *essential {
            taken.push(work.cover.cube(index));
        }
    }
    work.cover.retain(|i| !essential[i]);
    let mut at = essential.iter();
    work.prime.retain(|_| !at.next().copied().unwrap_or(false));
    care.free.extend(&taken);
    Ok(taken)
}

fn is_essential(
    cover: &Cover,
    index: usize,
    care: &Care,
    near: &mut [Near<'_>; 2],
    stack: &mut Stack<'_>,
) -> Result<bool, Stop> {
    let layout = stack.layout;
    let prime = cover.cube(index);
    let start = stack.bits.len();
    let outside: Vec<u64> = layout.full().iter().zip(prime).map(|(f, p)| f & !p).collect();
    let [near, near_free] = near;
    let others = near.within_a_raise(prime).filter(|&i| i != index).map(|i| cover.cube(i));
    let others = others.chain(near_free.within_a_raise(prime).map(|i| care.free.cube(i)));
    for other in others {
        // The cofactor by the prime of the other cube, stretched along one variable.
        let push = |variable: Option<usize>, stack: &mut Stack<'_>| {
            let at = stack.bits.len();
            stack.bits.extend(other.iter().zip(&outside).map(|(c, o)| c | o));
            if let Some(variable) = variable {
                for &(word, mask) in layout.spans(variable) {
                    stack.bits[at + word as usize] |= mask;
                }
            }
        };
        match cube::distance(layout, prime, other, 2) {
            (0, _) => {
                // Where a binary variable leaves the prime, the cofactor is full already: it stands
                // for all of these. A field of many values may still gain some.
                if other.iter().zip(&outside).any(|(c, o)| c & o != 0) {
                    push(None, stack);
                }
                for variable in layout.binaries()..layout.variables().len() {
                    let leaves = |&(w, mask): &(u32, u64)| {
                        other[w as usize] & outside[w as usize] & mask != 0
                    };
                    let gains = |&(w, mask): &(u32, u64)| {
                        !(other[w as usize] | outside[w as usize]) & mask != 0
                    };
                    let spans = layout.spans(variable);
                    if spans.iter().any(leaves) && spans.iter().any(gains) {
                        push(Some(variable), stack);
                    }
                }
            }
            (1, variable) => push(Some(variable), stack),
            _ => {}
        }
    }
    Ok(!stack.tautology(start)?)
}
