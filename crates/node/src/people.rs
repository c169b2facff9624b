//! The calls of a terminal about people, the drawer, reports and closings.
//!
//! What a shift, a report or a closing says crosses as its record says it, by the names of its fields.

use crate::away::{Away, away, settled};
use crate::fault::{Cross, argument};
use crate::input::NativeReason;
use crate::receipt::NativeReceipt;
use crate::terminal::NativeTerminal;
use crate::value::{number, safe_integer, whole};
use napi::Env;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use pos_kernel_core::journal::{Circle, Fact, PeriodKind, ShiftClosed};
use pos_kernel_core::money::Currency;
use pos_kernel_core::terminal::{Answer, Reprint};
use pos_kernel_core::{Result, Terminal};
use serde_json::Value;

/// A fact was made.
#[napi(object)]
pub struct NativeDone {
    /// Number of the approval or of the shift that it began.
    pub number: Option<i64>,
    /// Sequence of the last record of this call.
    pub seq: i64,
    /// Not durable yet.
    pub wait: bool,
    /// The stored answer of an earlier call with the same key.
    pub replayed: bool,
}

/// A fact was made that tells something.
#[napi(object)]
pub struct NativeTold {
    /// What it tells, by the names of its record's fields.
    #[napi(ts_type = "Record<string, unknown>")]
    pub told: Value,
    /// Sequence of the last record of this call.
    pub seq: i64,
    /// Not durable yet.
    pub wait: bool,
    /// The stored answer of an earlier call with the same key.
    pub replayed: bool,
}

/// Cash was counted.
#[napi(object)]
pub struct NativeCounted {
    /// What had to be there.
    pub expected: i64,
    /// What was there.
    pub counted: i64,
    /// Counted less expected.
    pub over_short: i64,
    /// Sequence of the last record of this call.
    pub seq: i64,
    /// Not durable yet.
    pub wait: bool,
    /// The stored answer of an earlier call with the same key.
    pub replayed: bool,
}

/// A receipt was printed once more.
#[napi(object)]
pub struct NativeReprint {
    /// Number of the copy, from 1.
    pub copy: i64,
    /// What to print.
    pub receipt: NativeReceipt,
    /// Sequence of the last record of this call.
    pub seq: i64,
    /// Not durable yet.
    pub wait: bool,
    /// The stored answer of an earlier call with the same key.
    pub replayed: bool,
}

/// An amount of one currency.
#[napi(object)]
pub struct NativeCash {
    /// ISO 4217 letters.
    pub currency: String,
    /// Minor units.
    pub amount: f64,
}

#[napi]
impl NativeTerminal {
    /// Signs an operator on.
    #[napi(catch_unwind)]
    pub fn sign_on(
        &self,
        env: &Env,
        operator: String,
        key: Option<String>,
    ) -> napi::Result<NativeDone> {
        self.terminal.sign_on(&operator, key.as_deref()).map(done).cross(env)
    }

    /// Signs the operator off.
    #[napi(catch_unwind)]
    pub fn sign_off(
        &self,
        env: &Env,
        operator: String,
        key: Option<String>,
    ) -> napi::Result<NativeDone> {
        self.terminal.sign_off(&operator, key.as_deref()).map(done).cross(env)
    }

    /// Gives an approval.
    #[napi(catch_unwind)]
    pub fn approve(
        &self,
        env: &Env,
        approver: String,
        what: String,
        key: Option<String>,
    ) -> napi::Result<NativeDone> {
        let answer = self.terminal.approve(&approver, &what, key.as_deref()).cross(env)?;
        Ok(NativeDone { number: Some(number(answer.value.approval)), ..done(answer) })
    }

    /// Switches training on or off.
    #[napi(catch_unwind)]
    pub fn set_training(
        &self,
        env: &Env,
        on: bool,
        approval: Option<f64>,
        key: Option<String>,
    ) -> napi::Result<NativeDone> {
        let set = || self.terminal.set_training(on, approved(approval)?, key.as_deref());
        set().map(done).cross(env)
    }

