//! What crosses the border. Amounts are safe integers of minor units; quantities and unit prices are
//! safe integers or decimal strings.

use crate::fault::argument;
use crate::receipt::{NativeTaxTotals, NativeTotals};
use napi::Either;
use napi_derive::napi;
use pos_kernel_core::clock::iso_utc;
use pos_kernel_core::limits::AMOUNT_MAX;
use pos_kernel_core::money::Decimal;
use pos_kernel_core::sale::{self, input};
use pos_kernel_core::terminal::{Answer, Begun, LineAnswer, RecoveryReport, TenderAnswer};
use pos_kernel_core::{Code, Error, Result};

/// A number that may stand for a decimal.
pub(crate) type Amountish = Either<f64, String>;

/// A sale has begun.
#[napi(object)]
pub struct NativeBegun {
    /// Number of the sale.
    pub sale: i64,
    /// Sequence of the last record of this call.
    pub seq: i64,
    /// Not durable yet.
    pub wait: bool,
    /// The stored answer of an earlier call with the same key.
    pub replayed: bool,
}

/// A line was added or changed.
#[napi(object)]
pub struct NativeLineAnswer {
    /// Line number.
    pub line: u32,
    /// Its amount.
    pub amount: i64,
    /// What the sale comes to.
    pub totals: NativeTotals,
    /// Sequence of the last record of this call.
    pub seq: i64,
    /// Not durable yet.
    pub wait: bool,
    /// The stored answer of an earlier call with the same key.
    pub replayed: bool,
}

/// A tender was taken or changed.
#[napi(object)]
pub struct NativeTenderAnswer {
    /// Tender number.
    pub tender: u32,
    /// `pending`, `confirmed`, `declined` or `voided`.
    pub state: String,
    /// Still due.
    pub due: i64,
    /// Change to give.
    pub change: i64,
    /// What cash rounding adds to the total.
    pub rounding: i64,
    /// Sequence of the last record of this call.
    pub seq: i64,
    /// Not durable yet.
    pub wait: bool,
    /// The stored answer of an earlier call with the same key.
    pub replayed: bool,
}

/// A receipt that a sale takes lines back from.
#[napi(object)]
pub struct NativeReturnsOf {
    /// Terminal id.
    pub terminal: String,
    /// Receipt number there.
    pub receipt_number: i64,
}

/// Where a sale was suspended that went on here.
#[napi(object)]
pub struct NativeTakenOver {
    /// Terminal id.
    pub terminal: String,
    /// Number of the sale there.
    pub sale: i64,
    /// Its ticket.
    pub ticket: String,
}

/// An open sale.
#[napi(object)]
pub struct NativeOpenSale {
    /// Number of the sale.
    pub sale: i64,
    /// Store.
    pub store: String,
    /// ISO 4217 letters.
    pub currency: String,
    /// The host's own number for it.
    pub reference: Option<String>,
    /// `building`, `tendering` or `suspended`.
    pub state: String,
    /// Lines, voided ones included.
    pub lines: u32,
    /// Total.
    pub gross: i64,
    /// It came back after its owner was gone.
    pub recovered: bool,
    /// It is training.
    pub training: bool,
    /// The ticket that it waits for, when it is suspended.
    pub ticket: Option<String>,
    /// The receipt that it takes lines back from.
    pub returns: Option<NativeReturnsOf>,
    /// Where it was suspended before it went on here.
    pub takes: Option<NativeTakenOver>,
    /// Begin, ISO 8601 in UTC.
    pub began_at: String,
}

/// Perpetual totals of one currency.
#[napi(object)]
pub struct NativeCounters {
    /// ISO 4217 letters.
    pub currency: String,
    /// Amounts sold.
    pub sales: i64,
    /// Amounts returned, counted upwards.
    pub returns: i64,
    /// Sold less returned.
    pub net: i64,
    /// Taxes on what was sold.
    pub sales_tax: i64,
    /// Taxes on what was returned, counted upwards.
    pub returns_tax: i64,
    /// Cash rounding.
    pub rounding: i64,
    /// By tax.
    pub taxes: Vec<NativeTaxTotals>,
    /// Completed sales.
    pub receipts: i64,
    /// Voided sales.
    pub voids: i64,
}

