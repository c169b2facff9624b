//! A terminal as a JavaScript class.

use crate::away::{Away, away};
use crate::ear::{DurableCallback, Ear};
use crate::fault::{Cross, argument, thrown};
use crate::input::{NativeLine, NativeReason, NativeTender};
use crate::packed;
use crate::people::circle_of;
use crate::receipt::{
    NativeReceipt, NativeReceiptLine, NativeReceiptTender, NativeTotals, lines_of, policy_hash,
    totals_of,
};
use crate::value::{
    NativeBegun, NativeCounters, NativeFlushes, NativeLineAnswer, NativeOpenSale, NativeRecovery,
    NativeStats, NativeStatus, NativeTenderAnswer, number, quantity, small, whole,
};
use napi::bindgen_prelude::{AsyncTask, Float64ArraySlice};
use napi::{Either, Env, Task};
use napi_derive::napi;
use pos_kernel_core::clock::TestClock;
use pos_kernel_core::journal::Hash;
use pos_kernel_core::sale::{Receipt, Sale};
use pos_kernel_core::signing::Signing;
use pos_kernel_core::terminal::{Answer, Attendance, Durability};
use pos_kernel_core::{Error, OpenOptions, Result, Terminal};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;

/// How to open a terminal.
#[napi(object)]
pub struct NativeOpenOptions {
    /// Root folder; else `POS_KERNEL_ROOT`, else `./pos_kernel_data`.
    pub root: Option<String>,
    /// Terminal id; else `POS_TERMINAL_ID`, else the root's `local_config.json`.
    pub id: Option<String>,
    /// `record` or `sale`; else the terminal's `local_config.json`, else `record`.
    pub durability: Option<String>,
    /// Version of the host layer.
    pub host_version: Option<String>,
    /// Size of a journal segment, for a new journal.
    pub segment_bytes: Option<f64>,
    /// Makes the terminal when it does not exist; default true.
    pub create: Option<bool>,
    /// Signs receipts with a key in the terminal's folder.
    pub sign: Option<bool>,
    /// Folder in which each terminal has the folder of its archive.
    pub archive: Option<String>,
    /// A sale may begin only while an operator is signed on; default false.
    pub needs_operator: Option<bool>,
    /// A sale may begin only while a shift is open; default false.
    pub needs_shift: Option<bool>,
    /// Starts a clock of tests at this wall time, nanoseconds as a decimal string.
    pub test_wall_ns: Option<String>,
}

impl NativeOpenOptions {
    pub(crate) fn options(self) -> Result<OpenOptions> {
        let mut options = OpenOptions {
            root: self.root.map(PathBuf::from),
            id: self.id,
            host_version: self.host_version,
            create: self.create.unwrap_or(true),
            archive: self.archive.map(PathBuf::from),
            signing: if self.sign.unwrap_or(false) { Signing::Software } else { Signing::Off },
            attendance: Attendance {
                operator: self.needs_operator.unwrap_or(false),
                shift: self.needs_shift.unwrap_or(false),
            },
            ..OpenOptions::default()
        };
        options.durability = self.durability.as_deref().map(Durability::parse).transpose()?;
        options.segment_bytes =
            self.segment_bytes.map(|bytes| small("segmentBytes", bytes)).transpose()?;
        if let Some(text) = self.test_wall_ns {
            let wall_ns = text.parse().map_err(|_| {
                argument("testWallNs", format!("testWallNs {text:?} is not a count of nanoseconds"))
            })?;
            options.clock = Arc::new(TestClock::new(wall_ns));
        }
        Ok(options)
    }
}

/// An open terminal. See the TypeScript layer for what its calls mean.
#[napi]
pub struct NativeTerminal {
    pub(crate) terminal: Arc<Terminal>,
    ear: Ear,
}

impl NativeTerminal {
    pub(crate) fn terminal(&self) -> &Arc<Terminal> {
        &self.terminal
    }
}

#[napi]
impl NativeTerminal {
    pub(crate) fn new(terminal: Arc<Terminal>, ear: Ear) -> Self {
        let heard = ear.clone();
        terminal.on_durable(move |durable| heard.tell(durable));
        Self { terminal, ear }
    }

