//! How a sale ends, or waits.

use super::{may_be_open, may_change_lines, not_empty, unless_zero};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{
    Circle, CompletedSums, Hash, Key, SaleCompleted, SaleSuspended, SaleVoided, TakenTender,
    TaxRowRecord, TenderState,
};
use crate::sale::Ticket;
use crate::sale::input::{self};
use crate::sale::{Sale, Tender};
use crate::till::Perpetual;

/// Completes a sale: nothing due, nothing pending, change only from what may give it.
///
/// # Errors
/// `PK_E_UNDERPAID`, `PK_E_PENDING_TENDER`, `PK_E_EMPTY_SALE`, `PK_E_OVERFLOW`,
/// `PK_E_ALREADY_FINAL`.
pub fn complete(
    sale: &Sale,
    receipt: u64,
    before: &Perpetual<'_>,
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
    let after = before.after(sale)?;
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
        tenders: confirmed.map(taken).collect(),
        total_sales: after.totals.sales,
        total_returns: after.totals.returns,
        reference: sale.reference.clone(),
        operator: None,
        circle: sale.training.then_some(Circle::Training),
        key,
        sums: completed_sums(sale)?,
        rules: Vec::new(),
        policy: sale.has_policy.then(|| Hash(sale.policy().hash())),
        perpetual: after.record(),
    })
}

/// A confirmed tender as the completion has it.
pub(in crate::sale) fn taken(tender: &Tender) -> TakenTender {
    TakenTender {
        tender: tender.number,
        kind: tender.kind,
        amount: tender.amount,
        tip: unless_zero(tender.tip),
    }
}

/// What a completion says besides its total; `None` when there is nothing to say.
pub(in crate::sale) fn completed_sums(sale: &Sale) -> Result<Option<CompletedSums>> {
    let totals = sale.totals();
    let mut taxes = Vec::new();
    if !sale.cart.is_untaxed() {
        let row = |row: &crate::pricing::TaxRow| TaxRowRecord {
            tax: row.component,
            net: row.net,
            amount: row.tax,
        };
        taxes.extend(sale.cart.tax_table()?.rows().iter().map(row));
    }
    let sums = CompletedSums {
        taxes,
        tax: totals.tax,
        discounts: totals.discounts,
        surcharges: totals.surcharges,
        rounding: totals.rounding,
        tips: totals.tips,
    };
    let CompletedSums { tax, discounts, surcharges, rounding, tips, .. } = sums;
    let plain =
        sums.taxes.is_empty() && (tax, discounts, surcharges, rounding, tips) == (0, 0, 0, 0, 0);
    Ok((!plain).then_some(sums))
}

/// Voids a sale that has no live tender.
///
/// # Errors
/// `PK_E_TENDER_TAKEN`, `PK_E_BAD_TEXT`, `PK_E_ALREADY_FINAL`.
pub fn void(sale: &Sale, reason: &str, voids: u64, key: Option<Key>) -> Result<SaleVoided> {
    may_change_lines(sale)?;
    input::reason(reason)?;
    Ok(SaleVoided {
        sale: sale.number,
        reason: reason.to_owned(),
        currency: sale.currency,
        idle_ns: None,
        gross: sale.cart.totals().gross,
        total_voids: voids + u64::from(!sale.training),
        operator: None,
        approval: None,
        key,
    })
}

/// Suspends a sale that has no live tender. `terminal` is where it is.
///
/// # Errors
/// `PK_E_TENDER_TAKEN`, `PK_E_BAD_TEXT`, `PK_E_SUSPENDED`, `PK_E_ALREADY_FINAL`.
pub fn suspend(
    sale: &Sale,
    terminal: &str,
    reason: &str,
    key: Option<Key>,
) -> Result<SaleSuspended> {
    may_change_lines(sale)?;
    input::reason(reason)?;
    let ticket = Ticket {
        terminal: terminal.to_owned(),
        sale: sale.number,
        first_sequence: sale.first_sequence,
        suspension: sale.suspensions + 1,
    };
    let (reason, ticket) = (reason.to_owned(), ticket.to_string());
    Ok(SaleSuspended { sale: sale.number, reason, ticket, operator: None, key })
}

/// The hash of a sale's records so far.
pub(crate) fn content(sale: &Sale) -> Hash {
    Hash(*blake3::hash(&sale.log).as_bytes())
}
