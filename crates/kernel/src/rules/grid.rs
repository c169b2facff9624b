//! Every input of a table that is not too wide, one cell each: what is asked of all of them is asked
//! of each.
//!
//! ```text
//!   cell     one value of each variable; the variable that rows tell apart most counts slowest, so
//!            that the cells of a row lie in few, long runs
//!   paint    rows from the last to the first: what stands in a cell is what decides there
//! ```
//!
//! A promotion table of 1,500 rows has a million cells; a row fills a thousand of them. To paint all,
//! to compare all and to grow a product over them takes milliseconds, where containment of cubes in
//! lists of cubes takes seconds. A table with more cells than [`CELLS_MAX`] has no grid and is left to
//! the minimiser.

use super::space::{Cube, Space, has};

/// Cells of a grid.
const CELLS_MAX: usize = 1 << 23;
/// What stands in a cell of which no row speaks.
pub(super) const NOTHING: u16 = u16::MAX;

/// Where the cells of cubes lie.
pub(super) struct Grid {
    cells: usize,
    /// The variables, the slowest first.
    axes: Vec<Axis>,
    words: usize,
}

struct Axis {
    first_bit: usize,
    parts: usize,
    /// Cells from one value to the next.
    stride: usize,
}

impl Grid {
    /// The grid of a space whose rows are these; nothing when it would be too large.
    pub(super) fn new(space: &Space, rows: &[Cube]) -> Option<Grid> {
        let layout = &space.layout;
        let mut variables: Vec<(usize, usize, usize)> = layout.variables()[..layout.inputs()]
            .iter()
            .map(|field| {
                let full = |row: &&Cube| {
                    (field.first_bit..field.first_bit + field.parts).all(|bit| has(row, bit))
                };
                (rows.iter().filter(full).count(), field.first_bit, field.parts)
            })
            .collect();
        variables.sort_unstable();
        let mut cells = 1_usize;
        let mut axes = Vec::with_capacity(variables.len());
        for (_, first_bit, parts) in variables.into_iter().rev() {
            axes.push(Axis { first_bit, parts, stride: cells });
            cells = cells.checked_mul(parts).filter(|cells| *cells <= CELLS_MAX)?;
        }
        axes.reverse();
        Some(Grid { cells, axes, words: layout.full().len() })
    }

    /// What is in each cell, nothing yet.
    pub(super) fn blank(&self) -> Vec<u16> {
        vec![NOTHING; self.cells]
    }

    /// Puts a value into every cell of a cube.
    pub(super) fn paint(&self, map: &mut [u16], cube: &[u64], value: u16) {
        self.runs(cube, |from, to| {
            map[from..to].fill(value);
            true
        });
    }

    /// Whether every cell of a cube holds a value.
    pub(super) fn is_all(&self, map: &[u16], cube: &[u64], value: u16) -> bool {
        // Added up and not ended early: so the compiler takes many cells at once.
        self.runs(cube, |from, to| {
            map[from..to].iter().fold(0, |other, found| other | (found ^ value)) == 0
        })
    }

    /// The different values below a limit in the cells of a cube, ascending.
    pub(super) fn values(&self, map: &[u16], cube: &[u64], limit: usize) -> Vec<usize> {
        let mut seen = vec![false; limit];
        self.runs(cube, |from, to| {
            for &value in &map[from..to] {
                if let Some(seen) = seen.get_mut(usize::from(value)) {
                    *seen = true;
                }
            }
            true
        });
        (0..limit).filter(|&value| seen[value]).collect()
    }

    /// How often each cell is held by a product, never yet.
    pub(super) fn times(&self) -> Vec<u16> {
        vec![0; self.cells]
    }

    /// Few cubes that hold every cell of a value and no other, out of `seeds` that hold them all, or
    /// out of the cells themselves. `times` has not seen these cells before.
    pub(super) fn grown(
        &self,
        space: &Space,
        (map, value): (&[u16], u16),
        seeds: Option<&[Cube]>,
        times: &mut [u16],
    ) -> Vec<Cube> {
        let mut products = Vec::new();
        let mut take = |seed: Cube, times: &mut [u16]| {
            let product = self.grow(map, value, seed, times);
            self.add(times, &product, 1);
            products.push(product);
        };
        if let Some(seeds) = seeds {
            for seed in seeds {
                if self.count(times, seed) > 0 {
                    take(seed.clone(), times);
                }
            }
        } else {
            for cell in 0..self.cells {
                if map[cell] == value && times[cell] == 0 {
                    take(self.cube(space, cell), times);
                }
            }
        }
        // Those whose cells others hold too go, the last first.
        let mut kept = Vec::with_capacity(products.len());
        for product in products.into_iter().rev() {
            if self.runs(&product, |from, to| times[from..to].iter().all(|&times| times > 1)) {
                self.add(times, &product, u16::MAX);
            } else {
                kept.push(product);
            }
        }
        kept.reverse();
        kept
    }

