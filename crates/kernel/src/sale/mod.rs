//! The sale: what stands on it, what may happen to it next.
//!
//! ```text
//!            add / void line / set quantity        tender add / confirm / decline / void
//! begin -> [Building] <------------------------------------------> [Tendering]
//!             |  \--complete (total 0)--------.                        |   |
//!             |                               v                        |   |
//!             |                          [Completed] <----complete-----'   |
//!             |----void----> [Voided] <---- (all tenders voided first) ----'
//!             '--suspend--> [Suspended] --resume--> [Building], or [Transferred] to another terminal
//! ```
//! Every arrow is one durable record, and there is no arrow without one. Lines are frozen while a
//! live tender exists: what the customer was asked to pay does not change under their hands.
//!
//! `machine/` decides (command + state -> fact or refusal) and changes nothing; `apply.rs` folds a
//! fact in and checks it against the invariants; `input.rs` is where a host's values become ours.

mod apply;
pub mod input;
pub mod machine;
mod receipt;
mod ticket;

pub use apply::Contradiction;
pub use input::{LineInput, Reason, TaxInput, TenderInput};
pub use machine::SoldItem;
pub use receipt::{Receipt, ReceiptMeta};
pub use ticket::Ticket;

use crate::journal::{
    Circle, ForeignAmount, ReturnsOf, RuleAttribute, SaleCompleted, SoldAt, SoldFor, TakenOver,
    TenderKind, TenderState,
};
use crate::money::{Currency, Decimal};
use crate::policy::{PaymentMeans, Policy};
use crate::pricing::{Applied, Cart, LineKind, Settlement, TaxComponent, Tendered};

/// A line of a sale. Its numbers are those of the sale's cart.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Number, from 1, never used again.
    pub number: u32,
    /// What it is.
    pub kind: LineKind,
    /// Stock-keeping unit.
    pub sku: String,
    /// Text for people.
    pub text: Option<String>,
    /// Quantity; negative on a return line.
    pub quantity: Decimal,
    /// Price of `per` units, in minor units.
    pub unit_price: Decimal,
    /// Units that the price is for.
    pub per: Decimal,
    /// Its taxes.
    pub taxes: Vec<TaxComponent>,
    /// Quantity times price, in minor units.
    pub listed: i64,
    /// Its discounts and surcharges.
    pub adjustments: Vec<Applied>,
    /// Amount in minor units after those; kept when the line is voided, so that the original stays
    /// readable.
    pub amount: i64,
    /// Why it was voided.
    pub voided: Option<String>,
    /// The line that it belongs to: a part of a set, a modifier, a deposit.
    pub parent: Option<u32>,
    /// Where it was sold, on a return with its receipt.
    pub of: Option<SoldAt>,
    /// What it was sold for there.
    pub sold: Option<SoldFor>,
    /// Class of the goods, where rules asked for it.
    pub class: Option<String>,
    /// What the host said of it and rules asked for.
    pub attributes: Vec<RuleAttribute>,
}

/// A tender of a sale.
#[derive(Debug, Clone, PartialEq)]
pub struct Tender {
    /// Number, from 1, never used again.
    pub number: u32,
    /// Kind.
    pub kind: TenderKind,
    /// Amount in minor units, tip included; negative when it is paid out.
    pub amount: i64,
    /// The part that is a tip.
    pub tip: i64,
    /// What was given in another currency.
    pub foreign: Option<ForeignAmount>,
    /// State.
    pub state: TenderState,
    /// The host's reference.
    pub reference: Option<String>,
    /// Authorisation given outside the till.
    pub auth: Option<String>,
}

impl Tender {
    /// True while it counts or may come to count.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.state, TenderState::Pending | TenderState::Confirmed)
    }

    fn tendered(&self) -> Tendered {
        Tendered {
            means: self.kind.means(),
            amount: self.amount,
            tip: self.tip,
            is_pending: self.state == TenderState::Pending,
        }
    }
}

impl TenderKind {
    /// What it is for arithmetic.
    #[must_use]
    pub fn means(self) -> PaymentMeans {
        match self {
            Self::Cash => PaymentMeans::Cash,
            Self::Card => PaymentMeans::Card,
            Self::Voucher => PaymentMeans::Voucher,
            Self::Foreign => PaymentMeans::Foreign,
            Self::Other => PaymentMeans::Other,
        }
    }
}

/// State of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Lines may change.
    Building,
    /// At least one live tender.
    Tendering,
    /// Final.
    Completed,
    /// Final.
    Voided,
    /// It waits for its ticket.
    Suspended,
    /// It went on at another terminal; final here.
    Transferred,
}

impl State {
    /// The name that hosts see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Tendering => "tendering",
            Self::Completed => "completed",
            Self::Voided => "voided",
            Self::Suspended => "suspended",
            Self::Transferred => "transferred",
        }
    }
}

