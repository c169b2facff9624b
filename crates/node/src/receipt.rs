//! What a sale comes to, and what stands on it, as JavaScript objects.
//!
//! A field that says nothing is left out: the kind of an item, a price for one unit, the taxes of a
//! line without any.

use crate::value::number;
use napi_derive::napi;
use pos_kernel_core::Result;
use pos_kernel_core::clock::iso_utc;
use pos_kernel_core::journal::{Hash, PerpetualSums, TaxRowRecord, TaxTotals};
use pos_kernel_core::money::Decimal;
use pos_kernel_core::pricing::{Applied, LineKind, LineSplit, Splits, TaxComponent, TaxRow, Worth};
use pos_kernel_core::sale::{Line, Receipt, Sale, Tender, Totals};
use pos_kernel_core::terminal::Answer;

/// What a sale comes to, in minor units.
#[napi(object)]
pub struct NativeTotals {
    /// Without taxes.
    pub net: i64,
    /// All taxes.
    pub tax: i64,
    /// With taxes.
    pub gross: i64,
    /// Discounts on lines and on the sale.
    pub discount: i64,
    /// Surcharges on lines and on the sale.
    pub surcharge: i64,
    /// The tax table, where it was asked for.
    pub taxes: Option<Vec<NativeTaxRow>>,
    /// What it would come to if all of it were paid in cash.
    pub cash_payable: i64,
    /// What cash rounding adds.
    pub rounding: i64,
    /// Confirmed tenders.
    pub tendered: i64,
    /// Pending tenders.
    pub pending: i64,
    /// Tips in the live tenders.
    pub tips: i64,
    /// Still to be tendered.
    pub due: i64,
    /// To be given back.
    pub change: i64,
    /// `building`, `tendering`, `suspended`, `completed`, `voided` or `transferred`.
    pub state: String,
}

/// A row of a tax table.
#[napi(object)]
pub struct NativeTaxRow {
    /// Per cent, as a decimal string.
    pub rate: String,
    /// Class; may be empty.
    pub class: String,
    /// Prices contain it.
    pub inclusive: bool,
    /// Net of the lines that have it.
    pub net: i64,
    /// Tax.
    pub tax: i64,
    /// Net and this tax.
    pub gross: i64,
}

/// A tax of a line.
#[napi(object)]
pub struct NativeLineTax {
    /// Per cent, as a decimal string.
    pub rate: String,
    /// Class; may be empty.
    pub class: String,
    /// The price contains it.
    pub inclusive: bool,
    /// What it comes to; absent on a voided line.
    pub tax: Option<i64>,
}

/// A discount or surcharge of a line.
#[napi(object)]
pub struct NativeApplied {
    /// Its number in the sale.
    pub number: u32,
    /// `discount` or `surcharge`.
    pub kind: String,
    /// Minor units that were asked for.
    pub amount: Option<i64>,
    /// Per cent that was asked for, as a decimal string.
    pub percent: Option<String>,
    /// It is the line's share of one on the sale.
    pub of_sale: bool,
    /// What it adds to the line's amount.
    pub adjusted: i64,
}

/// Where a line that comes back was sold.
#[napi(object)]
pub struct NativeSoldAt {
    /// Terminal id.
    pub terminal: String,
    /// Receipt number there.
    pub receipt_number: i64,
    /// Line of that receipt.
    pub line: u32,
}

/// A line of a sale.
#[napi(object)]
pub struct NativeReceiptLine {
    /// Line number.
    pub line: u32,
    /// `surcharge`, `deposit` or `tip`; absent for an item.
    pub kind: Option<String>,
    /// Stock-keeping unit.
    pub sku: String,
    /// Text for people.
    pub text: Option<String>,
    /// Quantity as a decimal string.
    pub quantity: String,
    /// Price of `perQuantity` units in minor units, as a decimal string.
    pub unit_price: String,
    /// Units that the price is for, as a decimal string; absent for one.
    pub per_quantity: Option<String>,
    /// Quantity times price; absent when no discount or surcharge changes it.
    pub listed: Option<i64>,
    /// Discounts and surcharges.
    pub adjustments: Option<Vec<NativeApplied>>,
    /// Amount in minor units, after discounts and surcharges.
    pub amount: i64,
    /// Taxes.
    pub taxes: Option<Vec<NativeLineTax>>,
    /// Without tax; absent on a line without taxes and on a voided one.
    pub net: Option<i64>,
    /// With all taxes; absent as `net`.
    pub gross: Option<i64>,
    /// Why it was voided; absent on a live line.
    pub voided: Option<String>,
    /// The line that it belongs to.
    pub parent: Option<u32>,
    /// Where it was sold; absent unless it is a return with its receipt.
    pub of: Option<NativeSoldAt>,
}

