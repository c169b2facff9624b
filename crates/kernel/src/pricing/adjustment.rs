//! Discounts and surcharges: what they are worth on an amount, one after the other.

use super::tax::PPM;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::limits::{AMOUNT_MAX, RATE_PPM_MAX};
use crate::money::{Rounding, divide, in_range};

/// Whether an adjustment makes an amount smaller or larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Towards zero.
    Discount,
    /// Away from zero.
    Surcharge,
}

impl Direction {
    /// The number that stands in the journal; it never changes.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Discount => 1,
            Self::Surcharge => 2,
        }
    }

    /// The direction with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Discount, Self::Surcharge].into_iter().find(|way| way.number() == number)
    }

    /// The name that hosts use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Discount => "discount",
            Self::Surcharge => "surcharge",
        }
    }
}

/// How much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Worth {
    /// Minor units, over zero.
    Amount(i64),
    /// Parts per million of the amount as it stands, over zero.
    Percent(u32),
}

/// A discount or a surcharge, on a line or on the sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Adjustment {
    /// Smaller or larger.
    pub direction: Direction,
    /// How much.
    pub worth: Worth,
}

impl Adjustment {
    /// A discount of minor units.
    #[must_use]
    pub fn discount(amount: i64) -> Self {
        Self { direction: Direction::Discount, worth: Worth::Amount(amount) }
    }

    /// A discount of parts per million.
    #[must_use]
    pub fn discount_ppm(ppm: u32) -> Self {
        Self { direction: Direction::Discount, worth: Worth::Percent(ppm) }
    }

    /// A surcharge of minor units.
    #[must_use]
    pub fn surcharge(amount: i64) -> Self {
        Self { direction: Direction::Surcharge, worth: Worth::Amount(amount) }
    }

    /// A surcharge of parts per million.
    #[must_use]
    pub fn surcharge_ppm(ppm: u32) -> Self {
        Self { direction: Direction::Surcharge, worth: Worth::Percent(ppm) }
    }

    /// Its magnitude on an amount of this magnitude.
    ///
    /// # Errors
    /// `PK_E_BAD_AMOUNT` when it is not over zero or takes more than there is, `PK_E_BAD_RATE` when
    /// the percentage is not over zero or too high, `PK_E_OVERFLOW`.
    pub(super) fn magnitude(&self, of: i128, rounding: Rounding) -> Result<i64> {
        let magnitude = match self.worth {
            Worth::Amount(amount) => {
                if amount <= 0 || amount > AMOUNT_MAX {
                    return Err(refused(self, amount.into(), of));
                }
                amount.into()
            }
            Worth::Percent(ppm) => {
                let most = match self.direction {
                    Direction::Discount => 1_000_000,
                    Direction::Surcharge => RATE_PPM_MAX,
                };
                if ppm == 0 || ppm > most {
                    let message =
                        format!("a percentage of {ppm} parts per million is outside 1 to {most}");
                    return Err(Error::new(Code::BadRate, message)
                        .with("value", ppm)
                        .with("limit", most));
                }
                divide(of * i128::from(ppm), PPM, rounding)
            }
        };
        if self.direction == Direction::Discount && magnitude > of {
            return Err(refused(self, magnitude, of));
        }
        in_range(magnitude)
    }

    /// The sign that its magnitude has on a positive amount.
    pub(super) fn sign(&self) -> i64 {
        match self.direction {
            Direction::Discount => -1,
            Direction::Surcharge => 1,
        }
    }
}

fn refused(adjustment: &Adjustment, magnitude: i128, of: i128) -> Error {
    let what = adjustment.direction.name();
    let message = format!("a {what} of {magnitude} does not fit an amount of {of} minor units");
    Error::new(Code::BadAmount, message)
        .with("value", magnitude.to_string())
        .with("limit", of.to_string())
}

const _: () = assert!(PPM == 1_000_000);
