//! Both ways to the primes against the definition, on all cubes of small random functions.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::{Dense, all_primes};
use crate::budget::{Budget, Stop};
use crate::cover::Cover;
use crate::cube;
use crate::layout::Layout;
use crate::recurse::Stack;
use crate::recursion_test::{cover_of, points};

/// Every cube of a layout.
fn cubes(layout: &Layout) -> Vec<Vec<u64>> {
    let mut all = vec![vec![0u64; layout.words()]];
    for variable in layout.variables() {
        let mut next = Vec::new();
        for start in &all {
            for set in 1usize..1 << variable.parts {
                let mut longer = start.clone();
                for part in (0..variable.parts).filter(|part| set >> part & 1 == 1) {
                    cube::set_bit(&mut longer, variable.first_bit + part);
                }
                next.push(longer);
            }
        }
        all = next;
    }
    all
}

fn shapes() -> impl Strategy<Value = Arc<Layout>> {
    (1usize..=4, prop::collection::vec(1usize..=3, 0..=1), 1usize..=3).prop_map(
        |(binaries, valued, outputs)| {
            Arc::new(Layout::new(binaries, &valued, outputs).expect("small"))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_wide_way_finds_what_the_table_finds(
        layout in (1usize..=7, prop::collection::vec(1usize..=5, 0..=2), 1usize..=8).prop_map(
            |(binaries, valued, outputs)| {
                Arc::new(Layout::new(binaries, &valued, outputs).expect("small"))
            },
        ),
        seeds in prop::collection::vec(any::<u64>(), 0..24),
    ) {
        let cover = cover_of(Arc::clone(&layout), &seeds);
        let budget = Budget::endless();
        let mut stack = Stack::new(&layout, &budget);
        let start = stack.push_cofactor(cover.cubes(), layout.full());
        let off = stack.complement(start, usize::MAX).expect("endless");
        let off = Cover::from_bits(&layout, off);
        let dense = Dense::new(&layout, &off, &budget).expect("endless");
        let table = dense.primes(usize::MAX, &budget).expect("endless");
        let wide = all_primes(&layout, cover.cubes(), u64::MAX, &mut stack).expect("endless");
        prop_assert_eq!(
            table.cubes().collect::<BTreeSet<_>>(),
            wide.cubes().collect::<BTreeSet<_>>()
        );
        prop_assert_eq!(table.len(), wide.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn both_ways_find_exactly_the_primes(
        layout in shapes(),
        seeds in prop::collection::vec(any::<u64>(), 0..16),
    ) {
        let cover = cover_of(Arc::clone(&layout), &seeds);
        let outside: Vec<Vec<u64>> = points(&layout)
            .into_iter()
            .filter(|p| !cover.cubes().any(|c| cube::within(p, c)))
            .collect();
        let implicants: Vec<Vec<u64>> = cubes(&layout)
            .into_iter()
            .filter(|c| !outside.iter().any(|p| cube::within(p, c)))
            .collect();
        let expected: BTreeSet<Vec<u64>> = implicants
            .iter()
            .filter(|c| !implicants.iter().any(|other| other != *c && cube::within(c, other)))
            .cloned()
            .collect();
        let budget = Budget::endless();
        let mut stack = Stack::new(&layout, &budget);
        let wide = all_primes(&layout, cover.cubes(), u64::MAX, &mut stack).expect("endless");
        prop_assert_eq!(wide.len(), expected.len());
        prop_assert_eq!(
            &wide.cubes().map(<[u64]>::to_vec).collect::<BTreeSet<_>>(),
            &expected
        );
        let off = Cover::from_bits(&layout, outside.concat());
        let dense = Dense::new(&layout, &off, &budget).expect("endless");
        let primes = dense.primes(usize::MAX, &budget).expect("endless");
        prop_assert_eq!(primes.len(), expected.len());
        prop_assert_eq!(
            &primes.cubes().map(<[u64]>::to_vec).collect::<BTreeSet<_>>(),
            &expected
        );
        // Each point of ON is in one row, unless it has the same primes as another.
        let nothing = Cover::empty(&layout);
        let rows = dense.rows(&primes, &cover, &nothing, usize::MAX, &budget).expect("endless");
        let expected_rows: BTreeSet<Vec<u32>> = points(&layout)
            .iter()
            .filter(|p| cover.cubes().any(|c| cube::within(p, c)))
            .map(|p| {
                (0..primes.len() as u32)
                    .filter(|&i| cube::within(p, primes.cube(i as usize)))
                    .collect()
            })
            .collect();
        prop_assert_eq!(rows.into_iter().collect::<BTreeSet<_>>(), expected_rows);
    }
}

#[test]
fn the_wide_way_keeps_to_its_memory() {
    // Twenty parities of three inputs each, an output for each: 5^20 primes and more.
    let outputs = 20;
    let layout = Arc::new(Layout::new(3 * outputs, &[], outputs).expect("in range"));
    let mut cover = Cover::empty(&layout);
    for output in 0..outputs {
        for odd in [0b001, 0b010, 0b100, 0b111] {
            let mut fields = vec![vec![0, 1]; 3 * outputs];
            for bit in 0..3 {
                fields[3 * output + bit] = vec![odd >> bit & 1];
            }
            fields.push(vec![output]);
            let fields: Vec<&[usize]> = fields.iter().map(Vec::as_slice).collect();
            cover.push_fields(&fields).expect("in range");
        }
    }
    let budget = Budget::new(None, None, 1 << 20);
    let mut stack = Stack::new(&layout, &budget);
    let stopped = all_primes(&layout, cover.cubes(), u64::MAX, &mut stack).map(drop);
    assert_eq!(stopped, Err(Stop::Memory));
}
