//! The ground that every recursion stands on: a stack of cubes, a look over its top region, and the
//! choice of the variable to split on.
//!
//! A recursion step owns the region from `start` to the top of [`Stack::bits`]. A cofactor is copied
//! to a new region on top and dropped when its step returns, so no step allocates once the stack has
//! grown. [`Stack::look`] finds in one pass what each step asks: is a cube full, is a value missing
//! everywhere, which variables are active, and which of them are unate (a single value is missing
//! from all cubes that are not full in the variable).

use crate::budget::{Budget, Stop};
use crate::cube;
use crate::layout::Layout;

/// Truth tables of the six variables of a 64-bit table.
pub(crate) const TABLE: [u64; 6] = [
    0xAAAA_AAAA_AAAA_AAAA,
    0xCCCC_CCCC_CCCC_CCCC,
    0xF0F0_F0F0_F0F0_F0F0,
    0xFF00_FF00_FF00_FF00,
    0xFFFF_0000_FFFF_0000,
    0xFFFF_FFFF_0000_0000,
];

pub(crate) struct Stack<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) budget: &'a Budget,
    /// Threads that a step may use which falls into parts.
    pub(crate) threads: usize,
    pub(crate) bits: Vec<u64>,
    /// After a look: bits that some cube of the region does not have.
    pub(crate) missing: Vec<u64>,
    /// After a look: bits that some cube of the region has.
    pub(crate) union: Vec<u64>,
    /// After a look: the missing bits of unate variables.
    pub(crate) unate: Vec<u64>,
}

/// What a look over a region found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// There is no cube.
    Nothing,
    /// Some cube is full.
    Full,
    /// Neither; the masks of the stack describe the region.
    Mixed {
        /// Some value occurs in no cube.
        gap: bool,
        /// There is an active unate variable.
        unate: bool,
        /// Number of active binate binary variables.
        binate: u32,
        /// There is an active multi-valued variable that is not unate.
        valued: bool,
    },
}

/// The two halves of a split: values of one variable, as masks over the spans of the variable.
#[derive(Debug, Clone)]
pub(crate) struct Split {
    /// (word, values of the left half, values of the right half)
    pub(crate) halves: Halves,
    pub(crate) variable: usize,
}

/// Masks of a split, per word that the variable touches.
#[derive(Debug, Clone)]
pub(crate) enum Halves {
    One(u32, u64, u64),
    Many(Vec<(u32, u64, u64)>),
}

impl Halves {
    #[inline]
    pub(crate) fn spans(&self) -> impl Iterator<Item = (usize, u64, u64)> + '_ {
        let (one, many): (Option<(u32, u64, u64)>, &[(u32, u64, u64)]) = match self {
            Halves::One(w, a, b) => (Some((*w, *a, *b)), &[]),
            Halves::Many(list) => (None, list),
        };
        one.into_iter().chain(many.iter().copied()).map(|(w, a, b)| (w as usize, a, b))
    }
}

