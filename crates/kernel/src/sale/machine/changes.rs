//! What changes the price of what stands on a sale: prices, taxes, discounts, surcharges.

use super::{changed, components, live_line, may_change_lines, not_empty, unless_one};
use crate::error::Result;
use crate::journal::{
    AdjustmentRetracted, Key, LineAdjusted, PriceOverridden, SaleAdjusted, TaxesOverridden,
};
use crate::money::Decimal;
use crate::pricing::{Adjustment, Change};
use crate::sale::Sale;
use crate::sale::input::{self, Reason, TaxInput};

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
        rules: Vec::new(),
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
