//! The points that a cover does not hold, as a cover.
//!
//! A cube by itself is complemented by De Morgan; a factor common to all cubes is taken out first; a
//! unate cover is complemented by choosing, row by row, which literal to break (the result is all
//! minimal choices, nothing to merge); everything else is split on its most binate variable and the
//! two halves are merged: equal rests become one cube, and a cube of one half that the other half
//! also allows is lifted over the split.
//!
//! The complement of a small cover can be astronomically large, so the cubes it may have are
//! counted against a cap ([`Stop::Work`]) and its bytes against the memory cap.

use crate::budget::{Budget, Stop};
use crate::cube;
use crate::recurse::{Seen, Split, Stack};

impl Stack<'_> {
    /// The complement of the region, at most `cubes_max` cubes. Consumes the region.
    pub(crate) fn complement(&mut self, start: usize, cubes_max: usize) -> Result<Vec<u64>, Stop> {
        let mut out = Vec::new();
        let space = self.layout.full().to_vec();
        let answer = self.complement_into(start, &space, &mut out, cubes_max);
        self.bits.truncate(start);
        answer.map(|()| out)
    }

    /// `space` is what the region is a cofactor by: outside it the answer may be anything.
    fn complement_into(
        &mut self,
        start: usize,
        space: &[u64],
        out: &mut Vec<u64>,
        cubes_max: usize,
    ) -> Result<(), Stop> {
        let words = self.layout.words();
        if out.len() / words > cubes_max {
            return Err(Stop::Work);
        }
        self.budget.hold(out.len() * 8)?;
        match self.look(start)? {
            Seen::Nothing => out.extend_from_slice(self.layout.full()),
            Seen::Full => {}
            Seen::Mixed { gap, unate, binate, valued } => {
                if self.count(start) == 1 {
                    let factor: Vec<u64> = self.bits[start..].to_vec();
                    self.de_morgan(&factor, out);
                } else if gap {
                    // Everything outside the common factor, and the complement inside it.
                    let factor = self.union.clone();
                    self.de_morgan(&factor, out);
                    for at in start..self.bits.len() {
                        let word = (at - start) % words;
                        self.bits[at] |= self.layout.full()[word] & !factor[word];
                    }
                    let space: Vec<u64> = factor.iter().zip(space).map(|(f, s)| f & s).collect();
                    self.complement_into(start, &space, out, cubes_max)?;
                } else if unate && binate == 0 && !valued {
                    self.complement_unate(start, space, out, cubes_max)?;
                } else {
                    let split = self.select(start, Some(space));
                    self.complement_split(start, &split, space, out, cubes_max)?;
                }
            }
        }
        self.bits.truncate(start);
        Ok(())
    }

    /// The complement of one cube: for each variable that is not full the missing values, else full.
    fn de_morgan(&self, factor: &[u64], out: &mut Vec<u64>) {
        let layout = self.layout;
        for variable in 0..layout.variables().len() {
            if cube::is_full_in(layout, factor, variable) {
                continue;
            }
            let at = out.len();
            out.extend_from_slice(layout.full());
            for &(word, mask) in layout.spans(variable) {
                out[at + word as usize] &= !(factor[word as usize] & mask);
            }
        }
    }

    /// Unate: break the most frequent literal of the smallest row, or do not.
    ///
    /// With b the bit missing from the cubes that have literal L: the complement is
    /// `b · not(cubes without L)  ∪  not(all cubes, L raised)`.
    fn complement_unate(
        &mut self,
        start: usize,
        space: &[u64],
        out: &mut Vec<u64>,
        cubes_max: usize,
    ) -> Result<(), Stop> {
        let layout = self.layout;
        let words = layout.words();
        self.absorb_region(start);
        let end = self.bits.len();
        let gaps = |c: &[u64]| -> u32 {
            c.iter().zip(layout.full()).map(|(c, f)| (!c & f).count_ones()).sum()
        };
        // Among the bits of all the smallest rows: the one that most rows miss.
        let least = self.bits[start..].chunks_exact(words).map(&gaps).min().unwrap_or(0);
        let forced = least == 1;
        let mut restrict = vec![0; words];
        let mut counts = vec![0u32; words * 64];
        for c in self.bits[start..].chunks_exact(words) {
            let smallest = gaps(c) == least;
            for (word, (c, full)) in c.iter().zip(layout.full()).enumerate() {
                let mut rest = !c & full;
                if smallest {
                    restrict[word] |= rest;
                }
                while rest != 0 {
                    counts[word * 64 + rest.trailing_zeros() as usize] += 1;
                    rest &= rest - 1;
                }
            }
        }
        let bit = cube::bits(&restrict)
            .max_by_key(|&bit| (counts[bit], std::cmp::Reverse(bit)))
            .expect("a cube that is not full misses a bit");
        let variable = layout.variable_of_bit(bit);
        let left = self.bits.len();
        for at in (start..end).step_by(words) {
            if cube::has_bit(&self.bits[at..at + words], bit) {
                self.bits.extend_from_within(at..at + words);
            }
        }
        let first = out.len();
        self.complement_into(left, space, out, cubes_max)?;
        let middle = out.len();
        for at in (first..middle).step_by(words) {
            for &(word, mask) in layout.spans(variable) {
                let keep = if bit / 64 == word as usize { 1 << (bit % 64) } else { 0 };
                out[at + word as usize] &= !mask | keep;
            }
        }
        if forced {
            return Ok(());
        }
        for at in (start..end).step_by(words) {
            cube::set_bit(&mut self.bits[at..at + words], bit);
        }
        self.complement_into(start, space, out, cubes_max)?;
        drop_contained(words, out, first, middle, self.budget)
    }

    /// Drops cubes of the region that lie within another: raised literals make many of them, and a
    /// row that asks for more than another row would double the recursion below it.
    fn absorb_region(&mut self, start: usize) {
        let words = self.layout.words();
        let mut to = start;
        for at in (start..self.bits.len()).step_by(words) {
            let (before, after) = self.bits.split_at(at);
            let (candidate, after) = after.split_at(words);
            let held = before[start..to].chunks_exact(words).any(|c| cube::within(candidate, c))
                || after.chunks_exact(words).any(|c| c != candidate && cube::within(candidate, c));
            if !held {
                self.bits.copy_within(at..at + words, to);
                to += words;
            }
        }
        self.bits.truncate(to);
    }

    fn complement_split(
        &mut self,
        start: usize,
        split: &Split,
        space: &[u64],
        out: &mut Vec<u64>,
        cubes_max: usize,
    ) -> Result<(), Stop> {
        let end = self.bits.len();
        let first = out.len();
        let mut half = space.to_vec();
        for (w, a, _) in split.halves.spans() {
            half[w] &= a | !self.field(split, w);
        }
        let left = self.push_half(start, end, split, false);
        self.complement_into(left, &half, out, cubes_max)?;
        let middle = out.len();
        half.copy_from_slice(space);
        for (w, _, b) in split.halves.spans() {
            half[w] &= b | !self.field(split, w);
        }
        let right = self.push_half(start, end, split, true);
        self.complement_into(right, &half, out, cubes_max)?;
        self.merge(start, split, out, first, middle)
    }

    /// The bits of the split variable in one word.
    fn field(&self, split: &Split, word: usize) -> u64 {
        let spans = self.layout.spans(split.variable);
        spans.iter().find(|span| span.0 as usize == word).map_or(0, |span| span.1)
    }

    /// Joins the complements of two halves, `first..middle` and `middle..` of `out`.
    fn merge(
        &mut self,
        start: usize,
        split: &Split,
        out: &mut Vec<u64>,
        first: usize,
        middle: usize,
    ) -> Result<(), Stop> {
        let layout = self.layout;
        let words = layout.words();
        let left_count = (middle - first) / words;
        let right_count = (out.len() - middle) / words;
        let whole = |at: usize, out: &[u64], to: &mut Vec<u64>| {
            let base = to.len();
            to.extend_from_slice(&out[at..at + words]);
            for &(w, mask) in layout.spans(split.variable) {
                to[base + w as usize] |= mask;
            }
        };
        // Equal apart from the split: one cube.
        let mut keys = Vec::with_capacity(out.len() - first);
        for at in (first..out.len()).step_by(words) {
            whole(at, out, &mut keys);
        }
        let key = |index: usize| &keys[index * words..(index + 1) * words];
        let mut order_left: Vec<u32> = (0..left_count as u32).collect();
        let mut order_right: Vec<u32> =
            (left_count as u32..(left_count + right_count) as u32).collect();
        order_left.sort_unstable_by(|&a, &b| key(a as usize).cmp(key(b as usize)));
        order_right.sort_unstable_by(|&a, &b| key(a as usize).cmp(key(b as usize)));
        // Who takes over values of the other half, and from whom; `ALL` means every value of it.
        const NONE: u32 = u32::MAX;
        const ALL: u32 = u32::MAX - 1;
        let mut partner = vec![NONE; left_count + right_count];
        let mut dropped = vec![false; left_count + right_count];
        let (mut l, mut r) = (0, 0);
        while l < left_count && r < right_count {
            let (a, b) = (order_left[l] as usize, order_right[r] as usize);
            match key(a).cmp(key(b)) {
                std::cmp::Ordering::Less => l += 1,
                std::cmp::Ordering::Greater => r += 1,
                std::cmp::Ordering::Equal => {
                    partner[a] = b as u32;
                    dropped[b] = true;
                    l += 1;
                    r += 1;
                }
            }
        }
        // Lifting over the split, by whichever test is shorter.
        let onset = self.count(start);
        let by_onset = left_count * right_count > (left_count + right_count) * onset;
        self.budget.work(keys.len())?;
        for index in 0..left_count + right_count {
            if dropped[index] || partner[index] != NONE {
                continue;
            }
            let candidate = key(index);
            let others = if index < left_count {
                left_count..left_count + right_count
            } else {
                0..left_count
            };
            // Most comparisons end with the first word.
            self.budget.work(if by_onset { onset } else { others.len() })?;
            partner[index] = if by_onset {
                // The cube may cross over if it then meets no cube of the function there.
                let mut moved = candidate.to_vec();
                for (w, a, b) in split.halves.spans() {
                    moved[w] &= !self.field(split, w) | if index < left_count { b } else { a };
                }
                let free = self.bits[start..]
                    .chunks_exact(words)
                    .all(|c| cube::disjoint(self.layout, c, &moved));
                if free { ALL } else { NONE }
            } else {
                others
                    .into_iter()
                    .find(|&other| cube::within(candidate, key(other)))
                    .map_or(NONE, |other| other as u32)
            };
        }
        let fields: Vec<u64> = (first..out.len())
            .step_by(words)
            .flat_map(|at| split.halves.spans().map(move |(w, ..)| at + w))
            .map(|at| out[at])
            .collect();
        let width = split.halves.spans().count();
        let mut to = first;
        for index in 0..left_count + right_count {
            if dropped[index] {
                continue;
            }
            let at = first + index * words;
            out.copy_within(at..at + words, to);
            for (span, (w, a, b)) in split.halves.spans().enumerate() {
                let (own, other) = if index < left_count { (a, b) } else { (b, a) };
                // What lies in neither half may be anything: full makes larger cubes.
                out[to + w] |= self.field(split, w) & !(own | other);
                out[to + w] &= !other;
                out[to + w] |= match partner[index] {
                    NONE => 0,
                    ALL => other,
                    from => fields[from as usize * width + span] & other,
                };
                debug_assert_eq!(own & other, 0);
            }
            to += words;
        }
        out.truncate(to);
        Ok(())
    }
}

/// Removes from `first..middle` the cubes that lie within a cube of `middle..`.
fn drop_contained(
    words: usize,
    out: &mut Vec<u64>,
    first: usize,
    middle: usize,
    budget: &Budget,
) -> Result<(), Stop> {
    let mut to = first;
    for from in (first..middle).step_by(words) {
        let (before, after) = out.split_at(middle);
        budget.work(after.len() / words)?;
        let candidate = &before[from..from + words];
        if !after.chunks_exact(words).any(|c| cube::within(candidate, c)) {
            out.copy_within(from..from + words, to);
            to += words;
        }
    }
    out.drain(to..middle);
    Ok(())
}
