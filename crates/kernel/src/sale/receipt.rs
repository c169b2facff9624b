//! The receipt: what the host prints, from the facts and nothing else.

use super::machine::SoldItem;
use super::{End, Line, Sale, State, Tender, Totals};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{Circle, PerpetualSums, SoldAt, TaxRowRecord};
use crate::money::{Currency, Decimal};
use crate::policy::Policy;
use crate::pricing::Cart;

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
    /// Receipt number on its terminal and in its circle, from 1 without a gap.
    pub number: u64,
    /// Its circle: a sale that counts, or training.
    pub circle: Circle,
    /// The operator who completed it.
    pub operator: Option<String>,
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
    /// Total without taxes, in minor units.
    pub net: i64,
    /// All taxes.
    pub tax: i64,
    /// Total.
    pub gross: i64,
    /// Discounts on lines and on the sale.
    pub discounts: i64,
    /// Surcharges on lines and on the sale.
    pub surcharges: i64,
    /// What cash rounding added to the total.
    pub rounding: i64,
    /// Tips in tenders.
    pub tips: i64,
    /// The tax table.
    pub taxes: Vec<TaxRowRecord>,
    /// Confirmed tenders together.
    pub tendered: i64,
    /// Change given.
    pub change: i64,
    /// Perpetual total sold in this currency, after this sale.
    pub total_sales: i64,
    /// Perpetual total returned in this currency, after this sale.
    pub total_returns: i64,
    /// The other perpetual totals, after this sale; `None` while all are zero.
    pub perpetual: Option<PerpetualSums>,
    /// The till had a policy, which is [`Receipt::policy`].
    pub has_policy: bool,
    /// Wall time of the sale's first record.
    pub began_ns: i64,
    /// Place in the journal.
    pub meta: ReceiptMeta,
    cash_payable: i64,
    cart: Cart,
}

impl Receipt {
    /// The receipt of a completed sale; `None` when the sale is not completed.
    #[must_use]
    pub fn of(mut sale: Sale, meta: ReceiptMeta) -> Option<Self> {
        let totals = sale.totals();
        let Some(End::Completed(fact)) = sale.end.take() else { return None };
        Some(Self {
            net: totals.net,
            tax: totals.tax,
            discounts: totals.discounts,
            surcharges: totals.surcharges,
            rounding: totals.rounding,
            tips: totals.tips,
            taxes: fact.sums.map(|sums| sums.taxes).unwrap_or_default(),
            perpetual: fact.perpetual,
            has_policy: sale.has_policy,
            cash_payable: totals.cash_payable,
            cart: sale.cart,
            sale: sale.number,
            number: fact.receipt,
            circle: fact.circle.unwrap_or(Circle::Sale),
            operator: fact.operator,
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

    /// What the sale came to.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            net: self.net,
            tax: self.tax,
            gross: self.gross,
            discounts: self.discounts,
            surcharges: self.surcharges,
            cash_payable: self.cash_payable,
            rounding: self.rounding,
            tendered: self.tendered,
            pending: 0,
            tips: self.tips,
            due: 0,
            change: self.change,
            state: State::Completed,
        }
    }

    /// The rules that it was priced by.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        self.cart.policy()
    }

    /// Its lines as arithmetic: tax table, splits, shares of discounts.
    #[must_use]
    pub fn cart(&self) -> &Cart {
        &self.cart
    }

    /// A line, ready to come back, when this much of it has come back before.
    ///
    /// # Errors
    /// `PK_E_NOT_FOUND`, `PK_E_LINE_VOIDED`.
    pub fn sold_item(&self, terminal: &str, line: u32, before: Decimal) -> Result<SoldItem> {
        let index = usize::try_from(line).ok().and_then(|line| line.checked_sub(1));
        let refused = |code, what: &str| {
            let message = format!("line {line} of receipt {} {what}", self.number);
            Error::new(code, message).with("receipt", self.number).with("line", line)
        };
        let Some(found) = index.and_then(|index| self.lines.get(index)) else {
            return Err(refused(Code::NotFound, "does not exist"));
        };
        let Some(split) = self.cart.splits().line(line).map(|split| split.sold()) else {
            return Err(refused(Code::LineVoided, "was voided"));
        };
        Ok(SoldItem {
            at: SoldAt { terminal: terminal.to_owned(), receipt: self.number, line },
            sku: found.sku.clone(),
            text: found.text.clone(),
            unit_price: found.unit_price,
            per: found.per,
            currency: self.currency,
            line: split,
            before,
        })
    }
}