    /// Begins a sale.
    #[napi(catch_unwind)]
    pub fn begin(
        &self,
        env: &Env,
        store: String,
        currency: String,
        reference: Option<String>,
        key: Option<String>,
    ) -> napi::Result<NativeBegun> {
        let begin = || self.terminal.begin(&store, &currency, reference.as_deref(), key.as_deref());
        begin().map(Into::into).cross(env)
    }

    /// Adds a line.
    #[napi(catch_unwind)]
    pub fn add_line(
        &self,
        env: &Env,
        sale: f64,
        line: NativeLine,
        key: Option<String>,
    ) -> napi::Result<NativeLineAnswer> {
        let add = || {
            let sets = line.sets();
            let parts = line.parts(&sets)?;
            self.terminal.add_line(whole("sale", sale)?, &line.input(&parts)?, key.as_deref())
        };
        add().map(Into::into).cross(env)
    }

    /// Changes a line's quantity.
    #[napi(catch_unwind)]
    pub fn set_quantity(
        &self,
        env: &Env,
        sale: f64,
        line: f64,
        new_quantity: Either<f64, String>,
        reason: NativeReason,
        key: Option<String>,
    ) -> napi::Result<NativeLineAnswer> {
        let set = || {
            let (sale, line) = (whole("sale", sale)?, small("line", line)?);
            let quantity = quantity(&new_quantity)?;
            self.terminal.set_quantity(sale, line, quantity, reason.input()?, key.as_deref())
        };
        set().map(Into::into).cross(env)
    }

    /// Voids a line.
    #[napi(catch_unwind)]
    pub fn void_line(
        &self,
        env: &Env,
        sale: f64,
        line: f64,
        reason: NativeReason,
        key: Option<String>,
    ) -> napi::Result<NativeLineAnswer> {
        let void = || {
            let (sale, line) = (whole("sale", sale)?, small("line", line)?);
            self.terminal.void_line(sale, line, reason.input()?, key.as_deref())
        };
        void().map(Into::into).cross(env)
    }

    /// Voids a line and the lines that belong to it, in one frame.
    #[napi(catch_unwind)]
    pub fn void_linked(
        &self,
        env: &Env,
        sale: f64,
        line: f64,
        reason: NativeReason,
        key: Option<String>,
    ) -> napi::Result<NativeLineAnswer> {
        let void = || {
            let (sale, line) = (whole("sale", sale)?, small("line", line)?);
            self.terminal.void_linked(sale, line, reason.input()?, key.as_deref())
        };
        void().map(Into::into).cross(env)
    }

    /// Takes a tender.
    #[napi(catch_unwind)]
    pub fn tender(
        &self,
        env: &Env,
        sale: f64,
        tender: NativeTender,
        key: Option<String>,
    ) -> napi::Result<NativeTenderAnswer> {
        let take = || {
            let sets = tender.sets();
            let attributes = tender.attributes(&sets)?;
            let tender = tender.input(&attributes)?;
            self.terminal.tender(whole("sale", sale)?, &tender, key.as_deref())
        };
        take().map(Into::into).cross(env)
    }

    /// Confirms a pending tender.
    #[napi(catch_unwind)]
    pub fn confirm_tender(
        &self,
        env: &Env,
        sale: f64,
        tender: f64,
        auth: Option<String>,
        key: Option<String>,
    ) -> napi::Result<NativeTenderAnswer> {
        let confirm = || {
            let (sale, tender) = (whole("sale", sale)?, small("tender", tender)?);
            self.terminal.confirm_tender(sale, tender, auth.as_deref(), key.as_deref())
        };
        confirm().map(Into::into).cross(env)
    }

    /// Declines a pending tender.
    #[napi(catch_unwind)]
    pub fn decline_tender(
        &self,
        env: &Env,
        sale: f64,
        tender: f64,
        reason: NativeReason,
        key: Option<String>,
    ) -> napi::Result<NativeTenderAnswer> {
        let decline = || {
            let (sale, tender) = (whole("sale", sale)?, small("tender", tender)?);
            self.terminal.decline_tender(sale, tender, reason.input()?, key.as_deref())
        };
        decline().map(Into::into).cross(env)
    }

