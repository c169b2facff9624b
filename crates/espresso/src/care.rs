//! What a cover has to hold: the question behind every "is this cube needed?".
//!
//! Two forms. When the don't-care set is known, a cube is needed if it is not within the union of
//! the other cubes and the don't-cares. When ON and OFF were listed and the don't-care set is merely
//! everything else, it is never built: a cube is needed if some *piece* of the listed ON-set that
//! lies in it is not within the other cubes. Tables of a few hundred rows over forty inputs have
//! don't-care covers of tens of thousands of cubes, so the second form is up to thousands of times
//! quicker there.

use crate::cover::Cover;
use crate::cube;

#[derive(Debug, Clone)]
pub(crate) struct Care {
    /// Cubes that count as covered: don't-cares, and primes that are certain to be in the answer.
    pub(crate) free: Cover,
    /// The listed ON-set, when only its points count.
    pub(crate) pieces: Option<Cover>,
}

impl Care {
    /// The parts of a cube that must be covered.
    pub(crate) fn parts_of(&self, of: &[u64]) -> Vec<u64> {
        let Some(pieces) = &self.pieces else { return of.to_vec() };
        let layout = pieces.layout();
        let mut parts = Vec::new();
        for piece in pieces.cubes() {
            if !cube::disjoint(layout, piece, of) {
                parts.extend(piece.iter().zip(of).map(|(p, c)| p & c));
            }
        }
        parts
    }
}
