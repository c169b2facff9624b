//! The naive book's other half: who is at the till, what lies in the drawer, what was closed.
//!
//! Everything is counted from lists that are kept whole: tenders and movements since the last Z
//! report, all copies ever, the totals at each closing. Nothing is taken from the kernel.

use crate::book::{Book, BookTotals, Reply, check, is_text, reason, safe};
use pos_kernel_core::Code;
use std::collections::{BTreeMap, BTreeSet};

/// Call of people, drawer and reports.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TillCall {
    SignOn {
        operator: String,
    },
    SignOff {
        operator: String,
    },
    Approve {
        approver: String,
        what: String,
    },
    Training {
        on: bool,
        approval: Option<u64>,
    },
    OpenShift {
        float: Vec<(&'static str, i64)>,
    },
    CloseShift,
    Pay {
        out: bool,
        currency: &'static str,
        amount: i64,
        reason: String,
        approval: Option<u64>,
    },
    NoSale {
        reason: String,
    },
    Count {
        currency: &'static str,
        counted: i64,
    },
    Reprint {
        training: bool,
        receipt: u64,
    },
    X,
    Z,
    /// 1 day, 2 month, 3 year.
    Close {
        kind: usize,
    },
}

/// What a report says of one currency: currency, sales, returns, receipts, voids.
pub(crate) type TurnoverRow = (String, i128, i128, u64, u64);

/// What came in and went out in one currency.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct TakingsRow {
    /// How many, and how much.
    pub(crate) cash: (u64, i128),
    pub(crate) card: (u64, i128),
    pub(crate) change: i128,
    pub(crate) paid_in: (u64, i128),
    pub(crate) paid_out: (u64, i128),
    pub(crate) over_short: i128,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReportPage {
    pub(crate) number: u64,
    pub(crate) receipts: (u64, u64),
    pub(crate) turnover: Vec<TurnoverRow>,
    pub(crate) takings: Vec<(String, TakingsRow)>,
    /// No-sales, copies, training receipts.
    pub(crate) counts: (u64, u64, u64),
}

/// A drawer: float, sales, paid in, paid out, over and short.
pub(crate) type BookCash = [i128; 5];

#[derive(Debug, Clone, Default, PartialEq)]
struct Closing {
    closed: u64,
    /// First receipt, report, day or month that was not closed yet, less one.
    held: u64,
    base: BTreeMap<String, BookTotals>,
}

/// The till's side of the book.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct TillBook {
    pub(crate) operator: Option<String>,
    pub(crate) training: bool,
    pub(crate) training_receipts: u64,
    approvals: u64,
    unused: BTreeSet<u64>,
    shifts: u64,
    pub(crate) shift: Option<BTreeMap<String, BookCash>>,
    takings: BTreeMap<String, TakingsRow>,
    counts: (u64, u64, u64),
    copies: BTreeMap<(bool, u64), u64>,
    closings: [Closing; 4],
}

impl TillBook {
    /// A completed sale: its tenders as (is cash, amount), and its change.
    pub(crate) fn took(&mut self, currency: &str, tenders: &[(bool, i128)], change: i128) {
        let row = self.takings.entry(currency.to_owned()).or_default();
        for (is_cash, amount) in tenders {
            let sum = if *is_cash { &mut row.cash } else { &mut row.card };
            *sum = (sum.0 + 1, sum.1 + amount);
        }
        row.change += change;
        let cash: Vec<i128> = tenders.iter().filter(|t| t.0).map(|t| t.1).collect();
        if let Some(shift) = self.shift.as_mut().filter(|_| !cash.is_empty()) {
            shift.entry(currency.to_owned()).or_default()[1] += cash.iter().sum::<i128>() - change;
        }
    }

    pub(crate) fn trained(&mut self) -> u64 {
        self.training_receipts += 1;
        self.counts.2 += 1;
        self.training_receipts
    }

    fn use_up(&mut self, approval: Option<u64>) -> Result<(), Code> {
        let Some(number) = approval else { return Ok(()) };
        let given = (1..=self.approvals).contains(&number);
        check(given, Code::NotFound)?;
        check(self.unused.remove(&number), Code::ApprovalUsed)
    }

    fn expected(&self, currency: &str) -> Result<i128, Code> {
        check(!self.training, Code::Training)?;
        let shift = self.shift.as_ref().ok_or(Code::ShiftClosed)?;
        Ok(shift.get(currency).map_or(0, expected))
    }
}

/// What must lie in the drawer.
pub(crate) fn expected(cash: &BookCash) -> i128 {
    let [float, sales, paid_in, paid_out, over_short] = cash;
    float + sales + paid_in - paid_out + over_short
}

fn known(currency: &str) -> Result<(), Code> {
    check(["EUR", "USD", "JPY", "KWD"].contains(&currency), Code::BadCurrency)
}

fn not_negative(amount: i64) -> Result<(), Code> {
    safe(amount.into())?;
    check(amount >= 0, Code::BadAmount)
}

impl Book {
    fn no_cash_open(&self) -> Result<(), Code> {
        let mut open = self.open.values();
        check(!open.any(|sale| !sale.training && sale.holds_cash()), Code::OpenSales)
    }

    fn difference(&self, now: &BTreeMap<String, BookTotals>, level: usize) -> Vec<TurnoverRow> {
        let base = &self.till.closings[level].base;
        let rows = now.iter().map(|(currency, now)| {
            let before = base.get(currency).copied().unwrap_or_default();
            let amounts = (now.sales - before.sales, now.returns - before.returns);
            let counts = (now.receipts - before.receipts, now.voids - before.voids);
            (currency.clone(), amounts.0, amounts.1, counts.0, counts.1)
        });
        rows.collect()
    }