    /// Takes a live tender back.
    #[napi(catch_unwind)]
    pub fn void_tender(
        &self,
        env: &Env,
        sale: f64,
        tender: f64,
        reason: NativeReason,
        key: Option<String>,
    ) -> napi::Result<NativeTenderAnswer> {
        let void = || {
            let (sale, tender) = (whole("sale", sale)?, small("tender", tender)?);
            self.terminal.void_tender(sale, tender, reason.input()?, key.as_deref())
        };
        void().map(Into::into).cross(env)
    }

    /// Completes a sale.
    #[napi(catch_unwind)]
    pub fn complete(
        &self,
        env: &Env,
        sale: f64,
        key: Option<String>,
    ) -> napi::Result<NativeReceipt> {
        let complete = || self.terminal.complete(whole("sale", sale)?, key.as_deref());
        complete().map(Into::into).cross(env)
    }

    /// Voids a whole sale.
    #[napi(catch_unwind)]
    pub fn void_sale(
        &self,
        env: &Env,
        sale: f64,
        reason: NativeReason,
        key: Option<String>,
    ) -> napi::Result<NativeBegun> {
        let void =
            || self.terminal.void_sale(whole("sale", sale)?, reason.input()?, key.as_deref());
        let answer = void().cross(env)?;
        Ok(NativeBegun {
            sale: number(answer.value.sale),
            seq: number(answer.sequence),
            wait: answer.wait,
            replayed: answer.replayed,
        })
    }

    /// Forgets a finished sale.
    #[napi(catch_unwind)]
    pub fn close_sale(&self, env: &Env, sale: f64) -> napi::Result<()> {
        whole("sale", sale).and_then(|sale| self.terminal.close_sale(sale)).cross(env)
    }

    /// Rings up a whole sale in one frame, one write and one flush. Texts and numbers are packed as
    /// the door's `packed.rs` says; `numbers` takes the answer. Returns what of the answer is text.
    #[napi(catch_unwind)]
    pub fn sell(
        &self,
        env: &Env,
        texts: String,
        mut numbers: Float64ArraySlice<'_>,
    ) -> napi::Result<String> {
        // SAFETY: this thread runs no JavaScript until the call returns, so nothing else reads,
        // writes or detaches the array meanwhile; the caller owns it and shares it with nobody.
        let numbers = unsafe { numbers.as_mut() };
        let answer = packed::sell(&self.terminal, &texts, numbers).cross(env)?;
        let hash = Hash(answer.value.meta.hash).to_string();
        let policy = policy_hash(&answer.value);
        Ok(match (policy, answer.value.operator) {
            (None, None) => hash,
            (policy, operator) => {
                let (policy, operator) = (policy.unwrap_or_default(), operator.unwrap_or_default());
                format!("{hash}\n{policy}\n{operator}")
            }
        })
    }

    /// What a sale comes to.
    #[napi(catch_unwind)]
    pub fn totals(&self, env: &Env, sale: f64) -> napi::Result<NativeTotals> {
        let totals = || self.terminal.read_sale(whole("sale", sale)?, totals_of)?;
        totals().cross(env)
    }

    /// The lines of a sale.
    #[napi(catch_unwind)]
    pub fn lines(&self, env: &Env, sale: f64) -> napi::Result<Vec<NativeReceiptLine>> {
        let lines = || self.terminal.read_sale(whole("sale", sale)?, lines_of);
        lines().cross(env)
    }

    /// The tenders of a sale.
    #[napi(catch_unwind)]
    pub fn tenders(&self, env: &Env, sale: f64) -> napi::Result<Vec<NativeReceiptTender>> {
        let read = |sale: &Sale| sale.tenders.iter().map(Into::into).collect();
        let tenders = || self.terminal.read_sale(whole("sale", sale)?, read);
        tenders().cross(env)
    }

    /// Whether an idempotency key is remembered.
    #[napi(catch_unwind)]
    pub fn knows_key(&self, env: &Env, key: String) -> napi::Result<bool> {
        self.terminal.knows_key(&key).cross(env)
    }

    /// The open sales, by number.
    #[napi(catch_unwind)]
    pub fn open_sales(&self, env: &Env) -> napi::Result<Vec<NativeOpenSale>> {
        let sales = self.terminal.open_sales().cross(env)?;
        Ok(sales.iter().map(Into::into).collect())
    }

