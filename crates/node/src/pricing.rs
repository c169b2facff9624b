//! The calls of a terminal about prices: policies, overrides, discounts and surcharges.

use crate::fault::Cross;
use crate::input::{
    NativeAdjustment, NativeCart, NativePrice, NativeReason, NativeTax, per_quantity,
    reason as why, sell, taxes_of,
};
use crate::policy::{NativePolicy, NativePolicyAnswer};
use crate::receipt::{NativeReceipt, NativeTotals};
use crate::terminal::NativeTerminal;
use crate::value::{NativeLineAnswer, number, small, unit_price, whole};
use napi::Env;
use napi_derive::napi;
use pos_kernel_core::journal::Hash;
use pos_kernel_core::money::{Currency, Decimal};
use pos_kernel_core::terminal::{AdjustmentAnswer, Answer, LineAnswer};

/// What a discount or surcharge gave to a line.
#[napi(object)]
pub struct NativeShare {
    /// Line number.
    pub line: u32,
    /// Minor units; negative for a discount on a sold line.
    pub amount: i64,
}

/// A discount or surcharge was given or taken back.
#[napi(object)]
pub struct NativeAdjustmentAnswer {
    /// Its number in the sale.
    pub number: u32,
    /// What the call adds to the amounts of the lines together.
    pub adjusted: i64,
    /// What each line got; empty when it was taken back.
    pub allocated: Vec<NativeShare>,
    /// What the sale comes to.
    pub totals: NativeTotals,
    /// Sequence of the last record of this call.
    pub seq: i64,
    /// Not durable yet.
    pub wait: bool,
    /// The stored answer of an earlier call with the same key.
    pub replayed: bool,
}

#[napi]
impl NativeTerminal {
    /// Sets the rules by which sales of a currency are priced from here on.
    #[napi(catch_unwind)]
    pub fn set_policy(
        &self,
        env: &Env,
        policy: NativePolicy,
        key: Option<String>,
    ) -> napi::Result<NativePolicyAnswer> {
        let set = || self.terminal.set_policy(&policy.policy()?, key.as_deref());
        let answer = set().cross(env)?;
        Ok(NativePolicyAnswer {
            hash: Hash(answer.value.hash).to_string(),
            seq: number(answer.sequence),
            wait: answer.wait,
            replayed: answer.replayed,
        })
    }

    /// The rules by which sales of a currency are priced from here on, when any are set.
    #[napi(catch_unwind)]
    pub fn policy(&self, env: &Env, currency: String) -> napi::Result<Option<NativePolicy>> {
        let policy = || self.terminal.policy(Currency::parse(&currency)?);
        Ok(policy().cross(env)?.as_ref().map(Into::into))
    }

    /// Overrides the price of a line.
    #[napi(catch_unwind)]
    pub fn override_price(
        &self,
        env: &Env,
        sale: f64,
        line: f64,
        price: NativePrice,
        reason: NativeReason,
        key: Option<String>,
    ) -> napi::Result<NativeLineAnswer> {
        let set = || {
            let (sale, line) = (whole("sale", sale)?, small("line", line)?);
            let per = price.per_quantity.as_ref().map_or(Ok(Decimal::whole(1)), per_quantity)?;
            let (price, reason) = ((unit_price(&price.unit_price)?, per), reason.input()?);
            self.terminal.override_price(sale, line, price, reason, key.as_deref())
        };
        set().map(Into::into).cross(env)
    }

    /// Overrides the taxes of a line.
    #[napi(catch_unwind)]
    pub fn override_taxes(
        &self,
        env: &Env,
        sale: f64,
        line: f64,
        taxes: Vec<NativeTax>,
        reason: NativeReason,
        key: Option<String>,
    ) -> napi::Result<NativeLineAnswer> {
        let set = || {
            let (sale, line) = (whole("sale", sale)?, small("line", line)?);
            let (taxes, reason) = (taxes_of(&taxes)?, reason.input()?);
            self.terminal.override_taxes(sale, line, &taxes, reason, key.as_deref())
        };
        set().map(Into::into).cross(env)
    }

    /// Gives a line a discount or a surcharge.
    #[napi(catch_unwind)]
    pub fn adjust_line(
        &self,
        env: &Env,
        sale: f64,
        line: f64,
        adjustment: NativeAdjustment,
        approval: Option<f64>,
        key: Option<String>,
    ) -> napi::Result<NativeAdjustmentAnswer> {
        let adjust = || {
            let (sale, line) = (whole("sale", sale)?, small("line", line)?);
            let reason = why(&adjustment.reason, approval)?;
            self.terminal.adjust_line(sale, line, adjustment.input()?, reason, key.as_deref())
        };
        adjust().map(of_line).map(Into::into).cross(env)
    }

    /// Gives the sale a discount or a surcharge.
    #[napi(catch_unwind)]
    pub fn adjust_sale(
        &self,
        env: &Env,
        sale: f64,
        adjustment: NativeAdjustment,
        approval: Option<f64>,
        key: Option<String>,
    ) -> napi::Result<NativeAdjustmentAnswer> {
        let adjust = || {
            let (sale, reason) = (whole("sale", sale)?, why(&adjustment.reason, approval)?);
            self.terminal.adjust_sale(sale, adjustment.input()?, reason, key.as_deref())
        };
        adjust().map(Into::into).cross(env)
    }

    /// Takes a discount or a surcharge back.
    #[napi(catch_unwind)]
    pub fn retract(
        &self,
        env: &Env,
        sale: f64,
        adjustment: f64,
        reason: NativeReason,
        key: Option<String>,
    ) -> napi::Result<NativeAdjustmentAnswer> {
        let retract = || {
            let (sale, number) = (whole("sale", sale)?, small("number", adjustment)?);
            self.terminal.retract(sale, number, reason.input()?, key.as_deref())
        };
        retract().map(Into::into).cross(env)
    }

    /// Rings up a whole sale of any kind in one frame, one write and one flush. A plain one is rung
    /// up faster by `sell`.
    #[napi(catch_unwind)]
    pub fn sell_cart(&self, env: &Env, cart: NativeCart) -> napi::Result<NativeReceipt> {
        sell(&self.terminal, &cart).map(Into::into).cross(env)
    }
}

/// The answer of a line as that of a discount: it went to this line alone.
fn of_line(answer: Answer<LineAnswer>) -> Answer<AdjustmentAnswer> {
    let Answer { value, sequence, wait, replayed } = answer;
    let given = value.given.expect("a discount answers with what it gave");
    let value = AdjustmentAnswer {
        number: given.number,
        adjusted: given.adjusted,
        allocated: vec![(value.line, given.adjusted)],
        totals: value.totals,
    };
    Answer { value, sequence, wait, replayed }
}

impl From<Answer<AdjustmentAnswer>> for NativeAdjustmentAnswer {
    fn from(answer: Answer<AdjustmentAnswer>) -> Self {
        let share = |(line, amount): &(u32, i64)| NativeShare { line: *line, amount: *amount };
        Self {
            number: answer.value.number,
            adjusted: answer.value.adjusted,
            allocated: answer.value.allocated.iter().map(share).collect(),
            totals: answer.value.totals.into(),
            seq: number(answer.sequence),
            wait: answer.wait,
            replayed: answer.replayed,
        }
    }
}
