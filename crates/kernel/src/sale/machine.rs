//! What may happen: command + state -> fact, or a refusal. Pure code; nothing is changed here.

use super::input::{self, LineInput, TenderInput};
use super::{Line, Sale, State, Tender, settle};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{
    Hash, Key, LineAdded, LineVoided, QuantitySet, SaleBegun, SaleCompleted, SaleVoided,
    TakenTender, TenderAdded, TenderConfirmed, TenderDeclined, TenderKind, TenderState,
    TenderVoided,
};
use crate::limits::{AMOUNT_MAX, LINES_MAX, TENDERS_MAX};
use crate::money::{Currency, Decimal, Rounding, add, extend, in_range};
use crate::till::CurrencyTotals;

/// The rule for a line's amount.
pub const LINE_ROUNDING: Rounding = Rounding::HalfUp;

/// Begins a sale.
///
/// # Errors
/// `PK_E_BAD_TEXT`, `PK_E_BAD_CURRENCY`.
pub fn begin(
    sale: u64,
    store: &str,
    currency: &str,
    reference: Option<&str>,
    key: Option<Key>,
) -> Result<SaleBegun> {
    input::store(store)?;
    input::reference(reference)?;
    let currency = Currency::parse(currency)?;
    let reference = reference.map(str::to_owned);
    Ok(SaleBegun { sale, store: store.to_owned(), currency, reference, key })
}

/// Adds a line.
///
/// # Errors
/// `PK_E_BAD_TEXT`, `PK_E_BAD_QUANTITY`, `PK_E_BAD_PRICE`, `PK_E_OVERFLOW`, `PK_E_LIMIT`,
/// `PK_E_TENDER_TAKEN`, `PK_E_ALREADY_FINAL`; `PK_E_NOT_FOUND` and `PK_E_LINE_VOIDED` for the parent.
pub fn add_line(sale: &Sale, line: &LineInput<'_>, key: Option<Key>) -> Result<LineAdded> {
    may_change_lines(sale)?;
    input::line(line)?;
    if sale.lines.len() >= LINES_MAX {
        return Err(Error::limit("lines of a sale", sale.lines.len() + 1, LINES_MAX));
    }
    if let Some(parent) = line.parent {
        live_line(sale, parent)?;
    }
    let amount = extend(line.quantity, line.unit_price, LINE_ROUNDING)?;
    Ok(LineAdded {
        sale: sale.number,
        line: next_number(sale.lines.len()),
        sku: line.sku.to_owned(),
        text: line.text.map(str::to_owned),
        quantity: line.quantity,
        unit_price: line.unit_price,
        amount,
        gross: add(sale.gross, amount)?,
        parent: line.parent,
        key,
    })
}

/// Voids a line.
///
/// # Errors
/// `PK_E_NOT_FOUND`, `PK_E_LINE_VOIDED`, `PK_E_BAD_TEXT`, `PK_E_TENDER_TAKEN`,
/// `PK_E_LINE_HAS_CHILDREN`, `PK_E_ALREADY_FINAL`.
pub fn void_line(sale: &Sale, line: u32, reason: &str, key: Option<Key>) -> Result<LineVoided> {
    may_change_lines(sale)?;
    input::reason(reason)?;
    let found = live_line(sale, line)?;
    if let Some(child) = sale.live_children(line).next() {
        let message = format!(
            "line {} of sale {} belongs to line {line}; void it first, or both in one call",
            child.number, sale.number
        );
        return Err(Error::new(Code::LineHasChildren, message)
            .with("sale", sale.number)
            .with("line", line)
            .with("child", child.number));
    }
    let gross = in_range(i128::from(sale.gross) - i128::from(found.amount))?;
    Ok(LineVoided { sale: sale.number, line, reason: reason.to_owned(), gross, key })
}

