//! Rounding to the minor unit, by a rule that is always named.

use super::{Decimal, in_range};
use crate::error::Result;

/// How half a minor unit, or any part of one, becomes a whole one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest; ties away from zero, so that a return mirrors its sale.
    HalfUp,
    /// To the nearest; ties to the even one.
    HalfEven,
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
}

/// Quantity times unit price, rounded to the minor unit.
///
/// # Errors
/// `PK_E_OVERFLOW` when the amount leaves the range of safe integers.
pub fn extend(quantity: Decimal, unit_price: Decimal, rounding: Rounding) -> Result<i64> {
    let product = i128::from(quantity.mantissa()) * i128::from(unit_price.mantissa());
    let divisor = 10_i128.pow(u32::from(quantity.scale() + unit_price.scale()));
    in_range(divide(product, divisor, rounding))
}

fn divide(value: i128, divisor: i128, rounding: Rounding) -> i128 {
    assert!(divisor > 0);
    let quotient = value / divisor;
    let rest = (value % divisor).abs();
    let away = match rounding {
        Rounding::HalfUp => rest * 2 >= divisor && rest > 0,
        Rounding::HalfEven => rest * 2 > divisor || (rest * 2 == divisor && quotient % 2 != 0),
        Rounding::Up => rest > 0,
        Rounding::Down => false,
    };
    quotient + if away { value.signum() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::{Rounding, extend};
    use crate::money::Decimal;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn ties_go_where_their_rule_sends_them() {
        let cases = [
            ("0.5", 1, 0, 1, 0),
            ("1.5", 2, 2, 2, 1),
            ("2.5", 3, 2, 3, 2),
            ("-2.5", -3, -2, -3, -2),
            ("2.4", 2, 2, 3, 2),
            ("-0.1", 0, 0, -1, 0),
        ];
        for (price, half_up, half_even, up, down) in cases {
            let round = |rule| extend(Decimal::whole(1), decimal(price), rule).unwrap();
            assert_eq!(round(Rounding::HalfUp), half_up, "{price}");
            assert_eq!(round(Rounding::HalfEven), half_even, "{price}");
            assert_eq!(round(Rounding::Up), up, "{price}");
            assert_eq!(round(Rounding::Down), down, "{price}");
        }
    }

    #[test]
    fn the_largest_factors_are_refused_and_do_not_wrap() {
        let large = Decimal::whole(i64::MAX);
        assert!(extend(large, large, Rounding::HalfUp).is_err());
        assert!(extend(Decimal::whole(2), large, Rounding::HalfUp).is_err());
    }

    proptest! {
        #[test]
        fn a_return_mirrors_its_sale(q in 1_i64..1_000_000, qs in 0_u8..=6, p in 0_i64..1_000_000, ps in 0_u8..=6) {
            let price = Decimal::new(p, ps).unwrap();
            for rule in [Rounding::HalfUp, Rounding::HalfEven, Rounding::Up, Rounding::Down] {
                let sale = extend(Decimal::new(q, qs).unwrap(), price, rule).unwrap();
                let back = extend(Decimal::new(-q, qs).unwrap(), price, rule).unwrap();
                prop_assert_eq!(sale, -back);
            }
        }
    }
}
