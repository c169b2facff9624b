//! The kernel's answers as structures of C.

use crate::seat::Settled;
use crate::types::{
    PK_ADJUST_AMOUNT, PK_ADJUST_DISCOUNT, PK_ADJUST_PPM, PK_ADJUST_SURCHARGE, PK_TAX_EXCLUSIVE,
    PK_TAX_INCLUSIVE, PkAdjustmentAnswer, PkApplied, PkCounters, PkDecimal, PkDrawer, PkLine,
    PkLineAnswer, PkLineSplit, PkReceipt, PkTaxCounters, PkTaxRow, PkTender, PkTenderAnswer,
    PkTotals, circle_number, kind_number, state_number, tender_state_number,
};
use pos_kernel_core::journal::DrawerSum;
use pos_kernel_core::money::{Currency, Decimal};
use pos_kernel_core::pricing::{
    Adjustment, Applied, Direction, LineSplit, TaxClass, TaxComponent, Worth,
};
use pos_kernel_core::sale::{Line, Receipt, Tender, Totals};
use pos_kernel_core::terminal::{AdjustmentAnswer, LineAnswer, TenderAnswer};
use pos_kernel_core::till::{ClassTotals, CurrencyTotals};

/// The size field of an answer: the host's own stays, whatever stands here.
const SIZE: u32 = 0;

pub(crate) fn line_answer(settled: &Settled<LineAnswer>) -> PkLineAnswer {
    PkLineAnswer {
        struct_size: SIZE,
        line: settled.value.line,
        amount: settled.value.amount,
        gross: settled.value.totals.gross,
        sequence: settled.sequence,
        replayed: settled.replayed.into(),
        reserved: 0,
        net: settled.value.totals.net,
        tax: settled.value.totals.tax,
        discounts: settled.value.totals.discounts,
        surcharges: settled.value.totals.surcharges,
        cash_payable: settled.value.totals.cash_payable,
        adjusted: settled.value.given.map_or(0, |given| given.adjusted),
        adjustment: settled.value.given.map_or(0, |given| given.number),
        reserved_end: 0,
    }
}

pub(crate) fn adjustment_answer(settled: &Settled<AdjustmentAnswer>) -> PkAdjustmentAnswer {
    let AdjustmentAnswer { number, adjusted, totals, .. } = &settled.value;
    PkAdjustmentAnswer {
        struct_size: SIZE,
        adjustment: *number,
        adjusted: *adjusted,
        net: totals.net,
        tax: totals.tax,
        gross: totals.gross,
        discounts: totals.discounts,
        surcharges: totals.surcharges,
        cash_payable: totals.cash_payable,
        sequence: settled.sequence,
        replayed: settled.replayed.into(),
        reserved: 0,
    }
}

pub(crate) fn tender_answer(settled: &Settled<TenderAnswer>, receipt: u64) -> PkTenderAnswer {
    PkTenderAnswer {
        struct_size: SIZE,
        tender: settled.value.tender,
        state: tender_state_number(settled.value.state),
        replayed: settled.replayed.into(),
        due: settled.value.due,
        change: settled.value.change,
        sequence: settled.sequence,
        receipt,
        rounding: settled.value.rounding,
    }
}

pub(crate) fn receipt(receipt: &Receipt, replayed: bool) -> PkReceipt {
    let perpetual = receipt.perpetual.as_ref();
    let policy = receipt.has_policy.then(|| receipt.policy().hash());
    PkReceipt {
        struct_size: SIZE,
        replayed: replayed.into(),
        sale: receipt.sale,
        receipt: receipt.number,
        gross: receipt.gross,
        tendered: receipt.tendered,
        change: receipt.change,
        total_sales: receipt.total_sales,
        total_returns: receipt.total_returns,
        began_ns: receipt.began_ns,
        at_ns: receipt.meta.at_ns,
        sequence: receipt.meta.sequence,
        lines: count(receipt.lines.len()),
        tenders: count(receipt.tenders.len()),
        currency: letters(receipt.currency),
        hash: receipt.meta.hash,
        net: receipt.net,
        tax: receipt.tax,
        discounts: receipt.discounts,
        surcharges: receipt.surcharges,
        rounding: receipt.rounding,
        tips: receipt.tips,
        total_sales_tax: perpetual.map_or(0, |sums| sums.sales_tax),
        total_returns_tax: perpetual.map_or(0, |sums| sums.returns_tax),
        total_rounding: perpetual.map_or(0, |sums| sums.rounding),
        tax_rows: count(receipt.taxes.len()),
        has_policy: receipt.has_policy.into(),
        policy: policy.unwrap_or_default(),
        circle: circle_number(receipt.circle),
        reserved: 0,
    }
}

pub(crate) fn totals(totals: Totals) -> PkTotals {
    PkTotals {
        struct_size: SIZE,
        state: state_number(totals.state),
        gross: totals.gross,
        tendered: totals.tendered,
        pending: totals.pending,
        due: totals.due,
        change: totals.change,
        net: totals.net,
        tax: totals.tax,
        discounts: totals.discounts,
        surcharges: totals.surcharges,
        cash_payable: totals.cash_payable,
        rounding: totals.rounding,
        tips: totals.tips,
    }
}

