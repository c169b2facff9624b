//! Reports over the whole store: what all tills took, by hour and by stock-keeping unit.
//!
//! They read the journals as far as the log has merged them, so that a report and the log speak of
//! the same sales. Each amount is added up from the sales, and not taken from a till's counters: that
//! both agree is a test.

use super::cursor::Cursor;
use super::source::Source;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::export::walk::{End, Ended, Event, walk};
use crate::journal::TenderKind;
use crate::limits::SCALE_MAX;
use crate::money::{Currency, Decimal, in_range};
use crate::pricing::{Side, TaxComponent};
use std::collections::BTreeMap;

pub(super) const NS_PER_HOUR: i64 = 3_600_000_000_000;

/// Which parts of a report are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// What was taken, since the first day and since the last Z report of each till.
    X,
    /// What was sold in each hour.
    Hours,
    /// What was sold of each stock-keeping unit.
    Skus,
}

impl Report {
    /// Reads a name.
    ///
    /// # Errors
    /// `PK_E_BAD_ARGUMENT`.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "x" => Ok(Self::X),
            "hours" => Ok(Self::Hours),
            "skus" => Ok(Self::Skus),
            _ => {
                let shown: String = name.chars().take(40).collect();
                let message = format!("report {shown:?} is not one of x, hours, skus");
                let error = Error::new(Code::BadArgument, message);
                Err(error.with("argument", "report").with("value", shown))
            }
        }
    }
}

/// Sums of one tax; what was returned is counted upwards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaxSum {
    /// Net sold.
    pub sold_net: i64,
    /// Tax on it.
    pub sold_tax: i64,
    /// Net returned.
    pub returned_net: i64,
    /// Tax on it.
    pub returned_tax: i64,
}

/// Tenders of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TenderTotal {
    /// How many.
    pub count: u64,
    /// What they came to.
    pub amount: i64,
}

/// Sums of sales in one currency, in its minor units. Training counts nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// Completed sales.
    pub receipts: u64,
    /// Voided sales.
    pub voids: u64,
    /// Sold, taxes included.
    pub sales: i64,
    /// Returned, taxes included, counted upwards.
    pub returns: i64,
    /// Sold less returned, without taxes.
    pub net: i64,
    /// Taxes.
    pub tax: i64,
    /// Sold less returned.
    pub gross: i64,
    /// Discounts.
    pub discounts: i64,
    /// Surcharges.
    pub surcharges: i64,
    /// What cash rounding added.
    pub rounding: i64,
    /// Tips in tenders.
    pub tips: i64,
    /// Change given.
    pub change: i64,
    /// Confirmed tenders.
    pub tenders: BTreeMap<TenderKind, TenderTotal>,
    /// Taxes one by one.
    pub taxes: BTreeMap<TaxComponent, TaxSum>,
}

/// What was sold in one hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByHour {
    /// Completed sales.
    pub receipts: u64,
    /// Without taxes.
    pub net: i64,
    /// With taxes.
    pub gross: i64,
}

/// What was sold of one stock-keeping unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BySku {
    /// Lines.
    pub lines: u64,
    /// Quantity sold less quantity returned, in millionths.
    pub quantity: i128,
    /// Without taxes.
    pub net: i64,
    /// With taxes.
    pub gross: i64,
}

/// A report over a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreReport {
    /// Up to which sequence of each terminal it goes.
    pub terminals: BTreeMap<String, u64>,
    /// Since the first day.
    pub total: BTreeMap<Currency, Sums>,
    /// Since the last Z report of each terminal.
    pub period: BTreeMap<Currency, Sums>,
    /// By hour, which is counted from 1970-01-01T00Z, and currency.
    pub hours: BTreeMap<(i64, Currency), ByHour>,
    /// By stock-keeping unit and currency.
    pub skus: BTreeMap<(String, Currency), BySku>,
}

/// Adds up what the log has merged of a store.
///
/// # Errors
/// `PK_E_OVERFLOW`, `PK_E_CORRUPT`, `PK_E_INCONSISTENT`, `PK_E_IO`.
pub fn report(
    sources: &[Source],
    cursors: &BTreeMap<String, Cursor>,
    wanted: &[Report],
) -> Result<StoreReport> {
    let mut report = StoreReport::default();
    for source in sources {
        let Some(cursor) = cursors.get(&source.id).filter(|cursor| cursor.place.is_some()) else {
            continue;
        };
        let mut period: BTreeMap<Currency, Sums> = BTreeMap::new();
        walk(&source.history, cursor.sequence(), |event| {
            match event {
                Event::Closed(..) => period.clear(),
                Event::Sale(ended) if !ended.sale.training => {
                    if wanted.contains(&Report::X) {
                        let currency = ended.sale.currency;
                        report.total.entry(currency).or_default().take(&ended)?;
                        period.entry(currency).or_default().take(&ended)?;
                    }
                    report.sold(&ended, wanted)?;
                }
                _ => {}
            }
            Ok(())
        })?;
        for (currency, sums) in period {
            report.period.entry(currency).or_default().add(&sums)?;
        }
        report.terminals.insert(source.id.clone(), cursor.sequence());
    }
    Ok(report)
}

