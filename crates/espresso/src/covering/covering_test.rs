//! The covering solver against trying every set of columns.

use proptest::prelude::*;

use super::{Covering, Effort, Keep};
use crate::budget::Budget;

/// The smallest size of a set of columns that meets every row, and the least weight at that size.
fn least(rows: &[Vec<u32>], weights: &[u32]) -> (u32, u32) {
    (0u32..1 << weights.len())
        .filter(|set| rows.iter().all(|row| row.iter().any(|&c| set >> c & 1 == 1)))
        .map(|set| {
            let weight = (0..weights.len()).filter(|c| set >> c & 1 == 1).map(|c| weights[c]).sum();
            (set.count_ones(), weight)
        })
        .min()
        .expect("all columns together meet every row")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn branch_and_bound_finds_the_minimum_and_proves_it(
        masks in prop::collection::vec(1u32..1 << 12, 1..24),
        weights in prop::collection::vec(1u32..9, 12),
    ) {
        let rows: Vec<Vec<u32>> =
            masks.iter().map(|m| (0..12).filter(|c| m >> c & 1 == 1).collect()).collect();
        let budget = Budget::endless();
        let (size, weight) = least(&rows, &weights);
        let covers = |columns: &[u32]| {
            rows.iter().all(|row| row.iter().any(|c| columns.contains(c)))
        };
        let problem = || Covering { rows: rows.clone(), weights: weights.clone() };
        let thorough = Effort { keep: Keep::Count, search_per_column: 5, bound: 100, branch: 100_000 };
        let answer = problem().solve(thorough, usize::MAX, &budget).expect("endless");
        prop_assert!(covers(&answer.columns));
        prop_assert_eq!(answer.columns.len() as u32, size);
        prop_assert_eq!(answer.lower_bound as u32, size);

        let bounded = Effort { keep: Keep::Count, search_per_column: 0, bound: 30, branch: 0 };
        let answer = problem().solve(bounded, usize::MAX, &budget).expect("endless");
        prop_assert!(covers(&answer.columns));
        prop_assert!(answer.lower_bound as u32 <= size);

        let searched = Effort { keep: Keep::Weights, search_per_column: 2_000, bound: 0, branch: 0 };
        let answer = problem().solve(searched, usize::MAX, &budget).expect("endless");
        prop_assert!(covers(&answer.columns));
        let found: u32 = answer.columns.iter().map(|&c| weights[c as usize]).sum();
        prop_assert!((answer.columns.len() as u32, found) >= (size, weight));
    }
}
