//! What may happen: command + state -> fact, or a refusal. Pure code; nothing is changed here.
//!
//! Numbers come from the sale's cart: `preview` says what a change would come to, and the fact says
//! so too.

use super::input::{self, LineInput, Reason, TaxInput, TenderInput};
use super::ticket::Ticket;
use super::{Line, Sale, State, Tender};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{
    AdjustmentRetracted, Bytes, Circle, CompletedSums, ForeignAmount, Hash, Key, LineAdded,
    LineAdjusted, LineReturned, LineVoided, PriceOverridden, QuantitySet, ReturnsOf, SaleAdjusted,
    SaleBegun, SaleCompleted, SaleSuspended, SaleVoided, SoldAt, SoldFor, Sums, TakenTender,
    TaxRowRecord, TaxesOverridden, TenderAdded, TenderConfirmed, TenderDeclined, TenderKind,
    TenderState, TenderVoided,
};
use crate::limits::{LINES_MAX, TENDERS_MAX};
use crate::money::{Currency, Decimal};
use crate::policy::{Policy, UnboundReturns};
use crate::pricing::{
    Adjustment, Change, LineKind, NewLine, Outcome, Settlement, SoldLine, TaxComponent, Tendered,
    offer, settle,
};
use crate::till::Perpetual;

/// Begins a sale, priced by the till's policy for the currency if it has one.
///
/// # Errors
/// `PK_E_BAD_TEXT`, `PK_E_BAD_CURRENCY`.
pub fn begin(
    sale: u64,
    store: &str,
    currency: &str,
    reference: Option<&str>,
    policy: impl FnOnce(Currency) -> Option<Policy>,
    returns: Option<ReturnsOf>,
    key: Option<Key>,
) -> Result<SaleBegun> {
    input::store(store)?;
    input::reference(reference)?;
    let currency = Currency::parse(currency)?;
    let reference = reference.map(str::to_owned);
    let policy = policy(currency).map(|policy| Bytes(policy.encode()));
    let store = store.to_owned();
    Ok(SaleBegun {
        sale,
        store,
        currency,
        reference,
        training: None,
        operator: None,
        policy,
        returns,
        takes: None,
        key,
    })
}

/// Adds a line. Its discounts and surcharges are facts of their own: [`adjust_line`].
///
/// # Errors
/// `PK_E_BAD_TEXT`, `PK_E_BAD_QUANTITY`, `PK_E_BAD_PRICE`, `PK_E_BAD_RATE`, `PK_E_OVERFLOW`,
/// `PK_E_LIMIT`, `PK_E_TENDER_TAKEN`, `PK_E_ALREADY_FINAL`; `PK_E_NOT_FOUND` and
/// `PK_E_LINE_VOIDED` for the parent; `PK_E_MIXED_RETURNS`, `PK_E_UNBOUND_RETURN` and
/// `PK_E_APPROVAL_REQUIRED` for a return.
pub fn add_line(sale: &Sale, line: &LineInput<'_>, key: Option<Key>) -> Result<LineAdded> {
    may_change_lines(sale)?;
    input::line(line)?;
    one_more_line(sale)?;
    if let Some(parent) = line.parent {
        live_line(sale, parent)?;
    }
    if line.quantity.mantissa() < 0 {
        may_return_unbound(sale, line.approval)?;
    }
    let taxes = components(sale, line.taxes);
    let LineInput { kind, quantity, unit_price, per, .. } = *line;
    let change = Change::AddLine(NewLine { kind, quantity, unit_price, per, taxes: &taxes });
    let (outcome, sums) = changed(sale, &change)?;
    Ok(LineAdded {
        sale: sale.number,
        line: next_number(sale.lines.len()),
        sku: line.sku.to_owned(),
        text: line.text.map(str::to_owned),
        quantity,
        unit_price,
        amount: outcome.amount,
        gross: outcome.totals.gross,
        parent: line.parent,
        kind: (kind != LineKind::Item).then_some(kind),
        per: unless_one(per),
        taxes,
        sums,
        approval: line.approval,
        key,
        rules: Vec::new(),
    })
}