    /// A receipt from the journal. Reads the disk on the calling thread.
    #[napi(catch_unwind)]
    pub fn receipt_sync(
        &self,
        env: &Env,
        receipt_number: f64,
        circle: String,
    ) -> napi::Result<NativeReceipt> {
        let read = || {
            let number = whole("receiptNumber", receipt_number)?;
            self.terminal.receipt_in(circle_of(&circle)?, number)
        };
        read().map(stored).cross(env)
    }

    /// A receipt from the journal.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeReceipt>")]
    pub fn receipt(&self, receipt_number: f64, circle: String) -> AsyncTask<Away<NativeReceipt>> {
        away(&self.terminal, move |till| {
            let number = whole("receiptNumber", receipt_number)?;
            till.receipt_in(circle_of(&circle)?, number).map(stored)
        })
    }

    /// Perpetual totals by currency.
    #[napi(catch_unwind)]
    pub fn counters(&self, env: &Env) -> napi::Result<Vec<NativeCounters>> {
        let counters = || {
            let all = self.terminal.counters()?;
            let with_taxes = all.into_iter().map(|(currency, totals)| {
                let taxes = self.terminal.tax_counters(currency)?;
                Ok(NativeCounters {
                    currency: currency.to_string(),
                    sales: totals.sales,
                    returns: totals.returns,
                    net: totals.sales - totals.returns,
                    sales_tax: totals.sales_tax,
                    returns_tax: totals.returns_tax,
                    rounding: totals.rounding,
                    taxes: taxes.iter().map(|(tax, sums)| (&sums.record(*tax)).into()).collect(),
                    receipts: number(totals.receipts),
                    voids: number(totals.voids),
                })
            });
            with_taxes.collect::<Result<Vec<_>>>()
        };
        counters().cross(env)
    }

    /// Where the terminal stands.
    #[napi(catch_unwind)]
    pub fn status(&self, env: &Env) -> napi::Result<NativeStatus> {
        let status = self.terminal.status().cross(env)?;
        Ok(NativeStatus {
            id: self.terminal.id().to_owned(),
            dir: self.terminal.dir().display().to_string(),
            durability: self.terminal.durability().name().to_owned(),
            epoch: status.position.epoch,
            sequence: number(status.position.sequence),
            durable_sequence: number(status.position.durable_sequence),
            head: Hash(status.position.head).to_string(),
            segment: status.position.segment,
            open_sales: u32::try_from(status.open_sales).unwrap_or(u32::MAX),
            next_receipt: number(status.next_receipt),
            space: status.space.name().to_owned(),
            poisoned: status.poisoned,
            operator: self.terminal.operator().cross(env)?,
            training: self.terminal.is_training().cross(env)?,
            shift: self.terminal.shift().cross(env)?.map(|shift| number(shift.number)),
            flush_ns: number(status.sync_latency.smoothed_ns),
            flush_worst_ns: number(status.sync_latency.worst_ns),
            keys_max: u32::try_from(self.terminal.keys_max()).unwrap_or(u32::MAX),
        })
    }

    /// Work done since the terminal was opened. Answers after closing too.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> NativeStats {
        let stats = self.terminal.stats();
        let flushes = stats.flushes;
        NativeStats {
            frames: number(stats.frames),
            records: number(stats.records),
            writes: number(stats.writes),
            bytes: number(stats.bytes),
            flushes: NativeFlushes {
                sale: number(flushes.sale),
                record: number(flushes.record),
                mark: number(flushes.mark),
                checkpoint: number(flushes.checkpoint),
                roll: number(flushes.roll),
                prepare: number(flushes.prepare),
                open: number(flushes.open),
                close: number(flushes.close),
            },
        }
    }

    /// What was found when the terminal was opened.
    #[napi(catch_unwind)]
    pub fn recovery(&self) -> NativeRecovery {
        self.terminal.recovery().into()
    }

    /// Newest sequence known durable.
    #[napi(catch_unwind)]
    pub fn durable_sequence(&self) -> i64 {
        number(self.terminal.durable_sequence())
    }

    /// Blocks until everything up to `seq` is durable.
    #[napi(catch_unwind)]
    pub fn wait_sync(&self, env: &Env, seq: f64) -> napi::Result<()> {
        whole("seq", seq).and_then(|seq| self.terminal.wait_durable(seq)).cross(env)
    }

    /// Asks for everything to be made durable and returns the newest durable sequence; `onDurable`
    /// follows for the rest. With `patient` it flushes on this thread when the device is known to
    /// be fast (under half a millisecond).
    #[napi(catch_unwind)]
    pub fn flush(&self, env: &Env, patient: bool) -> napi::Result<i64> {
        self.terminal.request_flush(patient).map(number).cross(env)
    }

    /// Keeps the process alive until [`Self::release`]: an answer is on its way.
    #[napi(catch_unwind)]
    pub fn hold(&self, env: &Env) -> napi::Result<()> {
        self.ear.hold(env)
    }

    /// Lets the process end while the terminal is open.
    #[napi(catch_unwind)]
    pub fn release(&self, env: &Env) -> napi::Result<()> {
        self.ear.release(env)
    }

    /// Closes the terminal on the calling thread. Closing twice does nothing.
    #[napi(catch_unwind)]
    pub fn close_sync(&self, env: &Env) -> napi::Result<()> {
        self.terminal.close().cross(env)
    }

    /// Closes the terminal.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn close(&self) -> AsyncTask<CloseTask> {
        AsyncTask::new(CloseTask { terminal: self.terminal.clone() })
    }
}