    /// Grows a cube, the values first that take in the most cells that no product holds yet. A value
    /// that does not fit fits no more when the cube is larger, so one round makes it a prime.
    fn grow(&self, map: &[u16], value: u16, mut cube: Cube, times: &[u16]) -> Cube {
        let mut found = Vec::new();
        for axis in &self.axes {
            for bit in axis.first_bit..axis.first_bit + axis.parts {
                if !has(&cube, bit) {
                    let slab = slab(&cube, axis, bit);
                    if self.is_all(map, &slab, value) {
                        found.push((std::cmp::Reverse(self.count(times, &slab)), axis, bit));
                    }
                }
            }
        }
        found.sort_by_key(|(gain, ..)| *gain);
        for (index, (_, axis, bit)) in found.into_iter().enumerate() {
            if index == 0 || self.is_all(map, &slab(&cube, axis, bit), value) {
                cube[bit / 64] |= 1 << (bit % 64);
            }
        }
        cube
    }

    /// Cells of a cube that no product holds.
    fn count(&self, times: &[u16], cube: &[u64]) -> usize {
        let mut count = 0;
        self.runs(cube, |from, to| {
            count += times[from..to].iter().filter(|times| **times == 0).count();
            true
        });
        count
    }

    fn add(&self, times: &mut [u16], cube: &[u64], what: u16) {
        self.runs(cube, |from, to| {
            times[from..to].iter_mut().for_each(|times| *times = times.wrapping_add(what));
            true
        });
    }

    /// The cube of one cell.
    fn cube(&self, space: &Space, cell: usize) -> Cube {
        let mut cube = space.layout.full().to_vec();
        for axis in &self.axes {
            let part = cell / axis.stride % axis.parts;
            only(&mut cube, axis, axis.first_bit + part);
        }
        cube
    }

    /// Hands out the cells of a cube in runs, ascending, until one is not as it should be.
    fn runs(&self, cube: &[u64], mut each: impl FnMut(usize, usize) -> bool) -> bool {
        debug_assert_eq!(cube.len(), self.words);
        let field = |axis: &Axis| axis.first_bit..axis.first_bit + axis.parts;
        let is_full = |axis: &Axis| field(axis).all(|bit| has(cube, bit));
        // The fastest variables that may be anything are one run, and so are values side by side of the
        // one before them.
        let Some(last) = self.axes.iter().rposition(|axis| !is_full(axis)) else {
            return each(0, self.cells);
        };
        let (slow, last) = (&self.axes[..last], &self.axes[last]);
        let mut spans: Vec<(usize, usize)> = Vec::with_capacity(last.parts);
        for part in (0..last.parts).filter(|part| has(cube, last.first_bit + part)) {
            let from = part * last.stride;
            match spans.last_mut() {
                Some(span) if span.1 == from => span.1 += last.stride,
                _ => spans.push((from, from + last.stride)),
            }
        }
        // For each slower variable where its values lie in `offsets`, and which of them is at hand.
        let mut offsets = Vec::with_capacity(64);
        let mut hands = Vec::with_capacity(slow.len());
        let mut base = 0;
        for axis in slow {
            let begin = offsets.len();
            let parts = (0..axis.parts).filter(|part| has(cube, axis.first_bit + part));
            offsets.extend(parts.map(|part| part * axis.stride));
            let Some(first) = offsets.get(begin) else { return true };
            base += first;
            hands.push((begin, offsets.len(), begin));
        }
        loop {
            for &(from, to) in &spans {
                if !each(base + from, base + to) {
                    return false;
                }
            }
            let mut at = hands.len();
            loop {
                let Some(next) = at.checked_sub(1) else { return true };
                at = next;
                let (begin, end, hand) = &mut hands[at];
                base -= offsets[*hand];
                *hand += 1;
                if hand < end {
                    base += offsets[*hand];
                    break;
                }
                *hand = *begin;
                base += offsets[*hand];
            }
        }
    }
}

/// The part of a cube at one value of a variable.
fn slab(cube: &Cube, axis: &Axis, bit: usize) -> Cube {
    let mut slab = cube.clone();
    only(&mut slab, axis, bit);
    slab
}

fn only(cube: &mut [u64], axis: &Axis, bit: usize) {
    for other in axis.first_bit..axis.first_bit + axis.parts {
        cube[other / 64] &= !(1 << (other % 64));
    }
    cube[bit / 64] |= 1 << (bit % 64);
}
