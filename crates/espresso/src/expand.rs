//! EXPAND: every cube becomes a prime that takes as many other cubes with it as it can.
//!
//! For one cube: `raise` is what it has become, `free` the bits that may still be raised, `active`
//! the OFF cubes that still bind. An OFF cube in conflict with `raise` in a single variable forbids
//! the bits of that variable that it has (they leave `free` for good, and the OFF cube leaves
//! `active`). Then, in this order: raise what no active OFF cube has; swallow whole cubes of the
//! cover, the one first that keeps most others in reach; drift towards the cubes still in reach; and
//! at the end keep low as few bits as the active OFF cubes demand.

use std::num::NonZeroU64;

use crate::blocking::{Blocking, Conflicts, Fields};
use crate::budget::{Budget, Stop};
use crate::cover::Cover;
use crate::cube;

/// A cover under work, with what is known about each cube.
#[derive(Debug, Clone)]
pub(crate) struct Working {
    pub(crate) cover: Cover,
    pub(crate) prime: Vec<bool>,
}

impl Working {
    pub(crate) fn new(cover: Cover) -> Working {
        let prime = vec![false; cover.len()];
        Working { cover, prime }
    }
}

/// Which bits EXPAND may raise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Raise {
    /// Every bit.
    All,
    /// Those of binary variables: literals go, output and multi-valued fields stay sparse.
    Binary,
}

/// Most candidates compared pairwise in the choice of the cube to swallow.
const PAIRWISE_MAX: usize = 400;

pub(crate) struct Expander<'b, 'a> {
    off: &'b Blocking<'a>,
    budget: &'b Budget,
    pub(crate) raise: Vec<u64>,
    free: Vec<u64>,
    active: Vec<u64>,
    fields: Fields,
    wide: Vec<u64>,
    lowered: Vec<u64>,
    conflicts: Conflicts,
    /// State of the dice that blur the choices.
    noise: Option<NonZeroU64>,
}

impl<'b, 'a> Expander<'b, 'a> {
    pub(crate) fn new(off: &'b Blocking<'a>, budget: &'b Budget) -> Expander<'b, 'a> {
        let words = off.layout.words();
        Expander {
            off,
            budget,
            raise: vec![0; words],
            free: vec![0; words],
            active: vec![0; off.height],
            fields: Fields::default(),
            wide: vec![0; words],
            lowered: vec![0; words],
            conflicts: Conflicts::default(),
            noise: None,
        }
    }

    /// The OFF-set that binds.
    pub(crate) fn off(&self) -> &'b Blocking<'a> {
        self.off
    }

    /// From now on, blurs the counts that decide which bits are raised first, so that others may win.
    pub(crate) fn blur(&mut self, seed: NonZeroU64) {
        self.noise = Some(seed);
    }

    /// Expands all cubes that are not prime, lightest first, and drops those that got covered.
    pub(crate) fn expand(&mut self, work: &mut Working, raise: Raise) -> Result<(), Stop> {
        let order = lightest_first(&work.cover);
        self.expand_in(&order, work, raise)
    }

    /// Expands all cubes that are not prime in this order, and drops those that got covered.
    pub(crate) fn expand_in(
        &mut self,
        order: &[u32],
        work: &mut Working,
        raise: Raise,
    ) -> Result<(), Stop> {
        work.cover = work.cover.reordered(order);
        work.prime = order.iter().map(|&i| work.prime[i as usize]).collect();
        let columns = Blocking::new(self.off.layout, &work.cover);
        // The cubes that are neither prime nor covered.
        let mut waiting = columns.all.clone();
        for (index, _) in work.prime.iter().enumerate().filter(|(_, prime)| **prime) {
            cube::clear_bit(&mut waiting, index);
        }
        let mut covered = vec![false; work.cover.len()];
        let mut reached = waiting.clone();
        let mut candidates: Vec<u32> = Vec::new();
        for index in 0..work.cover.len() {
            if !cube::has_bit(&waiting, index) {
                continue;
            }
            self.budget.work(self.raise.len() * columns.height)?;
            cube::clear_bit(&mut waiting, index);
            self.begin(work.cover.cube(index), raise);
            reached.copy_from_slice(&waiting);
            let reach = self.raise.iter().zip(&self.free).map(|(raise, free)| raise | free);
            columns.keep_within(reach, &mut reached);
            candidates.clear();
            candidates.extend(cube::bits(&reached).map(|i| i as u32));
            self.swallow(&work.cover, &mut candidates)?;
            self.finish()?;
            work.cover.cube_mut(index).copy_from_slice(&self.raise);
            work.prime[index] = true;
            columns.keep_within(self.raise.iter().copied(), &mut reached);
            for other in cube::bits(&reached) {
                covered[other] = true;
                cube::clear_bit(&mut waiting, other);
            }
        }
        work.cover.retain(|index| !covered[index]);
        let mut kept = covered.iter();
        work.prime.retain(|_| !kept.next().copied().unwrap_or(false));
        Ok(())
    }

