//! Rounding to the minor unit, by a rule that is always named.

use super::{Decimal, in_range, too_large};
use crate::error::Result;
use crate::limits::SCALE_MAX;

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
    let divisor = power_of_ten(quantity.scale() + unit_price.scale());
    in_range(divide(product, divisor, rounding))
}

/// Quantity times the price of `per` units, divided by `per`, rounded once to the minor unit: 350 g
/// at 1.99 per 100 g.
///
/// # Errors
/// `PK_E_OVERFLOW` when the amount leaves the range of safe integers, or the exact product that of
/// 128 bits.
///
/// # Panics
/// When `per` is not positive; whoever reads it from a host checks that.
pub fn extend_per(
    quantity: Decimal,
    unit_price: Decimal,
    per: Decimal,
    rounding: Rounding,
) -> Result<i64> {
    if (per.mantissa(), per.scale()) == (1, 0) {
        return extend(quantity, unit_price, rounding);
    }
    let product = i128::from(quantity.mantissa()) * i128::from(unit_price.mantissa());
    let divisor = i128::from(per.mantissa()) * power_of_ten(quantity.scale() + unit_price.scale());
    match product.checked_mul(power_of_ten(per.scale())) {
        Some(product) => in_range(divide(product, divisor, rounding)),
        None => Err(too_large("quantity times price", &product)),
    }
}

/// Divides and rounds. This is the one place where an amount loses its fraction.
///
/// # Panics
/// When the divisor is not positive.
#[must_use]
pub fn divide(value: i128, divisor: i128, rounding: Rounding) -> i128 {
    assert!(divisor > 0);
    // Amounts of a shop fit into 64 bits, whose division is several times as fast.
    let (quotient, rest) = match (i64::try_from(value), i64::try_from(divisor)) {
        (Ok(value), Ok(divisor)) => {
            (i128::from(value / divisor), i128::from(value % divisor).abs())
        }
        _ => (value / divisor, (value % divisor).abs()),
    };
    let away = rounding.goes_away(rest, divisor, quotient % 2 != 0);
    quotient + if away { value.signum() } else { 0 }
}

impl Rounding {
    /// Whether a magnitude with the fraction `rest / divisor`, 0 <= rest < divisor, becomes the next
    /// whole number, given whether its whole part is odd.
    pub(crate) fn goes_away(self, rest: i128, divisor: i128, is_odd: bool) -> bool {
        // Compared with what is left to the next whole number, so that nothing is doubled.
        let left = divisor - rest;
        match self {
            Self::HalfUp => rest >= left,
            Self::HalfEven => rest > left || (rest == left && is_odd),
            Self::Up => rest > 0,
            Self::Down => false,
        }
    }
}

/// Ten to a power of at most eighteen: three scales.
pub(crate) fn power_of_ten(exponent: u8) -> i128 {
    POWERS[usize::from(exponent)]
}

const POWERS: [i128; 3 * SCALE_MAX as usize + 1] = {
    let mut powers = [1_i128; 3 * SCALE_MAX as usize + 1];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

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