/// A sold line, ready to come back in parts.
#[derive(Debug, Clone, PartialEq)]
pub struct SoldItem {
    /// Where it was sold.
    pub at: SoldAt,
    /// Stock-keeping unit.
    pub sku: String,
    /// Text for people.
    pub text: Option<String>,
    /// Price of `per` units.
    pub unit_price: Decimal,
    /// Units that the price is for.
    pub per: Decimal,
    /// Currency of the sale.
    pub currency: Currency,
    /// What it was sold for.
    pub line: SoldLine,
    /// Quantity that has come back before.
    pub before: Decimal,
}

/// Takes a part of a sold line back.
///
/// # Errors
/// `PK_E_REFUND_EXCEEDS`, `PK_E_BAD_QUANTITY`, `PK_E_BAD_CURRENCY` when it was sold in another one,
/// `PK_E_BAD_TEXT`, `PK_E_MIXED_RETURNS`, `PK_E_OVERFLOW`, `PK_E_LIMIT`, `PK_E_TENDER_TAKEN`,
/// `PK_E_ALREADY_FINAL`.
pub fn return_line(
    sale: &Sale,
    item: &SoldItem,
    quantity: Decimal,
    reason: Reason<'_>,
    key: Option<Key>,
) -> Result<LineReturned> {
    may_change_lines(sale)?;
    input::reason(reason.text)?;
    one_more_line(sale)?;
    if item.currency != sale.currency {
        let message = format!(
            "receipt {} is in {}, and sale {} in {}",
            item.at.receipt, item.currency, sale.number, sale.currency
        );
        return Err(Error::new(Code::BadCurrency, message).with("value", item.currency.letters()));
    }
    let part = item.line.give_back(item.before, quantity)?;
    let (outcome, sums) = changed(sale, &Change::AddReturn(&part))?;
    Ok(LineReturned {
        sale: sale.number,
        line: next_number(sale.lines.len()),
        reason: reason.text.to_owned(),
        of: item.at.clone(),
        quantity: part.quantity(),
        unit_price: item.unit_price,
        amount: outcome.amount,
        gross: outcome.totals.gross,
        sku: item.sku.clone(),
        kind: (part.kind() != LineKind::Item).then_some(part.kind()),
        per: unless_one(item.per),
        taxes: part.components().to_vec(),
        sums,
        operator: None,
        approval: reason.approval,
        key,
        tax_amounts: part.taxes().to_vec(),
        sold: SoldFor {
            quantity: item.line.quantity,
            amount: item.line.amount,
            taxes: item.line.taxes.clone(),
            before: item.before,
        },
        text: item.text.clone(),
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
    live_line(sale, line)?;
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
    let (outcome, sums) = changed(sale, &Change::VoidLine { line })?;
    let gross = outcome.totals.gross;
    let (operator, approval) = (None, None);
    Ok(LineVoided {
        sale: sale.number,
        line,
        reason: reason.to_owned(),
        gross,
        sums,
        operator,
        approval,
        key,
    })
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
    live_line(sale, line)?;
    let (outcome, sums) = changed(sale, &Change::SetQuantity { line, quantity })?;
    let (amount, gross) = (outcome.amount, outcome.totals.gross);
    let reason = reason.to_owned();
    let (sale, operator, approval) = (sale.number, None, None);
    Ok(QuantitySet { sale, line, reason, quantity, amount, gross, sums, operator, approval, key })
}

/// Overrides the price of a line.
///
/// # Errors
/// As [`set_quantity`], `PK_E_BAD_PRICE`, `PK_E_BAD_AMOUNT` when a discount takes more than is left.
pub fn override_price(
    sale: &Sale,
    line: u32,
    (unit_price, per): (Decimal, Decimal),
    reason: Reason<'_>,
    key: Option<Key>,
) -> Result<PriceOverridden> {
    may_change_lines(sale)?;
    input::reason(reason.text)?;
    live_line(sale, line)?;
    let (outcome, sums) = changed(sale, &Change::SetPrice { line, unit_price, per })?;
    Ok(PriceOverridden {
        sale: sale.number,
        line,
        reason: reason.text.to_owned(),
        unit_price,
        amount: outcome.amount,
        gross: outcome.totals.gross,
        per: unless_one(per),
        sums,
        operator: None,
        approval: reason.approval,
        key,
    })
}

/// Overrides the taxes of a line.
///
/// # Errors
/// As [`set_quantity`], `PK_E_BAD_RATE`.
pub fn override_taxes(
    sale: &Sale,
    line: u32,
    taxes: &[TaxInput],
    reason: Reason<'_>,
    key: Option<Key>,
) -> Result<TaxesOverridden> {
    may_change_lines(sale)?;
    input::reason(reason.text)?;
    live_line(sale, line)?;
    let taxes = components(sale, taxes);
    let (outcome, sums) = changed(sale, &Change::SetTaxes { line, taxes: &taxes })?;
    Ok(TaxesOverridden {
        sale: sale.number,
        line,
        reason: reason.text.to_owned(),
        amount: outcome.amount,
        gross: outcome.totals.gross,
        taxes,
        sums,
        operator: None,
        approval: reason.approval,
        key,
    })
}

/// Gives a line a discount or a surcharge.
///
/// # Errors
/// As [`set_quantity`], `PK_E_BAD_RATE`, `PK_E_BAD_AMOUNT` when it takes more than there is.
pub fn adjust_line(
    sale: &Sale,
    line: u32,
    adjustment: Adjustment,
    reason: Reason<'_>,
    key: Option<Key>,
) -> Result<LineAdjusted> {
    may_change_lines(sale)?;
    input::reason(reason.text)?;
    live_line(sale, line)?;
    let (outcome, sums) = changed(sale, &Change::AdjustLine { line, adjustment })?;
    Ok(LineAdjusted {
        sale: sale.number,
        line,
        reason: reason.text.to_owned(),
        number: outcome.number.expect("an adjustment has a number"),
        adjustment,
        adjusted: outcome.adjusted,
        amount: outcome.amount,
        gross: outcome.totals.gross,
        sums,
        operator: None,
        approval: reason.approval,
        key,
    })
}

/// Gives the sale a discount or a surcharge, allocated to its items.
///
/// # Errors
/// As [`adjust_line`], `PK_E_EMPTY_SALE`.
pub fn adjust_sale(
    sale: &Sale,
    adjustment: Adjustment,
    reason: Reason<'_>,
    key: Option<Key>,
) -> Result<SaleAdjusted> {
    may_change_lines(sale)?;
    input::reason(reason.text)?;
    not_empty(sale)?;
    let (outcome, sums) = changed(sale, &Change::AdjustSale { adjustment })?;
    Ok(SaleAdjusted {
        sale: sale.number,
        first_sequence: sale.first_sequence,
        reason: reason.text.to_owned(),
        number: outcome.number.expect("an adjustment has a number"),
        adjustment,
        adjusted: outcome.adjusted,
        gross: outcome.totals.gross,
        sums,
        operator: None,
        approval: reason.approval,
        key,
    })
}

/// Takes a discount or a surcharge back, wherever it stands.
///
/// # Errors
/// `PK_E_NOT_FOUND`, `PK_E_BAD_AMOUNT` when a later discount would take more than is left,
/// `PK_E_BAD_TEXT`, `PK_E_TENDER_TAKEN`, `PK_E_ALREADY_FINAL`.
pub fn retract(
    sale: &Sale,
    number: u32,
    reason: Reason<'_>,
    key: Option<Key>,
) -> Result<AdjustmentRetracted> {
    may_change_lines(sale)?;
    input::reason(reason.text)?;
    let (outcome, sums) = changed(sale, &Change::Retract { number })?;
    Ok(AdjustmentRetracted {
        sale: sale.number,
        reason: reason.text.to_owned(),
        number,
        adjusted: outcome.adjusted,
        gross: outcome.totals.gross,
        sums,
        operator: None,
        approval: reason.approval,
        key,
    })
}

/// Takes a tender: positive while something is due, negative while something is to be paid out.
///
/// # Errors
/// `PK_E_BAD_AMOUNT`, `PK_E_OVERFLOW`, `PK_E_NOTHING_DUE`, `PK_E_EMPTY_SALE`, `PK_E_BAD_TEXT`,
/// `PK_E_BAD_ARGUMENT` for a rate without foreign money or the other way round, `PK_E_LIMIT`,
/// `PK_E_ALREADY_FINAL`.
pub fn tender(sale: &Sale, tender: &TenderInput<'_>, key: Option<Key>) -> Result<TenderAdded> {
    may_be_open(sale)?;
    input::amount(tender.amount)?;
    input::reference(tender.reference)?;
    not_empty(sale)?;
    if sale.tenders.len() >= TENDERS_MAX {
        return Err(Error::limit("tenders of a sale", sale.tenders.len() + 1, TENDERS_MAX));
    }
    let (amount, foreign) = worth(sale, tender)?;
    let live: Vec<Tendered> = sale.live_tenders().collect();
    let new = Tendered {
        means: tender.kind.means(),
        amount,
        tip: tender.tip,
        is_pending: tender.pending,
    };
    let paid = offer(sale.policy(), sale.cart.totals().gross, &live, new)
        .map_err(|error| error.with("sale", sale.number))?;
    Ok(TenderAdded {
        sale: sale.number,
        tender: next_number(sale.tenders.len()),
        kind: tender.kind,
        amount,
        state: if tender.pending { TenderState::Pending } else { TenderState::Confirmed },
        reference: tender.reference.map(str::to_owned),
        due: paid.due,
        change: paid.change,
        tip: unless_zero(tender.tip),
        foreign,
        rounding: unless_zero(paid.rounding),
        approval: tender.approval,
        key,
        rules: Vec::new(),
    })
}

/// What a tender is worth in the sale's currency, and what was given in another one.
fn worth(sale: &Sale, tender: &TenderInput<'_>) -> Result<(i64, Option<ForeignAmount>)> {
    match (tender.kind, tender.rate) {
        (TenderKind::Foreign, Some(rate)) if rate.currency() != sale.currency => {
            let amount = rate.convert(sale.policy(), tender.amount)?;
            let per = (rate.per() != 1).then_some(rate.per());
            let (currency, rate) = (rate.currency(), rate.worth());
            Ok((amount, Some(ForeignAmount { currency, amount: tender.amount, rate, per })))
        }
        (TenderKind::Foreign, _) => {
            let message = "a foreign tender needs the other currency and its rate";
            Err(Error::new(Code::BadArgument, message).with("argument", "rate"))
        }
        (_, Some(_)) => {
            let message = "a rate goes with a tender of the kind foreign and no other";
            Err(Error::new(Code::BadArgument, message).with("argument", "rate"))
        }
        (_, None) => Ok((tender.amount, None)),
    }
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
    let Settlement { due, change, rounding, .. } = after(sale, tender, TenderState::Confirmed)?;
    let (auth, rounding) = (auth.map(str::to_owned), unless_zero(rounding));
    Ok(TenderConfirmed { sale: sale.number, tender, auth, due, change, rounding, key })
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
    let Settlement { due, change, rounding, .. } = after(sale, tender, TenderState::Declined)?;
    let (reason, rounding) = (reason.to_owned(), unless_zero(rounding));
    let (operator, approval) = (None, None);
    Ok(TenderDeclined {
        sale: sale.number,
        tender,
        reason,
        due,
        change,
        rounding,
        operator,
        approval,
        key,
    })
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
    let Settlement { due, change, rounding, .. } = after(sale, tender, TenderState::Voided)?;
    let (reason, rounding) = (reason.to_owned(), unless_zero(rounding));
    let (operator, approval) = (None, None);
    Ok(TenderVoided {
        sale: sale.number,
        tender,
        reason,
        due,
        change,
        rounding,
        operator,
        approval,
        key,
    })
}

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
        policy: sale.has_policy.then(|| Hash(sale.policy().hash())),
        perpetual: after.record(),
    })
}