    /// Starts with a cube: forbids what must stay low, raises what nothing forbids.
    pub(crate) fn begin(&mut self, from: &[u64], raise: Raise) {
        let layout = self.off.layout;
        self.raise.copy_from_slice(from);
        for ((free, full), from) in self.free.iter_mut().zip(layout.full()).zip(from) {
            *free = full & !from;
        }
        if raise == Raise::Binary {
            for (free, low) in self.free.iter_mut().zip(layout.binary_low()) {
                *free &= low | low << 1;
            }
        }
        self.active.copy_from_slice(&self.off.all);
        if raise == Raise::Binary {
            self.drop_satisfied_everywhere();
        }
        self.forbid();
        self.raise_unopposed();
    }

    /// Restricts `active` to the OFF cubes that some raise could still meet.
    fn drop_satisfied_everywhere(&mut self) {
        let layout = self.off.layout;
        for ((wide, raise), free) in self.wide.iter_mut().zip(&self.raise).zip(&self.free) {
            *wide = raise | free;
        }
        self.fields.read(layout, &self.wide);
        for (_, run) in self.fields.runs() {
            self.off.keep_met(run, &mut self.active);
        }
    }

    /// Forbids, for each active OFF cube in conflict in one variable only, its bits there.
    fn forbid(&mut self) {
        self.fields.read(self.off.layout, &self.raise);
        self.off.conflicts(&self.fields, &self.active, &mut self.conflicts);
        let Conflicts { by_run, one, .. } = &self.conflicts;
        if one.iter().all(|one| *one == 0) {
            return;
        }
        self.lowered.fill(0);
        let conflicts = by_run.chunks_exact(one.len());
        for ((variable, _), conflict) in self.fields.runs().zip(conflicts) {
            if conflict.iter().zip(one).all(|(c, o)| c & o == 0) {
                continue;
            }
            for &(word, mask) in self.off.layout.spans(variable) {
                let mut rest = self.free[word as usize] & mask;
                while rest != 0 {
                    let bit = word as usize * 64 + rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    let column = self.off.column(bit);
                    let met = column
                        .iter()
                        .zip(conflict)
                        .zip(one)
                        .any(|((column, conflict), one)| column & conflict & one != 0);
                    if met {
                        cube::set_bit(&mut self.lowered, bit);
                    }
                }
            }
        }
        for (active, one) in self.active.iter_mut().zip(one) {
            *active &= !one;
        }
        self.lower();
    }

    /// Takes the bits of `lowered` out of `free`, and with them the OFF cubes that need them.
    fn lower(&mut self) {
        for (free, lowered) in self.free.iter_mut().zip(&self.lowered) {
            *free &= !lowered;
        }
        let layout = self.off.layout;
        for ((wide, raise), free) in self.wide.iter_mut().zip(&self.raise).zip(&self.free) {
            *wide = raise | free;
        }
        self.fields.read(layout, &self.wide);
        for (variable, run) in self.fields.runs() {
            let touched = layout
                .spans(variable)
                .iter()
                .any(|&(word, mask)| self.lowered[word as usize] & mask != 0);
            if touched {
                self.off.keep_met(run, &mut self.active);
            }
        }
    }

    /// Raises the free bits that no active OFF cube has.
    fn raise_unopposed(&mut self) {
        let (raise, free) = (&mut self.raise, &mut self.free);
        for (word, (raise, free)) in raise.iter_mut().zip(free).enumerate() {
            let mut rest = *free;
            while rest != 0 {
                let shift = rest.trailing_zeros();
                rest &= rest - 1;
                let column = self.off.column(word * 64 + shift as usize);
                if column.iter().zip(&self.active).all(|(c, a)| c & a == 0) {
                    *raise |= 1 << shift;
                    *free &= !(1 << shift);
                }
            }
        }
    }

    /// Whether the cube in `wide` meets no active OFF cube.
    fn wide_is_free(&mut self) -> bool {
        self.fields.read(self.off.layout, &self.wide);
        self.off.is_free(&self.fields, &self.active)
    }