/// Changes the quantity of a line; its sign stays.
///
/// # Errors
/// As [`add_line`] and [`void_line`].
pub fn set_quantity(
    sale: &Sale,
    line: u32,
    quantity: Decimal,
    reason: &str,
    key: Option<Key>,
) -> Result<QuantitySet> {
    may_change_lines(sale)?;
    input::reason(reason)?;
    input::not_zero(quantity)?;
    let found = live_line(sale, line)?;
    if (quantity.mantissa() < 0) != (found.quantity.mantissa() < 0) {
        return Err(Error::new(
            Code::BadQuantity,
            format!(
                "quantity {quantity} would turn line {line} of {} into its opposite; void it and \
                 add another",
                found.quantity
            ),
        )
        .with("value", quantity.to_string())
        .with("line", line));
    }
    let amount = extend(quantity, found.unit_price, LINE_ROUNDING)?;
    let gross = i128::from(sale.gross) - i128::from(found.amount) + i128::from(amount);
    Ok(QuantitySet {
        sale: sale.number,
        line,
        reason: reason.to_owned(),
        quantity,
        amount,
        gross: in_range(gross)?,
        key,
    })
}

/// Takes a tender: positive while something is due, negative while something is to be paid out.
///
/// # Errors
/// `PK_E_BAD_AMOUNT`, `PK_E_OVERFLOW`, `PK_E_NOTHING_DUE`, `PK_E_EMPTY_SALE`, `PK_E_BAD_TEXT`,
/// `PK_E_LIMIT`, `PK_E_ALREADY_FINAL`.
pub fn tender(sale: &Sale, tender: &TenderInput<'_>, key: Option<Key>) -> Result<TenderAdded> {
    may_be_open(sale)?;
    input::amount(tender.amount)?;
    input::reference(tender.reference)?;
    not_empty(sale)?;
    if sale.tenders.len() >= TENDERS_MAX {
        return Err(Error::limit("tenders of a sale", sale.tenders.len() + 1, TENDERS_MAX));
    }
    let totals = sale.totals();
    if totals.due == 0 {
        let message = format!("nothing is due on sale {}; complete it", sale.number);
        return Err(Error::new(Code::NothingDue, message).with("sale", sale.number));
    }
    let gives_change = tender.kind == TenderKind::Cash && !tender.pending && totals.due > 0;
    let wrong_sign = tender.amount.signum() != totals.due.signum();
    let too_much = !gives_change && tender.amount.abs() > totals.due.abs();
    if wrong_sign || too_much {
        return Err(Error::new(
            Code::BadAmount,
            format!(
                "{} tender of {} does not fit what is due on sale {}: {}. Only cash may be more, \
                 and a pay-out is negative",
                tender.kind.name(),
                tender.amount,
                sale.number,
                totals.due
            ),
        )
        .with("value", tender.amount)
        .with("due", totals.due));
    }
    let state = if tender.pending { TenderState::Pending } else { TenderState::Confirmed };
    let covered = add(add(totals.tendered, totals.pending)?, tender.amount)?;
    let (due, change) = settle(sale.gross, covered);
    Ok(TenderAdded {
        sale: sale.number,
        tender: next_number(sale.tenders.len()),
        kind: tender.kind,
        amount: tender.amount,
        state,
        reference: tender.reference.map(str::to_owned),
        due,
        change,
        key,
    })
}

/// Confirms a pending tender.
///
/// # Errors
/// `PK_E_NOT_FOUND`, `PK_E_TENDER_STATE`, `PK_E_BAD_TEXT`, `PK_E_ALREADY_FINAL`.
pub fn confirm_tender(
    sale: &Sale,
    tender: u32,
    auth: Option<&str>,
    key: Option<Key>,
) -> Result<TenderConfirmed> {
    input::reference(auth)?;
    tender_in(sale, tender, &[TenderState::Pending])?;
    let (due, change) = after(sale, tender, TenderState::Confirmed);
    let auth = auth.map(str::to_owned);
    Ok(TenderConfirmed { sale: sale.number, tender, auth, due, change, key })
}

