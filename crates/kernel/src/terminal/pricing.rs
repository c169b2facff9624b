//! Calls that change what a sale costs: the policy, prices, taxes, discounts and surcharges.

use super::Terminal;
use super::commands::{LINE, LineAnswer, line_answer, tax_inputs, untendered};
use super::commit::{Answer, Growth, Inputs, Urgency};
use super::history::Recorded;
use crate::error::Result;
use crate::journal::{Bytes, Fact, Hash, PolicySet, Sums};
use crate::money::{Currency, Decimal};
use crate::policy::Policy;
use crate::pricing::Adjustment;
use crate::sale::{Reason, Sale, TaxInput, Totals, machine};

/// A policy was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyAnswer {
    /// BLAKE3 of the policy: what completions name it by.
    pub hash: [u8; 32],
}

/// A sale got a discount or a surcharge, or lost one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjustmentAnswer {
    /// Number of the discount or surcharge in the sale.
    pub number: u32,
    /// What the call adds to the amounts of the lines together.
    pub adjusted: i64,
    /// What it gave to each live line: line and amount, negative for a discount. Empty when it was
    /// taken back.
    pub allocated: Vec<(u32, i64)>,
    /// What the sale comes to.
    pub totals: Totals,
}

const POLICY: (Growth, Urgency) = (Growth::Grows, Urgency::Now);

impl Terminal {
    /// Sets the rules by which sales of its currency are priced from here on. Open sales keep
    /// theirs.
    ///
    /// # Errors
    /// `PK_E_LIMIT`, and those of any call.
    pub fn set_policy(&self, policy: &Policy, key: Option<&str>) -> Result<Answer<PolicyAnswer>> {
        let (bytes, hash) = (policy.encode(), policy.hash());
        let inputs = || Inputs::of("setPolicy").bytes(&bytes);
        self.command(
            key.map(|key| (key, inputs())),
            POLICY,
            |till, key| {
                till.may_set_policy(policy)?;
                let (policy, hash) = (Bytes(bytes.clone()), Hash(hash));
                Ok(PolicySet { policy, hash, operator: None, approval: None, key }.into())
            },
            |recorded| match &recorded.fact {
                Fact::PolicySet(fact) => Some(PolicyAnswer { hash: fact.hash.0 }),
                _ => None,
            },
        )
    }

    /// The rules by which sales of a currency are priced from here on, when any are set.
    ///
    /// # Errors
    /// `PK_E_CLOSED`.
    pub fn policy(&self, currency: Currency) -> Result<Option<Policy>> {
        Ok(self.lock()?.till.policies.get(&currency).copied())
    }

    /// Overrides the price of a line.
    ///
    /// # Errors
    /// Those of [`machine::override_price`], and those of any call.
    pub fn override_price(
        &self,
        sale: u64,
        line: u32,
        price: (Decimal, Decimal),
        reason: Reason<'_>,
        key: Option<&str>,
    ) -> Result<Answer<LineAnswer>> {
        let inputs = || {
            let inputs = Inputs::of("overridePrice").number(sale).number(line.into());
            inputs.decimal(price.0).decimal(price.1).text(reason.text).approval(reason.approval)
        };
        self.command(
            key.map(|key| (key, inputs())),
            LINE,
            |till, key| {
                let sale = till.open_sale(sale)?;
                let mut fact = machine::override_price(sale, line, price, reason, key)?;
                let changed = (line, None, Some(price.0));
                let (amount, approval) = (fact.amount, reason.approval);
                fact.rules = till.rules.judge_change(sale, changed, amount, approval)?;
                Ok(fact.into())
            },
            line_answer,
        )
    }

    /// Overrides the taxes of a line.
    ///
    /// # Errors
    /// Those of [`machine::override_taxes`], `PK_E_LIMIT`, and those of any call.
    pub fn override_taxes(
        &self,
        sale: u64,
        line: u32,
        taxes: &[TaxInput],
        reason: Reason<'_>,
        key: Option<&str>,
    ) -> Result<Answer<LineAnswer>> {
        let inputs = || {
            let inputs = Inputs::of("overrideTaxes").number(sale).number(line.into());
            tax_inputs(inputs, taxes).text(reason.text).approval(reason.approval)
        };
        self.command(
            key.map(|key| (key, inputs())),
            LINE,
            |till, key| {
                let sale = till.open_sale(sale)?;
                let fact = machine::override_taxes(sale, line, taxes, reason, key)?;
                till.may_tax(sale, &fact.taxes, self.taxes_max())?;
                Ok(fact.into())
            },
            line_answer,
        )
    }

