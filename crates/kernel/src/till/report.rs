//! The running period: what is added up from one Z report to the next, and the report made of it.
//!
//! Turnover is a difference of perpetual totals. Takings are added up here, from the first fact of
//! people, drawer or reports on, so that a journal without such a fact is what it always was; a
//! report over older receipts reads theirs back once and says so in `brought`.

use super::drawer::plus;
use super::period::turnover;
use super::{Till, hold};
use crate::error::Result;
use crate::journal::{
    Fact, Key, Report, SaleCompleted, Takings, TenderSum, XReported, ZReported, is_possible,
};
use crate::money::Currency;
use crate::sale::Contradiction;
use std::collections::BTreeMap;

/// What has been added up since the last Z report.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// First receipt that it knows of.
    pub first_receipt: u64,
    /// Takings by currency.
    pub takings: BTreeMap<Currency, Takings>,
    /// Drawer openings without a sale.
    pub no_sales: u64,
    /// Copies of receipts.
    pub reprints: u64,
    /// Training sales completed.
    pub training_receipts: u64,
}

impl Tally {
    /// An empty one that begins with this receipt.
    #[must_use]
    pub fn from(first_receipt: u64) -> Self {
        let takings = BTreeMap::new();
        Self { first_receipt, takings, no_sales: 0, reprints: 0, training_receipts: 0 }
    }

    pub(super) fn of(&mut self, currency: Currency) -> &mut Takings {
        self.takings.entry(currency).or_insert_with(|| nothing(currency))
    }

    /// Adds a completed sale.
    pub fn take(&mut self, fact: &SaleCompleted) {
        let takings = self.of(fact.currency);
        for tender in &fact.tenders {
            let sum = TenderSum { kind: tender.kind, count: 1, amount: tender.amount };
            add_tenders(takings, &sum);
        }
        takings.change = plus(takings.change, fact.change);
        takings.tips = plus(takings.tips, fact.sums.as_ref().map_or(0, |sums| sums.tips));
    }

    /// Adds what was read back from the journal.
    fn bring(&mut self, brought: &[Takings]) {
        for more in brought {
            let takings = self.of(more.currency);
            more.tenders.iter().for_each(|sum| add_tenders(takings, sum));
            takings.change = plus(takings.change, more.change);
            takings.tips = plus(takings.tips, more.tips);
        }
    }
}

fn nothing(currency: Currency) -> Takings {
    Takings {
        currency,
        tenders: Vec::new(),
        change: 0,
        paid_in: 0,
        paid_in_count: 0,
        paid_out: 0,
        paid_out_count: 0,
        over_short: 0,
        tips: 0,
    }
}

fn add_tenders(takings: &mut Takings, more: &TenderSum) {
    match takings.tenders.binary_search_by_key(&more.kind, |sum| sum.kind) {
        Ok(index) => {
            let sum = &mut takings.tenders[index];
            sum.count = sum.count.saturating_add(more.count);
            sum.amount = plus(sum.amount, more.amount);
        }
        Err(index) => takings.tenders.insert(index, more.clone()),
    }
}

impl Till {
    /// The running period's sums; its first use is what begins them.
    pub(super) fn tally(&mut self) -> &mut Tally {
        self.tally.get_or_insert_with(|| Tally::from(self.next_receipt))
    }

    /// Receipts of the running period that the tally does not know: first, and first that it does.
    #[must_use]
    pub fn untold_receipts(&self) -> Option<(u64, u64)> {
        let known = self.tally.as_ref().map_or(self.next_receipt, |tally| tally.first_receipt);
        let first = self.periods.z().first;
        (first < known).then_some((first, known))
    }

    /// What the till took since the last Z report.
    #[must_use]
    pub fn report(&self, brought: Vec<Takings>) -> Report {
        let tally = self.tally.clone();
        let mut tally = tally.unwrap_or_else(|| Tally::from(self.next_receipt));
        tally.bring(&brought);
        let z = self.periods.z();
        Report {
            first_receipt: z.first,
            last_receipt: self.next_receipt - 1,
            turnover: turnover(&self.totals_now(), &z.base),
            takings: tally.takings.into_values().collect(),
            no_sales: tally.no_sales,
            reprints: tally.reprints,
            training_receipts: tally.training_receipts,
            brought,
        }
    }

    /// Decides an X report.
    #[must_use]
    pub fn x_report(&self, brought: Vec<Takings>, key: Option<Key>) -> XReported {
        let (number, report) = (self.periods.z().next, self.report(brought));
        XReported { number, report, operator: None, key }
    }

    /// Decides a Z report.
    ///
    /// # Errors
    /// `PK_E_OPEN_SALES`.
    pub fn z_report(&self, brought: Vec<Takings>, key: Option<Key>) -> Result<ZReported> {
        self.may_close()?;
        let (number, report) = (self.periods.z().next, self.report(brought));
        Ok(ZReported { number, report, operator: None, key })
    }

    pub(super) fn x_is(&self, fact: &XReported) -> std::result::Result<(), Contradiction> {
        super::hold_number("the period of an X report", fact.number, self.periods.z().next)?;
        self.hold_report(&fact.report)
    }

    pub(super) fn z_is(&mut self, fact: &ZReported) -> std::result::Result<(), Contradiction> {
        self.hold_report(&fact.report)?;
        self.z_closes(fact)?;
        self.tally = Some(Tally::from(self.next_receipt));
        Ok(())
    }

    fn hold_report(&self, report: &Report) -> std::result::Result<(), Contradiction> {
        let may_bring = report.brought.is_empty() || self.untold_receipts().is_some();
        hold(may_bring, || "a report brings what the till has added up itself".to_owned())?;
        let brought = &report.brought;
        let ascending = brought.is_sorted_by(|one, next| one.currency < next.currency);
        let unmoved = |takings: &Takings| {
            (takings.paid_in_count, takings.paid_out_count) == (0, 0)
                && (takings.paid_in, takings.paid_out, takings.over_short) == (0, 0, 0)
        };
        let possible = brought.iter().all(|takings| is_possible(takings) && unmoved(takings));
        hold(ascending && possible, || format!("a report cannot bring {brought:?}"))?;
        let expected = self.report(report.brought.clone());
        hold(*report == expected, || format!("the report says {report:?} and not {expected:?}"))
    }
}

impl Fact {
    /// True for a fact of people, drawer or reports: the first one begins the running period's sums.
    pub(super) fn begins_tally(&self) -> bool {
        (64..=82).contains(&(self.kind() as u16)) && !matches!(self, Self::ClockStepped(_))
    }
}
