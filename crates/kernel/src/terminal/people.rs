//! Commands of people and drawer: who is here, what was allowed, what lies in the drawer.
//!
//! Each makes one fact, durable before it is answered. What needs an operator or a shift is for
//! [`super::Attendance`] to say; by itself a terminal asks for neither.

use super::commit::{Answer, Growth, Inputs, Urgency};
use super::history::Recorded;
use super::{Attendance, Terminal};
use crate::error::{Error, Result};
use crate::journal::{CashMovement, Circle, Fact, ShiftClosed};
use crate::money::Currency;
use crate::sale::{Reason, Receipt};
use crate::till::{Shift, Till};

pub(super) const OPENS: (Growth, Urgency) = (Growth::Grows, Urgency::Now);
const ENDS: (Growth, Urgency) = (Growth::Finishes, Urgency::Now);

/// An approval was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approved {
    /// Its number; the call that it allows refers to it.
    pub approval: u64,
}

/// A shift was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShiftAnswer {
    /// Its number.
    pub shift: u64,
}

/// Cash was counted, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// What had to be there.
    pub expected: i64,
    /// What was there.
    pub counted: i64,
    /// Counted less expected.
    pub over_short: i64,
}

/// A receipt was printed once more.
#[derive(Debug, Clone, PartialEq)]
pub struct Reprint {
    /// Number of the copy, from 1.
    pub copy: u64,
    /// What to print.
    pub receipt: Receipt,
}

impl Terminal {
    /// Signs an operator on. Facts name the operator from here on.
    ///
    /// # Errors
    /// `PK_E_BAD_TEXT`, `PK_E_SIGNED_ON`, `PK_E_NO_SPACE`, and those of any call: `PK_E_BAD_KEY`,
    /// `PK_E_IDEMPOTENCY_MISMATCH`, `PK_E_POISONED`, `PK_E_CLOSED`.
    pub fn sign_on(&self, operator: &str, key: Option<&str>) -> Result<Answer<()>> {
        let inputs = || Inputs::of("signOn").text(operator);
        self.command(
            key.map(|key| (key, inputs())),
            OPENS,
            |till, key| Ok(till.people.sign_on(operator, key)?.into()),
            |recorded| matches!(recorded.fact, Fact::OperatorSignedOn(_)).then_some(()),
        )
    }

    /// Signs the operator off.
    ///
    /// # Errors
    /// `PK_E_BAD_TEXT`, `PK_E_NOT_SIGNED_ON`, and those of any call.
    pub fn sign_off(&self, operator: &str, key: Option<&str>) -> Result<Answer<()>> {
        let inputs = || Inputs::of("signOff").text(operator);
        self.command(
            key.map(|key| (key, inputs())),
            ENDS,
            |till, key| Ok(till.people.sign_off(operator, key)?.into()),
            |recorded| matches!(recorded.fact, Fact::OperatorSignedOff(_)).then_some(()),
        )
    }

    /// Gives an approval: `approver` allows one thing, once.
    ///
    /// # Errors
    /// `PK_E_BAD_TEXT`, `PK_E_NO_SPACE`, and those of any call.
    pub fn approve(
        &self,
        approver: &str,
        what: &str,
        key: Option<&str>,
    ) -> Result<Answer<Approved>> {
        let inputs = || Inputs::of("approve").text(approver).text(what);
        self.command(
            key.map(|key| (key, inputs())),
            OPENS,
            |till, key| Ok(till.people.approve(approver, what, key)?.into()),
            |recorded| match &recorded.fact {
                Fact::ApprovalGiven(fact) => Some(Approved { approval: fact.number }),
                _ => None,
            },
        )
    }

    /// Switches training on or off. Sales that begin in training have receipt numbers of their own
    /// and move no counter.
    ///
    /// # Errors
    /// `PK_E_BAD_ARGUMENT` when it is so already, `PK_E_NOT_SIGNED_ON` where an operator is needed,
    /// `PK_E_NOT_FOUND` and `PK_E_APPROVAL_USED` for the approval, and those of any call.
    pub fn set_training(
        &self,
        on: bool,
        approval: Option<u64>,
        key: Option<&str>,
    ) -> Result<Answer<()>> {
        let inputs = || Inputs::of("training").flag(on).approval(approval);
        self.command(
            key.map(|key| (key, inputs())),
            OPENS,
            |till, key| {
                self.attended(till)?;
                Ok(Fact::from(till.people.set_training(on, key)?).under(approval))
            },
            |recorded| matches!(recorded.fact, Fact::TrainingSet(_)).then_some(()),
        )
    }