/// Where a terminal stands.
#[napi(object)]
pub struct NativeStatus {
    /// Terminal id.
    pub id: String,
    /// Its folder.
    pub dir: String,
    /// `record` or `sale`.
    pub durability: String,
    /// Owner epoch.
    pub epoch: u32,
    /// Sequence of the last record.
    pub sequence: i64,
    /// Sequence of the last record known durable.
    pub durable_sequence: i64,
    /// Chain link of the last frame.
    pub head: String,
    /// Segment in use.
    pub segment: u32,
    /// Open sales.
    pub open_sales: u32,
    /// Number of the next receipt.
    pub next_receipt: i64,
    /// `ok`, `low` or `full`.
    pub space: String,
    /// A disk failure has ended this terminal.
    pub poisoned: bool,
    /// The operator signed on.
    pub operator: Option<String>,
    /// Sales begin as training.
    pub training: bool,
    /// Number of the shift under way.
    pub shift: Option<i64>,
    /// Smoothed time of a device flush, in nanoseconds.
    pub flush_ns: i64,
    /// The slowest device flush so far, in nanoseconds.
    pub flush_worst_ns: i64,
    /// Idempotency keys remembered at most.
    pub keys_max: u32,
}

/// Device flushes by cause.
#[napi(object)]
pub struct NativeFlushes {
    /// Completions, voids, tenders that leave the till; all calls in `sale` mode.
    pub sale: i64,
    /// Acknowledged calls in `record` mode.
    pub record: i64,
    /// Durable marks of an idle log.
    pub mark: i64,
    /// Checkpoints; they ride on other flushes.
    pub checkpoint: i64,
    /// Sealing a segment and starting the next.
    pub roll: i64,
    /// Preparing segments ahead of use.
    pub prepare: i64,
    /// An owner's begin.
    pub open: i64,
    /// An owner's end.
    pub close: i64,
}

/// Work done since the terminal was opened.
#[napi(object)]
pub struct NativeStats {
    /// Frames appended.
    pub frames: i64,
    /// Records appended.
    pub records: i64,
    /// Writes.
    pub writes: i64,
    /// Bytes written.
    pub bytes: i64,
    /// Device flushes by cause.
    pub flushes: NativeFlushes,
}

/// The owner of a terminal, as information.
#[napi(object)]
pub struct NativeOwner {
    /// Process id.
    pub pid: u32,
    /// Host name.
    pub host: String,
    /// Kernel version.
    pub version: String,
    /// Version of the host layer.
    pub host_version: Option<String>,
    /// Owner epoch.
    pub epoch: u32,
    /// When it opened the terminal, ISO 8601 in UTC.
    pub opened_at: String,
    /// It closed the terminal.
    pub released: bool,
}

/// A torn tail that was cut.
#[napi(object)]
pub struct NativeCut {
    /// Segment.
    pub segment: u32,
    /// Where it began.
    pub offset: u32,
    /// How many bytes.
    pub bytes: u32,
    /// File in the journal's folder that keeps them.
    pub kept_as: String,
}

/// What was found when a terminal was opened.
#[napi(object)]
pub struct NativeRecovery {
    /// The last owner had closed the terminal, or there was none.
    pub clean: bool,
    /// The terminal did not exist before.
    pub first_open: bool,
    /// Epoch of the new owner.
    pub epoch: u32,
    /// The last owner, where a record of it was found.
    pub previous_owner: Option<NativeOwner>,
    /// The torn tail that was cut.
    pub cut: Option<NativeCut>,
    /// Sales that came back open.
    pub sales: Vec<i64>,
    /// Records that were replayed.
    pub records: i64,
    /// Newest sequence that the journal itself proved durable.
    pub durable_sequence: i64,
}

/// A count or number as JavaScript takes it; all of ours are far below 2^53.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number of ours as a double; all of them are safe integers.
#[expect(clippy::cast_precision_loss, reason = "amounts and sequences stay within 2^53")]
pub(crate) fn as_double(value: i64) -> f64 {
    value as f64
}

/// A safe integer.
pub(crate) fn safe_integer(what: &str, value: f64) -> Result<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "checked against the bounds first")]
    #[expect(clippy::cast_precision_loss, reason = "the bound is exact in a double")]
    let whole =
        (value.abs() <= AMOUNT_MAX as f64 && value.trunc() == value).then_some(value as i64);
    whole.ok_or_else(|| {
        let (code, fault) = if value.is_finite() && value.trunc() == value {
            (Code::Overflow, "is outside the safe integers")
        } else {
            (Code::BadAmount, "is not an integer of minor units")
        };
        Error::new(code, format!("{what} {value} {fault} (+-{AMOUNT_MAX})"))
            .with("what", what)
            .with("value", value.to_string())
            .with("limit", AMOUNT_MAX)
    })
}