    /// Whether the cube under work could take this cube with it.
    pub(crate) fn may_swallow(&mut self, candidate: &[u64]) -> bool {
        if !self.in_reach(candidate) {
            return false;
        }
        self.set_wide(candidate);
        self.wide_is_free()
    }

    fn set_wide(&mut self, with: &[u64]) {
        for ((wide, raise), with) in self.wide.iter_mut().zip(&self.raise).zip(with) {
            *wide = raise | with;
        }
    }

    fn in_reach(&self, candidate: &[u64]) -> bool {
        candidate.iter().zip(&self.raise).zip(&self.free).all(|((c, r), f)| c & !(r | f) == 0)
    }

    /// Swallows cubes of the cover while one can be, then drifts towards those in reach.
    pub(crate) fn swallow(&mut self, cover: &Cover, candidates: &mut Vec<u32>) -> Result<(), Stop> {
        candidates.retain(|&i| self.in_reach(cover.cube(i as usize)));
        let mut feasible = candidates.clone();
        let words = self.off.layout.words();
        let mut lowers: Vec<u64> = Vec::new();
        loop {
            let mut kept = Vec::with_capacity(feasible.len());
            for &index in &feasible {
                let candidate = cover.cube(index as usize);
                if cube::within(candidate, &self.raise) {
                    continue;
                }
                if !self.in_reach(candidate) {
                    continue;
                }
                self.budget.work(words)?;
                self.set_wide(candidate);
                if self.wide_is_free() {
                    kept.push(index);
                }
            }
            feasible = kept;
            if feasible.is_empty() {
                break;
            }
            let best = if feasible.len() == 1 {
                feasible[0]
            } else {
                lowers.clear();
                let compared = feasible.len().min(PAIRWISE_MAX);
                for &index in &feasible[..compared] {
                    self.set_wide(cover.cube(index as usize));
                    let at = lowers.len();
                    lowers.resize(at + words, 0);
                    self.newly_lowered(&mut lowers[at..]);
                    self.budget.work(words)?;
                }
                let mut best = (0, 0, feasible[0]);
                for (slot, &index) in feasible[..compared].iter().enumerate() {
                    let lower = &lowers[slot * words..(slot + 1) * words];
                    let kept = feasible
                        .iter()
                        .filter(|&&other| {
                            cover.cube(other as usize).iter().zip(lower).all(|(c, l)| c & l == 0)
                        })
                        .count();
                    let kept = blurred(&mut self.noise, kept);
                    let left_free = u32::MAX
                        - cover
                            .cube(index as usize)
                            .iter()
                            .zip(&self.free)
                            .map(|(c, f)| (c & f).count_ones())
                            .sum::<u32>();
                    if (kept, left_free) > (best.0, best.1) {
                        best = (kept, left_free, index);
                    }
                }
                best.2
            };
            let swallowed = cover.cube(best as usize);
            feasible.retain(|&i| i != best);
            candidates.retain(|&i| i != best);
            for ((raise, free), with) in self.raise.iter_mut().zip(&mut self.free).zip(swallowed) {
                *raise |= with;
                *free &= !with;
            }
            self.forbid();
        }
        loop {
            candidates.retain(|&i| {
                let candidate = cover.cube(i as usize);
                !cube::within(candidate, &self.raise) && self.in_reach(candidate)
            });
            if candidates.is_empty() {
                return Ok(());
            }
            self.budget.work(self.pass())?;
            let mut best = (0, 0);
            let noise = &mut self.noise;
            for bit in cube::bits(&self.free) {
                let count = candidates
                    .iter()
                    .filter(|&&i| cube::has_bit(cover.cube(i as usize), bit))
                    .count();
                let count = blurred(noise, count);
                if count > best.0 {
                    best = (count, bit);
                }
            }
            if best.0 == 0 {
                return Ok(());
            }
            self.raise_bit(best.1);
            self.forbid();
        }
    }

    fn raise_bit(&mut self, bit: usize) {
        cube::set_bit(&mut self.raise, bit);
        cube::clear_bit(&mut self.free, bit);
    }

