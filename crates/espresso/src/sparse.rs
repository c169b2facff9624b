//! MAKE_SPARSE: fewer literals at the same number of products.
//!
//! Output and multi-valued fields lose the values that other cubes cover as well; binary literals
//! that this makes needless are raised; and again, until the cost stops falling.

use crate::blocking::Blocking;
use crate::budget::Stop;
use crate::care::Care;
use crate::cover::Cover;
use crate::cube;
use crate::expand::{Expander, Raise, Working};
use crate::irredundant;
use crate::recurse::Stack;

pub(crate) fn make_sparse(
    work: &mut Working,
    care: &Care,
    off: &Blocking<'_>,
    stack: &mut Stack<'_>,
) -> Result<(), Stop> {
    let mut best = work.cover.cost();
    loop {
        let before = work.clone();
        lower_values(work, care, stack)?;
        if work.cover.cost() == best {
            return Ok(());
        }
        Expander::new(off, stack.budget).expand(work, Raise::Binary)?;
        let cost = work.cover.cost();
        if cost >= best {
            if cost > best {
                *work = before;
            }
            return Ok(());
        }
        best = cost;
    }
}

/// For each value of each sparse variable: keep it in no more cubes than are needed.
fn lower_values(work: &mut Working, care: &Care, stack: &mut Stack<'_>) -> Result<(), Stop> {
    let layout = std::sync::Arc::clone(work.cover.layout());
    for variable in (layout.binaries()..layout.variables().len()).rev() {
        for part in 0..layout.variables()[variable].parts {
            let bit = layout.bit(variable, part);
            let slice = |cover: &Cover| -> (Cover, Vec<u32>) {
                let mut sliced = Cover::empty(&layout);
                let mut from = Vec::new();
                for (index, c) in cover.cubes().enumerate() {
                    if cube::has_bit(c, bit) {
                        sliced.push(c);
                        let last = sliced.len() - 1;
                        for &(word, mask) in layout.spans(variable) {
                            sliced.cube_mut(last)[word as usize] |= mask;
                        }
                        from.push(index as u32);
                    }
                }
                (sliced, from)
            };
            let (cubes, from) = slice(&work.cover);
            if cubes.len() < 2 {
                continue;
            }
            let here = Care {
                free: slice(&care.free).0,
                pieces: care.pieces.as_ref().map(|p| slice(p).0),
            };
            // A cube with full field in a multi-valued input pays for leaving it: prefer to lower
            // values in fields that are narrow already.
            let weights: Vec<u32> = from
                .iter()
                .map(|&i| {
                    let c = work.cover.cube(i as usize);
                    cube::parts_in(&layout, c, variable)
                })
                .map(|parts| if parts == 1 { 0 } else { parts })
                .collect();
            let keep = irredundant::needed(&cubes, &weights, &here, stack)?.keep;
            for (&index, keep) in from.iter().zip(keep) {
                if !keep {
                    cube::clear_bit(work.cover.cube_mut(index as usize), bit);
                    work.prime[index as usize] = false;
                }
            }
        }
        let gone: Vec<bool> = work.cover.cubes().map(|c| cube::is_empty(&layout, c)).collect();
        work.cover.retain(|i| !gone[i]);
        let mut at = gone.iter();
        work.prime.retain(|_| !at.next().copied().unwrap_or(false));
    }
    Ok(())
}
