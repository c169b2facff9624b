//! The prime table: one entry for every cube of the input space.
//!
//! A variable with p values has 2^p − 1 non-empty sets of values, a binary one 3: `0`, `1` and `-`.
//! The table has an entry for every choice of such sets, and the entry is the set of outputs that may
//! be 1 on the whole cube. The entry of a cube that allows two values or more is the AND of two
//! smaller ones, so the table fills itself in one sweep per variable. A cube with the outputs of its
//! entry is a prime when the entry is not empty and every single raise loses an output.
//!
//! ```text
//!   index = Σ (set of variable v − 1) · stride of v        stride of v+1 = stride of v · (2^p − 1)
//! ```

use std::sync::Arc;

use crate::budget::{Budget, Stop};
use crate::cover::Cover;
use crate::cube;
use crate::layout::Layout;

pub(crate) struct Dense<'a> {
    layout: &'a Arc<Layout>,
    /// Entries between two neighbouring sets of each input variable.
    strides: Vec<usize>,
    /// Points between two neighbouring values of each input variable.
    point_strides: Vec<usize>,
    points: usize,
    table: Vec<u64>,
}

/// Most values of a variable in a table.
const PARTS_MAX: usize = 8;

impl<'a> Dense<'a> {
    /// Entries the table of a layout would have; `None` when it cannot have one.
    pub(crate) fn entries(layout: &Layout) -> Option<usize> {
        if layout.outputs() > 64 {
            return None;
        }
        let inputs = &layout.variables()[..layout.inputs()];
        inputs.iter().try_fold(1usize, |entries, variable| {
            (variable.parts <= PARTS_MAX)
                .then(|| entries.checked_mul((1 << variable.parts) - 1))
                .flatten()
        })
    }

