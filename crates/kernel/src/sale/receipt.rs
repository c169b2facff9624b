//! The receipt: what the host prints, from the facts and nothing else.

use super::{Line, Sale, Tender};
use crate::money::Currency;

/// Where a completion stands in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptMeta {
    /// Sequence of the completion record.
    pub sequence: u64,
    /// Wall time of the completion.
    pub at_ns: i64,
    /// Chain link of the completion's frame: prove the journal against it with `verify --anchor`.
    pub hash: [u8; 32],
}

/// A completed sale.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// Number of the sale on its terminal.
    pub sale: u64,
    /// Receipt number on its terminal, from 1 without a gap.
    pub number: u64,
    /// Store.
    pub store: String,
    /// Currency.
    pub currency: Currency,
    /// The host's own number for it.
    pub reference: Option<String>,
    /// The idempotency key of the completion.
    pub key: Option<String>,
    /// Lines, voided ones included.
    pub lines: Vec<Line>,
    /// Tenders, dead ones included.
    pub tenders: Vec<Tender>,
    /// Total in minor units.
    pub gross: i64,
    /// Confirmed tenders together.
    pub tendered: i64,
    /// Change given.
    pub change: i64,
    /// Perpetual total sold in this currency, after this sale.
    pub total_sales: i64,
    /// Perpetual total returned in this currency, after this sale.
    pub total_returns: i64,
    /// Wall time of the sale's first record.
    pub began_ns: i64,
    /// Place in the journal.
    pub meta: ReceiptMeta,
}

impl Receipt {
    /// The receipt of a completed sale; `None` when the sale is not completed.
    #[must_use]
    pub fn of(sale: Sale, meta: ReceiptMeta) -> Option<Self> {
        let fact = sale.completion()?.clone();
        Some(Self {
            sale: sale.number,
            number: fact.receipt,
            store: sale.store,
            currency: sale.currency,
            reference: sale.reference,
            key: fact.key.map(|key| key.text),
            lines: sale.lines,
            tenders: sale.tenders,
            gross: fact.gross,
            tendered: fact.tendered,
            change: fact.change,
            total_sales: fact.total_sales,
            total_returns: fact.total_returns,
            began_ns: sale.began_ns,
            meta,
        })
    }
}
