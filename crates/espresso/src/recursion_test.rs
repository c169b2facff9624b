//! The recursions against plain enumeration of all points of small random functions.

use std::sync::Arc;

use proptest::prelude::*;

use crate::budget::Budget;
use crate::cover::Cover;
use crate::cube;
use crate::layout::Layout;
use crate::recurse::Stack;

pub(crate) fn points(layout: &Layout) -> Vec<Vec<u64>> {
    let mut all = vec![vec![0u64; layout.words()]];
    for variable in layout.variables() {
        let mut next = Vec::new();
        for point in &all {
            for part in 0..variable.parts {
                let mut longer = point.clone();
                cube::set_bit(&mut longer, variable.first_bit + part);
                next.push(longer);
            }
        }
        all = next;
    }
    all
}

pub(crate) fn shapes() -> impl Strategy<Value = Arc<Layout>> {
    (0usize..=8, prop::collection::vec(1usize..=5, 0..=2), 1usize..=4).prop_map(
        |(binaries, valued, outputs)| {
            Arc::new(Layout::new(binaries, &valued, outputs).expect("small"))
        },
    )
}

/// A cover of random cubes, most fields wide so that tautologies occur.
pub(crate) fn cover_of(layout: Arc<Layout>, seeds: &[u64]) -> Cover {
    let mut cover = Cover::empty(&layout);
    for &seed in seeds {
        let mut state = seed | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut one = layout.full().to_vec();
        let width = seed % 7 + 2;
        for variable in layout.variables() {
            if next() % 8 < width {
                continue;
            }
            for part in 0..variable.parts {
                if next() % 2 == 0 {
                    cube::clear_bit(&mut one, variable.first_bit + part);
                }
            }
            let any = (0..variable.parts).any(|p| cube::has_bit(&one, variable.first_bit + p));
            if !any {
                let part = next() as usize % variable.parts;
                cube::set_bit(&mut one, variable.first_bit + part);
            }
        }
        cover.push(&one);
    }
    cover
}

fn holds(cover: &Cover, point: &[u64]) -> bool {
    cover.cubes().any(|c| cube::within(point, c))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn recursions_agree_with_enumeration(
        layout in shapes(),
        seeds in prop::collection::vec(any::<u64>(), 0..24),
    ) {
        let cover = cover_of(Arc::clone(&layout), &seeds);
        let budget = Budget::endless();
        let mut stack = Stack::new(&layout, &budget);
        let all = points(&layout);
        let outside: Vec<&Vec<u64>> = all.iter().filter(|p| !holds(&cover, p)).collect();

        let full = layout.full().to_vec();
        let start = stack.push_cofactor(cover.cubes(), &full);
        prop_assert_eq!(stack.tautology(start).expect("endless"), outside.is_empty());

        let start = stack.push_cofactor(cover.cubes(), &full);
        let rest = stack.complement(start, usize::MAX).expect("endless");
        let rest = Cover::from_bits(&layout, rest);
        for point in &all {
            prop_assert_eq!(holds(&cover, point), !holds(&rest, point));
        }

        let start = stack.push_cofactor(cover.cubes(), &full);
        let mut answer = vec![0; layout.words()];
        stack.supercube_of_rest(start, &mut full.clone(), &mut answer).expect("endless");
        let mut expected = vec![0; layout.words()];
        for point in outside {
            cube::or_into(&mut expected, point);
        }
        prop_assert_eq!(answer, expected);
        prop_assert!(stack.bits.is_empty());
    }
}
