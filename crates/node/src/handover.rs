//! The calls of a terminal about sales that wait, go on at another till, or expire.

use crate::away::{Away, away};
use crate::fault::Cross;
use crate::terminal::NativeTerminal;
use crate::value::{NativeBegun, number, whole};
use napi::Env;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use pos_kernel_core::terminal::{Answer, SuspendAnswer, Waiting};
use std::time::Duration;

/// A sale was suspended.
#[napi(object)]
pub struct NativeSuspended {
    /// Number of the sale.
    pub sale: i64,
    /// What it is resumed by.
    pub ticket: String,
    /// Sequence of the last record of this call.
    pub seq: i64,
    /// Not durable yet.
    pub wait: bool,
    /// The stored answer of an earlier call with the same key.
    pub replayed: bool,
}

/// A sale that waits somewhere in the store.
#[napi(object)]
pub struct NativeWaiting {
    /// What it is resumed by.
    pub ticket: String,
    /// Terminal where it was suspended.
    pub terminal: String,
    /// Number of the sale there.
    pub sale: i64,
    /// The host's own number for it.
    pub reference: Option<String>,
    /// ISO 4217 letters.
    pub currency: String,
    /// Total.
    pub gross: i64,
    /// Lines that count.
    pub lines: i64,
    /// Why it was suspended.
    pub reason: String,
    /// When, ISO 8601 in UTC.
    pub at: String,
}

/// Sales have expired.
#[napi(object)]
pub struct NativeExpired {
    /// Their numbers.
    pub sales: Vec<i64>,
    /// Sequence of the last record of this call.
    pub seq: i64,
    /// Not durable yet.
    pub wait: bool,
    /// Never: the call has no key.
    pub replayed: bool,
}

#[napi]
impl NativeTerminal {
    /// Suspends a sale. Durable when it answers: the ticket may be handed out.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeSuspended>")]
    pub fn suspend(
        &self,
        sale: f64,
        reason: String,
        key: Option<String>,
    ) -> AsyncTask<Away<NativeSuspended>> {
        away(&self.terminal, move |till| {
            till.suspend(whole("sale", sale)?, &reason, key.as_deref()).map(Into::into)
        })
    }

    /// Suspends a sale, waiting on the calling thread.
    #[napi(catch_unwind)]
    pub fn suspend_sync(
        &self,
        env: &Env,
        sale: f64,
        reason: String,
        key: Option<String>,
    ) -> napi::Result<NativeSuspended> {
        let suspend = || self.terminal.suspend(whole("sale", sale)?, &reason, key.as_deref());
        suspend().map(Into::into).cross(env)
    }

    /// Resumes a suspended sale by its ticket. Durable when it answers.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeBegun>")]
    pub fn resume(&self, ticket: String, key: Option<String>) -> AsyncTask<Away<NativeBegun>> {
        away(&self.terminal, move |till| till.resume(&ticket, key.as_deref()).map(Into::into))
    }

    /// Resumes a suspended sale, waiting on the calling thread.
    #[napi(catch_unwind)]
    pub fn resume_sync(
        &self,
        env: &Env,
        ticket: String,
        key: Option<String>,
    ) -> napi::Result<NativeBegun> {
        self.terminal.resume(&ticket, key.as_deref()).map(Into::into).cross(env)
    }

    /// Journals which suspended sales of this terminal have gone on at others; gives their numbers.
    #[napi(catch_unwind, ts_return_type = "Promise<number[]>")]
    pub fn collect_transfers(&self) -> AsyncTask<Away<Vec<i64>>> {
        away(&self.terminal, |till| till.collect_transfers().map(numbers))
    }

    /// Journals transfers, waiting on the calling thread.
    #[napi(catch_unwind)]
    pub fn collect_transfers_sync(&self, env: &Env) -> napi::Result<Vec<i64>> {
        self.terminal.collect_transfers().map(numbers).cross(env)
    }

    /// The sales that wait in the store.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeWaiting[]>")]
    pub fn suspended_sales(&self) -> AsyncTask<Away<Vec<NativeWaiting>>> {
        away(&self.terminal, |till| till.suspended_sales().map(waiting))
    }

    /// The sales that wait in the store, reading on the calling thread.
    #[napi(catch_unwind)]
    pub fn suspended_sales_sync(&self, env: &Env) -> napi::Result<Vec<NativeWaiting>> {
        self.terminal.suspended_sales().map(waiting).cross(env)
    }

    /// Voids the sales to which nothing has happened for so long.
    #[napi(catch_unwind)]
    pub fn expire(&self, env: &Env, idle_ms: f64, reason: String) -> napi::Result<NativeExpired> {
        let expire = || {
            let idle = Duration::from_millis(whole("idleMs", idle_ms)?);
            self.terminal.expire(idle, &reason)
        };
        let answer = expire().cross(env)?;
        Ok(NativeExpired {
            sales: numbers(answer.value),
            seq: number(answer.sequence),
            wait: answer.wait,
            replayed: answer.replayed,
        })
    }
}

fn numbers(sales: Vec<u64>) -> Vec<i64> {
    sales.into_iter().map(number).collect()
}

fn waiting(sales: Vec<Waiting>) -> Vec<NativeWaiting> {
    let one = |sale: Waiting| NativeWaiting {
        ticket: sale.ticket,
        terminal: sale.terminal,
        sale: number(sale.sale),
        reference: sale.reference,
        currency: sale.currency,
        gross: sale.gross,
        lines: number(sale.lines),
        reason: sale.reason,
        at: sale.at,
    };
    sales.into_iter().map(one).collect()
}

impl From<Answer<SuspendAnswer>> for NativeSuspended {
    fn from(answer: Answer<SuspendAnswer>) -> Self {
        Self {
            sale: number(answer.value.sale),
            ticket: answer.value.ticket,
            seq: number(answer.sequence),
            wait: answer.wait,
            replayed: answer.replayed,
        }
    }
}