    fn report(&self) -> ReportPage {
        let z = &self.till.closings[0];
        ReportPage {
            number: z.closed + 1,
            receipts: (z.held + 1, self.receipts.len() as u64),
            turnover: self.difference(&self.totals, 0),
            takings: self.till.takings.clone().into_iter().collect(),
            counts: self.till.counts,
        }
    }

    pub(crate) fn decide_till(&mut self, call: &TillCall) -> Result<Reply, Code> {
        let till = &mut self.till;
        match call {
            TillCall::SignOn { operator } => {
                check(is_text(operator, 64), Code::BadText)?;
                check(till.operator.is_none(), Code::SignedOn)?;
                till.operator = Some(operator.clone());
                Ok(Reply::Done)
            }
            TillCall::SignOff { operator } => {
                check(is_text(operator, 64), Code::BadText)?;
                check(till.operator.as_ref() == Some(operator), Code::NotSignedOn)?;
                till.operator = None;
                Ok(Reply::Done)
            }
            TillCall::Approve { approver, what } => {
                check(is_text(approver, 64), Code::BadText)?;
                check(is_text(what, 128), Code::BadText)?;
                till.approvals += 1;
                till.unused.insert(till.approvals);
                while till.unused.len() > 16 {
                    till.unused.pop_first();
                }
                Ok(Reply::Number(till.approvals))
            }
            TillCall::Training { on, approval } => {
                check(till.training != *on, Code::BadArgument)?;
                till.use_up(*approval)?;
                till.training = *on;
                Ok(Reply::Done)
            }
            TillCall::OpenShift { float } => {
                check(!till.training, Code::Training)?;
                check(till.shift.is_none(), Code::ShiftOpen)?;
                let mut shift = BTreeMap::new();
                for (currency, amount) in float {
                    not_negative(*amount)?;
                    let cash = [i128::from(*amount), 0, 0, 0, 0];
                    let is_new = shift.insert((*currency).to_owned(), cash).is_none();
                    check(is_new, Code::BadCurrency)?;
                }
                till.shift = Some(shift);
                till.shifts += 1;
                Ok(Reply::Number(till.shifts))
            }
            TillCall::CloseShift => {
                till.expected("EUR")?;
                self.no_cash_open()?;
                let shift = self.till.shift.take().expect("it was open a moment ago");
                Ok(Reply::Drawer(self.till.shifts, shift.into_iter().collect()))
            }
            TillCall::Pay { out, currency, amount, reason: why, approval } => {
                known(currency)?;
                let expected = till.expected(currency)?;
                reason(why)?;
                let moved = safe((*amount).into())?;
                check(moved > 0, Code::BadAmount)?;
                check(!out || moved <= expected, Code::BadAmount)?;
                if !out {
                    safe(expected + moved)?;
                }
                till.use_up(*approval)?;
                let shift = till.shift.as_mut().expect("it was open a moment ago");
                shift.entry((*currency).to_owned()).or_default()[2 + usize::from(*out)] += moved;
                let row = till.takings.entry((*currency).to_owned()).or_default();
                let sum = if *out { &mut row.paid_out } else { &mut row.paid_in };
                *sum = (sum.0 + 1, sum.1 + moved);
                Ok(Reply::Done)
            }
            TillCall::NoSale { reason: why } => {
                check(!till.training, Code::Training)?;
                reason(why)?;
                till.counts.0 += 1;
                Ok(Reply::Done)
            }
            TillCall::Count { currency, counted } => {
                known(currency)?;
                let expected = till.expected(currency)?;
                not_negative(*counted)?;
                self.no_cash_open()?;
                let counted = i128::from(*counted);
                let over_short = counted - expected;
                let till = &mut self.till;
                let shift = till.shift.as_mut().expect("it was open a moment ago");
                shift.entry((*currency).to_owned()).or_default()[4] += over_short;
                till.takings.entry((*currency).to_owned()).or_default().over_short += over_short;
                Ok(Reply::Counted(expected, counted, over_short))
            }
            TillCall::Reprint { training, receipt } => {
                let sales = self.receipts.len() as u64;
                let given = if *training { till.training_receipts } else { sales };
                check((1..=given).contains(receipt), Code::NotFound)?;
                till.counts.1 += 1;
                let copies = till.copies.entry((*training, *receipt)).or_default();
                *copies += 1;
                Ok(Reply::Number(*copies))
            }
            TillCall::X => Ok(Reply::Report(self.report())),
            TillCall::Z => {
                check(self.open.is_empty(), Code::OpenSales)?;
                let report = self.report();
                let till = &mut self.till;
                let closed = till.closings[0].closed + 1;
                let held = self.receipts.len() as u64;
                till.closings[0] = Closing { closed, held, base: self.totals.clone() };
                (till.takings, till.counts) = (BTreeMap::new(), (0, 0, 0));
                Ok(Reply::Report(report))
            }
            TillCall::Close { kind } => {
                let below = till.closings[kind - 1].clone();
                let closing = till.closings[*kind].clone();
                check(closing.held < below.closed, Code::NothingToClose)?;
                let turnover = self.difference(&below.base, *kind);
                let next =
                    Closing { closed: closing.closed + 1, held: below.closed, base: below.base };
                let range = (closing.held + 1, below.closed);
                let number = next.closed;
                self.till.closings[*kind] = next;
                Ok(Reply::Closed(number, range, turnover))
            }
        }
    }
}