    /// Opens a shift with its float.
    #[napi(catch_unwind)]
    pub fn open_shift(
        &self,
        env: &Env,
        float: Vec<NativeCash>,
        key: Option<String>,
    ) -> napi::Result<NativeDone> {
        let open = || {
            let cash = |cash: &NativeCash| {
                Ok((Currency::parse(&cash.currency)?, safe_integer("amount", cash.amount)?))
            };
            let float = float.iter().map(cash).collect::<Result<Vec<_>>>()?;
            self.terminal.open_shift(&float, key.as_deref())
        };
        let answer = open().cross(env)?;
        Ok(NativeDone { number: Some(number(answer.value.shift)), ..done(answer) })
    }

    /// Closes the shift and gives its drawer.
    #[napi(catch_unwind)]
    pub fn close_shift(&self, env: &Env, key: Option<String>) -> napi::Result<NativeTold> {
        self.terminal.close_shift(key.as_deref()).map(told).cross(env)
    }

    /// Pays cash into the drawer.
    #[napi(catch_unwind)]
    pub fn paid_in(
        &self,
        env: &Env,
        cash: NativeCash,
        reason: NativeReason,
        key: Option<String>,
    ) -> napi::Result<NativeDone> {
        let pay = || {
            let (amount, reason) = (safe_integer("amount", cash.amount)?, reason.input()?);
            self.terminal.paid_in(&cash.currency, amount, reason, key.as_deref())
        };
        pay().map(done).cross(env)
    }

    /// Pays cash out of the drawer.
    #[napi(catch_unwind)]
    pub fn paid_out(
        &self,
        env: &Env,
        cash: NativeCash,
        reason: NativeReason,
        key: Option<String>,
    ) -> napi::Result<NativeDone> {
        let pay = || {
            let (amount, reason) = (safe_integer("amount", cash.amount)?, reason.input()?);
            self.terminal.paid_out(&cash.currency, amount, reason, key.as_deref())
        };
        pay().map(done).cross(env)
    }

    /// Opens the drawer without a sale.
    #[napi(catch_unwind)]
    pub fn no_sale(
        &self,
        env: &Env,
        reason: NativeReason,
        key: Option<String>,
    ) -> napi::Result<NativeDone> {
        let open = || self.terminal.no_sale(reason.input()?, key.as_deref());
        open().map(done).cross(env)
    }

    /// Counts the cash of one currency.
    #[napi(catch_unwind)]
    pub fn cash_count(
        &self,
        env: &Env,
        cash: NativeCash,
        key: Option<String>,
    ) -> napi::Result<NativeCounted> {
        let count = || {
            let amount = safe_integer("amount", cash.amount)?;
            self.terminal.cash_count(&cash.currency, amount, key.as_deref())
        };
        let answer = count().cross(env)?;
        Ok(NativeCounted {
            expected: answer.value.expected,
            counted: answer.value.counted,
            over_short: answer.value.over_short,
            seq: number(answer.sequence),
            wait: answer.wait,
            replayed: answer.replayed,
        })
    }

    /// What the till took since the last Z report.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeTold>")]
    pub fn x_report(&self, key: Option<String>) -> AsyncTask<Away<NativeTold>> {
        away(&self.terminal, move |till| settled(till, till.x_report(key.as_deref())?).map(told))
    }

    /// What the till took since the last Z report, reading on the calling thread.
    #[napi(catch_unwind)]
    pub fn x_report_sync(&self, env: &Env, key: Option<String>) -> napi::Result<NativeTold> {
        self.terminal.x_report(key.as_deref()).map(told).cross(env)
    }

    /// Closes the period and seals the segment.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeTold>")]
    pub fn z_report(&self, key: Option<String>) -> AsyncTask<Away<NativeTold>> {
        away(&self.terminal, move |till| settled(till, till.z_report(key.as_deref())?).map(told))
    }

