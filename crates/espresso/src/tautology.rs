//! Does a cover hold every point? The question that most others come down to.
//!
//! Unate recursion: a cube that is full answers yes; a value that occurs in no cube answers no; for
//! a unate variable the cubes that miss its value may be dropped, since the cofactor by that value
//! is the hardest one; what is left is split on its most binate variable. Six or fewer binary
//! variables are answered by one 64-bit truth table, which cuts the bottom off every recursion.

use crate::budget::Stop;
use crate::recurse::{Halves, Seen, Split, Stack};

impl Stack<'_> {
    /// Whether the region is a tautology. Consumes the region.
    pub(crate) fn tautology(&mut self, start: usize) -> Result<bool, Stop> {
        let answer = self.tautology_loop(start);
        self.bits.truncate(start);
        answer
    }

    fn tautology_loop(&mut self, start: usize) -> Result<bool, Stop> {
        loop {
            match self.look(start)? {
                Seen::Nothing => return Ok(false),
                Seen::Full => return Ok(true),
                Seen::Mixed { gap: true, .. } => return Ok(false),
                Seen::Mixed { unate: true, .. } => {
                    self.drop_unate(start);
                    continue;
                }
                Seen::Mixed { binate, valued, .. } => {
                    if self.count(start) == 1 {
                        return Ok(false);
                    }
                    if !valued && binate <= 6 {
                        return Ok(self.table(start).0 == u64::MAX);
                    }
                    let split = self.select(start, None);
                    let end = self.bits.len();
                    // The half with fewer cubes is the likelier one to leave a point out.
                    let first = self.right_is_smaller(start, &split);
                    let half = self.push_half(start, end, &split, first);
                    if !self.tautology(half)? {
                        return Ok(false);
                    }
                    self.replace_by_half(start, &split, !first);
                }
            }
        }
    }

    /// Whether fewer cubes of the region meet the right half of a split than the left one.
    fn right_is_smaller(&self, start: usize, split: &Split) -> bool {
        let Halves::One(word, left, right) = split.halves else { return false };
        let words = self.bits[start + word as usize..].iter().step_by(self.layout.words());
        let meets = |word: u64, half: u64| i64::from(word & half != 0);
        words.map(|&w| meets(w, left) - meets(w, right)).sum::<i64>() > 0
    }

    /// Turns the region itself into one of its halves.
    pub(crate) fn replace_by_half(&mut self, start: usize, split: &Split, right: bool) {
        let words = self.layout.words();
        let mut to = start;
        for from in (start..self.bits.len()).step_by(words) {
            let meets = split
                .halves
                .spans()
                .any(|(w, a, b)| self.bits[from + w] & if right { b } else { a } != 0);
            if meets {
                if to != from {
                    self.bits.copy_within(from..from + words, to);
                }
                for (w, a, b) in split.halves.spans() {
                    self.bits[to + w] |= if right { a } else { b };
                }
                to += words;
            }
        }
        self.bits.truncate(to);
    }

    /// Whether `by` lies within the union of the cubes.
    pub(crate) fn covers<'c>(
        &mut self,
        cubes: impl Iterator<Item = &'c [u64]>,
        by: &[u64],
    ) -> Result<bool, Stop> {
        let start = self.push_cofactor(cubes, by);
        self.tautology(start)
    }
}