    /// The table of the function whose OFF-set is `off`, which [`Dense::entries`] said to be possible.
    pub(crate) fn new(
        layout: &'a Arc<Layout>,
        off: &Cover,
        budget: &Budget,
    ) -> Result<Dense<'a>, Stop> {
        let entries = Self::entries(layout).ok_or(Stop::Work)?;
        budget.hold(entries.saturating_mul(8))?;
        let inputs = &layout.variables()[..layout.inputs()];
        let (mut strides, mut point_strides) = (Vec::new(), Vec::new());
        let (mut stride, mut points) = (1, 1);
        for variable in inputs {
            strides.push(stride);
            point_strides.push(points);
            stride *= (1 << variable.parts) - 1;
            points *= variable.parts;
        }
        let outputs = u64::MAX >> (64 - layout.outputs());
        let mut dense =
            Dense { layout, strides, point_strides, points, table: vec![outputs; entries] };
        for off_cube in off.cubes() {
            budget.look()?;
            let outputs = dense.outputs_of(off_cube);
            for index in dense.spread(off_cube, |v, value| ((1 << value) - 1) * dense.strides[v]) {
                dense.table[index as usize] &= !outputs;
            }
        }
        for (v, variable) in inputs.iter().enumerate() {
            budget.look()?;
            dense.sweep(dense.strides[v], variable.parts);
        }
        Ok(dense)
    }

    /// Fills the entries of all sets of one variable from those of its single values.
    fn sweep(&mut self, stride: usize, parts: usize) {
        let sets = (1 << parts) - 1;
        for block in self.table.chunks_exact_mut(stride * sets) {
            for set in 1usize..=sets {
                if set.is_power_of_two() {
                    continue;
                }
                let lowest = set & set.wrapping_neg();
                let (one, two) = ((lowest - 1) * stride, (set - lowest - 1) * stride);
                let (known, target) = block.split_at_mut((set - 1) * stride);
                let parts = known[one..one + stride].iter().zip(&known[two..two + stride]);
                for (target, (a, b)) in target.iter_mut().zip(parts) {
                    *target = a & b;
                }
            }
        }
    }

    /// The output field of a cube, from bit 0.
    fn outputs_of(&self, of: &[u64]) -> u64 {
        let first = self.layout.variables()[self.layout.output_variable()].first_bit;
        // An output variable of up to 64 values never straddles a word.
        (of[first / 64] >> (first % 64)) & u64::MAX >> (64 - self.layout.outputs())
    }

    /// One sum for each point of the input part of a cube: over its variables, of what `place` says
    /// for the variable and its value.
    fn spread(&self, of: &[u64], place: impl Fn(usize, usize) -> usize) -> Vec<u32> {
        let mut sums = vec![0u32];
        let mut longer = Vec::new();
        for (v, variable) in self.layout.variables()[..self.layout.inputs()].iter().enumerate() {
            longer.clear();
            for value in 0..variable.parts {
                if cube::has_bit(of, variable.first_bit + value) {
                    let more = place(v, value) as u32;
                    longer.extend(sums.iter().map(|sum| sum + more));
                }
            }
            std::mem::swap(&mut sums, &mut longer);
        }
        sums
    }

    /// All primes, at most `primes_max`.
    pub(crate) fn primes(&self, primes_max: usize, budget: &Budget) -> Result<Cover, Stop> {
        let layout = self.layout;
        let inputs = &layout.variables()[..layout.inputs()];
        let output_first = layout.variables()[layout.output_variable()].first_bit;
        let mut primes = Vec::new();
        let mut count = 0;
        let words = layout.words();
        // The set of each variable in the entry at hand, counted like an odometer.
        let mut sets = vec![1usize; inputs.len()];
        for (index, &outputs) in self.table.iter().enumerate() {
            if outputs != 0 && self.is_prime(index, outputs, &sets) {
                count += 1;
                if count > primes_max {
                    return Err(Stop::Work);
                }
                let at = primes.len();
                primes.resize(at + words, 0);
                let prime: &mut [u64] = &mut primes[at..];
                for (variable, &set) in inputs.iter().zip(&sets) {
                    prime[variable.first_bit / 64] |= (set as u64) << (variable.first_bit % 64);
                }
                prime[output_first / 64] |= outputs << (output_first % 64);
            }
            if index.is_multiple_of(4096) {
                budget.look()?;
            }
            for (set, variable) in sets.iter_mut().zip(inputs) {
                *set += 1;
                if *set < 1 << variable.parts {
                    break;
                }
                *set = 1;
            }
        }
        Ok(Cover::from_bits(layout, primes))
    }

    /// The covering problem: one row for each point and output of `on` outside `free`, with the
    /// primes that hold it. `entries_max` caps the sum of the rows' lengths.
    pub(crate) fn rows(
        &self,
        primes: &Cover,
        on: &Cover,
        free: &Cover,
        entries_max: usize,
        budget: &Budget,
    ) -> Result<Vec<Vec<u32>>, Stop> {
        let mut needed = vec![0u64; self.points];
        let point = |v: usize, value: usize| value * self.point_strides[v];
        for c in on.cubes() {
            let outputs = self.outputs_of(c);
            for at in self.spread(c, point) {
                needed[at as usize] |= outputs;
            }
        }
        for c in free.cubes() {
            let outputs = self.outputs_of(c);
            for at in self.spread(c, point) {
                needed[at as usize] &= !outputs;
            }
        }
        let mut starts = Vec::with_capacity(needed.len());
        let mut count = 0;
        for outputs in &needed {
            starts.push(count);
            count += outputs.count_ones() as usize;
        }
        // (row, prime), and how many there are of each row.
        let mut entries: Vec<(u32, u32)> = Vec::new();
        let mut lengths = vec![0; count];
        for (index, prime) in primes.cubes().enumerate() {
            budget.tick()?;
            let outputs = self.outputs_of(prime);
            for at in self.spread(prime, point) {
                let needed = needed[at as usize];
                let mut rest = needed & outputs;
                while rest != 0 {
                    let below = (rest & rest.wrapping_neg()) - 1;
                    rest &= rest - 1;
                    let row = starts[at as usize] + (needed & below).count_ones() as usize;
                    entries.push((row as u32, index as u32));
                    lengths[row] += 1;
                }
            }
            if entries.len() > entries_max {
                return Err(Stop::Work);
            }
            budget.hold(entries.len() * 12)?;
        }
        let mut rows: Vec<Vec<u32>> = lengths.into_iter().map(Vec::with_capacity).collect();
        for (row, prime) in entries {
            rows[row as usize].push(prime);
        }
        rows.sort_unstable();
        rows.dedup();
        Ok(rows)
    }

    fn is_prime(&self, index: usize, outputs: u64, sets: &[usize]) -> bool {
        let inputs = &self.layout.variables()[..self.layout.inputs()];
        inputs.iter().zip(sets).zip(&self.strides).all(|((variable, &set), &stride)| {
            let mut missing = !set & ((1 << variable.parts) - 1);
            while missing != 0 {
                let value = missing & missing.wrapping_neg();
                missing &= missing - 1;
                if self.table[index + value * stride] == outputs {
                    return false;
                }
            }
            true
        })
    }
}
