//! The kernel's answers as structures of C.

use crate::seat::Settled;
use crate::types::{
    PkCounters, PkDecimal, PkLine, PkLineAnswer, PkReceipt, PkTender, PkTenderAnswer, PkTotals,
    kind_number, state_number, tender_state_number,
};
use pos_kernel_core::money::{Currency, Decimal};
use pos_kernel_core::sale::{Line, Receipt, Tender, Totals};
use pos_kernel_core::terminal::{LineAnswer, TenderAnswer};
use pos_kernel_core::till::CurrencyTotals;

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
    }
}

pub(crate) fn receipt(receipt: &Receipt, replayed: bool) -> PkReceipt {
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
    }
}

pub(crate) fn tender(tender: &Tender) -> PkTender {
    PkTender {
        struct_size: SIZE,
        tender: tender.number,
        kind: kind_number(tender.kind),
        state: tender_state_number(tender.state),
        amount: tender.amount,
    }
}

pub(crate) fn counters(currency: Currency, totals: &CurrencyTotals) -> PkCounters {
    PkCounters {
        struct_size: size_as_u32::<PkCounters>(),
        reserved: 0,
        currency: letters(currency),
        sales: totals.sales,
        returns: totals.returns,
        receipts: totals.receipts,
        voids: totals.voids,
    }
}

/// A count that is limited far below 2^32.
pub(crate) fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn size_as_u32<T>() -> u32 {
    count(size_of::<T>())
}

fn decimal(decimal: Decimal) -> PkDecimal {
    PkDecimal { mantissa: decimal.mantissa(), scale: decimal.scale().into(), reserved: 0 }
}

fn letters(currency: Currency) -> [u8; 8] {
    let mut letters = [0; 8];
    letters[..3].copy_from_slice(currency.letters().as_bytes());
    letters
}