    /// Closes the period and seals the segment, on the calling thread.
    #[napi(catch_unwind)]
    pub fn z_report_sync(&self, env: &Env, key: Option<String>) -> napi::Result<NativeTold> {
        self.terminal.z_report(key.as_deref()).map(told).cross(env)
    }

    /// Closes a longer period.
    #[napi(catch_unwind)]
    pub fn period_close(
        &self,
        env: &Env,
        kind: String,
        key: Option<String>,
    ) -> napi::Result<NativeTold> {
        let close = || self.terminal.period_close(period_kind(&kind)?, key.as_deref());
        close().map(told).cross(env)
    }

    /// Prints a receipt once more and counts the copy.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeReprint>")]
    pub fn reprint(
        &self,
        circle: String,
        receipt_number: f64,
        approval: Option<f64>,
        key: Option<String>,
    ) -> AsyncTask<Away<NativeReprint>> {
        away(&self.terminal, move |till| {
            let answer = copy(till, &circle, (receipt_number, approval), key.as_deref())?;
            settled(till, answer).map(Into::into)
        })
    }

    /// Prints a receipt once more, reading on the calling thread.
    #[napi(catch_unwind)]
    pub fn reprint_sync(
        &self,
        env: &Env,
        circle: String,
        receipt_number: f64,
        approval: Option<f64>,
        key: Option<String>,
    ) -> napi::Result<NativeReprint> {
        let copied = copy(&self.terminal, &circle, (receipt_number, approval), key.as_deref());
        copied.map(Into::into).cross(env)
    }

    /// The shift under way, with its drawer, by the names of the record of its end.
    #[napi(catch_unwind, ts_return_type = "Record<string, unknown> | null")]
    pub fn shift(&self, env: &Env) -> napi::Result<Option<Value>> {
        let shift = self.terminal.shift().cross(env)?;
        Ok(shift.map(|shift| {
            let (number, drawer, owner) = (shift.number, shift.sums(), shift.owner.clone());
            let (operator, key) = (None, None);
            Fact::from(ShiftClosed { number, drawer, owner, operator, key }).show()
        }))
    }
}

fn copy(
    till: &Terminal,
    circle: &str,
    (receipt, approval): (f64, Option<f64>),
    key: Option<&str>,
) -> Result<Answer<Reprint>> {
    let receipt = whole("receiptNumber", receipt)?;
    till.reprint(circle_of(circle)?, receipt, approved(approval)?, key)
}

fn approved(approval: Option<f64>) -> Result<Option<u64>> {
    approval.map(|number| whole("approval", number)).transpose()
}

/// Reads the circle of a receipt.
pub(crate) fn circle_of(name: &str) -> Result<Circle> {
    let known = [Circle::Sale, Circle::Training].into_iter().find(|circle| circle.name() == name);
    known.ok_or_else(|| argument("circle", "circle is not one of sale, training".to_owned()))
}

fn period_kind(name: &str) -> Result<PeriodKind> {
    let kinds = [PeriodKind::Day, PeriodKind::Month, PeriodKind::Year];
    let known = kinds.into_iter().find(|kind| kind.name() == name);
    known.ok_or_else(|| argument("kind", "kind is not one of day, month, year".to_owned()))
}

fn done<T>(answer: Answer<T>) -> NativeDone {
    let Answer { sequence, wait, replayed, .. } = answer;
    NativeDone { number: None, seq: number(sequence), wait, replayed }
}

fn told<T: Into<Fact>>(answer: Answer<T>) -> NativeTold {
    let Answer { value, sequence, wait, replayed } = answer;
    NativeTold { told: value.into().show(), seq: number(sequence), wait, replayed }
}

impl From<Answer<Reprint>> for NativeReprint {
    fn from(answer: Answer<Reprint>) -> Self {
        let Answer { value: Reprint { copy, receipt }, sequence, wait, replayed } = answer;
        let stored = receipt.meta.sequence;
        let receipt = Answer { value: receipt, sequence: stored, wait: false, replayed: false };
        Self { copy: number(copy), receipt: receipt.into(), seq: number(sequence), wait, replayed }
    }
}