/// A tender of a sale.
#[napi(object)]
pub struct NativeReceiptTender {
    /// Tender number.
    pub tender: u32,
    /// `cash`, `card`, `voucher`, `foreign` or `other`.
    pub kind: String,
    /// Minor units of the sale's currency, tip included.
    pub amount: i64,
    /// The part that is a tip; absent for none.
    pub tip: Option<i64>,
    /// What was given in another currency.
    pub foreign: Option<NativeForeign>,
    /// `pending`, `confirmed`, `declined` or `voided`.
    pub state: String,
    /// The host's reference.
    pub reference: Option<String>,
    /// Authorisation given outside the till.
    pub auth: Option<String>,
}

/// Foreign money.
#[napi(object)]
pub struct NativeForeign {
    /// ISO 4217 letters.
    pub currency: String,
    /// Its minor units.
    pub amount: i64,
    /// What `per` whole units are worth in whole units of the sale's currency.
    pub rate: String,
    /// Units that the rate is for; absent for one.
    pub per: Option<u32>,
}

/// Perpetual totals of one tax.
#[napi(object)]
pub struct NativeTaxTotals {
    /// Per cent, as a decimal string.
    pub rate: String,
    /// Class; may be empty.
    pub class: String,
    /// Prices contain it.
    pub inclusive: bool,
    /// Net sold.
    pub sold_net: i64,
    /// Tax on that.
    pub sold_tax: i64,
    /// Net returned, counted upwards.
    pub returned_net: i64,
    /// Tax on that, counted upwards.
    pub returned_tax: i64,
}

/// Perpetual totals besides those of sales and returns.
#[napi(object)]
pub struct NativePerpetual {
    /// Taxes on what was sold.
    pub sales_tax: i64,
    /// Taxes on what was returned, counted upwards.
    pub returns_tax: i64,
    /// Cash rounding.
    pub rounding: i64,
    /// Those of the taxes of this sale.
    pub taxes: Vec<NativeTaxTotals>,
}

/// A completed sale.
#[napi(object)]
pub struct NativeReceipt {
    /// Number of the sale on its terminal.
    pub sale: i64,
    /// Receipt number.
    pub receipt_number: i64,
    /// `sale`, or `training` with numbers of its own.
    pub circle: String,
    /// The operator who completed it.
    pub operator: Option<String>,
    /// Store.
    pub store: String,
    /// ISO 4217 letters.
    pub currency: String,
    /// The host's own number for the sale.
    pub reference: Option<String>,
    /// Idempotency key of the completion.
    pub key: Option<String>,
    /// Lines, voided ones included.
    pub lines: Vec<NativeReceiptLine>,
    /// Tenders, dead ones included.
    pub tenders: Vec<NativeReceiptTender>,
    /// Total without taxes.
    pub net: i64,
    /// All taxes.
    pub tax: i64,
    /// Total.
    pub gross: i64,
    /// Discounts on lines and on the sale.
    pub discount: i64,
    /// Surcharges on lines and on the sale.
    pub surcharge: i64,
    /// The tax table.
    pub taxes: Vec<NativeTaxRow>,
    /// What cash rounding added.
    pub rounding: i64,
    /// Confirmed tenders.
    pub tendered: i64,
    /// Tips in them.
    pub tips: i64,
    /// Change given.
    pub change: i64,
    /// Perpetual total sold, after this sale.
    pub total_sales: i64,
    /// Perpetual total returned, after this sale.
    pub total_returns: i64,
    /// The other perpetual totals, after this sale; absent while all are zero.
    pub perpetual: Option<NativePerpetual>,
    /// BLAKE3 of the policy that it was priced by; absent when none was set.
    pub policy: Option<String>,
    /// Completion, ISO 8601 in UTC.
    pub at: String,
    /// Begin, ISO 8601 in UTC.
    pub began_at: String,
    /// Chain link of the completion's frame, 64 hexadecimal digits.
    pub hash: String,
    /// Sequence of the completion record.
    pub sequence: i64,
    /// Sequence of the last record of this call.
    pub seq: i64,
    /// Not durable yet.
    pub wait: bool,
    /// The stored answer of an earlier call with the same key.
    pub replayed: bool,
}

