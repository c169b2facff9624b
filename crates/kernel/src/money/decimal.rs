//! Exact decimals for quantities and unit prices: a mantissa and a scale of 0 to 6.

use crate::limits::SCALE_MAX;
use std::fmt;

/// `mantissa / 10^scale`. Two spellings of one value differ: `1.0` is kept as it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    mantissa: i64,
    scale: u8,
}

impl Decimal {
    /// A decimal, unless its scale is over six.
    #[must_use]
    pub fn new(mantissa: i64, scale: u8) -> Option<Self> {
        (scale <= SCALE_MAX).then_some(Self { mantissa, scale })
    }

    /// A whole number.
    #[must_use]
    pub fn whole(mantissa: i64) -> Self {
        Self { mantissa, scale: 0 }
    }

    /// Reads `-12.340`: an optional sign, digits, optionally a point and one to six digits.
    /// No exponent, no leading `+`, no spaces, no bare point.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (digits, ""),
        };
        if whole.is_empty() || fraction.len() > usize::from(SCALE_MAX) {
            return None;
        }
        let mut mantissa = 0_i64;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return None;
            }
            mantissa = mantissa.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
        }
        let mantissa = if negative { -mantissa } else { mantissa };
        Self::new(mantissa, u8::try_from(fraction.len()).ok()?)
    }

    /// The digits without the point.
    #[must_use]
    pub fn mantissa(self) -> i64 {
        self.mantissa
    }

    /// Digits behind the point.
    #[must_use]
    pub fn scale(self) -> u8 {
        self.scale
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let scale = usize::from(self.scale);
        let digits = format!("{:0>width$}", self.mantissa.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let point = if scale > 0 { "." } else { "" };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;
    use proptest::prelude::*;

    #[test]
    fn malformed_decimals_are_refused() {
        for text in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "+1",
            "1e3",
            " 1",
            "1 ",
            "0x1",
            "1,5",
            "--1",
            "1.2.3",
            "1.0000001",
            "9223372036854775808",
            "NaN",
            "٣",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(mantissa in any::<i64>().prop_filter("min", |m| *m > i64::MIN), scale in 0_u8..=6) {
            let decimal = Decimal::new(mantissa, scale).unwrap();
            prop_assert_eq!(Decimal::parse(&decimal.to_string()), Some(decimal));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,40}") {
            let _ = Decimal::parse(&text);
        }
    }
}
