//! The drawer: the cash of the shift under way.
//!
//! ```text
//! expected = float + cash tenders - change + paid in - paid out + over and short
//! ```
//! for each currency. A sale counts when it is completed, so nothing is counted and no shift ends
//! while an open sale holds cash. A count books what it found over or short: what is then expected
//! is what was counted, and the next count does not find the same difference again.

use super::{Till, Transit, hold, hold_number};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{
    CashAmount, CashCounted, CashMoved, CashMovement, DrawerSum, Key, SaleCompleted, ShiftClosed,
    ShiftOpened, TenderKind, TenderState,
};
use crate::limits::AMOUNT_MAX;
use crate::money::{Currency, in_range};
use crate::sale::{Contradiction, Sale, input};
use std::collections::BTreeMap;

/// The cash of one currency in a shift, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cash {
    /// Put in when the shift began.
    pub float: i64,
    /// Cash tenders less change.
    pub sales: i64,
    /// Paid in.
    pub paid_in: i64,
    /// Paid out, counted upwards.
    pub paid_out: i64,
    /// What counts found over (positive) or short (negative), together.
    pub over_short: i64,
}

impl Cash {
    /// What must lie in the drawer.
    #[must_use]
    pub fn expected(&self) -> i64 {
        let signed = [self.sales, self.paid_in, -self.paid_out, self.over_short];
        signed.into_iter().fold(self.float, plus)
    }
}

/// A shift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Number.
    pub number: u64,
    /// The operator who opened it.
    pub owner: Option<String>,
    /// Its cash.
    pub cash: BTreeMap<Currency, Cash>,
}

impl Shift {
    /// Its cash as it stands in the record of its end.
    #[must_use]
    pub fn sums(&self) -> Vec<DrawerSum> {
        let sums = self.cash.iter().map(|(currency, cash)| DrawerSum {
            currency: *currency,
            float: cash.float,
            sales: cash.sales,
            paid_in: cash.paid_in,
            paid_out: cash.paid_out,
            over_short: cash.over_short,
            expected: cash.expected(),
        });
        sums.collect()
    }

    fn expected(&self, currency: Currency) -> i64 {
        self.cash.get(&currency).map_or(0, Cash::expected)
    }
}

/// The drawer of a till.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawer {
    /// Number of the next shift.
    pub next_shift: u64,
    /// The shift under way.
    pub shift: Option<Shift>,
    /// Cash that left for other drawers, by the sequence of the record by which it left.
    pub transit: BTreeMap<u64, Transit>,
}

impl Default for Drawer {
    fn default() -> Self {
        Self { next_shift: 1, shift: None, transit: BTreeMap::new() }
    }
}

impl Till {
    /// The shift under way.
    ///
    /// # Errors
    /// `PK_E_SHIFT_CLOSED`.
    pub fn shift(&self) -> Result<&Shift> {
        self.drawer.shift.as_ref().ok_or_else(|| {
            let message = "no shift is open on this terminal; open one with its float";
            Error::new(Code::ShiftClosed, message)
        })
    }

    /// Opens a shift.
    ///
    /// # Errors
    /// `PK_E_SHIFT_OPEN`, `PK_E_BAD_AMOUNT`, `PK_E_BAD_CURRENCY` for one that stands twice,
    /// `PK_E_LIMIT`, `PK_E_TRAINING`.
    pub fn open_shift(&self, float: &[(Currency, i64)], key: Option<Key>) -> Result<ShiftOpened> {
        self.people.no_training()?;
        if let Some(shift) = &self.drawer.shift {
            let message = format!("shift {} is open; close it first", shift.number);
            return Err(Error::new(Code::ShiftOpen, message).with("shift", shift.number));
        }
        let mut sorted = BTreeMap::new();
        for (currency, amount) in float {
            not_negative("float", *amount)?;
            if sorted.insert(*currency, *amount).is_some() {
                let message = format!("the float names {currency} twice; add it up");
                return Err(
                    Error::new(Code::BadCurrency, message).with("value", currency.letters())
                );
            }
        }
        self.may_use(sorted.keys().copied())?;
        let float = sorted.into_iter().map(|(currency, amount)| CashAmount { currency, amount });
        let number = self.drawer.next_shift;
        Ok(ShiftOpened { number, float: float.collect(), operator: None, key })
    }

    /// Closes the shift.
    ///
    /// # Errors
    /// `PK_E_SHIFT_CLOSED`; `PK_E_OPEN_SALES` while one holds cash; `PK_E_TRAINING`.
    pub fn close_shift(&self, key: Option<Key>) -> Result<ShiftClosed> {
        self.people.no_training()?;
        let shift = self.shift()?;
        self.no_cash_open("close the shift")?;
        let (number, drawer, owner) = (shift.number, shift.sums(), shift.owner.clone());
        Ok(ShiftClosed { number, drawer, owner, operator: None, key })
    }

