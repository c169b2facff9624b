//! Tax components: the class, the rate, and whether the price contains it.

use crate::code::Code;
use crate::error::{Error, Result};
use crate::limits::{RATE_PPM_MAX, TAX_CLASS_BYTES_MAX, TAX_COMPONENTS_MAX};
use crate::money::{Decimal, power_of_ten};
use std::fmt;

/// Parts per million in a whole.
pub(super) const PPM: i128 = 1_000_000;

/// Name of a tax class: up to twelve visible ASCII characters, or nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TaxClass([u8; TAX_CLASS_BYTES_MAX]);

impl TaxClass {
    /// Reads a name.
    ///
    /// # Errors
    /// `PK_E_BAD_TEXT` when it is longer than twelve bytes or holds anything but visible ASCII.
    pub fn parse(text: &str) -> Result<Self> {
        let mut name = [0; TAX_CLASS_BYTES_MAX];
        match name.get_mut(..text.len()) {
            Some(room) if text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                room.copy_from_slice(text.as_bytes());
                Ok(Self(name))
            }
            _ => Err(Error::new(
                Code::BadText,
                format!("a tax class is at most {TAX_CLASS_BYTES_MAX} visible ASCII characters"),
            )
            .with("what", "class")
            .with("bytes", text.len())
            .with("limit", TAX_CLASS_BYTES_MAX)),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|byte| *byte == 0).unwrap_or(TAX_CLASS_BYTES_MAX);
        std::str::from_utf8(&self.0[..length]).expect("only ASCII is taken")
    }
}

impl fmt::Debug for TaxClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// One tax on a line. Two components are the same tax when all three values are the same; each tax
/// has a row of its own in the tax table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaxComponent {
    /// Class, for people and for exports.
    pub class: TaxClass,
    /// Rate in parts per million of the net amount: 19 % is 190,000.
    pub rate_ppm: u32,
    /// The price contains it.
    pub inclusive: bool,
}

impl TaxComponent {
    /// The rate as a wide number.
    pub(super) fn rate(&self) -> i128 {
        i128::from(self.rate_ppm)
    }
}

/// Reads a percentage such as `8.25` as parts per million.
///
/// # Errors
/// `PK_E_BAD_RATE` when it is malformed, negative, over 1,000 % or finer than a ten-thousandth of a
/// per cent.
pub fn rate_ppm(percent: &str) -> Result<u32> {
    Decimal::parse(percent)
        .and_then(|percent| {
            let scaled = i128::from(percent.mantissa()) * power_of_ten(4);
            let divisor = power_of_ten(percent.scale());
            let ppm = u32::try_from(scaled / divisor).ok().filter(|ppm| *ppm <= RATE_PPM_MAX);
            ppm.filter(|_| scaled % divisor == 0)
        })
        .ok_or_else(|| {
            let shown: String = percent.chars().take(40).collect();
            let message = format!(
                "{shown:?} is not a percentage such as 8.25, from 0 to {}, with at most 4 places",
                RATE_PPM_MAX / 10_000
            );
            Error::new(Code::BadRate, message).with("value", shown)
        })
}

/// Checks the components of a line: their number, their rates, and that none stands twice.
///
/// # Errors
/// `PK_E_BAD_RATE`, `PK_E_LIMIT`.
pub(super) fn check(components: &[TaxComponent]) -> Result<()> {
    if components.len() > TAX_COMPONENTS_MAX {
        return Err(Error::limit("tax components of a line", components.len(), TAX_COMPONENTS_MAX));
    }
    for (index, component) in components.iter().enumerate() {
        if component.rate_ppm > RATE_PPM_MAX {
            let message = format!(
                "a tax rate of {} parts per million is over the limit of {RATE_PPM_MAX}",
                component.rate_ppm
            );
            return Err(Error::new(Code::BadRate, message)
                .with("value", component.rate_ppm)
                .with("limit", RATE_PPM_MAX));
        }
        if components[..index].contains(component) {
            let message = format!(
                "the tax {:?} of {} parts per million stands twice on the line",
                component.class.as_str(),
                component.rate_ppm
            );
            return Err(Error::new(Code::BadRate, message)
                .with("class", component.class.as_str())
                .with("value", component.rate_ppm));
        }
    }
    Ok(())
}

/// One more than the inclusive rates together, in parts per million: a price of this many parts
/// contains a million parts of net.
pub(super) fn price_parts(components: &[TaxComponent]) -> i128 {
    PPM + components.iter().filter(|c| c.inclusive).map(TaxComponent::rate).sum::<i128>()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn percentages_become_parts_per_million_or_are_refused() {
        let good = [
            ("19", 190_000),
            ("8.25", 82_500),
            ("0", 0),
            ("0.0001", 1),
            ("1000.000000", 10_000_000),
        ];
        for (text, ppm) in good {
            assert_eq!(rate_ppm(text).unwrap(), ppm, "{text}");
        }
        for text in ["", "-1", "19%", "1000.0001", "0.00001", "1e1", "99999999999999999999"] {
            assert_eq!(rate_ppm(text).unwrap_err().code(), Code::BadRate, "{text}");
        }
    }

    #[test]
    fn classes_keep_their_names_or_are_refused() {
        for text in ["", "S", "GST/HST", "superreduced"] {
            assert_eq!(TaxClass::parse(text).unwrap().as_str(), text);
        }
        for text in ["superreduced2", "a b", "é", "\0"] {
            assert_eq!(TaxClass::parse(text).unwrap_err().code(), Code::BadText, "{text:?}");
        }
    }
}
