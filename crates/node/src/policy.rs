//! Policies as JavaScript objects: names instead of numbers.

use crate::fault::argument;
use crate::value::{small, whole};
use napi_derive::napi;
use pos_kernel_core::Result;
use pos_kernel_core::money::{Currency, Rounding};
use pos_kernel_core::policy::{
    CashRounding, GrossSplit, MeansSet, PaymentMeans, Policy, PolicyTerms, Prices, TaxScope,
    UnboundReturns,
};

/// The rules by which sales of a currency are priced.
#[napi(object)]
pub struct NativePolicy {
    /// ISO 4217 letters.
    pub currency: String,
    /// Decimal places of its minor unit.
    pub minor_digits: Option<f64>,
    /// `net` or `gross`.
    pub prices: Option<String>,
    /// `perRate`, `perLine` or `perUnit`.
    pub tax_scope: Option<String>,
    /// `halfUp`, `halfEven`, `up` or `down`.
    pub tax_rounding: Option<String>,
    /// `taxFirst` or `netFirst`.
    pub gross_split: Option<String>,
    /// `halfUp`, `halfEven`, `up` or `down`.
    pub amount_rounding: Option<String>,
    /// Smallest cash, in minor units.
    pub cash_step: Option<f64>,
    /// `halfUp`, `halfDown`, `up` or `down`.
    pub cash_rounding: Option<String>,
    /// What may be tendered for more than is due.
    pub change_from: Option<Vec<String>>,
    /// One sale may hold both sold and returned lines.
    pub mixed_returns: Option<bool>,
    /// `allow`, `approve` or `refuse`.
    pub unbound_returns: Option<String>,
}

/// A policy was set.
#[napi(object)]
pub struct NativePolicyAnswer {
    /// BLAKE3 of its canonical bytes, 64 hexadecimal digits.
    pub hash: String,
    /// Sequence of the last record of this call.
    pub seq: i64,
    /// Not durable yet.
    pub wait: bool,
    /// The stored answer of an earlier call with the same key.
    pub replayed: bool,
}

impl NativePolicy {
    /// The policy; what is not said is as the kernel's defaults say.
    pub(crate) fn policy(&self) -> Result<Policy> {
        let mut terms = PolicyTerms::of(Currency::parse(&self.currency)?);
        if let Some(digits) = self.minor_digits {
            terms.minor_digits = u8::try_from(whole("minorDigits", digits)?).map_err(|_| {
                argument("minorDigits", format!("minorDigits {digits} is too large"))
            })?;
        }
        if let Some(step) = self.cash_step {
            terms.cash_step = small("cashStep", step)?;
        }
        set(&mut terms.prices, self.prices.as_deref(), Prices::parse)?;
        set(&mut terms.tax_scope, self.tax_scope.as_deref(), TaxScope::parse)?;
        set(&mut terms.tax_rounding, self.tax_rounding.as_deref(), Rounding::parse)?;
        set(&mut terms.gross_split, self.gross_split.as_deref(), GrossSplit::parse)?;
        set(&mut terms.amount_rounding, self.amount_rounding.as_deref(), Rounding::parse)?;
        set(&mut terms.cash_rounding, self.cash_rounding.as_deref(), CashRounding::parse)?;
        set(&mut terms.unbound_returns, self.unbound_returns.as_deref(), UnboundReturns::parse)?;
        terms.mixed_returns = self.mixed_returns.unwrap_or(terms.mixed_returns);
        if let Some(means) = &self.change_from {
            let means: Result<Vec<_>> =
                means.iter().map(|name| PaymentMeans::parse(name)).collect();
            terms.change_from = MeansSet::of(&means?);
        }
        Policy::new(terms)
    }
}

impl From<&Policy> for NativePolicy {
    fn from(policy: &Policy) -> Self {
        let terms = policy.terms();
        Self {
            currency: terms.currency.to_string(),
            minor_digits: Some(terms.minor_digits.into()),
            prices: Some(terms.prices.name().to_owned()),
            tax_scope: Some(terms.tax_scope.name().to_owned()),
            tax_rounding: Some(terms.tax_rounding.name().to_owned()),
            gross_split: Some(terms.gross_split.name().to_owned()),
            amount_rounding: Some(terms.amount_rounding.name().to_owned()),
            cash_step: Some(terms.cash_step.into()),
            cash_rounding: Some(terms.cash_rounding.name().to_owned()),
            change_from: Some(terms.change_from.iter().map(|m| m.name().to_owned()).collect()),
            mixed_returns: Some(terms.mixed_returns),
            unbound_returns: Some(terms.unbound_returns.name().to_owned()),
        }
    }
}

fn set<T>(term: &mut T, name: Option<&str>, parse: impl FnOnce(&str) -> Result<T>) -> Result<()> {
    if let Some(name) = name {
        *term = parse(name)?;
    }
    Ok(())
}