    /// Pays cash in or out.
    ///
    /// # Errors
    /// `PK_E_SHIFT_CLOSED`, `PK_E_BAD_TEXT`, `PK_E_LIMIT`, `PK_E_TRAINING`; `PK_E_BAD_AMOUNT` for
    /// an amount that is not positive, or more than the drawer holds; `PK_E_OVERFLOW`.
    pub fn pay(
        &self,
        kind: CashMovement,
        currency: Currency,
        amount: i64,
        reason: &str,
        key: Option<Key>,
    ) -> Result<CashMoved> {
        self.people.no_training()?;
        let shift = self.shift()?;
        input::reason(reason)?;
        input::amount(amount)?;
        if amount <= 0 {
            let message = format!("amount {amount} is not positive; give what is moved");
            return Err(Error::new(Code::BadAmount, message).with("value", amount));
        }
        let expected = shift.expected(currency);
        if kind == CashMovement::PaidOut && amount > expected {
            let message = format!("the drawer holds {expected} {currency} and not {amount}");
            return Err(Error::new(Code::BadAmount, message)
                .with("value", amount)
                .with("expected", expected));
        }
        if kind == CashMovement::PaidIn {
            in_range(i128::from(expected) + i128::from(amount))?;
        }
        self.may_use([currency])?;
        Ok(CashMoved {
            kind,
            currency: Some(currency),
            amount: Some(amount),
            reason: reason.to_owned(),
            shift: Some(shift.number),
            transfer: None,
            operator: None,
            approval: None,
            key,
        })
    }

    /// Opens the drawer without a sale.
    ///
    /// # Errors
    /// `PK_E_BAD_TEXT`, `PK_E_TRAINING`.
    pub fn no_sale(&self, reason: &str, key: Option<Key>) -> Result<CashMoved> {
        self.people.no_training()?;
        input::reason(reason)?;
        Ok(CashMoved {
            kind: CashMovement::NoSale,
            currency: None,
            amount: None,
            reason: reason.to_owned(),
            shift: self.drawer.shift.as_ref().map(|shift| shift.number),
            transfer: None,
            operator: None,
            approval: None,
            key,
        })
    }

    /// Counts the cash of one currency.
    ///
    /// # Errors
    /// `PK_E_SHIFT_CLOSED`, `PK_E_BAD_AMOUNT`, `PK_E_LIMIT`, `PK_E_TRAINING`; `PK_E_OPEN_SALES`
    /// while one holds cash.
    pub fn count(&self, currency: Currency, counted: i64, key: Option<Key>) -> Result<CashCounted> {
        self.people.no_training()?;
        let shift = self.shift()?;
        not_negative("count", counted)?;
        self.no_cash_open("count the drawer")?;
        self.may_use([currency])?;
        let expected = shift.expected(currency);
        Ok(CashCounted {
            shift: shift.number,
            currency,
            expected,
            counted,
            over_short: counted.saturating_sub(expected),
            operator: None,
            key,
        })
    }

    fn no_cash_open(&self, what: &str) -> Result<()> {
        let sales = self.open.values().filter(|sale| holds_cash(sale)).map(|sale| sale.number);
        super::none_open(what, "hold cash", sales.collect())
    }

    pub(super) fn shift_opens(
        &mut self,
        fact: &ShiftOpened,
    ) -> std::result::Result<(), Contradiction> {
        hold_number("shift", fact.number, self.drawer.next_shift)?;
        hold(self.drawer.shift.is_none(), || "a shift opens over another".to_owned())?;
        let ascending = fact.float.is_sorted_by(|one, next| one.currency < next.currency);
        hold(ascending, || "the currencies of a float are not in order".to_owned())?;
        let mut cash = BTreeMap::new();
        for CashAmount { currency, amount } in &fact.float {
            hold((0..=AMOUNT_MAX).contains(amount), || format!("a float of {amount}"))?;
            cash.insert(*currency, Cash { float: *amount, ..Cash::default() });
        }
        self.drawer.next_shift += 1;
        let owner = self.people.operator.clone();
        self.drawer.shift = Some(Shift { number: fact.number, owner, cash });
        Ok(())
    }

    pub(super) fn shift_closes(
        &mut self,
        fact: &ShiftClosed,
    ) -> std::result::Result<(), Contradiction> {
        let shift = self.hold_shift(Some(fact.number))?;
        hold(shift.sums() == fact.drawer, || {
            format!("the drawer of shift {} is {:?}", fact.number, shift.sums())
        })?;
        hold(shift.owner == fact.owner, || "the shift is of another operator".to_owned())?;
        self.drawer.shift = None;
        Ok(())
    }

