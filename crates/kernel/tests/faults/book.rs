//! A second, naive kernel: what a till adds up to, in wide integers and plain maps. It shares no
//! code with the kernel but the names of codes, and decides each call by itself.

use crate::till_book::{BookCash, ReportPage, TillBook, TillCall, TurnoverRow};
use pos_kernel_core::Code;
use std::collections::BTreeMap;

const SAFE_MAX: i128 = (1 << 53) - 1;

/// A call with everything in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Call {
    Begin {
        store: String,
        currency: String,
        reference: Option<String>,
    },
    AddLine {
        sale: u64,
        line: CallLine,
    },
    SetQuantity {
        sale: u64,
        line: u32,
        quantity: &'static str,
        reason: String,
    },
    VoidLine {
        sale: u64,
        line: u32,
        reason: String,
    },
    Tender {
        sale: u64,
        tender: CallTender,
    },
    Confirm {
        sale: u64,
        tender: u32,
        auth: Option<String>,
    },
    Decline {
        sale: u64,
        tender: u32,
        reason: String,
    },
    VoidTender {
        sale: u64,
        tender: u32,
        reason: String,
    },
    Complete {
        sale: u64,
    },
    VoidSale {
        sale: u64,
        reason: String,
    },
    Sell {
        currency: String,
        reference: Option<String>,
        lines: Vec<CallLine>,
        tenders: Vec<CallTender>,
    },
    Till(TillCall),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CallLine {
    pub(crate) sku: String,
    pub(crate) text: Option<String>,
    pub(crate) quantity: &'static str,
    pub(crate) price: &'static str,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CallTender {
    pub(crate) card: bool,
    pub(crate) amount: i64,
    pub(crate) pending: bool,
}

/// What a call gives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    Begun(u64),
    Line {
        line: u32,
        amount: i128,
        gross: i128,
    },
    Tender {
        tender: u32,
        state: &'static str,
        due: i128,
        change: i128,
    },
    Voided(u64),
    Receipt(Slip),
    Done,
    Number(u64),
    Counted(i128, i128, i128),
    Drawer(u64, Vec<(String, BookCash)>),
    Report(ReportPage),
    /// Number, first and last part, turnover.
    Closed(u64, (u64, u64), Vec<TurnoverRow>),
}

