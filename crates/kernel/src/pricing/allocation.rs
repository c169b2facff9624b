//! Largest remainder: a whole number handed out in parts that add up to it exactly.
//!
//! Each part is first the floor of its exact share; what is then missing is handed out one by one to
//! the shares with the largest remainders, and of equal remainders to the one that stands first.
//! Signs are turned round first when the total is negative, or zero with a negative share first: so
//! the parts of a return mirror those of its sale.

use super::fraction::floor;
use super::work;
use std::cmp::Ordering;

/// An exact share of a total: `numerator / denominator`, the denominator positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) numerator: i128,
    pub(super) denominator: i128,
}

impl Share {
    pub(super) fn new(numerator: i128, denominator: i128) -> Self {
        Self { numerator, denominator }
    }
}

/// Hands out `total`, which must be the sum of the shares rounded up or down. `order` is room for as
/// many numbers as there are shares; `give` is told each part once, in no order.
pub(super) fn allocate(
    total: i128,
    shares: &[Share],
    order: &mut [u32],
    mut give: impl FnMut(usize, i128),
) {
    assert_eq!(shares.len(), order.len());
    work(shares.len());
    let first = shares.iter().map(|share| share.numerator.signum()).find(|sign| *sign != 0);
    let sign = match total.signum() {
        0 => first.unwrap_or(1),
        sign => sign,
    };
    let parts = |index: u32| {
        let share = shares[index as usize];
        floor(sign * share.numerator, share.denominator)
    };
    let mut missing = sign * total;
    for (slot, index) in order.iter_mut().zip(0_u32..) {
        *slot = index;
        missing -= parts(index).0;
    }
    assert!(missing >= 0, "the total is below its shares");
    let missing = usize::try_from(missing).expect("it is at most the number of shares");
    assert!(missing <= shares.len(), "the total is above its shares");
    if missing > 0 && missing < order.len() {
        order.select_nth_unstable_by(missing - 1, |a, b| {
            let remainder = |index: &u32| (parts(*index).1, shares[*index as usize].denominator);
            larger_first(remainder(a), remainder(b)).then(a.cmp(b))
        });
    }
    for (position, index) in order.iter().enumerate() {
        let extra = i128::from(position < missing);
        give(*index as usize, sign * (parts(*index).0 + extra));
    }
}

/// Compares two fractions below one. Their denominators stay below 2^63, so nothing wraps.
fn larger_first(a: (i128, i128), b: (i128, i128)) -> Ordering {
    if a.1 == b.1 {
        return b.0.cmp(&a.0);
    }
    (b.0 * a.1).cmp(&(a.0 * b.1))
}

#[cfg(test)]
mod tests {
    use super::{Share, allocate};
    use proptest::prelude::*;

    fn split(total: i128, weights: &[i128]) -> Vec<i128> {
        let sum: i128 = weights.iter().sum();
        let shares: Vec<Share> =
            weights.iter().map(|weight| Share::new(total * weight, sum)).collect();
        let mut parts = vec![0; weights.len()];
        allocate(total, &shares, &mut vec![0; weights.len()], |index, part| parts[index] = part);
        parts
    }

    #[test]
    fn ties_go_to_the_first() {
        assert_eq!(split(1, &[1, 1, 1]), [1, 0, 0]);
        assert_eq!(split(2, &[1, 1, 1]), [1, 1, 0]);
        assert_eq!(split(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(split(-100, &[1, 1, 1]), [-34, -33, -33]);
        assert_eq!(split(5, &[0, 3, 0, 4]), [0, 2, 0, 3]);
    }

    /// A basket of a sold and a returned line may have a tax of zero altogether.
    #[test]
    fn a_total_of_zero_is_mirrored_too() {
        let of = |shares: [i128; 2]| {
            let mut parts = [0; 2];
            let shares = shares.map(|half| Share::new(half, 2));
            allocate(0, &shares, &mut [0; 2], |index, part| parts[index] = part);
            parts
        };
        assert_eq!(of([1, -1]), [1, -1]);
        assert_eq!(of([-1, 1]), [-1, 1]);
    }

    proptest! {
        #[test]
        fn parts_add_up_and_lie_within_one_of_their_shares(
            total in -10_000_i128..10_000,
            weights in prop::collection::vec(0_i128..1_000, 1..40),
        ) {
            let sum: i128 = weights.iter().sum();
            prop_assume!(sum > 0);
            let parts = split(total, &weights);
            prop_assert_eq!(parts.iter().sum::<i128>(), total);
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!((part * sum - total * weight).abs() < sum);
            }
            let mirrored: Vec<i128> = split(-total, &weights).iter().map(|part| -part).collect();
            prop_assert_eq!(mirrored, parts);
        }

        /// Sorting by hand, one unit at a time, gives the same.
        #[test]
        fn it_is_the_method_of_the_largest_remainder(
            total in 0_i128..10_000,
            weights in prop::collection::vec(0_i128..50, 1..20),
        ) {
            let sum: i128 = weights.iter().sum();
            prop_assume!(sum > 0);
            let mut parts: Vec<i128> = weights.iter().map(|weight| total * weight / sum).collect();
            let mut remainders: Vec<i128> = weights.iter().map(|weight| total * weight % sum).collect();
            while parts.iter().sum::<i128>() < total {
                let largest = remainders.iter().copied().max().unwrap_or(0);
                let index = remainders.iter().position(|rest| *rest == largest).unwrap_or(0);
                remainders[index] = -1;
                parts[index] += 1;
            }
            prop_assert_eq!(split(total, &weights), parts);
        }
    }
}