impl<'a> Stack<'a> {
    pub(crate) fn new(layout: &'a Layout, budget: &'a Budget) -> Stack<'a> {
        let words = layout.words();
        Stack {
            layout,
            budget,
            threads: 1,
            bits: Vec::new(),
            missing: vec![0; words],
            union: vec![0; words],
            unate: vec![0; words],
        }
    }

    #[inline]
    pub(crate) fn count(&self, start: usize) -> usize {
        (self.bits.len() - start) / self.layout.words()
    }

    /// Pushes the cofactor of `cubes` by `by` as a new region: what meets `by`, raised outside it.
    pub(crate) fn push_cofactor<'c>(
        &mut self,
        cubes: impl Iterator<Item = &'c [u64]>,
        by: &[u64],
    ) -> usize {
        let start = self.bits.len();
        for candidate in cubes {
            if cube::disjoint(self.layout, candidate, by) {
                continue;
            }
            self.push_raised(candidate, by);
        }
        start
    }

    /// Pushes one cube, raised outside `by`.
    #[inline]
    pub(crate) fn push_raised(&mut self, candidate: &[u64], by: &[u64]) {
        let full = self.layout.full();
        self.bits.extend(candidate.iter().zip(by).zip(full).map(|((c, b), f)| c | (f & !b)));
    }

    /// One pass over the region; fills the masks unless a cube is full.
    pub(crate) fn look(&mut self, start: usize) -> Result<Seen, Stop> {
        self.budget.work(self.bits.len() - start)?;
        let layout = self.layout;
        let words = layout.words();
        if self.bits.len() == start {
            return Ok(Seen::Nothing);
        }
        self.budget.hold(self.bits.len() * 8)?;
        let is_full = match words {
            1 => self.gather::<1>(start),
            2 => self.gather::<2>(start),
            3 => self.gather::<3>(start),
            4 => self.gather::<4>(start),
            _ => self.gather_wide(start),
        };
        if is_full {
            return Ok(Seen::Full);
        }
        let full = layout.full();
        let gap = self.union.as_slice() != full;
        let (mut unate, mut binate, mut valued) = (false, 0, false);
        for ((missing, low), out) in
            self.missing.iter().zip(layout.binary_low()).zip(&mut self.unate)
        {
            let both = missing & missing >> 1 & low;
            let single = (missing | missing >> 1) & low & !both;
            binate += both.count_ones();
            *out = missing & (single | single << 1);
            unate |= single != 0;
        }
        for variable in layout.binaries()..layout.variables().len() {
            match cube::parts_in(layout, &self.missing, variable) {
                0 => {}
                1 => {
                    unate = true;
                    for &(word, mask) in layout.spans(variable) {
                        self.unate[word as usize] |= self.missing[word as usize] & mask;
                    }
                }
                _ => valued = true,
            }
        }
        Ok(Seen::Mixed { gap, unate, binate, valued })
    }

    /// Fills `missing` and `union`, or finds a full cube.
    fn gather<const WORDS: usize>(&mut self, start: usize) -> bool {
        let mut full = [0; WORDS];
        full.copy_from_slice(self.layout.full());
        let (mut all, mut any) = (full, [0; WORDS]);
        let (cubes, _) = self.bits[start..].as_chunks::<WORDS>();
        for candidate in cubes {
            if *candidate == full {
                return true;
            }
            for word in 0..WORDS {
                all[word] &= candidate[word];
                any[word] |= candidate[word];
            }
        }
        for word in 0..WORDS {
            self.missing[word] = full[word] & !all[word];
            self.union[word] = any[word];
        }
        false
    }

    /// The same for cubes of many words.
    fn gather_wide(&mut self, start: usize) -> bool {
        self.missing.fill(0);
        self.union.fill(0);
        let full = self.layout.full();
        for candidate in self.bits[start..].chunks_exact(full.len()) {
            let mut gaps = 0;
            for (((word, full), missing), union) in
                candidate.iter().zip(full).zip(&mut self.missing).zip(&mut self.union)
            {
                let gap = !word & full;
                gaps |= gap;
                *missing |= gap;
                *union |= word;
            }
            if gaps == 0 {
                return true;
            }
        }
        false
    }

    /// Drops from the region the cubes that miss a bit of the unate mask.
    pub(crate) fn drop_unate(&mut self, start: usize) {
        // A copy of a known length is a move of registers.
        match self.layout.words() {
            1 => self.drop_unate_of(start, 1),
            2 => self.drop_unate_of(start, 2),
            words => self.drop_unate_of(start, words),
        }
    }

    #[inline(always)]
    fn drop_unate_of(&mut self, start: usize, words: usize) {
        let mut to = start;
        for from in (start..self.bits.len()).step_by(words) {
            if cube::within(&self.unate, &self.bits[from..from + words]) {
                if to != from {
                    self.bits.copy_within(from..from + words, to);
                }
                to += words;
            }
        }
        self.bits.truncate(to);
    }

    /// The variable to split on: among the binate ones the one with most active values, then the
    /// one in which most cubes are not full. Needs the masks of a look.
    ///
    /// Values that no cube misses ask for no more than the others do, and are in neither half,
    /// except those of `space`: they go left.
    pub(crate) fn select(&self, start: usize, space: Option<&[u64]>) -> Split {
        let layout = self.layout;
        let words = layout.words();
        let mut best: Option<(u32, u32, usize)> = None;
        for variable in layout.binaries()..layout.variables().len() {
            let active = cube::parts_in(layout, &self.missing, variable);
            if active < 2 {
                continue;
            }
            let not_full = self.bits[start..]
                .chunks_exact(words)
                .filter(|c| !cube::is_full_in(layout, c, variable))
                .count() as u32;
            if best.is_none_or(|(a, n, _)| (active, not_full) > (a, n)) {
                best = Some((active, not_full, variable));
            }
        }
        if best.is_none_or(|(active, ..)| active == 2) {
            for (word, &low) in layout.binary_low().iter().enumerate() {
                let candidates = self.missing[word] & self.missing[word] >> 1 & low;
                if candidates == 0 {
                    continue;
                }
                let (count, bit) = self.most_frequent(start, word, candidates);
                if best.is_none_or(|(_, n, _)| count > n) {
                    best = Some((2, count, layout.variable_of_bit(word * 64 + bit)));
                }
            }
        }
        let (_, _, variable) = best.expect("a region that is not unate has a binate variable");
        Split { halves: self.halves(variable, space), variable }
    }

    /// Among the binary fields of one word given by their low bits: the one in which most cubes are
    /// not full. Counts in bit slices: plane p holds bit p of all counters of the word.
    fn most_frequent(&self, start: usize, word: usize, candidates: u64) -> (u32, usize) {
        // A step of a known length is a plain walk.
        match self.layout.words() {
            1 => self.most_frequent_of(start, word, candidates, 1),
            2 => self.most_frequent_of(start, word, candidates, 2),
            words => self.most_frequent_of(start, word, candidates, words),
        }
    }

    #[inline(always)]
    fn most_frequent_of(
        &self,
        start: usize,
        word: usize,
        candidates: u64,
        words: usize,
    ) -> (u32, usize) {
        let mut planes = [0u64; 32];
        let mut used = 0;
        for c in self.bits[start + word..].iter().step_by(words) {
            let mut carry = (!c | !c >> 1) & candidates;
            let mut plane = 0;
            while carry != 0 {
                let next = planes[plane] & carry;
                planes[plane] ^= carry;
                carry = next;
                plane += 1;
            }
            used = used.max(plane);
        }
        let mut left = candidates;
        let mut count = 0;
        for plane in (0..used).rev() {
            let high = left & planes[plane];
            if high != 0 {
                left = high;
                count |= 1 << plane;
            }
        }
        (count, left.trailing_zeros() as usize)
    }

    /// Splits the active values of a variable in two.
    fn halves(&self, variable: usize, space: Option<&[u64]>) -> Halves {
        let layout = self.layout;
        if variable < layout.binaries() {
            let (word, mask) = layout.spans(variable)[0];
            let low = mask & mask.wrapping_neg();
            return Halves::One(word, low, mask & !low);
        }
        let active = cube::parts_in(layout, &self.missing, variable);
        let mut to_right = active / 2;
        let spans = layout.spans(variable);
        let mut list = Vec::with_capacity(spans.len());
        for &(word, mask) in spans.iter().rev() {
            let active = self.missing[word as usize] & mask;
            let mut right = 0;
            let mut rest = active;
            while rest != 0 && to_right > 0 {
                let high = 1u64 << (63 - rest.leading_zeros());
                rest &= !high;
                right |= high;
                to_right -= 1;
            }
            let kept = space.map_or(0, |space| space[word as usize] & mask & !active);
            list.push((word, active & !right | kept, right));
        }
        match list.as_slice() {
            [(word, left, right)] => Halves::One(*word, *left, *right),
            _ => Halves::Many(list),
        }
    }

    /// Pushes the cofactor of a region by one half of a split as a new region.
    pub(crate) fn push_half(
        &mut self,
        from: usize,
        to: usize,
        split: &Split,
        right: bool,
    ) -> usize {
        let words = self.layout.words();
        let start = self.bits.len();
        if let Halves::One(word, a, b) = split.halves {
            let word = word as usize;
            let (keep, raise) = if right { (b, a) } else { (a, b) };
            match words {
                1 => self.push_half_of::<1>(from, to, word, keep, raise),
                2 => self.push_half_of::<2>(from, to, word, keep, raise),
                3 => self.push_half_of::<3>(from, to, word, keep, raise),
                4 => self.push_half_of::<4>(from, to, word, keep, raise),
                _ => {
                    for at in (from..to).step_by(words) {
                        if self.bits[at + word] & keep != 0 {
                            let top = self.bits.len();
                            self.bits.extend_from_within(at..at + words);
                            self.bits[top + word] |= raise;
                        }
                    }
                }
            }
            return start;
        }
        for at in (from..to).step_by(words) {
            let meets = split
                .halves
                .spans()
                .any(|(w, a, b)| self.bits[at + w] & if right { b } else { a } != 0);
            if meets {
                let top = self.bits.len();
                self.bits.extend_from_within(at..at + words);
                for (w, a, b) in split.halves.spans() {
                    self.bits[top + w] |= if right { a } else { b };
                }
            }
        }
        start
    }

    /// A half by values that lie in one word, of cubes that are short.
    fn push_half_of<const WORDS: usize>(
        &mut self,
        from: usize,
        to: usize,
        word: usize,
        keep: u64,
        raise: u64,
    ) {
        self.bits.reserve(to - from);
        for at in (from..to).step_by(WORDS) {
            let mut cube = [0; WORDS];
            cube.copy_from_slice(&self.bits[at..at + WORDS]);
            if cube[word] & keep != 0 {
                cube[word] |= raise;
                self.bits.extend_from_slice(&cube);
            }
        }
    }

    /// Whether a look's region can be read as one truth table of at most six binary variables.
    #[inline]
    pub(crate) fn fits_table(&self) -> bool {
        let layout = self.layout;
        let active: u32 = self
            .missing
            .iter()
            .zip(layout.binary_low())
            .map(|(m, low)| ((m | m >> 1) & low).count_ones())
            .sum();
        active <= 6
            && (layout.binaries()..layout.variables().len())
                .all(|v| cube::parts_in(layout, &self.missing, v) == 0)
    }

    /// The region as one truth table; the active variables in the order of their low bits are
    /// returned as (word, shift).
    pub(crate) fn table(&self, start: usize) -> (u64, [(usize, u32); 6], usize) {
        let layout = self.layout;
        let words = layout.words();
        let mut places = [(0, 0); 6];
        let mut active = 0;
        for (word, (m, low)) in self.missing.iter().zip(layout.binary_low()).enumerate() {
            let mut rest = (m | m >> 1) & low;
            while rest != 0 {
                places[active] = (word, rest.trailing_zeros());
                active += 1;
                rest &= rest - 1;
            }
        }
        let mut table = 0;
        for candidate in self.bits[start..].chunks_exact(words) {
            let mut points = u64::MAX;
            for (&(word, shift), &mask) in places[..active].iter().zip(&TABLE) {
                let field = candidate[word] >> shift;
                // 01 keeps the zero half, 10 the one half, 11 both.
                let zero = (field & 1).wrapping_neg() & !mask;
                let one = (field >> 1 & 1).wrapping_neg() & mask;
                points &= zero | one;
            }
            table |= points;
            if table == u64::MAX {
                break;
            }
        }
        (table, places, active)
    }
}