/// A number that counts or names something, from 0.
pub(crate) fn whole(what: &str, value: f64) -> Result<u64> {
    safe_integer(what, value)
        .ok()
        .and_then(|value| u64::try_from(value).ok())
        .ok_or_else(|| argument(what, format!("{what} {value} is not a whole number from 0")))
}

/// A number of a line or tender.
pub(crate) fn small(what: &str, value: f64) -> Result<u32> {
    let value = whole(what, value)?;
    u32::try_from(value).map_err(|_| argument(what, format!("{what} {value} is too large")))
}

pub(crate) fn quantity(value: &Amountish) -> Result<Decimal> {
    decimal("quantity", value, Code::BadQuantity)
}

pub(crate) fn unit_price(value: &Amountish) -> Result<Decimal> {
    decimal("unitPrice", value, Code::BadPrice)
}

/// A safe integer or a decimal string.
pub(crate) fn decimal(what: &str, value: &Amountish, code: Code) -> Result<Decimal> {
    match value {
        Either::A(value) => integer_decimal(what, *value, code),
        Either::B(text) => input::decimal(what, text, code),
    }
}

pub(crate) fn integer_decimal(what: &str, value: f64, code: Code) -> Result<Decimal> {
    safe_integer(what, value).map(Decimal::whole).map_err(|_| {
        let message = format!(
            "{what} {value} is not a safe integer; give parts as a decimal string such as \"0.250\""
        );
        Error::new(code, message).with("what", what).with("value", value.to_string())
    })
}

impl From<Answer<Begun>> for NativeBegun {
    fn from(answer: Answer<Begun>) -> Self {
        Self {
            sale: number(answer.value.sale),
            seq: number(answer.sequence),
            wait: answer.wait,
            replayed: answer.replayed,
        }
    }
}

impl From<Answer<LineAnswer>> for NativeLineAnswer {
    fn from(answer: Answer<LineAnswer>) -> Self {
        Self {
            line: answer.value.line,
            amount: answer.value.amount,
            totals: answer.value.totals.into(),
            seq: number(answer.sequence),
            wait: answer.wait,
            replayed: answer.replayed,
        }
    }
}

impl From<Answer<TenderAnswer>> for NativeTenderAnswer {
    fn from(answer: Answer<TenderAnswer>) -> Self {
        Self {
            tender: answer.value.tender,
            state: answer.value.state.name().to_owned(),
            due: answer.value.due,
            change: answer.value.change,
            rounding: answer.value.rounding,
            seq: number(answer.sequence),
            wait: answer.wait,
            replayed: answer.replayed,
        }
    }
}

impl From<&sale::Sale> for NativeOpenSale {
    fn from(sale: &sale::Sale) -> Self {
        let totals = sale.totals();
        Self {
            sale: number(sale.number),
            store: sale.store.clone(),
            currency: sale.currency.to_string(),
            reference: sale.reference.clone(),
            state: totals.state.name().to_owned(),
            lines: u32::try_from(sale.lines.len()).unwrap_or(u32::MAX),
            gross: totals.gross,
            recovered: sale.recovered,
            training: sale.training,
            ticket: sale.ticket.clone(),
            returns: sale.returns.as_ref().map(|of| NativeReturnsOf {
                terminal: of.terminal.clone(),
                receipt_number: number(of.receipt),
            }),
            takes: sale.takes.as_ref().map(|taken| NativeTakenOver {
                terminal: taken.terminal.clone(),
                sale: number(taken.sale),
                ticket: taken.ticket.clone(),
            }),
            began_at: iso_utc(sale.began_ns),
        }
    }
}

impl From<&RecoveryReport> for NativeRecovery {
    fn from(report: &RecoveryReport) -> Self {
        Self {
            clean: report.clean,
            first_open: report.first_open,
            epoch: report.epoch,
            previous_owner: report.previous_owner.as_ref().map(|owner| NativeOwner {
                pid: owner.pid,
                host: owner.host.clone(),
                version: owner.version.clone(),
                host_version: owner.host_version.clone(),
                epoch: owner.epoch,
                opened_at: owner.opened_at.clone(),
                released: owner.released,
            }),
            cut: report.cut.as_ref().map(|cut| NativeCut {
                segment: cut.segment,
                offset: cut.offset,
                bytes: cut.bytes,
                kept_as: cut.kept_as.clone(),
            }),
            sales: report.sales.iter().map(|sale| number(*sale)).collect(),
            records: number(report.records),
            durable_sequence: number(report.durable_sequence),
        }
    }
}
