//! Periods: Z reports over receipts, days over Z reports, months over days, years over months.
//!
//! ```text
//! receipts  1 2 3 4 5 6 7 8 9 ...     perpetual totals, which never fall
//! Z         |  1  |   2   |  3  |     base of Z: the totals at the last Z
//! day       |      1      |  2  |     base of day: the base of Z at the last day, and so on up
//! ```
//! A closing ends where the one below it ended last, by number and never by clock. Its turnover is
//! the difference of two perpetual totals, so that all closings of a kind add up to the perpetual
//! total at the last one (I10), and nothing is in two of them.

use super::{ClassTotals, CurrencyTotals, TaxBook, Till, hold, hold_number, none_open};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{Counters, Key, PeriodClosed, PeriodKind, TaxTotals, Turnover, ZReported};
use crate::money::Currency;
use crate::sale::Contradiction;
use std::collections::BTreeMap;

/// Perpetual totals at some moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// By currency.
    pub currencies: BTreeMap<Currency, CurrencyTotals>,
    /// Of each tax, by currency.
    pub taxes: BTreeMap<Currency, TaxBook>,
}

/// Closings of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// Number of the next one.
    pub next: u64,
    /// First receipt, Z report, day or month that it will hold.
    pub first: u64,
    /// Perpetual totals at the last one.
    pub base: Totals,
}

/// Z reports, days, months and years, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Periods(pub [Period; 4]);

impl Default for Periods {
    fn default() -> Self {
        Self([(); 4].map(|()| Period { next: 1, first: 1, base: Totals::default() }))
    }
}

impl Periods {
    /// Z reports.
    #[must_use]
    pub fn z(&self) -> &Period {
        &self.0[0]
    }

    /// Closings of a longer period.
    #[must_use]
    pub fn of(&self, kind: PeriodKind) -> &Period {
        &self.0[level(kind)]
    }
}

impl Till {
    /// Decides a longer closing.
    ///
    /// # Errors
    /// `PK_E_NOTHING_TO_CLOSE`.
    pub fn close_period(&self, kind: PeriodKind, key: Option<Key>) -> Result<PeriodClosed> {
        let below = &self.periods.0[level(kind) - 1];
        let period = self.periods.of(kind);
        if period.first == below.next {
            let parts = ["Z report", "day", "month"][level(kind) - 1];
            let message =
                format!("no {parts} was closed since the last {}; close one first", kind.name());
            return Err(Error::new(Code::NothingToClose, message).with("kind", kind.name()));
        }
        Ok(PeriodClosed {
            kind,
            number: period.next,
            first: period.first,
            last: below.next - 1,
            turnover: turnover(&below.base, &period.base),
            operator: None,
            key,
        })
    }

    pub(super) fn totals_now(&self) -> Totals {
        Totals { currencies: self.totals.clone(), taxes: self.taxes.clone() }
    }

    /// Refuses a Z report while sales are open.
    ///
    /// # Errors
    /// `PK_E_OPEN_SALES`.
    pub fn may_close(&self) -> Result<()> {
        none_open("close the period", "are open", self.open.keys().copied().collect())
    }

    pub(super) fn period_closes(
        &mut self,
        fact: &PeriodClosed,
    ) -> std::result::Result<(), Contradiction> {
        let below = &self.periods.0[level(fact.kind) - 1];
        let (next, base) = (below.next, below.base.clone());
        let period = &mut self.periods.0[level(fact.kind)];
        hold_number(fact.kind.name(), fact.number, period.next)?;
        let range = (period.first, next - 1);
        hold(range == (fact.first, fact.last) && range.0 <= range.1, || {
            format!("{} {} holds {range:?}", fact.kind.name(), fact.number)
        })?;
        hold(fact.turnover == turnover(&base, &period.base), || {
            format!("the turnover of {} {} is another", fact.kind.name(), fact.number)
        })?;
        *period = Period { next: period.next + 1, first: next, base };
        Ok(())
    }

    pub(super) fn z_closes(&mut self, fact: &ZReported) -> std::result::Result<(), Contradiction> {
        let base = self.totals_now();
        let Periods([z, ..]) = &mut self.periods;
        hold_number("Z report", fact.number, z.next)?;
        let open: Vec<u64> = self.open.keys().copied().collect();
        hold(open.is_empty(), || format!("a Z report over the open sales {open:?}"))?;
        *z = Period { next: z.next + 1, first: self.next_receipt, base };
        Ok(())
    }
}

/// What came between two states of the perpetual totals.
pub(super) fn turnover(now: &Totals, base: &Totals) -> Vec<Turnover> {
    let rows = now.currencies.iter().map(|(currency, now_totals)| {
        let before = base.currencies.get(currency).copied().unwrap_or_default();
        let books = (now.taxes.get(currency), base.taxes.get(currency));
        Turnover {
            currency: *currency,
            period: counters(&less(now_totals, &before)),
            total: counters(now_totals),
            taxes: taxes(books.0, books.1),
        }
    });
    rows.collect()
}

fn less(now: &CurrencyTotals, before: &CurrencyTotals) -> CurrencyTotals {
    CurrencyTotals {
        sales: now.sales - before.sales,
        returns: now.returns - before.returns,
        sales_tax: now.sales_tax - before.sales_tax,
        returns_tax: now.returns_tax - before.returns_tax,
        rounding: now.rounding - before.rounding,
        receipts: now.receipts - before.receipts,
        voids: now.voids - before.voids,
    }
}

fn counters(totals: &CurrencyTotals) -> Counters {
    let CurrencyTotals { sales, returns, sales_tax, returns_tax, rounding, receipts, voids } =
        *totals;
    Counters { sales, returns, sales_tax, returns_tax, rounding, receipts, voids }
}

/// The taxes that moved.
fn taxes(now: Option<&TaxBook>, before: Option<&TaxBook>) -> Vec<TaxTotals> {
    let rows = now.into_iter().flatten().map(|(tax, now)| {
        let known = before.and_then(|book| book.get(tax));
        let before = known.copied().unwrap_or_default();
        let moved = ClassTotals {
            sold_net: now.sold_net - before.sold_net,
            sold_tax: now.sold_tax - before.sold_tax,
            returned_net: now.returned_net - before.returned_net,
            returned_tax: now.returned_tax - before.returned_tax,
        };
        (moved != ClassTotals::default()).then(|| moved.record(*tax))
    });
    rows.flatten().collect()
}

fn level(kind: PeriodKind) -> usize {
    match kind {
        PeriodKind::Day => 1,
        PeriodKind::Month => 2,
        PeriodKind::Year => 3,
    }
}