    pub(super) fn cash_moves(
        &mut self,
        fact: &CashMoved,
    ) -> std::result::Result<(), Contradiction> {
        let under_way = self.drawer.shift.as_ref().map(|shift| shift.number);
        hold(under_way == fact.shift, || {
            format!("the shift is {under_way:?}, not {:?}", fact.shift)
        })?;
        let (Some(currency), Some(amount)) = (fact.currency, fact.amount) else {
            let nothing = fact.currency.is_none() && fact.amount.is_none();
            let nothing = nothing && fact.transfer.is_none();
            hold(nothing && fact.kind == CashMovement::NoSale, || {
                "cash without amount".to_owned()
            })?;
            self.tally().no_sales += 1;
            return Ok(());
        };
        hold((1..=AMOUNT_MAX).contains(&amount), || format!("a movement of {amount}"))?;
        let shift = self.hold_shift(fact.shift)?;
        let cash = shift.cash.entry(currency).or_default();
        let takings = match fact.kind {
            CashMovement::PaidIn => {
                cash.paid_in = plus(cash.paid_in, amount);
                let takings = self.tally().of(currency);
                (&mut takings.paid_in, &mut takings.paid_in_count)
            }
            CashMovement::PaidOut => {
                cash.paid_out = plus(cash.paid_out, amount);
                let takings = self.tally().of(currency);
                (&mut takings.paid_out, &mut takings.paid_out_count)
            }
            CashMovement::NoSale => return Err(Contradiction(format!("a no-sale of {amount}"))),
        };
        *takings.0 = plus(*takings.0, amount);
        *takings.1 += 1;
        Ok(())
    }

    pub(super) fn cash_is_counted(
        &mut self,
        fact: &CashCounted,
    ) -> std::result::Result<(), Contradiction> {
        let shift = self.hold_shift(Some(fact.shift))?;
        let expected = shift.expected(fact.currency);
        hold(fact.expected == expected, || {
            format!("{expected} is expected, not {}", fact.expected)
        })?;
        hold((0..=AMOUNT_MAX).contains(&fact.counted), || format!("a count of {}", fact.counted))?;
        let over_short = fact.counted.saturating_sub(expected);
        hold(fact.over_short == over_short, || format!("{over_short} is over or short"))?;
        let cash = shift.cash.entry(fact.currency).or_default();
        cash.over_short = plus(cash.over_short, over_short);
        let takings = self.tally().of(fact.currency);
        takings.over_short = plus(takings.over_short, over_short);
        Ok(())
    }

    /// The cash that a completed sale brought, less the change that it took.
    pub(super) fn drawer_takes(&mut self, fact: &SaleCompleted, foreign: &[(Currency, i64)]) {
        let Some(shift) = &mut self.drawer.shift else { return };
        let tenders = fact.tenders.iter().filter(|tender| tender.kind == TenderKind::Cash);
        let taken = tenders.map(|tender| tender.amount).fold(0, plus);
        // A record that was read is not checked yet: its change may be any number.
        let moved = taken.saturating_sub(fact.change);
        let touched = moved != 0 || fact.tenders.iter().any(|t| t.kind == TenderKind::Cash);
        if touched {
            let cash = shift.cash.entry(fact.currency).or_default();
            cash.sales = plus(cash.sales, moved);
        }
        for (currency, amount) in foreign {
            let cash = shift.cash.entry(*currency).or_default();
            cash.sales = plus(cash.sales, *amount);
        }
    }

    fn hold_shift(
        &mut self,
        number: Option<u64>,
    ) -> std::result::Result<&mut Shift, Contradiction> {
        let shift = self.drawer.shift.as_mut();
        let shift = shift.filter(|shift| Some(shift.number) == number);
        shift.ok_or_else(|| Contradiction(format!("the shift is not {number:?}")))
    }
}

fn holds_cash(sale: &Sale) -> bool {
    let mut tenders = sale.tenders.iter();
    let is_cash = |kind| matches!(kind, TenderKind::Cash | TenderKind::Foreign);
    !sale.training && tenders.any(|tender| tender.is_live() && is_cash(tender.kind))
}

/// Notes and coins of other currencies that a sale brought: they lie in the drawer as what they are.
pub(super) fn foreign_cash(sale: &Sale) -> Vec<(Currency, i64)> {
    let confirmed = sale.tenders.iter().filter(|t| t.state == TenderState::Confirmed);
    let foreign = confirmed.filter_map(|tender| tender.foreign.as_ref());
    foreign.map(|foreign| (foreign.currency, foreign.amount)).collect()
}

fn not_negative(what: &str, amount: i64) -> Result<()> {
    input::amount(amount)?;
    if amount >= 0 {
        return Ok(());
    }
    let message = format!("{what} {amount} is negative; give what lies in the drawer");
    Err(Error::new(Code::BadAmount, message).with("value", amount))
}

/// A sum of cash. It comes to the end of the range only after more sales than there can be, and
/// there it stays: nothing that a till has to finish may fail on it.
pub(super) fn plus(sum: i64, amount: i64) -> i64 {
    sum.saturating_add(amount)
}
