//! The calls of a terminal about cash that moves from one drawer of a store to another.

use crate::away::{Away, away};
use crate::fault::Cross;
use crate::input::NativeReason;
use crate::people::NativeCash;
use crate::terminal::NativeTerminal;
use crate::value::{number, safe_integer};
use napi::Env;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use pos_kernel_core::Terminal;
use pos_kernel_core::terminal::{Answer, CashInTransit, CashReceived, CashSent};

/// Cash was sent.
#[napi(object)]
pub struct NativeCashSent {
    /// What it is received by.
    pub ticket: String,
    /// Sequence of the last record of this call.
    pub seq: i64,
    /// Not durable yet.
    pub wait: bool,
    /// The stored answer of an earlier call with the same key.
    pub replayed: bool,
}

/// Cash was received, or taken back.
#[napi(object)]
pub struct NativeCashReceived {
    /// The terminal at the other end of its way.
    pub terminal: String,
    /// ISO 4217 letters.
    pub currency: String,
    /// Minor units.
    pub amount: i64,
    /// It came back into the drawer that it had left.
    pub taken_back: bool,
    /// Sequence of the last record of this call.
    pub seq: i64,
    /// Not durable yet.
    pub wait: bool,
    /// The stored answer of an earlier call with the same key.
    pub replayed: bool,
}

/// Cash that is on its way in the store.
#[napi(object)]
pub struct NativeCashInTransit {
    /// What it is received by.
    pub ticket: String,
    /// Terminal whose drawer it left.
    pub from: String,
    /// Terminal that it goes to.
    pub to: String,
    /// ISO 4217 letters.
    pub currency: String,
    /// Minor units.
    pub amount: i64,
    /// Why.
    pub reason: String,
    /// When, ISO 8601 in UTC.
    pub at: String,
}

#[napi]
impl NativeTerminal {
    /// Takes cash out of the drawer for that of another terminal. Durable when it answers.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeCashSent>")]
    pub fn send_cash(
        &self,
        to: String,
        cash: NativeCash,
        reason: NativeReason,
        key: Option<String>,
    ) -> AsyncTask<Away<NativeCashSent>> {
        away(&self.terminal, move |till| send(till, &to, &cash, &reason, key.as_deref()))
    }

    /// Sends cash, waiting on the calling thread.
    #[napi(catch_unwind)]
    pub fn send_cash_sync(
        &self,
        env: &Env,
        to: String,
        cash: NativeCash,
        reason: NativeReason,
        key: Option<String>,
    ) -> napi::Result<NativeCashSent> {
        send(&self.terminal, &to, &cash, &reason, key.as_deref()).cross(env)
    }

    /// Puts cash into the drawer that was sent here, or takes it back. Durable when it answers.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeCashReceived>")]
    pub fn receive_cash(
        &self,
        ticket: String,
        reason: NativeReason,
        key: Option<String>,
    ) -> AsyncTask<Away<NativeCashReceived>> {
        away(&self.terminal, move |till| receive(till, &ticket, &reason, key.as_deref()))
    }

    /// Receives cash, waiting on the calling thread.
    #[napi(catch_unwind)]
    pub fn receive_cash_sync(
        &self,
        env: &Env,
        ticket: String,
        reason: NativeReason,
        key: Option<String>,
    ) -> napi::Result<NativeCashReceived> {
        receive(&self.terminal, &ticket, &reason, key.as_deref()).cross(env)
    }

    /// The cash that is on its way in the store.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeCashInTransit[]>")]
    pub fn cash_in_transit(&self) -> AsyncTask<Away<Vec<NativeCashInTransit>>> {
        away(&self.terminal, |till| till.cash_in_transit().map(in_transit))
    }

    /// The cash that is on its way, reading on the calling thread.
    #[napi(catch_unwind)]
    pub fn cash_in_transit_sync(&self, env: &Env) -> napi::Result<Vec<NativeCashInTransit>> {
        self.terminal.cash_in_transit().map(in_transit).cross(env)
    }
}

fn send(
    till: &Terminal,
    to: &str,
    cash: &NativeCash,
    reason: &NativeReason,
    key: Option<&str>,
) -> pos_kernel_core::Result<NativeCashSent> {
    let money = (cash.currency.as_str(), safe_integer("amount", cash.amount)?);
    let Answer { value, sequence, wait, replayed } =
        till.send_cash(to, money, reason.input()?, key)?;
    let CashSent { ticket } = value;
    Ok(NativeCashSent { ticket, seq: number(sequence), wait, replayed })
}

fn receive(
    till: &Terminal,
    ticket: &str,
    reason: &NativeReason,
    key: Option<&str>,
) -> pos_kernel_core::Result<NativeCashReceived> {
    let Answer { value, sequence, wait, replayed } =
        till.receive_cash(ticket, reason.input()?, key)?;
    let CashReceived { terminal, currency, amount, taken_back } = value;
    let (currency, seq) = (currency.letters().to_owned(), number(sequence));
    Ok(NativeCashReceived { terminal, currency, amount, taken_back, seq, wait, replayed })
}

fn in_transit(cash: Vec<CashInTransit>) -> Vec<NativeCashInTransit> {
    let one = |it: CashInTransit| {
        let CashInTransit { ticket, from, to, currency, amount, reason, at } = it;
        NativeCashInTransit { ticket, from, to, currency, amount, reason, at }
    };
    cash.into_iter().map(one).collect()
}