/// Declines a pending tender.
///
/// # Errors
/// `PK_E_NOT_FOUND`, `PK_E_TENDER_STATE`, `PK_E_BAD_TEXT`, `PK_E_ALREADY_FINAL`.
pub fn decline_tender(
    sale: &Sale,
    tender: u32,
    reason: &str,
    key: Option<Key>,
) -> Result<TenderDeclined> {
    input::reason(reason)?;
    tender_in(sale, tender, &[TenderState::Pending])?;
    let (due, change) = after(sale, tender, TenderState::Declined);
    let reason = reason.to_owned();
    Ok(TenderDeclined { sale: sale.number, tender, reason, due, change, key })
}

/// Takes a live tender back.
///
/// # Errors
/// `PK_E_NOT_FOUND`, `PK_E_TENDER_STATE`, `PK_E_BAD_TEXT`, `PK_E_ALREADY_FINAL`.
pub fn void_tender(
    sale: &Sale,
    tender: u32,
    reason: &str,
    key: Option<Key>,
) -> Result<TenderVoided> {
    input::reason(reason)?;
    tender_in(sale, tender, &[TenderState::Pending, TenderState::Confirmed])?;
    let (due, change) = after(sale, tender, TenderState::Voided);
    let reason = reason.to_owned();
    Ok(TenderVoided { sale: sale.number, tender, reason, due, change, key })
}

/// Completes a sale: nothing due, nothing pending, change from cash only.
///
/// # Errors
/// `PK_E_UNDERPAID`, `PK_E_PENDING_TENDER`, `PK_E_EMPTY_SALE`, `PK_E_OVERFLOW`,
/// `PK_E_ALREADY_FINAL`.
pub fn complete(
    sale: &Sale,
    receipt: u64,
    before: &CurrencyTotals,
    key: Option<Key>,
) -> Result<SaleCompleted> {
    may_be_open(sale)?;
    not_empty(sale)?;
    let totals = sale.totals();
    if let Some(pending) = sale.tenders.iter().find(|t| t.state == TenderState::Pending) {
        return Err(Error::new(
            Code::PendingTender,
            format!(
                "tender {} of sale {} is still pending; confirm, decline or void it",
                pending.number, sale.number
            ),
        )
        .with("sale", sale.number)
        .with("tender", pending.number));
    }
    if totals.due != 0 {
        return Err(Error::new(
            Code::Underpaid,
            format!(
                "sale {} comes to {} and {} is still due; take another tender",
                sale.number, totals.gross, totals.due
            ),
        )
        .with("sale", sale.number)
        .with("gross", totals.gross)
        .with("tendered", totals.tendered)
        .with("due", totals.due));
    }
    let (sold, returned) = sale.turnover();
    let confirmed = sale.tenders.iter().filter(|t| t.state == TenderState::Confirmed);
    Ok(SaleCompleted {
        sale: sale.number,
        receipt,
        first_sequence: sale.first_sequence,
        currency: sale.currency,
        lines: u32::try_from(sale.lines.len()).expect("lines are limited"),
        content: content(sale),
        gross: totals.gross,
        tendered: totals.tendered,
        change: totals.change,
        tenders: confirmed
            .map(|t| TakenTender { tender: t.number, kind: t.kind, amount: t.amount })
            .collect(),
        total_sales: in_range(i128::from(before.sales) + sold)?,
        total_returns: in_range(i128::from(before.returns) + returned)?,
        reference: sale.reference.clone(),
        key,
    })
}