/// A confirmed tender as the completion has it.
pub(super) fn taken(tender: &Tender) -> TakenTender {
    TakenTender {
        tender: tender.number,
        kind: tender.kind,
        amount: tender.amount,
        tip: unless_zero(tender.tip),
    }
}

/// What a completion says besides its total; `None` when there is nothing to say.
pub(super) fn completed_sums(sale: &Sale) -> Result<Option<CompletedSums>> {
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

/// What a change of the lines comes to, and the sums that its fact says.
fn changed(sale: &Sale, change: &Change<'_>) -> Result<(Outcome, Option<Sums>)> {
    let outcome = sale.cart.preview(change)?;
    // Lines change only while no tender is live.
    let paid = settle(sale.policy(), outcome.totals.gross, [])?;
    Ok((outcome, Sums::of(&outcome.totals, paid.cash_payable)))
}

fn components(sale: &Sale, taxes: &[TaxInput]) -> Vec<TaxComponent> {
    let component = |tax: &TaxInput| TaxComponent {
        class: tax.class,
        rate_ppm: tax.rate_ppm,
        inclusive: sale.policy().includes(tax.inclusive),
    };
    taxes.iter().map(component).collect()
}

fn may_return_unbound(sale: &Sale, approval: Option<u64>) -> Result<()> {
    if !sale.has_policy {
        return Ok(());
    }
    match sale.policy().terms().unbound_returns {
        UnboundReturns::Allow => Ok(()),
        UnboundReturns::Approve if approval.is_some() => Ok(()),
        UnboundReturns::Approve => {
            let message = "a return without its receipt needs an approval; give one, or return a \
                           line of its receipt";
            Err(Error::new(Code::ApprovalRequired, message).with("sale", sale.number))
        }
        UnboundReturns::Refuse => {
            let message = "the policy takes no return without its receipt; return a line of its \
                           receipt";
            Err(Error::new(Code::UnboundReturn, message).with("sale", sale.number))
        }
    }
}

fn one_more_line(sale: &Sale) -> Result<()> {
    if sale.lines.len() < LINES_MAX {
        return Ok(());
    }
    Err(Error::limit("lines of a sale", sale.lines.len() + 1, LINES_MAX))
}

fn unless_one(per: Decimal) -> Option<Decimal> {
    (per != Decimal::whole(1)).then_some(per)
}

fn unless_zero(amount: i64) -> Option<i64> {
    (amount != 0).then_some(amount)
}

/// The hash of a sale's records so far.
pub(crate) fn content(sale: &Sale) -> Hash {
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
        State::Completed | State::Voided | State::Transferred => Err(already_final(sale.number)),
        State::Suspended => {
            let ticket = sale.ticket.as_deref().unwrap_or_default();
            let message = format!("sale {} is suspended; resume it by {ticket}", sale.number);
            Err(Error::new(Code::Suspended, message)
                .with("sale", sale.number)
                .with("ticket", ticket))
        }
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

/// Where the payment stands once a tender has come into another state.
pub(super) fn after(sale: &Sale, tender: u32, state: TenderState) -> Result<Settlement> {
    let live = sale.tenders.iter().filter_map(|other| {
        let state = if other.number == tender { state } else { other.state };
        let is_live = matches!(state, TenderState::Pending | TenderState::Confirmed);
        is_live.then(|| other.tendered())
    });
    settle(sale.policy(), sale.cart.totals().gross, live)
}

fn next_number(count: usize) -> u32 {
    u32::try_from(count + 1).expect("lines and tenders are limited")
}

const _: () = assert!(LINES_MAX < u32::MAX as usize);
