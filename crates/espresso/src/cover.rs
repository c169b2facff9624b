//! A list of cubes in flat storage: the ON-set, the DC-set and the OFF-set of a function are covers.
//!
//! Cubes lie one behind the other in a single vector, `words` apiece, so a cover of a thousand cubes
//! is one allocation and a scan over it is a straight line through memory.

use std::collections::HashSet;
use std::sync::Arc;

use crate::budget::{Budget, Stop};
use crate::cube;
use crate::error::Error;
use crate::layout::Layout;

/// Most cubes among which contained ones are looked for in an input.
const TIDY_MAX: usize = 50_000;
/// From this many cubes on, containment is looked up by columns.
const COLUMNS_FROM: usize = 400;

/// A list of cubes over one [`Layout`]: their union is the set of points that the cover holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    layout: Arc<Layout>,
    bits: Vec<u64>,
}

/// Products and literals of a cover, the cost that minimisation lowers: products first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cost {
    /// Number of cubes.
    pub products: usize,
    /// `inputs + valued + outputs`.
    pub literals: usize,
    /// Literals of binary inputs.
    pub inputs: usize,
    /// Ones in the fields of multi-valued inputs.
    pub valued: usize,
    /// Ones in the output fields.
    pub outputs: usize,
}

impl Cover {
    /// The cover without cubes.
    pub fn empty(layout: &Arc<Layout>) -> Cover {
        Cover { layout: Arc::clone(layout), bits: Vec::new() }
    }

    pub(crate) fn from_bits(layout: &Arc<Layout>, bits: Vec<u64>) -> Cover {
        debug_assert!(bits.len().is_multiple_of(layout.words()));
        Cover { layout: Arc::clone(layout), bits }
    }

    /// A cover of cubes one behind the other, as [`Cover::words`] has them.
    ///
    /// # Errors
    /// [`Error::BadCube`] when the last cube is not whole, a padding bit is set, or a cube has no points.
    pub fn from_words(layout: &Arc<Layout>, words: Vec<u64>) -> Result<Cover, Error> {
        let cubes = words.chunks_exact(layout.words());
        if !cubes.remainder().is_empty() {
            return Err(Error::BadCube { reason: "a cube of another layout" });
        }
        for cube in cubes {
            if !cube::within(cube, layout.full()) {
                return Err(Error::BadCube { reason: "a bit that belongs to no variable" });
            }
            if cube::is_empty(layout, cube) {
                return Err(Error::BadCube { reason: "a field that allows nothing" });
            }
        }
        Ok(Self::from_bits(layout, words))
    }

