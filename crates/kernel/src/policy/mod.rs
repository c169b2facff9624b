//! Policy: the rules by which a till prices, taxes, rounds and gives change.
//!
//! What lives here: the choices that a shop, a country or a host makes once, checked once and then
//! immutable; their canonical bytes and the hash of those. What must not: any amount, any sale, and
//! any rule that is chosen elsewhere. A policy is small and made of integers, so that the journal can
//! carry it whole; a completion names it by its hash, so that an auditor knows by which rules a
//! receipt was made.
//!
//! Invariants: a [`Policy`] that exists is valid; one policy has exactly one spelling in bytes, and
//! bytes with any other spelling are refused; so equal hashes mean equal rules.
//!
//! Read `rules.rs` first (the choices), then `encoding.rs` (their bytes). What each choice does to
//! an amount is told in `pricing/` and in `docs/reference/pricing.md`.

mod encoding;
mod rules;

pub use encoding::POLICY_VERSION;
pub use rules::{
    CashRounding, GrossSplit, MeansSet, PaymentMeans, Prices, TaxScope, UnboundReturns,
};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::limits::{CASH_STEP_MAX, MINOR_DIGITS_MAX};
use crate::money::{Currency, Rounding};

/// What a policy says, as a host gives it. [`PolicyTerms::of`] has the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyTerms {
    /// Currency of the till.
    pub currency: Currency,
    /// Decimal places of its minor unit, 0 to 4; those of ISO 4217 unless the host counts otherwise.
    pub minor_digits: u8,
    /// Whether a tax component that says nothing of itself is part of the price.
    pub prices: Prices,
    /// What tax is worked out and rounded on.
    pub tax_scope: TaxScope,
    /// How tax is rounded.
    pub tax_rounding: Rounding,
    /// What of a gross amount is rounded, and what is the difference.
    pub gross_split: GrossSplit,
    /// How the amount of a line, a percentage of an amount and converted money are rounded.
    pub amount_rounding: Rounding,
    /// Smallest cash, in minor units: 5 in Switzerland, 100 in Sweden, 1 for no cash rounding.
    pub cash_step: u32,
    /// How cash is rounded to the step.
    pub cash_rounding: CashRounding,
    /// What may be tendered for more than is due.
    pub change_from: MeansSet,
    /// Whether one sale may hold both sold and returned lines.
    pub mixed_returns: bool,
    /// What becomes of a return without its receipt.
    pub unbound_returns: UnboundReturns,
}

impl PolicyTerms {
    /// The defaults: net prices, tax per rate, half up everywhere, the tax of a gross amount rounded
    /// first, no cash rounding, change from cash of any currency, returns mixed with sales, and
    /// unbound returns with approval.
    #[must_use]
    pub fn of(currency: Currency) -> Self {
        Self {
            currency,
            minor_digits: currency.exponent(),
            prices: Prices::Net,
            tax_scope: TaxScope::PerRate,
            tax_rounding: Rounding::HalfUp,
            gross_split: GrossSplit::TaxFirst,
            amount_rounding: Rounding::HalfUp,
            cash_step: 1,
            cash_rounding: CashRounding::HalfUp,
            change_from: MeansSet::of(&[PaymentMeans::Cash, PaymentMeans::Foreign]),
            mixed_returns: true,
            unbound_returns: UnboundReturns::Approve,
        }
    }
}

/// A valid policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    terms: PolicyTerms,
}

impl Policy {
    /// Checks the terms.
    ///
    /// # Errors
    /// `PK_E_BAD_POLICY` with the name of the value that is out of range.
    ///
    /// ```
    /// use pos_kernel_core::money::Currency;
    /// use pos_kernel_core::policy::{Policy, PolicyTerms, Prices};
    /// let mut terms = PolicyTerms::of(Currency::parse("CHF")?);
    /// terms.prices = Prices::Gross;
    /// terms.cash_step = 5;
    /// assert_eq!(Policy::decode(&Policy::new(terms)?.encode())?.terms().cash_step, 5);
    /// # Ok::<(), pos_kernel_core::Error>(())
    /// ```
    pub fn new(terms: PolicyTerms) -> Result<Self> {
        if terms.minor_digits > MINOR_DIGITS_MAX {
            return Err(out_of_range(
                "minorDigits",
                terms.minor_digits.into(),
                0,
                MINOR_DIGITS_MAX.into(),
            ));
        }
        if !(1..=CASH_STEP_MAX).contains(&terms.cash_step) {
            return Err(out_of_range("cashStep", terms.cash_step, 1, CASH_STEP_MAX));
        }
        Ok(Self { terms })
    }

    /// The policy with all defaults for a currency.
    #[must_use]
    pub fn of(currency: Currency) -> Self {
        Self::new(PolicyTerms::of(currency)).expect("the defaults are in range")
    }

    /// What it says.
    #[must_use]
    pub fn terms(&self) -> &PolicyTerms {
        &self.terms
    }

    /// Whether a tax component is part of the price: what it says itself, or what the policy says of
    /// all that say nothing.
    #[must_use]
    pub fn includes(&self, inclusive: Option<bool>) -> bool {
        inclusive.unwrap_or(self.terms.prices == Prices::Gross)
    }
}

fn out_of_range(what: &str, value: u32, least: u32, most: u32) -> Error {
    Error::new(Code::BadPolicy, format!("{what} is {value}; give {least} to {most}"))
        .with("what", what)
        .with("value", value)
        .with("least", least)
        .with("most", most)
}