impl From<Totals> for NativeTotals {
    fn from(totals: Totals) -> Self {
        Self {
            net: totals.net,
            tax: totals.tax,
            gross: totals.gross,
            discount: totals.discounts,
            surcharge: totals.surcharges,
            taxes: None,
            cash_payable: totals.cash_payable,
            rounding: totals.rounding,
            tendered: totals.tendered,
            pending: totals.pending,
            tips: totals.tips,
            due: totals.due,
            change: totals.change,
            state: totals.state.name().to_owned(),
        }
    }
}

/// What a sale comes to, with its tax table.
pub(crate) fn totals_of(sale: &Sale) -> Result<NativeTotals> {
    let table = sale.cart().tax_table()?;
    let taxes = Some(table.rows().iter().map(Into::into).collect());
    Ok(NativeTotals { taxes, ..sale.totals().into() })
}

/// The lines of a sale.
pub(crate) fn lines_of(sale: &Sale) -> Vec<NativeReceiptLine> {
    lines(&sale.lines, || sale.cart().splits())
}

/// Splits are worked out only where a line has taxes: that visits every line.
fn lines(lines: &[Line], splits: impl FnOnce() -> Splits) -> Vec<NativeReceiptLine> {
    let splits = lines.iter().any(|line| !line.taxes.is_empty()).then(splits);
    let split_of = |line: &Line| splits.as_ref().and_then(|splits| splits.line(line.number));
    lines.iter().map(|line| native_line(line, split_of(line))).collect()
}

fn native_line(line: &Line, split: Option<LineSplit<'_>>) -> NativeReceiptLine {
    let split = split.filter(|split| !split.components.is_empty());
    let tax = |(index, component): (usize, &TaxComponent)| NativeLineTax {
        rate: percent(component.rate_ppm),
        class: component.class.as_str().to_owned(),
        inclusive: component.inclusive,
        tax: split.map(|split| split.taxes[index]),
    };
    let taxes = line.taxes.iter().enumerate().map(tax).collect::<Vec<_>>();
    let adjustments = line.adjustments.iter().map(Into::into).collect::<Vec<_>>();
    NativeReceiptLine {
        line: line.number,
        kind: (line.kind != LineKind::Item).then(|| line.kind.name().to_owned()),
        sku: line.sku.clone(),
        text: line.text.clone(),
        quantity: line.quantity.to_string(),
        unit_price: line.unit_price.to_string(),
        per_quantity: (line.per != Decimal::whole(1)).then(|| line.per.to_string()),
        listed: (!adjustments.is_empty()).then_some(line.listed),
        adjustments: (!adjustments.is_empty()).then_some(adjustments),
        amount: line.amount,
        taxes: (!taxes.is_empty()).then_some(taxes),
        net: split.map(|split| split.net),
        gross: split.map(|split| split.gross),
        voided: line.voided.clone(),
        parent: line.parent,
        of: line.of.as_ref().map(|at| NativeSoldAt {
            terminal: at.terminal.clone(),
            receipt_number: number(at.receipt),
            line: at.line,
        }),
    }
}

impl From<&Applied> for NativeApplied {
    fn from(applied: &Applied) -> Self {
        let (amount, ppm) = match applied.adjustment.worth {
            Worth::Amount(amount) => (Some(amount), None),
            Worth::Percent(ppm) => (None, Some(ppm)),
        };
        Self {
            number: applied.number,
            kind: applied.adjustment.direction.name().to_owned(),
            amount,
            percent: ppm.map(percent),
            of_sale: applied.of_sale,
            adjusted: applied.amount,
        }
    }
}

