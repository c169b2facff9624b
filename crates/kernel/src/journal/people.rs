//! Facts of people, drawer and clock: who is at the till, who allowed what, what lies in the drawer.
//!
//! Field 13 of a fact is the operator who was signed on, field 14 the approval that it uses up.

use super::codec::{map_struct, number_enum};
use super::fact::{Fact, Key};
use crate::money::Currency;

number_enum! {
    /// The numbering that a receipt belongs to.
    Circle {
        /// Sales that count.
        Sale = 1, "sale";
        /// Training: numbers of its own, and no counter moves.
        Training = 2, "training";
    }
}

number_enum! {
    /// Why the drawer opens without a sale.
    CashMovement {
        /// Cash is put in.
        PaidIn = 1, "paidIn";
        /// Cash is taken out.
        PaidOut = 2, "paidOut";
        /// The drawer is opened and nothing moves.
        NoSale = 3, "noSale";
    }
}

number_enum! {
    /// A leg of cash's way from one drawer to another.
    CashLeg {
        /// It left this drawer for another.
        Sent = 1, "sent";
        /// It came from another drawer.
        Received = 2, "received";
        /// It came back into the drawer that it had left.
        TakenBack = 3, "takenBack";
    }
}

map_struct! {
    /// Where cash goes to, or where it comes from.
    CashTransfer {
        /// Which leg of its way this is.
        0 leg: CashLeg,
        /// The terminal at the other end of the way.
        1 terminal: String,
        /// Sequence of the record by which it left the giver's drawer; left out in that record.
        2 sent: Option<u64>,
    }
}

map_struct! {
    /// Cash that left this drawer has arrived in another.
    CashArrived {
        /// Sequence of the record by which it left.
        0 sent: u64,
        /// The terminal where it arrived.
        1 terminal: String,
        /// Sequence there of the record by which it arrived.
        2 other_sequence: u64,
    }
}

