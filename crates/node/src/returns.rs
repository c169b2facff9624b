//! The calls of a terminal about returns with a receipt: they read journals, also those of others.

use crate::away::{Away, away, settled};
use crate::fault::{Cross, argument};
use crate::input::reason as why;
use crate::terminal::NativeTerminal;
use crate::value::{NativeBegun, NativeLineAnswer, quantity, small, whole};
use napi::bindgen_prelude::AsyncTask;
use napi::{Either, Env};
use napi_derive::napi;
use pos_kernel_core::journal::ReturnsOf;
use pos_kernel_core::terminal::{Answer, Begun, LineAnswer};
use pos_kernel_core::{Result, Terminal};

/// A part of a sold line that comes back.
#[napi(object)]
pub struct NativeReturn {
    /// Number of the line on its receipt.
    pub of: f64,
    /// How much of it, integer or decimal string.
    pub quantity: Either<f64, String>,
    /// Terminal of the receipt; with `receiptNumber`, and without it that of the sale is meant.
    pub terminal: Option<String>,
    /// The receipt.
    pub receipt_number: Option<f64>,
    /// Why.
    pub reason: String,
    /// Number of the approval for it.
    pub approval: Option<f64>,
}

#[napi]
impl NativeTerminal {
    /// Begins a sale that takes lines of a receipt back.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeBegun>")]
    pub fn begin_return(
        &self,
        terminal: String,
        receipt_number: f64,
        key: Option<String>,
    ) -> AsyncTask<Away<NativeBegun>> {
        away(&self.terminal, move |till| {
            let answer = begin(till, &terminal, receipt_number, key.as_deref())?;
            settled(till, answer).map(Into::into)
        })
    }

    /// Begins a sale that takes lines of a receipt back, reading it on the calling thread.
    #[napi(catch_unwind)]
    pub fn begin_return_sync(
        &self,
        env: &Env,
        terminal: String,
        receipt_number: f64,
        key: Option<String>,
    ) -> napi::Result<NativeBegun> {
        let begun = begin(&self.terminal, &terminal, receipt_number, key.as_deref());
        begun.map(Into::into).cross(env)
    }

    /// Takes a part of a sold line back.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeLineAnswer>")]
    pub fn return_line(
        &self,
        sale: f64,
        part: NativeReturn,
        key: Option<String>,
    ) -> AsyncTask<Away<NativeLineAnswer>> {
        away(&self.terminal, move |till| {
            let answer = take_back(till, sale, &part, key.as_deref())?;
            settled(till, answer).map(Into::into)
        })
    }

    /// Takes a part of a sold line back, reading journals on the calling thread.
    #[napi(catch_unwind)]
    pub fn return_line_sync(
        &self,
        env: &Env,
        sale: f64,
        part: NativeReturn,
        key: Option<String>,
    ) -> napi::Result<NativeLineAnswer> {
        take_back(&self.terminal, sale, &part, key.as_deref()).map(Into::into).cross(env)
    }
}

fn begin(
    till: &Terminal,
    terminal: &str,
    receipt: f64,
    key: Option<&str>,
) -> Result<Answer<Begun>> {
    till.begin_return(terminal, whole("receiptNumber", receipt)?, key)
}

fn take_back(
    till: &Terminal,
    sale: f64,
    part: &NativeReturn,
    key: Option<&str>,
) -> Result<Answer<LineAnswer>> {
    let of = match (&part.terminal, part.receipt_number) {
        (Some(terminal), Some(receipt)) => {
            let receipt = whole("receiptNumber", receipt)?;
            Some(ReturnsOf { terminal: terminal.clone(), receipt })
        }
        (None, None) => None,
        _ => {
            let message = "a receipt is named by terminal and receiptNumber together".to_owned();
            return Err(argument("receiptNumber", message));
        }
    };
    let line = (small("of", part.of)?, quantity(&part.quantity)?);
    let reason = why(&part.reason, part.approval)?;
    till.return_line(whole("sale", sale)?, of.as_ref(), line, reason, key)
}
