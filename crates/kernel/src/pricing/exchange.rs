//! Foreign money: what it is worth in the till's currency.

use crate::code::Code;
use crate::error::{Error, Result};
use crate::money::{Currency, Decimal, divide, in_range, power_of_ten, too_large};
use crate::policy::Policy;

/// What `per` whole units of a foreign currency are worth in whole units of the till's: 0.9312 francs
/// for 1 euro, 0.6134 euros for 100 yen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeRate {
    currency: Currency,
    minor_digits: u8,
    worth: Decimal,
    per: u32,
}

impl ExchangeRate {
    /// A rate.
    ///
    /// # Errors
    /// `PK_E_BAD_RATE` when `worth` or `per` is not more than zero.
    pub fn new(currency: Currency, worth: Decimal, per: u32) -> Result<Self> {
        if worth.mantissa() > 0 && per > 0 {
            return Ok(Self { currency, minor_digits: currency.exponent(), worth, per });
        }
        let message = format!("an exchange rate of {worth} for {per} {currency} is not over zero");
        Err(Error::new(Code::BadRate, message)
            .with("value", worth.to_string())
            .with("per", per)
            .with("currency", currency.letters()))
    }

    /// The foreign currency.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// What `per` whole units are worth in whole units of the till's currency.
    #[must_use]
    pub fn worth(&self) -> Decimal {
        self.worth
    }

    /// Units that the rate is for.
    #[must_use]
    pub fn per(&self) -> u32 {
        self.per
    }

    /// What an amount of foreign minor units is worth in minor units of the till, rounded once, as
    /// the policy rounds amounts.
    ///
    /// # Errors
    /// `PK_E_OVERFLOW`.
    ///
    /// ```
    /// use pos_kernel_core::money::{Currency, Decimal};
    /// use pos_kernel_core::policy::Policy;
    /// use pos_kernel_core::pricing::ExchangeRate;
    /// let swiss = Policy::of(Currency::parse("CHF")?);
    /// let worth = Decimal::parse("0.9312").expect("a decimal");
    /// let rate = ExchangeRate::new(Currency::parse("EUR")?, worth, 1)?;
    /// assert_eq!(rate.convert(&swiss, 2000)?, 1862);
    /// # Ok::<(), pos_kernel_core::Error>(())
    /// ```
    pub fn convert(&self, policy: &Policy, foreign_minor: i64) -> Result<i64> {
        let home_digits = policy.terms().minor_digits;
        let numerator = i128::from(foreign_minor) * i128::from(self.worth.mantissa());
        let numerator = numerator
            .checked_mul(power_of_ten(home_digits))
            .ok_or_else(|| too_large("foreign amount times rate", &numerator))?;
        let denominator =
            i128::from(self.per) * power_of_ten(self.worth.scale() + self.minor_digits);
        in_range(divide(numerator, denominator, policy.terms().amount_rounding))
    }
}