/// What a sale comes to, in minor units of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Total without taxes.
    pub net: i64,
    /// All taxes.
    pub tax: i64,
    /// Total: net and taxes of the live lines.
    pub gross: i64,
    /// Discounts on lines and on the sale.
    pub discounts: i64,
    /// Surcharges on lines and on the sale.
    pub surcharges: i64,
    /// What the total would be if all that other tenders do not cover were cash.
    pub cash_payable: i64,
    /// What cash rounding adds to the total as it is paid so far.
    pub rounding: i64,
    /// Sum of the confirmed tenders.
    pub tendered: i64,
    /// Sum of the pending tenders.
    pub pending: i64,
    /// Tips in the live tenders.
    pub tips: i64,
    /// Still to be tendered; negative when it is to be paid out.
    pub due: i64,
    /// To be given back.
    pub change: i64,
    /// State.
    pub state: State,
}

/// One sale.
#[derive(Debug, Clone, PartialEq)]
pub struct Sale {
    /// Number of the sale on its terminal.
    pub number: u64,
    /// Store.
    pub store: String,
    /// Currency.
    pub currency: Currency,
    /// The host's own number for it.
    pub reference: Option<String>,
    /// Lines, voided ones included.
    pub lines: Vec<Line>,
    /// Tenders, dead ones included.
    pub tenders: Vec<Tender>,
    /// Sequence of its first record.
    pub first_sequence: u64,
    /// Wall time of its first record.
    pub began_ns: i64,
    /// It came back after its owner was gone.
    pub recovered: bool,
    /// The receipt that it takes lines back from.
    pub returns: Option<ReturnsOf>,
    /// Where it was suspended before it went on here.
    pub takes: Option<TakenOver>,
    /// The ticket that it waits for.
    pub ticket: Option<String>,
    /// How often it has been suspended.
    suspensions: u32,
    /// It is training: it moves no counter, and its receipt has a number of another circle.
    pub training: bool,
    /// The till had a policy when it began.
    has_policy: bool,
    cart: Cart,
    settlement: Settlement,
    end: Option<End>,
    log: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq)]
enum End {
    Completed(Box<SaleCompleted>),
    Voided,
    Transferred,
}

impl Sale {
    /// State.
    #[must_use]
    pub fn state(&self) -> State {
        match &self.end {
            Some(End::Completed(_)) => State::Completed,
            Some(End::Voided) => State::Voided,
            Some(End::Transferred) => State::Transferred,
            None if self.ticket.is_some() => State::Suspended,
            None if self.tenders.iter().any(Tender::is_live) => State::Tendering,
            None => State::Building,
        }
    }

    /// What it comes to.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let pending = self.tenders.iter().filter(|t| t.state == TenderState::Pending);
        // Live tenders together are in range: the fold has added them up.
        let pending = pending.map(|tender| tender.amount).sum();
        let (sums, paid) = (self.cart.totals(), &self.settlement);
        Totals {
            net: sums.net,
            tax: sums.tax,
            gross: sums.gross,
            discounts: sums.discounts,
            surcharges: sums.surcharges,
            cash_payable: paid.cash_payable,
            rounding: paid.rounding,
            tendered: paid.tendered - pending,
            pending,
            tips: paid.tips,
            due: paid.due,
            change: paid.change,
            state: self.state(),
        }
    }

    /// The rules that it is priced by.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        self.cart.policy()
    }

    /// Its lines as arithmetic: tax table, splits, shares of discounts.
    #[must_use]
    pub fn cart(&self) -> &Cart {
        &self.cart
    }

    /// Where its payment stands.
    #[must_use]
    pub fn settlement(&self) -> &Settlement {
        &self.settlement
    }

    /// A line by its number, voided or not.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<&Line> {
        self.lines.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    /// Lines that count.
    pub fn live_lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.voided.is_none())
    }

    /// The live lines that belong to a line, by number. Numbers begin at 1, so that 0 stands for
    /// none; compared as an option, a line without parent is judged by a value that was never
    /// written as well, which does no harm and makes every host's memory checker speak.
    pub fn live_children(&self, parent: u32) -> impl Iterator<Item = &Line> {
        self.live_lines().filter(move |line| line.parent.unwrap_or(0) == parent)
    }

    /// Bytes of its facts: what a checkpoint has to carry.
    #[must_use]
    pub fn log_bytes(&self) -> usize {
        self.log.len()
    }

    /// The circle of its receipt.
    #[must_use]
    pub fn circle(&self) -> Circle {
        if self.training { Circle::Training } else { Circle::Sale }
    }

    pub(crate) fn log(&self) -> &[u8] {
        &self.log
    }

    fn live_tenders(&self) -> impl Iterator<Item = Tendered> {
        self.tenders.iter().filter(|tender| tender.is_live()).map(Tender::tendered)
    }
}