    /// Gives a line a discount or a surcharge.
    ///
    /// # Errors
    /// Those of [`machine::adjust_line`], and those of any call.
    pub fn adjust_line(
        &self,
        sale: u64,
        line: u32,
        adjustment: Adjustment,
        reason: Reason<'_>,
        key: Option<&str>,
    ) -> Result<Answer<LineAnswer>> {
        let inputs = || {
            let inputs = Inputs::of("adjustLine").number(sale).number(line.into());
            inputs.adjustment(adjustment).text(reason.text).approval(reason.approval)
        };
        self.command(
            key.map(|key| (key, inputs())),
            LINE,
            |till, key| {
                let sale = till.open_sale(sale)?;
                Ok(machine::adjust_line(sale, line, adjustment, reason, key)?.into())
            },
            line_answer,
        )
    }

    /// Gives the sale a discount or a surcharge, allocated to its items by their amounts.
    ///
    /// # Errors
    /// Those of [`machine::adjust_sale`], and those of any call.
    pub fn adjust_sale(
        &self,
        sale: u64,
        adjustment: Adjustment,
        reason: Reason<'_>,
        key: Option<&str>,
    ) -> Result<Answer<AdjustmentAnswer>> {
        let inputs = || {
            let inputs = Inputs::of("adjustSale").number(sale).adjustment(adjustment);
            inputs.text(reason.text).approval(reason.approval)
        };
        let mut shares = None;
        let answer = self.command(
            key.map(|key| (key, inputs())),
            LINE,
            |till, key| {
                let sale = till.open_sale(sale)?;
                let fact = machine::adjust_sale(sale, adjustment, reason, key)?;
                shares = Some(sale.cart().allocation(adjustment)?);
                Ok(fact.into())
            },
            adjustment_answer,
        )?;
        let Answer { value: (mut value, first_sequence), sequence, wait, replayed } = answer;
        value.allocated = match shares {
            Some(shares) => shares,
            None => {
                let then = self.history.sale_at(sale, first_sequence, sequence)?;
                then.cart().shares(value.number).collect()
            }
        };
        Ok(Answer { value, sequence, wait, replayed })
    }

    /// Takes a discount or a surcharge back, wherever it stands.
    ///
    /// # Errors
    /// Those of [`machine::retract`], and those of any call.
    pub fn retract(
        &self,
        sale: u64,
        number: u32,
        reason: Reason<'_>,
        key: Option<&str>,
    ) -> Result<Answer<AdjustmentAnswer>> {
        let inputs = || {
            let inputs = Inputs::of("retract").number(sale).number(number.into());
            inputs.text(reason.text).approval(reason.approval)
        };
        self.command(
            key.map(|key| (key, inputs())),
            LINE,
            |till, key| {
                let sale: &Sale = till.open_sale(sale)?;
                Ok(machine::retract(sale, number, reason, key)?.into())
            },
            |recorded| match &recorded.fact {
                Fact::AdjustmentRetracted(fact) => {
                    let sums = fact.sums.as_ref();
                    Some(adjusted((fact.number, fact.adjusted), fact.gross, sums))
                }
                _ => None,
            },
        )
    }
}

/// The answer without its shares, and where the sale begins.
fn adjustment_answer(recorded: &Recorded) -> Option<(AdjustmentAnswer, u64)> {
    match &recorded.fact {
        Fact::SaleAdjusted(fact) => {
            let answer = adjusted((fact.number, fact.adjusted), fact.gross, fact.sums.as_ref());
            Some((answer, fact.first_sequence))
        }
        _ => None,
    }
}

fn adjusted((number, adjusted): (u32, i64), gross: i64, sums: Option<&Sums>) -> AdjustmentAnswer {
    let totals = untendered(gross, sums);
    AdjustmentAnswer { number, adjusted, allocated: Vec::new(), totals }
}
