//! Sums of fractions with different denominators, exact, rounded once.

use super::work;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::money::Rounding;

/// `whole + part / of` with `0 <= part < of`: the floor and what is above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fraction {
    whole: i128,
    part: i128,
    of: i128,
}

impl Fraction {
    pub(super) const ZERO: Self = Self { whole: 0, part: 0, of: 1 };

    /// `numerator / denominator`.
    pub(super) fn new(numerator: i128, denominator: i128) -> Self {
        let (whole, part) = floor(numerator, denominator);
        Self { whole, part, of: denominator }
    }

    /// Adds another.
    ///
    /// # Errors
    /// `PK_E_OVERFLOW` when the common denominator leaves 128 bits. That takes more than four
    /// different totals of inclusive rates under one tax, and such whose denominators share next to
    /// nothing.
    pub(super) fn plus(self, other: Self) -> Result<Self> {
        work(1);
        let shared = greatest_common_divisor(self.of, other.of);
        let sum = self.of.checked_mul(other.of / shared).and_then(|of| {
            let mine = self.part.checked_mul(of / self.of)?;
            let theirs = other.part.checked_mul(of / other.of)?;
            Some((mine.checked_add(theirs)?, of))
        });
        let Some((part, of)) = sum else {
            let message = "too many different totals of inclusive tax rates for one exact sum";
            return Err(Error::new(Code::Overflow, message).with("what", "tax rates"));
        };
        let (carry, part) = if part >= of { (1, part - of) } else { (0, part) };
        Ok(Self { whole: self.whole + other.whole + carry, part, of })
    }

    /// To a whole number.
    pub(super) fn round(self, rounding: Rounding) -> i128 {
        // By magnitude, so that what is paid back mirrors what was taken.
        if self.whole < 0 {
            let (whole, part) = match self.part {
                0 => (-self.whole, 0),
                part => (-self.whole - 1, self.of - part),
            };
            return -(whole + i128::from(rounding.goes_away(part, self.of, whole % 2 != 0)));
        }
        self.whole + i128::from(rounding.goes_away(self.part, self.of, self.whole % 2 != 0))
    }
}

/// Quotient and remainder with `0 <= remainder < denominator`.
pub(super) fn floor(numerator: i128, denominator: i128) -> (i128, i128) {
    match (i64::try_from(numerator), i64::try_from(denominator)) {
        (Ok(numerator), Ok(denominator)) => (
            i128::from(numerator.div_euclid(denominator)),
            i128::from(numerator.rem_euclid(denominator)),
        ),
        _ => (numerator.div_euclid(denominator), numerator.rem_euclid(denominator)),
    }
}

fn greatest_common_divisor(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn three_thirds_are_one_and_ties_are_seen_exactly() {
        let third = Fraction::new(1, 3);
        let one = third.plus(third).unwrap().plus(third).unwrap();
        assert_eq!((one.whole, one.part), (1, 0));
        // 1/3 + 1/6 is exactly a half.
        let half = third.plus(Fraction::new(1, 6)).unwrap();
        let rounded = [Rounding::HalfUp, Rounding::HalfEven, Rounding::Up, Rounding::Down]
            .map(|rule| half.round(rule));
        assert_eq!(rounded, [1, 0, 1, 0]);
        let minus = Fraction::new(-1, 3).plus(Fraction::new(-1, 6)).unwrap();
        let rounded = [Rounding::HalfUp, Rounding::HalfEven, Rounding::Up, Rounding::Down]
            .map(|rule| minus.round(rule));
        assert_eq!(rounded, [-1, 0, -1, 0]);
    }

    #[test]
    fn denominators_without_common_factors_are_refused_and_do_not_wrap() {
        let mut sum = Fraction::ZERO;
        let mut refused = None;
        for prime in
            [1_000_003_i128, 1_000_033, 1_000_037, 1_000_039, 1_000_081, 1_000_099, 1_000_117]
        {
            match sum.plus(Fraction::new(1, prime)) {
                Ok(next) => sum = next,
                Err(error) => {
                    refused = Some(error.code());
                    break;
                }
            }
        }
        assert_eq!(refused, Some(Code::Overflow));
    }
}