    /// The shape of this cover's cubes.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }
    /// Number of cubes.
    pub fn len(&self) -> usize {
        self.bits.len() / self.layout.words()
    }
    /// Whether the cover has no cubes, so that it holds no point.
    pub fn is_empty(&self) -> bool {
        self.bits.is_empty()
    }
    /// The words of cube `index`.
    #[inline]
    pub fn cube(&self, index: usize) -> &[u64] {
        let words = self.layout.words();
        &self.bits[index * words..(index + 1) * words]
    }
    #[inline]
    pub(crate) fn cube_mut(&mut self, index: usize) -> &mut [u64] {
        let words = self.layout.words();
        &mut self.bits[index * words..(index + 1) * words]
    }
    /// The cubes in order.
    pub fn cubes(&self) -> std::slice::ChunksExact<'_, u64> {
        self.bits.chunks_exact(self.layout.words())
    }
    /// All words, cube after cube, as they lie in memory.
    pub fn words(&self) -> &[u64] {
        &self.bits
    }
    #[inline]
    pub(crate) fn push(&mut self, cube: &[u64]) {
        debug_assert_eq!(cube.len(), self.layout.words());
        self.bits.extend_from_slice(cube);
    }

    /// Adds a cube given by its words, as another cover of the same layout holds it. A cube with an
    /// empty field has no points and is left out.
    ///
    /// # Errors
    /// [`Error::BadCube`] when the number of words is wrong or a padding bit is set.
    pub fn push_words(&mut self, words: &[u64]) -> Result<(), Error> {
        if words.len() != self.layout.words() {
            return Err(Error::BadCube { reason: "a cube of another layout" });
        }
        if !cube::within(words, self.layout.full()) {
            return Err(Error::BadCube { reason: "a bit that belongs to no variable" });
        }
        if !cube::is_empty(&self.layout, words) {
            self.push(words);
        }
        Ok(())
    }

    /// Adds a cube given by the values that each variable allows: inputs first, the outputs last.
    ///
    /// # Errors
    /// [`Error::BadCube`] when there is not one list for each variable, or a value is out of range.
    pub fn push_fields(&mut self, fields: &[&[usize]]) -> Result<(), Error> {
        let layout = Arc::clone(&self.layout);
        if fields.len() != layout.variables().len() {
            return Err(Error::BadCube { reason: "one list of values for each variable" });
        }
        let mut words = vec![0; layout.words()];
        for (variable, values) in layout.variables().iter().zip(fields) {
            for &value in *values {
                if value >= variable.parts {
                    return Err(Error::BadCube {
                        reason: "a value that the variable does not have",
                    });
                }
                cube::set_bit(&mut words, variable.first_bit + value);
            }
        }
        self.push_words(&words)
    }

    pub(crate) fn extend(&mut self, other: &Cover) {
        self.bits.extend_from_slice(&other.bits);
    }

    /// Keeps the cubes whose index the question answers with yes.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        let words = self.layout.words();
        let mut to = 0;
        for from in 0..self.len() {
            if keep(from) {
                if from != to {
                    self.bits.copy_within(from * words..(from + 1) * words, to * words);
                }
                to += 1;
            }
        }
        self.bits.truncate(to * words);
    }

    /// Drops the cubes that have no point.
    pub(crate) fn retain_points(&mut self) {
        let layout = Arc::clone(&self.layout);
        let keep: Vec<bool> = self.cubes().map(|c| !cube::is_empty(&layout, c)).collect();
        self.retain(|index| keep[index]);
    }

    /// Makes a long list shorter where that is cheap: drops contained cubes, or, in a list so long
    /// that looking for them would take minutes, only repeated ones.
    pub(crate) fn tidy(&mut self) {
        if self.len() <= TIDY_MAX {
            return self.absorb();
        }
        let mut seen: HashSet<&[u64]> = HashSet::with_capacity(self.len());
        let keep: Vec<bool> = self.cubes().map(|c| seen.insert(c)).collect();
        self.retain(|index| keep[index]);
    }

    pub(crate) fn reordered(&self, order: &[u32]) -> Cover {
        let mut bits = Vec::with_capacity(self.bits.len());
        for &index in order {
            bits.extend_from_slice(self.cube(index as usize));
        }
        Cover { layout: Arc::clone(&self.layout), bits }
    }

    /// Drops cubes that lie within another one; of equal cubes the first stays.
    pub(crate) fn absorb(&mut self) {
        self.absorb_within(&Budget::endless()).expect("nothing ends what is endless");
    }

    /// The same under a budget. When that stops it, nothing was dropped.
    pub(crate) fn absorb_within(&mut self, budget: &Budget) -> Result<(), Stop> {
        let count = self.len();
        if count > COLUMNS_FROM {
            return self.absorb_by_columns(budget);
        }
        let mut order: Vec<u32> = (0..count as u32).collect();
        let sizes: Vec<u32> = self.cubes().map(cube::ones).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(sizes[i as usize]));
        let mut keep = vec![false; count];
        let mut seen: HashSet<&[u64]> = HashSet::with_capacity(count);
        let mut kept: Vec<u32> = Vec::new();
        for &index in &order {
            let candidate = self.cube(index as usize);
            if !seen.insert(candidate) {
                continue;
            }
            let size = sizes[index as usize];
            let lies_within = kept
                .iter()
                .take_while(|&&k| sizes[k as usize] > size)
                .any(|&k| cube::within(candidate, self.cube(k as usize)));
            if !lies_within {
                keep[index as usize] = true;
                kept.push(index);
            }
        }
        drop(seen);
        self.retain(|index| keep[index]);
        Ok(())
    }

    /// The same for many cubes. For each bit there is a bit set over the cubes kept so far; a cube
    /// lies within a kept one if the AND over its bits is not empty, and with the rare bits first the
    /// AND is empty after a few.
    fn absorb_by_columns(&mut self, budget: &Budget) -> Result<(), Stop> {
        let count = self.len();
        let bits_count = self.layout.words() * 64;
        let mut occurrences = vec![0u32; bits_count];
        for cube in self.cubes() {
            for bit in cube::bits(cube) {
                occurrences[bit] += 1;
            }
        }
        let mut rare_first: Vec<usize> =
            (0..bits_count).filter(|&bit| occurrences[bit] < count as u32).collect();
        rare_first.retain(|&bit| occurrences[bit] > 0);
        rare_first.sort_by_key(|&bit| occurrences[bit]);
        let mut order: Vec<u32> = (0..count as u32).collect();
        order.sort_by_cached_key(|&i| std::cmp::Reverse(cube::ones(self.cube(i as usize))));
        let height = count.div_ceil(64);
        let mut columns = vec![0u64; bits_count * height];
        let mut keep = vec![false; count];
        let mut seen: HashSet<&[u64]> = HashSet::with_capacity(count);
        let (mut kept, mut own) = (0usize, Vec::new());
        for &index in &order {
            let candidate = self.cube(index as usize);
            if !seen.insert(candidate) {
                continue;
            }
            budget.work(kept.div_ceil(64) * 4)?;
            own.clear();
            own.extend(rare_first.iter().copied().filter(|&bit| cube::has_bit(candidate, bit)));
            let lies_within = (0..kept.div_ceil(64)).any(|word| {
                let mut holders = u64::MAX >> (64 - (kept - word * 64).min(64));
                for &bit in &own {
                    holders &= columns[bit * height + word];
                    if holders == 0 {
                        return false;
                    }
                }
                true
            });
            if !lies_within {
                keep[index as usize] = true;
                for &bit in &own {
                    columns[bit * height + kept / 64] |= 1 << (kept % 64);
                }
                kept += 1;
            }
        }
        drop(seen);
        self.retain(|index| keep[index]);
        Ok(())
    }

    /// Products and literals.
    pub fn cost(&self) -> Cost {
        let layout = &*self.layout;
        let mut cost = Cost { products: self.len(), ..Cost::default() };
        for cube in self.cubes() {
            for ((word, low), full) in cube.iter().zip(layout.binary_low()).zip(layout.full()) {
                let missing = !word & full;
                cost.inputs += ((missing | missing >> 1) & low).count_ones() as usize;
            }
            for variable in layout.binaries()..layout.inputs() {
                cost.valued += cube::parts_in(layout, cube, variable) as usize;
            }
            cost.outputs += cube::parts_in(layout, cube, layout.output_variable()) as usize;
        }
        cost.literals = cost.inputs + cost.valued + cost.outputs;
        cost
    }
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS_FROM, Cover};
    use crate::budget::{Budget, Cancel, Stop};
    use crate::layout::Layout;
    use std::sync::Arc;

    #[test]
    fn absorbing_many_cubes_ends_when_it_is_told_to() {
        let layout = Arc::new(Layout::new(16, &[], 1).expect("small"));
        let mut cover = Cover::empty(&layout);
        for point in 0..64 * COLUMNS_FROM as u64 {
            let bits =
                (0..16).fold(1 << 32, |bits, input| bits | 1 << (2 * input + (point >> input & 1)));
            cover.push(&[bits]);
        }
        let count = cover.len();
        let cancel = Cancel::new();
        cancel.cancel();
        let budget = Budget::new(Some(cancel), None, usize::MAX);
        assert_eq!(cover.absorb_within(&budget), Err(Stop::Cancelled));
        assert_eq!(cover.len(), count);
        cover.absorb();
        assert_eq!(cover.len(), count, "of points that differ none lies within another");
    }
}
