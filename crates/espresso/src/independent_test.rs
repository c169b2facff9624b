//! The bound from points: never above the minimum, and the minimum where outputs have inputs of
//! their own.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Inside, Patience, products_least};
use crate::blocking::Blocking;
use crate::budget::Budget;
use crate::care::Care;
use crate::cover::Cover;
use crate::layout::Layout;
use crate::minimizer::{Minimizer, Mode};
use crate::recurse::Stack;
use crate::recursion_test::cover_of;

/// The bound for a cover that was found, and the minimum.
fn bound_and_minimum(on: &Cover, free: &Cover) -> (usize, usize) {
    let layout = on.layout();
    let run = |mode| {
        let minimizer = Minimizer::new(layout).mode(mode);
        minimizer.minimize(on, Some(free), None).expect("small")
    };
    let (found, least) = (run(Mode::Fast), run(Mode::Exact));
    assert!(least.proved);
    let off = least.r.expect("it is computed");
    let columns = Blocking::new(layout, &off);
    let budget = Budget::endless();
    let care = Care { free: free.clone(), pieces: None };
    let mut stack = Stack::new(layout, &budget);
    let inside = Inside::Off(&off, &columns);
    let bound = products_least(&found.f, &care, &inside, Patience::Much, &mut stack);
    (bound.expect("endless"), least.cost.products)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_cover_has_fewer_products(
        layout in (1usize..=6, prop::collection::vec(1usize..=4, 0..=2), 1usize..=5).prop_map(
            |(binaries, valued, outputs)| {
                Arc::new(Layout::new(binaries, &valued, outputs).expect("small"))
            },
        ),
        on in prop::collection::vec(any::<u64>(), 0..24),
        free in prop::collection::vec(any::<u64>(), 0..4),
    ) {
        let (on, free) = (cover_of(Arc::clone(&layout), &on), cover_of(layout, &free));
        let (bound, minimum) = bound_and_minimum(&on, &free);
        prop_assert!(bound <= minimum, "{bound} of {minimum}");
    }
}

#[test]
fn outputs_with_inputs_of_their_own_are_proved_without_their_primes() {
    // Each of 20 outputs is the parity of three inputs: 4 products each, and 5^20 primes at least.
    let outputs = 20;
    let layout = Arc::new(Layout::new(3 * outputs, &[], outputs).expect("in range"));
    let mut on = Cover::empty(&layout);
    for output in 0..outputs {
        for odd in [0b001, 0b010, 0b100, 0b111] {
            let mut fields = vec![vec![0, 1]; 3 * outputs];
            for bit in 0..3 {
                fields[3 * output + bit] = vec![odd >> bit & 1];
            }
            fields.push(vec![output]);
            let fields: Vec<&[usize]> = fields.iter().map(Vec::as_slice).collect();
            on.push_fields(&fields).expect("in range");
        }
    }
    let solution = Minimizer::new(&layout).mode(Mode::Exact).minimize(&on, None, None);
    let solution = solution.expect("it has an answer");
    assert_eq!((solution.cost.products, solution.lower_bound), (4 * outputs, 4 * outputs));
    assert!(solution.proved);
}
