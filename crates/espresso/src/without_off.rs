//! EXPAND without an OFF-set: for functions whose complement is too large to write down.
//!
//! A bit may be raised if the cube with the bit still lies within ON ∪ DC, asked as a tautology.
//! Slower per question than the columns of `blocking.rs`, but nothing has to be built first.

use crate::budget::Stop;
use crate::cover::Cover;
use crate::cube;
use crate::expand::{Working, lightest_first};
use crate::recurse::Stack;

pub(crate) fn expand(on: &Cover, free: &Cover, stack: &mut Stack<'_>) -> Result<Working, Stop> {
    let layout = std::sync::Arc::clone(on.layout());
    let order = lightest_first(on);
    let mut cover = on.reordered(&order);
    let mut covered = vec![false; cover.len()];
    for index in 0..cover.len() {
        if covered[index] {
            continue;
        }
        let mut wider = cover.cube(index).to_vec();
        let gaps: Vec<u64> = wider.iter().zip(layout.full()).map(|(c, f)| f & !c).collect();
        for bit in cube::bits(&gaps) {
            stack.budget.look()?;
            // Only the slice that the raise adds is new.
            let variable = layout.variable_of_bit(bit);
            let mut slice = wider.clone();
            for &(word, mask) in layout.spans(variable) {
                slice[word as usize] &= !mask;
            }
            cube::set_bit(&mut slice, bit);
            if stack.covers(on.cubes().chain(free.cubes()), &slice)? {
                cube::set_bit(&mut wider, bit);
            }
        }
        for (other, covered) in covered.iter_mut().enumerate() {
            if other != index && cube::within(cover.cube(other), &wider) {
                *covered = true;
            }
        }
        cover.cube_mut(index).copy_from_slice(&wider);
    }
    cover.retain(|i| !covered[i]);
    let mut work = Working::new(cover);
    work.prime.fill(true);
    Ok(work)
}