impl From<&Tender> for NativeReceiptTender {
    fn from(tender: &Tender) -> Self {
        Self {
            tender: tender.number,
            kind: tender.kind.name().to_owned(),
            amount: tender.amount,
            tip: (tender.tip != 0).then_some(tender.tip),
            foreign: tender.foreign.as_ref().map(|given| NativeForeign {
                currency: given.currency.to_string(),
                amount: given.amount,
                rate: given.rate.to_string(),
                per: given.per,
            }),
            state: tender.state.name().to_owned(),
            reference: tender.reference.clone(),
            auth: tender.auth.clone(),
        }
    }
}

impl From<&TaxRow> for NativeTaxRow {
    fn from(row: &TaxRow) -> Self {
        tax_row(&row.component, row.net, row.tax)
    }
}

impl From<&TaxRowRecord> for NativeTaxRow {
    fn from(row: &TaxRowRecord) -> Self {
        tax_row(&row.tax, row.net, row.amount)
    }
}

fn tax_row(component: &TaxComponent, net: i64, tax: i64) -> NativeTaxRow {
    NativeTaxRow {
        rate: percent(component.rate_ppm),
        class: component.class.as_str().to_owned(),
        inclusive: component.inclusive,
        net,
        tax,
        gross: net + tax,
    }
}

impl From<&TaxTotals> for NativeTaxTotals {
    fn from(totals: &TaxTotals) -> Self {
        Self {
            rate: percent(totals.tax.rate_ppm),
            class: totals.tax.class.as_str().to_owned(),
            inclusive: totals.tax.inclusive,
            sold_net: totals.sold_net,
            sold_tax: totals.sold_tax,
            returned_net: totals.returned_net,
            returned_tax: totals.returned_tax,
        }
    }
}

impl From<&PerpetualSums> for NativePerpetual {
    fn from(sums: &PerpetualSums) -> Self {
        Self {
            sales_tax: sums.sales_tax,
            returns_tax: sums.returns_tax,
            rounding: sums.rounding,
            taxes: sums.taxes.iter().map(Into::into).collect(),
        }
    }
}

impl From<Answer<Receipt>> for NativeReceipt {
    fn from(answer: Answer<Receipt>) -> Self {
        let receipt = answer.value;
        Self {
            sale: number(receipt.sale),
            receipt_number: number(receipt.number),
            circle: receipt.circle.name().to_owned(),
            operator: receipt.operator.clone(),
            lines: lines(&receipt.lines, || receipt.cart().splits()),
            tenders: receipt.tenders.iter().map(Into::into).collect(),
            net: receipt.net,
            tax: receipt.tax,
            gross: receipt.gross,
            discount: receipt.discounts,
            surcharge: receipt.surcharges,
            taxes: receipt.taxes.iter().map(Into::into).collect(),
            rounding: receipt.rounding,
            tendered: receipt.tendered,
            tips: receipt.tips,
            change: receipt.change,
            total_sales: receipt.total_sales,
            total_returns: receipt.total_returns,
            perpetual: receipt.perpetual.as_ref().map(Into::into),
            policy: policy_hash(&receipt),
            at: iso_utc(receipt.meta.at_ns),
            began_at: iso_utc(receipt.began_ns),
            hash: Hash(receipt.meta.hash).to_string(),
            sequence: number(receipt.meta.sequence),
            store: receipt.store,
            currency: receipt.currency.to_string(),
            reference: receipt.reference,
            key: receipt.key,
            seq: number(answer.sequence),
            wait: answer.wait,
            replayed: answer.replayed,
        }
    }
}

/// What the policy of a receipt is named by.
pub(crate) fn policy_hash(receipt: &Receipt) -> Option<String> {
    receipt.has_policy.then(|| Hash(receipt.policy().hash()).to_string())
}

/// Parts per million as a percentage: 82,500 is `8.25`.
pub(crate) fn percent(ppm: u32) -> String {
    let (whole, fraction) = (ppm / 10_000, ppm % 10_000);
    if fraction == 0 {
        return whole.to_string();
    }
    format!("{whole}.{fraction:04}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn percentages_are_as_short_as_they_can_be() {
        let cases =
            [(0, "0"), (1, "0.0001"), (82_500, "8.25"), (100_000, "10"), (10_000_000, "1000")];
        for (ppm, text) in cases {
            assert_eq!(percent(ppm), text);
        }
    }
}
