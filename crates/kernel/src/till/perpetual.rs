//! Perpetual totals: what a till has sold and given back since its first day, never reset.
//!
//! Sales and returns are counted apart, each upwards, so that neither ever falls (I9); taxes likewise,
//! in all and for each tax. Cash rounding is a sum of its own and no turnover (I19).

use crate::error::Result;
use crate::journal::{PerpetualSums, TaxTotals};
use crate::money::in_range;
use crate::pricing::{Side, TaxComponent};
use crate::sale::Sale;
use std::collections::BTreeMap;

/// Perpetual totals of one currency, in its minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CurrencyTotals {
    /// Amounts sold, taxes included.
    pub sales: i64,
    /// Amounts returned, taxes included, counted upwards.
    pub returns: i64,
    /// Taxes on what was sold.
    pub sales_tax: i64,
    /// Taxes on what was returned, counted upwards.
    pub returns_tax: i64,
    /// What cash rounding has added; it may fall.
    pub rounding: i64,
    /// Completed sales.
    pub receipts: u64,
    /// Voided sales.
    pub voids: u64,
}

/// Perpetual totals of one tax in one currency; what is returned is counted upwards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClassTotals {
    /// Net sold.
    pub sold_net: i64,
    /// Tax on what was sold.
    pub sold_tax: i64,
    /// Net returned.
    pub returned_net: i64,
    /// Tax on what was returned.
    pub returned_tax: i64,
}

/// Perpetual totals of the taxes of one currency.
pub type TaxBook = BTreeMap<TaxComponent, ClassTotals>;

/// Perpetual totals of a currency before a sale.
#[derive(Debug, Clone, Copy)]
pub struct Perpetual<'a> {
    /// In all.
    pub totals: CurrencyTotals,
    /// For each tax; `None` when there was none yet.
    pub taxes: Option<&'a TaxBook>,
}

/// Perpetual totals of a currency after a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerpetualAfter {
    /// In all.
    pub totals: CurrencyTotals,
    /// For each tax of the sale, in the order in which its live lines first have them.
    pub taxes: Vec<(TaxComponent, ClassTotals)>,
}

impl Perpetual<'_> {
    /// Counts a sale in.
    ///
    /// # Errors
    /// `PK_E_OVERFLOW`.
    pub fn after(&self, sale: &Sale) -> Result<PerpetualAfter> {
        // Training moves no counter (I17).
        if sale.training {
            return Ok(PerpetualAfter { totals: self.totals, taxes: Vec::new() });
        }
        let turnover = sale.cart().turnover()?;
        let up = |before: i64, more: i64| in_range(i128::from(before) + i128::from(more));
        let (sold, returned) = (turnover.sold, turnover.returned);
        let before = self.totals;
        let totals = CurrencyTotals {
            sales: up(before.sales, sold.gross())?,
            returns: up(before.returns, -returned.gross())?,
            sales_tax: up(before.sales_tax, sold.tax)?,
            returns_tax: up(before.returns_tax, -returned.tax)?,
            rounding: up(before.rounding, sale.settlement().rounding)?,
            ..before
        };
        let mut taxes = Vec::with_capacity(turnover.rows.len());
        for row in &turnover.rows {
            let known = self.taxes.and_then(|book| book.get(&row.component));
            let before = known.copied().unwrap_or_default();
            let (Side { net, tax }, back) = (row.sold, row.returned);
            let after = ClassTotals {
                sold_net: up(before.sold_net, net)?,
                sold_tax: up(before.sold_tax, tax)?,
                returned_net: up(before.returned_net, -back.net)?,
                returned_tax: up(before.returned_tax, -back.tax)?,
            };
            taxes.push((row.component, after));
        }
        Ok(PerpetualAfter { totals, taxes })
    }
}

impl PerpetualAfter {
    /// The part of a completion that says so; `None` while there is nothing to say.
    #[must_use]
    pub fn record(&self) -> Option<PerpetualSums> {
        let CurrencyTotals { sales_tax, returns_tax, rounding, .. } = self.totals;
        if self.taxes.is_empty() && (sales_tax, returns_tax, rounding) == (0, 0, 0) {
            return None;
        }
        let taxes = self.taxes.iter().map(|(tax, totals)| totals.record(*tax)).collect();
        Some(PerpetualSums { sales_tax, returns_tax, rounding, taxes })
    }
}

impl ClassTotals {
    /// The totals as a record has them.
    #[must_use]
    pub fn record(&self, tax: TaxComponent) -> TaxTotals {
        let Self { sold_net, sold_tax, returned_net, returned_tax } = *self;
        TaxTotals { tax, sold_net, sold_tax, returned_net, returned_tax }
    }

    /// The totals that a record has.
    #[must_use]
    pub fn of(record: &TaxTotals) -> (TaxComponent, Self) {
        let TaxTotals { tax, sold_net, sold_tax, returned_net, returned_tax } = *record;
        (tax, Self { sold_net, sold_tax, returned_net, returned_tax })
    }
}