    /// Opens a shift with its float: amounts by currency, each currency once.
    ///
    /// # Errors
    /// Those of [`Till::open_shift`], `PK_E_NOT_SIGNED_ON` where an operator is needed,
    /// `PK_E_NO_SPACE`, and those of any call.
    pub fn open_shift(
        &self,
        float: &[(Currency, i64)],
        key: Option<&str>,
    ) -> Result<Answer<ShiftAnswer>> {
        let inputs = || {
            float.iter().fold(Inputs::of("openShift"), |inputs, (currency, amount)| {
                inputs.text(currency.letters()).amount(*amount)
            })
        };
        self.command(
            key.map(|key| (key, inputs())),
            OPENS,
            |till, key| {
                self.attended(till)?;
                Ok(till.open_shift(float, key)?.into())
            },
            |recorded| match &recorded.fact {
                Fact::ShiftOpened(fact) => Some(ShiftAnswer { shift: fact.number }),
                _ => None,
            },
        )
    }

    /// Closes the shift and gives its drawer.
    ///
    /// # Errors
    /// Those of [`Till::close_shift`], `PK_E_NOT_SIGNED_ON` where an operator is needed, and those
    /// of any call.
    pub fn close_shift(&self, key: Option<&str>) -> Result<Answer<ShiftClosed>> {
        self.command(
            key.map(|key| (key, Inputs::of("closeShift"))),
            ENDS,
            |till, key| {
                self.attended(till)?;
                Ok(till.close_shift(key)?.into())
            },
            |recorded| match &recorded.fact {
                Fact::ShiftClosed(fact) => Some(fact.clone()),
                _ => None,
            },
        )
    }