impl StoreReport {
    fn sold(&mut self, ended: &Ended, wanted: &[Report]) -> Result<()> {
        let End::Completed(_) = &ended.end else { return Ok(()) };
        let (sale, currency) = (&ended.sale, ended.sale.currency);
        if wanted.contains(&Report::Hours) {
            let totals = sale.totals();
            let hour = ended.place.at_ns.div_euclid(NS_PER_HOUR);
            let row = self.hours.entry((hour, currency)).or_default();
            row.receipts += 1;
            plus(&mut row.net, totals.net)?;
            plus(&mut row.gross, totals.gross)?;
        }
        if wanted.contains(&Report::Skus) {
            for split in sale.cart().splits().iter() {
                let Some(line) = sale.lines.iter().find(|line| line.number == split.line) else {
                    continue;
                };
                let row = self.skus.entry((line.sku.clone(), currency)).or_default();
                row.lines += 1;
                row.quantity += millionths(split.quantity);
                plus(&mut row.net, split.net)?;
                plus(&mut row.gross, split.gross)?;
            }
        }
        Ok(())
    }
}

impl Sums {
    fn take(&mut self, ended: &Ended) -> Result<()> {
        let completed = match &ended.end {
            End::Completed(completed) => completed,
            End::Voided(_) => {
                self.voids += 1;
                return Ok(());
            }
            End::Transferred(_) => return Ok(()),
        };
        let totals = ended.sale.totals();
        let turnover = ended.sale.cart().turnover()?;
        let mut one = Self {
            receipts: 1,
            voids: 0,
            sales: turnover.sold.gross(),
            returns: -turnover.returned.gross(),
            net: totals.net,
            tax: totals.tax,
            gross: totals.gross,
            discounts: totals.discounts,
            surcharges: totals.surcharges,
            rounding: totals.rounding,
            tips: totals.tips,
            change: completed.change,
            tenders: BTreeMap::new(),
            taxes: BTreeMap::new(),
        };
        for tender in &completed.tenders {
            let total = one.tenders.entry(tender.kind).or_default();
            total.count += 1;
            plus(&mut total.amount, tender.amount)?;
        }
        for row in &turnover.rows {
            let (Side { net, tax }, back) = (row.sold, row.returned);
            let sum = TaxSum {
                sold_net: net,
                sold_tax: tax,
                returned_net: -back.net,
                returned_tax: -back.tax,
            };
            one.taxes.entry(row.component).or_default().add(&sum)?;
        }
        self.add(&one)
    }

    /// Adds another till's.
    fn add(&mut self, more: &Self) -> Result<()> {
        self.receipts += more.receipts;
        self.voids += more.voids;
        plus(&mut self.sales, more.sales)?;
        plus(&mut self.returns, more.returns)?;
        plus(&mut self.net, more.net)?;
        plus(&mut self.tax, more.tax)?;
        plus(&mut self.gross, more.gross)?;
        plus(&mut self.discounts, more.discounts)?;
        plus(&mut self.surcharges, more.surcharges)?;
        plus(&mut self.rounding, more.rounding)?;
        plus(&mut self.tips, more.tips)?;
        plus(&mut self.change, more.change)?;
        for (kind, more) in &more.tenders {
            let total = self.tenders.entry(*kind).or_default();
            total.count += more.count;
            plus(&mut total.amount, more.amount)?;
        }
        for (component, more) in &more.taxes {
            self.taxes.entry(*component).or_default().add(more)?;
        }
        Ok(())
    }
}

impl TaxSum {
    fn add(&mut self, more: &Self) -> Result<()> {
        plus(&mut self.sold_net, more.sold_net)?;
        plus(&mut self.sold_tax, more.sold_tax)?;
        plus(&mut self.returned_net, more.returned_net)?;
        plus(&mut self.returned_tax, more.returned_tax)
    }
}

fn plus(sum: &mut i64, more: i64) -> Result<()> {
    *sum = in_range(i128::from(*sum) + i128::from(more))?;
    Ok(())
}

fn millionths(quantity: Decimal) -> i128 {
    i128::from(quantity.mantissa()) * 10_i128.pow(u32::from(SCALE_MAX - quantity.scale()))
}
