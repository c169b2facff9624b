//! The smallest cube around the complement of a cover: what REDUCE shrinks a cube to.
//!
//! The complement itself is never built. The recursion carries the cube of the path it is on and an
//! answer that only grows; a branch whose path already lies within the answer is not entered.

use crate::budget::Stop;
use crate::cube;
use crate::recurse::{Seen, Stack, TABLE};

impl Stack<'_> {
    /// Grows `answer` by the smallest cube around `path ∖ region`. Consumes the region; `path` must
    /// allow at least one value of each variable, and the region be cofactored by it.
    pub(crate) fn supercube_of_rest(
        &mut self,
        start: usize,
        path: &mut [u64],
        answer: &mut [u64],
    ) -> Result<(), Stop> {
        let done = self.supercube_loop(start, path, answer);
        self.bits.truncate(start);
        done
    }

    fn supercube_loop(
        &mut self,
        start: usize,
        path: &mut [u64],
        answer: &mut [u64],
    ) -> Result<(), Stop> {
        let layout = self.layout;
        let words = layout.words();
        if cube::within(path, answer) {
            return Ok(());
        }
        match self.look(start)? {
            Seen::Nothing => cube::or_into(answer, path),
            Seen::Full => {}
            Seen::Mixed { unate, binate, valued, .. } => {
                if self.fits_table() {
                    self.supercube_of_table(start, path, answer);
                } else if unate && binate == 0 && !valued {
                    self.supercube_of_unate(start, path, answer);
                } else {
                    let split = self.select(start, Some(path));
                    let end = self.bits.len();
                    let mut half = vec![0; words];
                    for right in [false, true] {
                        half.copy_from_slice(path);
                        let mut meets = false;
                        for (w, a, b) in split.halves.spans() {
                            let keep = if right { b } else { a };
                            meets |= half[w] & keep != 0;
                            half[w] &= !(a | b) | keep;
                        }
                        if meets {
                            let part = self.push_half(start, end, &split, right);
                            self.supercube_of_rest(part, &mut half, answer)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn supercube_of_table(&self, start: usize, path: &[u64], answer: &mut [u64]) {
        let (table, places, active) = self.table(start);
        let rest = !table;
        if rest == 0 {
            return;
        }
        let at = |word: usize, shift: u32| (word, 3u64 << shift);
        let mut narrowed: [(usize, u64); 6] = [(0, 0); 6];
        for (slot, (&(word, shift), mask)) in
            narrowed.iter_mut().zip(places[..active].iter().zip(TABLE))
        {
            let zero = u64::from(rest & !mask != 0);
            let one = u64::from(rest & mask != 0) << 1;
            let (word, field) = at(word, shift);
            *slot = (word, field & !((zero | one) << shift));
        }
        for (word, (answer, path)) in answer.iter_mut().zip(path).enumerate() {
            let lost =
                narrowed[..active].iter().filter(|n| n.0 == word).fold(0, |lost, n| lost | n.1);
            *answer |= path & !lost;
        }
    }

    /// Unate without a full cube: the rest is full in every variable, but where a cube has a single
    /// literal the rest must have the value that this literal misses.
    fn supercube_of_unate(&self, start: usize, path: &[u64], answer: &mut [u64]) {
        let layout = self.layout;
        let mut narrowed = path.to_vec();
        for candidate in self.bits[start..].chunks_exact(layout.words()) {
            let mut only = None;
            let mut more = false;
            for (word, (c, full)) in candidate.iter().zip(layout.full()).enumerate() {
                let gap = !c & full;
                if gap != 0 {
                    more |= only.is_some() || !gap.is_power_of_two();
                    only = Some((word, gap));
                }
            }
            if let (Some((word, gap)), false) = (only, more) {
                let variable = layout.variable_of_bit(word * 64 + gap.trailing_zeros() as usize);
                for &(w, mask) in layout.spans(variable) {
                    narrowed[w as usize] &= !mask | if w as usize == word { gap } else { 0 };
                }
            }
        }
        if !cube::is_empty(layout, &narrowed) {
            cube::or_into(answer, &narrowed);
        }
    }
}