/// Voids a sale that has no live tender.
///
/// # Errors
/// `PK_E_TENDER_TAKEN`, `PK_E_BAD_TEXT`, `PK_E_ALREADY_FINAL`.
pub fn void(
    sale: &Sale,
    reason: &str,
    before: &CurrencyTotals,
    key: Option<Key>,
) -> Result<SaleVoided> {
    may_change_lines(sale)?;
    input::reason(reason)?;
    Ok(SaleVoided {
        sale: sale.number,
        reason: reason.to_owned(),
        currency: sale.currency,
        gross: sale.gross,
        total_voids: before.voids + 1,
        key,
    })
}

/// The hash of a sale's records so far.
pub(super) fn content(sale: &Sale) -> Hash {
    Hash(*blake3::hash(&sale.log).as_bytes())
}

/// The refusal of anything on a sale that is over.
#[must_use]
pub fn already_final(sale: u64) -> Error {
    let message = format!("sale {sale} is completed or voided; begin a new one");
    Error::new(Code::AlreadyFinal, message).with("sale", sale)
}

fn may_be_open(sale: &Sale) -> Result<()> {
    match sale.state() {
        State::Building | State::Tendering => Ok(()),
        State::Completed | State::Voided => Err(already_final(sale.number)),
    }
}

fn may_change_lines(sale: &Sale) -> Result<()> {
    may_be_open(sale)?;
    match sale.tenders.iter().find(|tender| tender.is_live()) {
        None => Ok(()),
        Some(tender) => Err(Error::new(
            Code::TenderTaken,
            format!(
                "sale {} has a {} tender (number {}); void it before anything else changes",
                sale.number,
                tender.state.name(),
                tender.number
            ),
        )
        .with("sale", sale.number)
        .with("tender", tender.number)),
    }
}

fn not_empty(sale: &Sale) -> Result<()> {
    if sale.live_lines().next().is_some() {
        return Ok(());
    }
    let message = format!("sale {} has no live line; add one, or void the sale", sale.number);
    Err(Error::new(Code::EmptySale, message).with("sale", sale.number))
}

fn live_line(sale: &Sale, number: u32) -> Result<&Line> {
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let Some(line) = index.and_then(|index| sale.lines.get(index)) else {
        return Err(missing("line", number, sale));
    };
    if line.voided.is_some() {
        let message = format!("line {number} of sale {} is voided already", sale.number);
        return Err(Error::new(Code::LineVoided, message)
            .with("sale", sale.number)
            .with("line", number));
    }
    Ok(line)
}

fn tender_in<'a>(sale: &'a Sale, number: u32, allowed: &[TenderState]) -> Result<&'a Tender> {
    may_be_open(sale)?;
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let Some(tender) = index.and_then(|index| sale.tenders.get(index)) else {
        return Err(missing("tender", number, sale));
    };
    if allowed.contains(&tender.state) {
        return Ok(tender);
    }
    let state = tender.state.name();
    let message = format!("tender {number} of sale {} is {state}", sale.number);
    Err(Error::new(Code::TenderState, message)
        .with("sale", sale.number)
        .with("tender", number)
        .with("state", state))
}

fn missing(what: &str, number: u32, sale: &Sale) -> Error {
    let message = format!("sale {} has no {what} {number}", sale.number);
    Error::new(Code::NotFound, message).with("sale", sale.number).with(what, number)
}

/// Due and change once a tender has come into another state.
pub(super) fn after(sale: &Sale, tender: u32, state: TenderState) -> (i64, i64) {
    let covered = sale.tenders.iter().fold(0_i64, |sum, other| {
        let state = if other.number == tender { state } else { other.state };
        let counts = matches!(state, TenderState::Pending | TenderState::Confirmed);
        if counts { sum.saturating_add(other.amount) } else { sum }
    });
    settle(sale.gross, covered)
}

fn next_number(count: usize) -> u32 {
    u32::try_from(count + 1).expect("lines and tenders are limited")
}

const _: () = assert!(LINES_MAX < u32::MAX as usize);
// Tenders may add up to this without leaving the range of an i64.
const _: () = assert!(AMOUNT_MAX <= i64::MAX / (TENDERS_MAX as i64 + 1));