map_struct! {
    /// An operator signed on.
    OperatorSignedOn {
        /// Operator.
        0 operator: String,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// The operator signed off.
    OperatorSignedOff {
        /// Operator.
        0 operator: String,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// Somebody allowed one thing, once. The fact that refers to the number uses it up.
    ApprovalGiven {
        /// Number, from 1 without a gap.
        0 number: u64,
        /// Who allowed it.
        1 approver: String,
        /// What was allowed, in words.
        2 what: String,
        /// The operator signed on.
        13 operator: Option<String>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// An amount of one currency.
    CashAmount {
        /// Currency.
        0 currency: Currency,
        /// Amount in minor units.
        1 amount: i64,
    }
}

map_struct! {
    /// A shift began, with this much in the drawer.
    ShiftOpened {
        /// Number, from 1 without a gap.
        0 number: u64,
        /// The float, by currency in the order of the letters, each once.
        1 float: Vec<CashAmount>,
        /// The operator signed on, whose shift it is.
        13 operator: Option<String>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// What one shift did to the cash of one currency, in minor units.
    DrawerSum {
        /// Currency.
        0 currency: Currency,
        /// Put in when the shift began.
        1 float: i64,
        /// Cash tenders less change.
        2 sales: i64,
        /// Paid in.
        3 paid_in: i64,
        /// Paid out, counted upwards.
        4 paid_out: i64,
        /// What counts found over (positive) or short (negative), together.
        5 over_short: i64,
        /// What must lie in the drawer: float + sales + paid in - paid out + over and short.
        6 expected: i64,
    }
}

map_struct! {
    /// A shift ended.
    ShiftClosed {
        /// Number.
        0 number: u64,
        /// The drawer at its end, by currency.
        1 drawer: Vec<DrawerSum>,
        /// Whose shift it was.
        2 owner: Option<String>,
        /// The operator signed on.
        13 operator: Option<String>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// The drawer was opened without a sale.
    CashMoved {
        /// Why.
        0 kind: CashMovement,
        /// Currency, where cash moves.
        1 currency: Option<Currency>,
        /// Amount in minor units, positive both ways, where cash moves.
        2 amount: Option<i64>,
        /// Reason.
        3 reason: String,
        /// The shift under way.
        4 shift: Option<u64>,
        /// The way that the cash is on, where it moves between two drawers.
        5 transfer: Option<CashTransfer>,
        /// The operator signed on.
        13 operator: Option<String>,
        /// The approval that it uses up.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// The cash of one currency was counted. What was over or short is booked with it, so that the
    /// next count does not find it again.
    CashCounted {
        /// The shift under way.
        0 shift: u64,
        /// Currency.
        1 currency: Currency,
        /// What had to be there.
        2 expected: i64,
        /// What was there.
        3 counted: i64,
        /// Counted less expected.
        4 over_short: i64,
        /// The operator signed on.
        13 operator: Option<String>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// Training was switched on or off; it decides of sales that begin later.
    TrainingSet {
        /// On.
        0 on: bool,
        /// The operator signed on.
        13 operator: Option<String>,
        /// The approval that it uses up.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// A receipt was printed once more.
    ReceiptReprinted {
        /// Receipt number.
        0 receipt: u64,
        /// Its circle.
        1 circle: Circle,
        /// Number of the copy, from 1 for each receipt.
        2 copy: u64,
        /// Sequence of the receipt's completion.
        3 completion: u64,
        /// The operator signed on.
        13 operator: Option<String>,
        /// The approval that it uses up.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// The wall clock did not go on as the monotonic one did.
    ClockStepped {
        /// What it would have shown, nanoseconds.
        0 from: i64,
        /// What it shows.
        1 to: i64,
    }
}

/// Does something with a fact that names its operator; `$both` also with its approval.
macro_rules! on_signed {
    ($fact:expr, $name:ident => $operator:expr, $both:expr, else $other:expr) => {
        match $fact {
            Fact::SaleBegun($name) => $operator,
            Fact::SaleCompleted($name) => $operator,
            Fact::SaleSuspended($name) => $operator,
            Fact::SaleResumed($name) => $operator,
            Fact::ApprovalGiven($name) => $operator,
            Fact::ShiftOpened($name) => $operator,
            Fact::ShiftClosed($name) => $operator,
            Fact::CashCounted($name) => $operator,
            Fact::XReported($name) => $operator,
            Fact::ZReported($name) => $operator,
            Fact::PeriodClosed($name) => $operator,
            Fact::ConfigurationSet($name) => $operator,
            Fact::PolicySet($name) => $both,
            Fact::RulesSet($name) => $both,
            Fact::LineVoided($name) => $both,
            Fact::PriceOverridden($name) => $both,
            Fact::TaxesOverridden($name) => $both,
            Fact::LineAdjusted($name) => $both,
            Fact::SaleAdjusted($name) => $both,
            Fact::AdjustmentRetracted($name) => $both,
            Fact::LineReturned($name) => $both,
            Fact::QuantitySet($name) => $both,
            Fact::TenderDeclined($name) => $both,
            Fact::TenderVoided($name) => $both,
            Fact::SaleVoided($name) => $both,
            Fact::CashMoved($name) => $both,
            Fact::TrainingSet($name) => $both,
            Fact::ReceiptReprinted($name) => $both,
            _ => $other,
        }
    };
}

impl Fact {
    /// The operator that it names: `None` when it is of a kind that names none, `Some(None)` when
    /// nobody was signed on.
    #[must_use]
    pub fn operator(&self) -> Option<Option<&str>> {
        on_signed!(self, fact => Some(fact.operator.as_deref()), Some(fact.operator.as_deref()),
            else None)
    }

    /// The approval that it uses up.
    #[must_use]
    pub fn approval(&self) -> Option<u64> {
        match self {
            // Who adds a line or takes a tender is told by the sale.
            Self::LineAdded(fact) => fact.approval,
            Self::TenderAdded(fact) => fact.approval,
            _ => on_signed!(self, _fact => None, _fact.approval, else None),
        }
    }

    /// Names the operator, where its kind names one.
    pub(crate) fn name_operator(&mut self, operator: Option<&str>) {
        let operator = operator.map(str::to_owned);
        on_signed!(self, fact => fact.operator = operator, fact.operator = operator, else ());
    }

    /// The fact under an approval, if there is one.
    pub(crate) fn under(mut self, approval: Option<u64>) -> Self {
        if let Some(number) = approval {
            let other = || unreachable!("only what an approval can allow refers to one");
            on_signed!(&mut self, _fact => other(), _fact.approval = Some(number), else other());
        }
        self
    }
}