    /// Which free bits a raise to the cube in `wide` would forbid.
    fn newly_lowered(&mut self, lowers: &mut [u64]) {
        self.fields.read(self.off.layout, &self.wide);
        self.off.conflicts(&self.fields, &self.active, &mut self.conflicts);
        let Conflicts { by_run, one, .. } = &mut self.conflicts;
        let conflicts = by_run.chunks_exact_mut(one.len().max(1));
        for ((variable, _), conflict) in self.fields.runs().zip(conflicts) {
            let mut any = false;
            for (conflict, one) in conflict.iter_mut().zip(&*one) {
                *conflict &= one;
                any |= *conflict != 0;
            }
            if !any {
                continue;
            }
            for &(word, mask) in self.off.layout.spans(variable) {
                let mut rest = self.free[word as usize] & !self.wide[word as usize] & mask;
                while rest != 0 {
                    let bit = word as usize * 64 + rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    if self.off.column(bit).iter().zip(&*conflict).any(|(a, b)| a & b != 0) {
                        cube::set_bit(lowers, bit);
                    }
                }
            }
        }
    }

    /// Keeps low as few bits as the active OFF cubes demand, and raises the rest.
    pub(crate) fn finish(&mut self) -> Result<(), Stop> {
        let mut chosen: Vec<u32> = Vec::new();
        self.raise_unopposed();
        while self.active.iter().any(|w| *w != 0) {
            self.budget.work(self.pass())?;
            // The bit that keeps most active OFF cubes out: they have it, and differ in its field.
            let height = self.off.height;
            self.fields.read(self.off.layout, &self.raise);
            let mut best = (0, usize::MAX);
            let mut conflict = std::mem::take(&mut self.conflicts.by_run);
            conflict.resize(height, 0);
            for (variable, run) in self.fields.runs() {
                conflict[..height].copy_from_slice(self.off.column(run[0] as usize));
                for &bit in &run[1..] {
                    cube::or_into(&mut conflict[..height], self.off.column(bit as usize));
                }
                for (conflict, active) in conflict.iter_mut().zip(&self.active) {
                    *conflict = active & !*conflict;
                }
                for &(word, mask) in self.off.layout.spans(variable) {
                    let mut rest = self.free[word as usize] & mask;
                    while rest != 0 {
                        let bit = word as usize * 64 + rest.trailing_zeros() as usize;
                        rest &= rest - 1;
                        let count: u32 = self
                            .off
                            .column(bit)
                            .iter()
                            .zip(&conflict)
                            .map(|(a, b)| (a & b).count_ones())
                            .sum();
                        let count = blurred(&mut self.noise, count as usize);
                        if count > best.0 {
                            best = (count, bit);
                        }
                    }
                }
            }
            self.conflicts.by_run = conflict;
            debug_assert!(best.0 > 0, "an active OFF cube is kept out by some bit");
            if best.0 == 0 {
                break;
            }
            chosen.push(best.1 as u32);
            self.lowered.fill(0);
            cube::set_bit(&mut self.lowered, best.1);
            self.lower();
            self.raise_unopposed();
        }
        for (raise, free) in self.raise.iter_mut().zip(&mut self.free) {
            *raise |= *free;
            *free = 0;
        }
        // A bit chosen early may have become needless by those chosen later.
        for &bit in &chosen[..chosen.len().saturating_sub(1)] {
            self.budget.work(self.pass())?;
            self.wide.copy_from_slice(&self.raise);
            cube::set_bit(&mut self.wide, bit as usize);
            self.fields.read(self.off.layout, &self.wide);
            if self.off.is_free(&self.fields, &self.off.all) {
                cube::set_bit(&mut self.raise, bit as usize);
            }
        }
        Ok(())
    }

    /// Words that a pass over all columns may go over.
    fn pass(&self) -> usize {
        self.raise.len() * 64 * self.off.height
    }
}

/// The count itself, or with noise a random multiple of it between 1 and 2.
fn blurred(noise: &mut Option<NonZeroU64>, count: usize) -> usize {
    let Some(state) = noise else { return count };
    let mut next = state.get();
    next ^= next << 13;
    next ^= next >> 7;
    next ^= next << 17;
    *state = NonZeroU64::new(next).unwrap_or(NonZeroU64::MIN);
    count * (8 + (next >> 32) as usize % 8)
}

/// Cubes in the order of their weight, the sum over their bits of how many cubes have the bit: the
/// lightest are the least likely to be covered by others.
pub(crate) fn lightest_first(cover: &Cover) -> Vec<u32> {
    let mut order: Vec<u32> = (0..cover.len() as u32).collect();
    let weights = weights(cover);
    order.sort_by_key(|&i| weights[i as usize]);
    order
}

pub(crate) fn weights(cover: &Cover) -> Vec<u32> {
    let mut counts = vec![0u32; cover.layout().words() * 64];
    for c in cover.cubes() {
        for bit in cube::bits(c) {
            counts[bit] += 1;
        }
    }
    cover.cubes().map(|c| cube::bits(c).map(|bit| counts[bit]).sum()).collect()
}
