//! Many cubes asked at once: for each value of each variable one row of bits, a bit for each cube.
//!
//! ```text
//!   cubes              0 1 2 3 4
//!   class = wine       1 1 0 1 1
//!   age 18..           0 1 1 1 1     AND over the variables: the cubes that hold the input
//!   checked = true     1 1 1 0 1     = 0 1 0 0 1; the first is cube 1
//! ```
//!
//! An evaluation is one AND for each variable that any cube tells apart, 64 cubes at a time. Nothing
//! is allocated.

use super::input::Point;
use super::space::{Cube, Space, has};
use crate::limits::RULE_ANSWERS_MAX;

const WORDS: usize = RULE_ANSWERS_MAX / 64;

/// A set of answers, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnswerSet([u64; WORDS]);

impl AnswerSet {
    /// The first answer in it.
    #[must_use]
    #[inline]
    pub fn first(&self) -> Option<usize> {
        self.iter().next()
    }

    /// The answers in it, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + use<> {
        self.0
            .into_iter()
            .enumerate()
            .flat_map(|(word, bits)| ones(bits).map(move |bit| word * 64 + bit))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0 == [0; WORDS]
    }

    #[inline]
    pub(super) fn insert(&mut self, answer: usize) {
        self.0[answer / 64] |= 1 << (answer % 64);
    }
}

#[derive(Debug, Clone)]
pub(super) struct Matrix {
    cubes: usize,
    /// 64-bit words of a row.
    words: usize,
    /// The variables that any cube tells apart, each with the first of its rows.
    variables: Vec<(u32, u32)>,
    bits: Vec<u64>,
}

impl Matrix {
    pub(super) fn new(space: &Space, cubes: &[Cube]) -> Matrix {
        let words = cubes.len().div_ceil(64);
        let mut matrix =
            Matrix { cubes: cubes.len(), words, variables: Vec::new(), bits: Vec::new() };
        let number = |value: usize| u32::try_from(value).expect("tables are limited");
        for variable in 0..space.layout.inputs() {
            let field = &space.layout.variables()[variable];
            let bits = field.first_bit..field.first_bit + field.parts;
            if cubes.iter().all(|cube| bits.clone().all(|bit| has(cube, bit))) {
                continue;
            }
            matrix.variables.push((number(variable), number(matrix.bits.len() / words.max(1))));
            for bit in bits {
                let begin = matrix.bits.len();
                matrix.bits.resize(begin + words, 0);
                for (index, cube) in cubes.iter().enumerate() {
                    if has(cube, bit) {
                        matrix.bits[begin + index / 64] |= 1 << (index % 64);
                    }
                }
            }
        }
        matrix
    }

    /// The cubes that hold the point, 64 at a time.
    #[inline]
    fn word(&self, point: &Point, word: usize) -> u64 {
        let left = self.cubes - word * 64;
        let mut hits = if left >= 64 { u64::MAX } else { (1 << left) - 1 };
        for &(variable, first) in &self.variables {
            let row = first as usize + point.part(variable as usize);
            hits &= self.bits[row * self.words + word];
            if hits == 0 {
                break;
            }
        }
        hits
    }

    /// The first cube that holds the point.
    #[inline]
    pub(super) fn first(&self, point: &Point) -> Option<usize> {
        (0..self.words).find_map(|word| {
            let hits = self.word(point, word);
            (hits != 0).then(|| word * 64 + hits.trailing_zeros() as usize)
        })
    }

    /// The cubes that have an input in common with another, a bit for each.
    pub(super) fn meeting(&self, space: &Space, cube: &[u64]) -> Vec<u64> {
        let mut hits = self.every();
        let mut allowed = vec![0; self.words];
        for &(variable, first) in &self.variables {
            if self.allowed(space, cube, (variable, first), &mut allowed) {
                for (hits, allowed) in hits.iter_mut().zip(&allowed) {
                    *hits &= allowed;
                }
            }
        }
        hits
    }

    fn every(&self) -> Vec<u64> {
        let mut every = vec![u64::MAX; self.words];
        if let Some(last) = every.last_mut()
            && !self.cubes.is_multiple_of(64)
        {
            *last = (1 << (self.cubes % 64)) - 1;
        }
        every
    }

    /// The cubes that share a value of a variable with another; false when they all do.
    fn allowed(
        &self,
        space: &Space,
        cube: &[u64],
        (variable, first): (u32, u32),
        allowed: &mut [u64],
    ) -> bool {
        let field = &space.layout.variables()[variable as usize];
        if (0..field.parts).all(|part| has(cube, field.first_bit + part)) {
            return false;
        }
        allowed.fill(0);
        for part in space.parts(cube, variable as usize) {
            let row = (first as usize + part) * self.words;
            for (allowed, bits) in allowed.iter_mut().zip(&self.bits[row..row + self.words]) {
                *allowed |= bits;
            }
        }
        true
    }

    /// Every cube that holds the point, ascending.
    pub(super) fn all(&self, point: &Point) -> impl Iterator<Item = usize> {
        (0..self.words)
            .flat_map(move |word| ones(self.word(point, word)).map(move |bit| word * 64 + bit))
    }
}

/// The positions of the set bits.
#[inline]
pub(super) fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = bits.trailing_zeros() as usize;
        let is_left = bits != 0;
        bits &= bits.wrapping_sub(1);
        is_left.then_some(bit)
    })
}