pub(crate) fn line(line: &Line) -> PkLine {
    PkLine {
        struct_size: SIZE,
        line: line.number,
        parent: line.parent.unwrap_or(0),
        voided: line.voided.is_some().into(),
        quantity: decimal(line.quantity),
        unit_price: decimal(line.unit_price),
        amount: line.amount,
        listed: line.listed,
        per: decimal(line.per),
        kind: line.kind.number().into(),
        tax_count: count(line.taxes.len()),
        adjustment_count: count(line.adjustments.len()),
        of_line: line.of.as_ref().map_or(0, |of| of.line),
        of_receipt: line.of.as_ref().map_or(0, |of| of.receipt),
    }
}

pub(crate) fn tender(tender: &Tender) -> PkTender {
    let foreign = tender.foreign.as_ref();
    PkTender {
        struct_size: SIZE,
        tender: tender.number,
        kind: kind_number(tender.kind),
        state: tender_state_number(tender.state),
        amount: tender.amount,
        tip: tender.tip,
        foreign_amount: foreign.map_or(0, |foreign| foreign.amount),
        foreign_currency: foreign.map_or([0; 8], |foreign| letters(foreign.currency)),
        rate: foreign.map_or(NOTHING, |foreign| decimal(foreign.rate)),
        per: foreign.map_or(0, |foreign| foreign.per.unwrap_or(1)),
        reserved: 0,
    }
}

pub(crate) fn tax_row(component: &TaxComponent, net: i64, tax: i64) -> PkTaxRow {
    PkTaxRow {
        struct_size: SIZE,
        rate_ppm: component.rate_ppm,
        inclusive: inclusive_number(component.inclusive),
        reserved: 0,
        tax_class: class(component.class),
        net,
        tax,
        gross: net + tax,
    }
}

pub(crate) fn applied(applied: &Applied) -> PkApplied {
    let Adjustment { direction, worth } = applied.adjustment;
    let (unit, value) = match worth {
        Worth::Amount(amount) => (PK_ADJUST_AMOUNT, amount),
        Worth::Percent(ppm) => (PK_ADJUST_PPM, ppm.into()),
    };
    PkApplied {
        struct_size: SIZE,
        adjustment: applied.number,
        direction: match direction {
            Direction::Discount => PK_ADJUST_DISCOUNT,
            Direction::Surcharge => PK_ADJUST_SURCHARGE,
        },
        unit,
        value,
        amount: applied.amount,
        of_sale: applied.of_sale.into(),
        reserved: 0,
    }
}

pub(crate) fn line_split(split: &LineSplit<'_>) -> PkLineSplit {
    PkLineSplit {
        struct_size: SIZE,
        line: split.line,
        amount: split.amount,
        net: split.net,
        tax: split.gross - split.net,
        gross: split.gross,
    }
}

pub(crate) fn drawer(sum: &DrawerSum) -> PkDrawer {
    PkDrawer {
        struct_size: SIZE,
        reserved: 0,
        currency: letters(sum.currency),
        opening_float: sum.float,
        sales: sum.sales,
        paid_in: sum.paid_in,
        paid_out: sum.paid_out,
        over_short: sum.over_short,
        expected: sum.expected,
    }
}

pub(crate) fn tax_counters(
    currency: Currency,
    component: &TaxComponent,
    totals: &ClassTotals,
) -> PkTaxCounters {
    PkTaxCounters {
        struct_size: SIZE,
        rate_ppm: component.rate_ppm,
        inclusive: inclusive_number(component.inclusive),
        reserved: 0,
        currency: letters(currency),
        tax_class: class(component.class),
        sold_net: totals.sold_net,
        sold_tax: totals.sold_tax,
        returned_net: totals.returned_net,
        returned_tax: totals.returned_tax,
    }
}

pub(crate) fn counters(currency: Currency, totals: &CurrencyTotals) -> PkCounters {
    PkCounters {
        struct_size: SIZE,
        reserved: 0,
        currency: letters(currency),
        sales: totals.sales,
        returns: totals.returns,
        receipts: totals.receipts,
        voids: totals.voids,
        sales_tax: totals.sales_tax,
        returns_tax: totals.returns_tax,
        rounding: totals.rounding,
    }
}

/// A count that is limited far below 2^32.
pub(crate) fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

const NOTHING: PkDecimal = PkDecimal { mantissa: 0, scale: 0, reserved: 0 };

fn inclusive_number(inclusive: bool) -> u32 {
    if inclusive { PK_TAX_INCLUSIVE } else { PK_TAX_EXCLUSIVE }
}

fn class(class: TaxClass) -> [u8; 16] {
    let mut letters = [0; 16];
    let text = class.as_str().as_bytes();
    letters[..text.len()].copy_from_slice(text);
    letters
}

fn decimal(decimal: Decimal) -> PkDecimal {
    PkDecimal { mantissa: decimal.mantissa(), scale: decimal.scale().into(), reserved: 0 }
}

pub(crate) fn letters(currency: Currency) -> [u8; 8] {
    let mut letters = [0; 8];
    letters[..3].copy_from_slice(currency.letters().as_bytes());
    letters
}