/// Opens a terminal off the event loop. `onDurable` hears of every flush that `flush` asked for.
#[napi(catch_unwind, ts_return_type = "Promise<NativeTerminal>")]
pub fn open_terminal(
    env: &Env,
    options: NativeOpenOptions,
    #[napi(ts_arg_type = "(durable: number, error?: NativeFault | null) => void")]
    on_durable: DurableCallback<'_>,
) -> napi::Result<AsyncTask<OpenTask>> {
    let options = options.options().cross(env)?;
    let open = Box::new(move || Terminal::open(&options).map(Arc::new));
    Ok(AsyncTask::new(OpenTask::new(open, Ear::own(&on_durable)?)))
}

/// Opens a terminal on the calling thread.
#[napi(catch_unwind)]
pub fn open_terminal_sync(
    env: &Env,
    options: NativeOpenOptions,
    #[napi(ts_arg_type = "(durable: number, error?: NativeFault | null) => void")]
    on_durable: DurableCallback<'_>,
) -> napi::Result<NativeTerminal> {
    let terminal = options.options().and_then(|options| Terminal::open(&options)).cross(env)?;
    Ok(NativeTerminal::new(Arc::new(terminal), Ear::own(&on_durable)?))
}

/// An error as data.
#[napi(object)]
pub struct NativeFault {
    /// `PK_E_...`.
    pub code: String,
    /// Family of the code.
    pub family: String,
    /// A sentence.
    pub message: String,
    /// The facts, by name.
    #[napi(ts_type = "Record<string, unknown>")]
    pub facts: Value,
}

impl From<&Error> for NativeFault {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code().name().to_owned(),
            family: error.code().family().name().to_owned(),
            message: error.message().to_owned(),
            facts: Value::Object(error.facts().clone()),
        }
    }
}

fn stored(receipt: Receipt) -> NativeReceipt {
    let sequence = receipt.meta.sequence;
    Answer { value: receipt, sequence, wait: false, replayed: false }.into()
}

type Opening = Box<dyn FnOnce() -> Result<Arc<Terminal>> + Send>;

/// Opening, on a pool thread.
pub struct OpenTask {
    open: Option<Opening>,
    ear: Option<Ear>,
}

impl OpenTask {
    pub(crate) fn new(open: Opening, ear: Ear) -> Self {
        Self { open: Some(open), ear: Some(ear) }
    }
}

impl Task for OpenTask {
    type Output = Result<Arc<Terminal>>;
    type JsValue = NativeTerminal;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(self.open.take().expect("a task is computed once")())
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<NativeTerminal> {
        let terminal = output.map_err(|error| thrown(&env, &error))?;
        let ear = self.ear.take().expect("a task resolves once");
        Ok(NativeTerminal::new(terminal, ear))
    }
}

/// Closing, on a pool thread.
pub struct CloseTask {
    terminal: Arc<Terminal>,
}

impl Task for CloseTask {
    type Output = std::result::Result<(), Error>;
    type JsValue = ();

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(self.terminal.close())
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<()> {
        output.map_err(|error| thrown(&env, &error))
    }
}
