//! Lines: sold, given back, taken away.

use super::{changed, components, live_line, may_change_lines, next_number, planned, unless_one};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{Key, LineAdded, LineReturned, LineVoided, QuantitySet, SoldAt, SoldFor};
use crate::limits::LINES_MAX;
use crate::money::{Currency, Decimal};
use crate::policy::UnboundReturns;
use crate::pricing::{Change, LineKind, NewLine, Plan, SoldLine};
use crate::sale::Sale;
use crate::sale::input::{self, LineInput, Reason};

/// Adds a line. Its discounts and surcharges are facts of their own: [`adjust_line`].
///
/// # Errors
/// `PK_E_BAD_TEXT`, `PK_E_BAD_QUANTITY`, `PK_E_BAD_PRICE`, `PK_E_BAD_RATE`, `PK_E_OVERFLOW`,
/// `PK_E_LIMIT`, `PK_E_TENDER_TAKEN`, `PK_E_ALREADY_FINAL`; `PK_E_NOT_FOUND` and
/// `PK_E_LINE_VOIDED` for the parent; `PK_E_MIXED_RETURNS`, `PK_E_UNBOUND_RETURN` and
/// `PK_E_APPROVAL_REQUIRED` for a return.
pub fn add_line(sale: &Sale, line: &LineInput<'_>, key: Option<Key>) -> Result<LineAdded> {
    plan_line(sale, line, key).map(|(fact, _)| fact)
}

/// As [`add_line`], with the plan of the change: who folds the fact in at once need not work it out
/// again.
pub(crate) fn plan_line(
    sale: &Sale,
    line: &LineInput<'_>,
    key: Option<Key>,
) -> Result<(LineAdded, Plan)> {
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
    let (plan, sums) = planned(sale, &change)?;
    let outcome = plan.outcome();
    let fact = LineAdded {
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
        class: None,
        attributes: Vec::new(),
    };
    Ok((fact, plan))
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
    let rules = Vec::new();
    Ok(QuantitySet {
        sale,
        line,
        reason,
        quantity,
        amount,
        gross,
        sums,
        operator,
        approval,
        key,
        rules,
    })
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
