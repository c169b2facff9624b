//! REDUCE: every cube shrinks to what only it covers, so that the next EXPAND may go another way.
//!
//! The outcome depends on the order, since a cube that shrank leaves more to the next. Two orders
//! take turns: heaviest first, and by likeness to the largest cube.

use crate::budget::Stop;
use crate::care::Care;
use crate::cover::Cover;
use crate::cube;
use crate::expand::{Working, weights};
use crate::near::Near;
use crate::recurse::Stack;

/// The order in which REDUCE visits the cubes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The largest cube, then those most like it.
    Likeness,
    /// Heaviest first.
    Heaviest,
    /// Shuffled by this seed.
    Shuffled(u64),
}

/// Shrinks the cubes one after the other; those that vanish are dropped.
pub(crate) fn reduce(
    work: &mut Working,
    care: &Care,
    order: Order,
    stack: &mut Stack<'_>,
) -> Result<(), Stop> {
    let order = match order {
        Order::Likeness => by_likeness(&work.cover),
        Order::Heaviest => {
            let weights = weights(&work.cover);
            let mut order: Vec<u32> = (0..work.cover.len() as u32).collect();
            order.sort_by_key(|&i| std::cmp::Reverse(weights[i as usize]));
            order
        }
        Order::Shuffled(seed) => shuffled(work.cover.len(), seed),
    };
    work.cover = work.cover.reordered(&order);
    work.prime = order.iter().map(|&i| work.prime[i as usize]).collect();
    let count = work.cover.len();
    let mut gone = vec![false; count];
    let mut holders = care.pieces.as_ref().map(|pieces| holders(pieces, &work.cover, care));
    let mut smaller = vec![0; work.cover.layout().words()];
    let mut near = [Near::new(stack.layout, &work.cover), Near::new(stack.layout, &care.free)];
    for index in 0..count {
        shrink(&work.cover, index, care, holders.as_deref(), &mut near, stack, &mut smaller)?;
        if smaller.as_slice() == work.cover.cube(index) {
            work.prime[index] = true;
            continue;
        }
        if let (Some(holders), Some(pieces)) = (&mut holders, &care.pieces) {
            for (held, piece) in holders.iter_mut().zip(pieces.cubes()) {
                if cube::within(piece, work.cover.cube(index)) && !cube::within(piece, &smaller) {
                    *held -= 1;
                }
            }
        }
        work.prime[index] = false;
        gone[index] = cube::is_empty(stack.layout, &smaller);
        let lost = work.cover.cube(index).iter().zip(&smaller).map(|(old, new)| old & !new);
        near[0].shrink(index, lost);
        work.cover.cube_mut(index).copy_from_slice(&smaller);
    }
    work.cover.retain(|i| !gone[i]);
    let mut at = gone.iter();
    work.prime.retain(|_| !at.next().copied().unwrap_or(false));
    Ok(())
}

/// For each piece, how many cubes hold it whole; one that is free for other reasons counts as many.
pub(crate) fn holders(pieces: &Cover, cover: &Cover, care: &Care) -> Vec<u32> {
    pieces
        .cubes()
        .map(|piece| {
            if care.free.cubes().any(|c| cube::within(piece, c)) {
                return u32::MAX / 2;
            }
            cover.cubes().filter(|c| cube::within(piece, c)).count() as u32
        })
        .collect()
}

/// The smallest cube around what only cube `index` covers; all zero when that is nothing. `near` knows
/// the cover and what is free.
pub(crate) fn shrink(
    cover: &Cover,
    index: usize,
    care: &Care,
    holders: Option<&[u32]>,
    near: &mut [Near<'_>; 2],
    stack: &mut Stack<'_>,
    smaller: &mut [u64],
) -> Result<(), Stop> {
    let whole = cover.cube(index);
    smaller.fill(0);
    let Some(pieces) = &care.pieces else {
        let start = stack.bits.len();
        near[0].push(cover, whole, index, stack);
        near[1].push(&care.free, whole, usize::MAX, stack);
        let mut path = whole.to_vec();
        return stack.supercube_of_rest(start, &mut path, smaller);
    };
    let mut part = vec![0; whole.len()];
    for (at, piece) in pieces.cubes().enumerate() {
        let held = holders.map_or(0, |h| h[at]);
        let inside = cube::within(piece, whole);
        if held > u32::from(inside) || (!inside && cube::disjoint(stack.layout, piece, whole)) {
            continue;
        }
        for ((part, a), b) in part.iter_mut().zip(piece).zip(whole) {
            *part = a & b;
        }
        if cube::within(&part, smaller) {
            continue;
        }
        let start = stack.bits.len();
        near[0].push(cover, &part, index, stack);
        near[1].push(&care.free, &part, usize::MAX, stack);
        stack.supercube_of_rest(start, &mut part, smaller)?;
    }
    Ok(())
}

/// The numbers below `count` in an order that depends on the seed alone.
pub(crate) fn shuffled(count: usize, seed: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for at in (1..count).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        order.swap(at, (state % (at as u64 + 1)) as usize);
    }
    order
}

/// The largest cube first, then by distance from it, then by size.
fn by_likeness(cover: &Cover) -> Vec<u32> {
    let layout = &**cover.layout();
    let mut order: Vec<u32> = (0..cover.len() as u32).collect();
    let sizes: Vec<u32> = cover.cubes().map(cube::ones).collect();
    let Some(&largest) = order.iter().max_by_key(|&&i| (sizes[i as usize], std::cmp::Reverse(i)))
    else {
        return order;
    };
    let variables = layout.variables().len() as u32;
    let seed = cover.cube(largest as usize);
    let keys: Vec<u32> = cover
        .cubes()
        .zip(&sizes)
        .map(|(c, &size)| {
            let apart = cube::distance(layout, c, seed, u32::MAX).0;
            (variables - apart) * 8 + size.min(7)
        })
        .collect();
    order.sort_by_key(|&i| std::cmp::Reverse(keys[i as usize]));
    order
}