/// What a receipt must say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Slip {
    pub(crate) number: u64,
    pub(crate) training: bool,
    pub(crate) operator: Option<String>,
    pub(crate) sale: u64,
    pub(crate) currency: String,
    pub(crate) reference: Option<String>,
    pub(crate) lines: Vec<(String, i128, bool)>,
    pub(crate) tenders: Vec<(i128, &'static str)>,
    pub(crate) gross: i128,
    pub(crate) tendered: i128,
    pub(crate) change: i128,
    pub(crate) total_sales: i128,
    pub(crate) total_returns: i128,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BookLine {
    sku: String,
    /// Quantity and price in millionths.
    quantity: i128,
    price: i128,
    amount: i128,
    voided: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct BookTender {
    cash: bool,
    amount: i128,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BookSale {
    pub(crate) currency: String,
    reference: Option<String>,
    pub(crate) lines: Vec<BookLine>,
    tenders: Vec<BookTender>,
    pub(crate) training: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct BookTotals {
    pub(crate) sales: i128,
    pub(crate) returns: i128,
    pub(crate) receipts: u64,
    pub(crate) voids: u64,
}

/// The books of one till.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Book {
    pub(crate) begun: u64,
    pub(crate) open: BTreeMap<u64, BookSale>,
    pub(crate) totals: BTreeMap<String, BookTotals>,
    pub(crate) receipts: Vec<Slip>,
    pub(crate) keys: BTreeMap<String, (Call, Reply)>,
    pub(crate) till: TillBook,
}

fn millionths(text: &str) -> i128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits: i128 = format!("{whole}{part:0<6}").parse().expect("the tests write decimals");
    digits
}

/// Quantity times price, half a minor unit going away from zero.
fn amount(quantity: i128, price: i128) -> Result<i128, Code> {
    let unit = 1_000_000_000_000;
    let product = quantity.checked_mul(price * 2).ok_or(Code::Overflow)?;
    let magnitude = (product.abs() + unit) / (unit * 2);
    safe(if product < 0 { -magnitude } else { magnitude })
}

pub(crate) fn is_text(text: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&text.len()) && !text.chars().any(|c| c < ' ' || c == '\u{7f}')
}

pub(crate) fn check(holds: bool, code: Code) -> Result<(), Code> {
    if holds { Ok(()) } else { Err(code) }
}

pub(crate) fn safe(amount: i128) -> Result<i128, Code> {
    check(amount.abs() <= SAFE_MAX, Code::Overflow).map(|()| amount)
}

fn optional(text: Option<&String>) -> Result<(), Code> {
    check(text.is_none_or(|text| is_text(text, 64)), Code::BadText)
}

pub(crate) fn reason(text: &str) -> Result<(), Code> {
    check(is_text(text, 256), Code::BadText)
}

impl BookSale {
    pub(crate) fn gross(&self) -> i128 {
        self.lines.iter().filter(|line| !line.voided).map(|line| line.amount).sum()
    }

    pub(crate) fn taken(&self, state: &str) -> i128 {
        self.tenders.iter().filter(|t| t.state == state).map(|t| t.amount).sum()
    }

    pub(crate) fn is_tendering(&self) -> bool {
        self.tenders.iter().any(|t| t.state == "pending" || t.state == "confirmed")
    }

    /// Due and change.
    pub(crate) fn settled(&self) -> (i128, i128) {
        let left = self.gross() - self.taken("pending") - self.taken("confirmed");
        match self.gross() {
            gross if gross > 0 => (left.max(0), (-left).max(0)),
            gross if gross < 0 => (left.min(0), 0),
            _ => (0, 0),
        }
    }

    pub(crate) fn holds_cash(&self) -> bool {
        let mut live = self.tenders.iter().filter(|t| ["pending", "confirmed"].contains(&t.state));
        live.any(|t| t.cash)
    }

    fn frozen(&self) -> Result<(), Code> {
        check(!self.is_tendering(), Code::TenderTaken)
    }

    fn live_line(&mut self, number: u32) -> Result<&mut BookLine, Code> {
        let index = (number as usize).checked_sub(1).ok_or(Code::NotFound)?;
        let line = self.lines.get_mut(index).ok_or(Code::NotFound)?;
        if line.voided { Err(Code::LineVoided) } else { Ok(line) }
    }

    fn add(&mut self, line: &CallLine) -> Result<Reply, Code> {
        self.frozen()?;
        check(is_text(&line.sku, 64), Code::BadText)?;
        check(line.text.as_ref().is_none_or(|text| is_text(text, 256)), Code::BadText)?;
        let (quantity, price) = (millionths(line.quantity), millionths(line.price));
        check(quantity != 0, Code::BadQuantity)?;
        check(price >= 0, Code::BadPrice)?;
        let amount = amount(quantity, price)?;
        let gross = safe(self.gross() + amount)?;
        let sku = line.sku.clone();
        self.lines.push(BookLine { sku, quantity, price, amount, voided: false });
        Ok(Reply::Line { line: u32::try_from(self.lines.len()).expect("few"), amount, gross })
    }

    fn take(&mut self, tender: &CallTender) -> Result<Reply, Code> {
        let amount = safe(tender.amount.into())?;
        check(self.lines.iter().any(|line| !line.voided), Code::EmptySale)?;
        let (due, _) = self.settled();
        check(due != 0, Code::NothingDue)?;
        let may_be_more = !tender.card && !tender.pending && due > 0;
        check(amount.signum() == due.signum(), Code::BadAmount)?;
        check(may_be_more || amount.abs() <= due.abs(), Code::BadAmount)?;
        safe(self.taken("pending") + self.taken("confirmed") + amount)?;
        let state = if tender.pending { "pending" } else { "confirmed" };
        self.tenders.push(BookTender { cash: !tender.card, amount, state });
        let (due, change) = self.settled();
        let tender = u32::try_from(self.tenders.len()).expect("few");
        Ok(Reply::Tender { tender, state, due, change })
    }

    fn turn(&mut self, number: u32, from: &[&str], state: &'static str) -> Result<Reply, Code> {
        let index = (number as usize).checked_sub(1).ok_or(Code::NotFound)?;
        let tender = self.tenders.get_mut(index).ok_or(Code::NotFound)?;
        check(from.contains(&tender.state), Code::TenderState)?;
        tender.state = state;
        let (due, change) = self.settled();
        Ok(Reply::Tender { tender: number, state, due, change })
    }
}

impl Book {
    fn sale(&mut self, number: u64) -> Result<&mut BookSale, Code> {
        let begun = 1..=self.begun;
        let missing = if begun.contains(&number) { Code::AlreadyFinal } else { Code::NotFound };
        self.open.get_mut(&number).ok_or(missing)
    }

    fn begin(
        &mut self,
        store: &str,
        currency: &str,
        reference: Option<&String>,
    ) -> Result<u64, Code> {
        check(is_text(store, 64), Code::BadText)?;
        optional(reference)?;
        check(["EUR", "USD", "JPY", "KWD"].contains(&currency), Code::BadCurrency)?;
        check(self.open.len() < 16, Code::Limit)?;
        self.begun += 1;
        let sale = BookSale {
            currency: currency.to_owned(),
            reference: reference.cloned(),
            lines: Vec::new(),
            tenders: Vec::new(),
            training: self.till.training,
        };
        self.open.insert(self.begun, sale);
        Ok(self.begun)
    }

    fn complete(&mut self, number: u64) -> Result<Reply, Code> {
        let sale = self.sale(number)?.clone();
        check(sale.lines.iter().any(|line| !line.voided), Code::EmptySale)?;
        check(sale.tenders.iter().all(|t| t.state != "pending"), Code::PendingTender)?;
        let (due, change) = sale.settled();
        check(due == 0, Code::Underpaid)?;
        let live = || sale.lines.iter().filter(|line| !line.voided).map(|line| line.amount);
        let mut totals = self.totals.get(&sale.currency).copied().unwrap_or_default();
        // Training moves no counter.
        let counts = !sale.training;
        let live = || live().filter(|_| counts);
        totals.sales = safe(totals.sales + live().filter(|amount| *amount > 0).sum::<i128>())?;
        totals.returns = safe(totals.returns - live().filter(|amount| *amount < 0).sum::<i128>())?;
        totals.receipts += u64::from(counts);
        let tendered = sale.taken("confirmed");
        let cash = sale.tenders.iter().filter(|t| t.cash && t.state == "confirmed");
        assert!(change <= cash.map(|t| t.amount).sum::<i128>().max(0), "change is from cash");
        assert_eq!(tendered - change, sale.gross());
        self.open.remove(&number);
        let receipt = if counts {
            self.totals.insert(sale.currency.clone(), totals);
            let confirmed = sale.tenders.iter().filter(|t| t.state == "confirmed");
            let tenders: Vec<_> = confirmed.map(|t| (t.cash, t.amount)).collect();
            self.till.took(&sale.currency, &tenders, change);
            self.receipts.len() as u64 + 1
        } else {
            self.till.trained()
        };
        let slip = Slip {
            number: receipt,
            training: sale.training,
            operator: self.till.operator.clone(),
            sale: number,
            currency: sale.currency.clone(),
            reference: sale.reference.clone(),
            lines: sale.lines.iter().map(|l| (l.sku.clone(), l.amount, l.voided)).collect(),
            tenders: sale.tenders.iter().map(|t| (t.amount, t.state)).collect(),
            gross: sale.gross(),
            tendered,
            change,
            total_sales: totals.sales,
            total_returns: totals.returns,
        };
        if counts {
            self.receipts.push(slip.clone());
        }
        Ok(Reply::Receipt(slip))
    }

    fn decide(&mut self, call: &Call) -> Result<Reply, Code> {
        match call {
            Call::Begin { store, currency, reference } => {
                self.begin(store, currency, reference.as_ref()).map(Reply::Begun)
            }
            Call::AddLine { sale, line } => self.sale(*sale)?.add(line),
            Call::SetQuantity { sale, line, quantity, reason: why } => {
                let sale = self.sale(*sale)?;
                sale.frozen()?;
                reason(why)?;
                let quantity = millionths(quantity);
                check(quantity != 0, Code::BadQuantity)?;
                let gross = sale.gross();
                let number = *line;
                let line = sale.live_line(number)?;
                check(quantity.signum() == line.quantity.signum(), Code::BadQuantity)?;
                let amount = amount(quantity, line.price)?;
                let gross = safe(gross - line.amount + amount)?;
                (line.quantity, line.amount) = (quantity, amount);
                Ok(Reply::Line { line: number, amount, gross })
            }
            Call::VoidLine { sale, line, reason: why } => {
                let sale = self.sale(*sale)?;
                sale.frozen()?;
                reason(why)?;
                let gross = sale.gross();
                let number = *line;
                let line = sale.live_line(number)?;
                let gross = safe(gross - line.amount)?;
                line.voided = true;
                Ok(Reply::Line { line: number, amount: 0, gross })
            }
            Call::Tender { sale, tender } => self.sale(*sale)?.take(tender),
            Call::Confirm { sale, tender, auth } => {
                let sale = self.sale(*sale)?;
                optional(auth.as_ref())?;
                sale.turn(*tender, &["pending"], "confirmed")
            }
            Call::Decline { sale, tender, reason: why } => {
                let sale = self.sale(*sale)?;
                reason(why)?;
                sale.turn(*tender, &["pending"], "declined")
            }
            Call::VoidTender { sale, tender, reason: why } => {
                let sale = self.sale(*sale)?;
                reason(why)?;
                sale.turn(*tender, &["pending", "confirmed"], "voided")
            }
            Call::Complete { sale } => self.complete(*sale),
            Call::VoidSale { sale, reason: why } => {
                let open = self.sale(*sale)?;
                open.frozen()?;
                reason(why)?;
                let (currency, training) = (open.currency.clone(), open.training);
                self.open.remove(sale);
                if !training {
                    self.totals.entry(currency).or_default().voids += 1;
                }
                Ok(Reply::Voided(*sale))
            }
            Call::Sell { currency, reference, lines, tenders } => {
                let sale = self.begin("STORE_001", currency, reference.as_ref())?;
                for line in lines {
                    self.sale(sale)?.add(line)?;
                }
                for tender in tenders {
                    check(!tender.pending, Code::BadArgument)?;
                    self.sale(sale)?.take(tender)?;
                }
                self.complete(sale)
            }
            Call::Till(call) => self.decide_till(call),
        }
    }

    /// Enters a call, or refuses it and stays as it was. Also says whether the key was seen before.
    pub(crate) fn enter(&mut self, call: &Call, key: Option<&str>) -> Result<(Reply, bool), Code> {
        if let Some(key) = key {
            check(is_text(key, 64), Code::BadKey)?;
            if let Some((first, reply)) = self.keys.get(key) {
                check(first == call, Code::IdempotencyMismatch)?;
                return Ok((reply.clone(), true));
            }
        }
        let mut next = self.clone();
        let reply = next.decide(call)?;
        if let Some(key) = key {
            next.keys.insert(key.to_owned(), (call.clone(), reply.clone()));
        }
        *self = next;
        Ok((reply, false))
    }

    /// How many facts a call makes.
    pub(crate) fn facts(call: &Call) -> usize {
        match call {
            Call::Sell { lines, tenders, .. } => 2 + lines.len() + tenders.len(),
            _ => 1,
        }
    }
}