    /// Pays cash into the drawer.
    ///
    /// # Errors
    /// Those of [`Till::pay`], `PK_E_BAD_CURRENCY`, `PK_E_NOT_SIGNED_ON` where an operator is
    /// needed, those of an approval, `PK_E_NO_SPACE`, and those of any call.
    pub fn paid_in<'a>(
        &self,
        currency: &str,
        amount: i64,
        reason: impl Into<Reason<'a>>,
        key: Option<&str>,
    ) -> Result<Answer<()>> {
        self.pay(CashMovement::PaidIn, (currency, amount), reason.into(), key)
    }

    /// Pays cash out of the drawer; the amount is positive.
    ///
    /// # Errors
    /// As [`Self::paid_in`].
    pub fn paid_out<'a>(
        &self,
        currency: &str,
        amount: i64,
        reason: impl Into<Reason<'a>>,
        key: Option<&str>,
    ) -> Result<Answer<()>> {
        self.pay(CashMovement::PaidOut, (currency, amount), reason.into(), key)
    }

    fn pay(
        &self,
        kind: CashMovement,
        (currency, amount): (&str, i64),
        reason: Reason<'_>,
        key: Option<&str>,
    ) -> Result<Answer<()>> {
        let inputs = || Inputs::of(kind.name()).text(currency).amount(amount).reason(reason);
        self.command(
            key.map(|key| (key, inputs())),
            OPENS,
            |till, key| {
                self.attended(till)?;
                let currency = Currency::parse(currency)?;
                let moved = till.pay(kind, currency, amount, reason.text, key)?;
                Ok(Fact::from(moved).under(reason.approval))
            },
            cash_moved,
        )
    }

    /// Opens the drawer without a sale.
    ///
    /// # Errors
    /// Those of [`Till::no_sale`], `PK_E_NOT_SIGNED_ON` where an operator is needed, those of an
    /// approval, `PK_E_NO_SPACE`, and those of any call.
    pub fn no_sale<'a>(
        &self,
        reason: impl Into<Reason<'a>>,
        key: Option<&str>,
    ) -> Result<Answer<()>> {
        let reason = reason.into();
        self.command(
            key.map(|key| (key, Inputs::of("noSale").reason(reason))),
            OPENS,
            |till, key| {
                self.attended(till)?;
                Ok(Fact::from(till.no_sale(reason.text, key)?).under(reason.approval))
            },
            cash_moved,
        )
    }

    /// Counts the cash of one currency. What is over or short is booked: from here on the drawer is
    /// expected to hold what was counted.
    ///
    /// # Errors
    /// Those of [`Till::count`], `PK_E_BAD_CURRENCY`, `PK_E_NOT_SIGNED_ON` where an operator is
    /// needed, `PK_E_NO_SPACE`, and those of any call.
    pub fn cash_count(
        &self,
        currency: &str,
        counted: i64,
        key: Option<&str>,
    ) -> Result<Answer<Counted>> {
        let inputs = || Inputs::of("cashCount").text(currency).amount(counted);
        self.command(
            key.map(|key| (key, inputs())),
            OPENS,
            |till, key| {
                self.attended(till)?;
                Ok(till.count(Currency::parse(currency)?, counted, key)?.into())
            },
            |recorded| match &recorded.fact {
                Fact::CashCounted(fact) => Some(Counted {
                    expected: fact.expected,
                    counted: fact.counted,
                    over_short: fact.over_short,
                }),
                _ => None,
            },
        )
    }

    /// Prints a receipt once more and counts the copy.
    ///
    /// # Errors
    /// Those of [`Self::receipt`], `PK_E_NOT_SIGNED_ON` where an operator is needed, those of an
    /// approval, `PK_E_NO_SPACE`, and those of any call.
    pub fn reprint(
        &self,
        circle: Circle,
        number: u64,
        approval: Option<u64>,
        key: Option<&str>,
    ) -> Result<Answer<Reprint>> {
        let inputs = || Inputs::of("reprint").text(circle.name()).number(number).approval(approval);
        // Read before the terminal is locked; a key that was seen before goes first all the same.
        let receipt = self.receipt_in(circle, number);
        let answer = self.command(
            key.map(|key| (key, inputs())),
            OPENS,
            |till, key| {
                self.attended(till)?;
                let receipt = receipt.as_ref().map_err(Error::clone)?;
                let completion = receipt.meta.sequence;
                let copies = match till.copies.of(circle, number, completion) {
                    Some(copies) => copies,
                    None => self.copies_told(receipt, till.copies.forgotten)?,
                };
                let fact = till.copy(circle, number, (completion, copies), key);
                Ok(Fact::from(fact).under(approval))
            },
            |recorded| match &recorded.fact {
                Fact::ReceiptReprinted(fact) => Some(fact.copy),
                _ => None,
            },
        )?;
        let Answer { value: copy, sequence, wait, replayed } = answer;
        Ok(Answer { value: Reprint { copy, receipt: receipt? }, sequence, wait, replayed })
    }

    /// Copies of a receipt that stand in the journal up to a sequence.
    fn copies_told(&self, receipt: &Receipt, forgotten: u64) -> Result<u64> {
        self.wal.write_out()?;
        let mut copies = 0;
        self.history.each(receipt.meta.sequence, forgotten, |recorded| {
            if let Fact::ReceiptReprinted(fact) = &recorded.fact
                && (fact.circle, fact.receipt) == (receipt.circle, receipt.number)
            {
                copies = fact.copy;
            }
        })?;
        Ok(copies)
    }

    /// The operator signed on.
    ///
    /// # Errors
    /// `PK_E_CLOSED`.
    pub fn operator(&self) -> Result<Option<String>> {
        Ok(self.lock()?.till.people.operator.clone())
    }

    /// True while sales begin as training.
    ///
    /// # Errors
    /// `PK_E_CLOSED`.
    pub fn is_training(&self) -> Result<bool> {
        Ok(self.lock()?.till.people.training)
    }

    /// The shift under way, with its drawer.
    ///
    /// # Errors
    /// `PK_E_CLOSED`.
    pub fn shift(&self) -> Result<Option<Shift>> {
        Ok(self.lock()?.till.drawer.shift.clone())
    }

    /// Refuses when an operator is needed and nobody is signed on.
    pub(super) fn attended(&self, till: &Till) -> Result<()> {
        let Attendance { operator, shift: _ } = self.attendance;
        if operator { till.people.somebody() } else { Ok(()) }
    }

    /// Refuses to begin a sale without the operator and the shift that are needed.
    pub(super) fn may_sell(&self, till: &Till) -> Result<()> {
        self.not_draining()?;
        self.attended(till)?;
        // Training moves no cash, so that it needs no drawer.
        if self.attendance.shift && !till.people.training {
            till.shift()?;
        }
        Ok(())
    }
}

fn cash_moved(recorded: &Recorded) -> Option<()> {
    matches!(recorded.fact, Fact::CashMoved(_)).then_some(())
}
