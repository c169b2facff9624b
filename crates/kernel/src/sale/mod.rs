//! The sale: what stands on it, what may happen to it next.
//!
//! ```text
//!            add / void line / set quantity        tender add / confirm / decline / void
//! begin -> [Building] <------------------------------------------> [Tendering]
//!             |  \--complete (total 0)--------.                        |   |
//!             |                               v                        |   |
//!             |                          [Completed] <----complete-----'   |
//!             '----void----> [Voided] <---- (all tenders voided first) ----'
//! ```
//! Every arrow is one durable record, and there is no arrow without one. Lines are frozen while a
//! live tender exists: what the customer was asked to pay does not change under their hands.
//!
//! `machine.rs` decides (command + state -> fact or refusal) and changes nothing; `apply.rs` folds a
//! fact in and checks it against the invariants; `input.rs` is where a host's values become ours.

mod apply;
pub mod input;
pub mod machine;
mod receipt;

pub use apply::Contradiction;
pub use input::{LineInput, TenderInput};
pub use receipt::{Receipt, ReceiptMeta};

use crate::journal::{SaleCompleted, TenderKind, TenderState};
use crate::money::{Currency, Decimal};

/// A line of a sale.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Number, from 1, never used again.
    pub number: u32,
    /// Stock-keeping unit.
    pub sku: String,
    /// Text for people.
    pub text: Option<String>,
    /// Quantity; negative on a return line.
    pub quantity: Decimal,
    /// Price of one, in minor units.
    pub unit_price: Decimal,
    /// Amount in minor units; kept when the line is voided, so that the original stays readable.
    pub amount: i64,
    /// Why it was voided.
    pub voided: Option<String>,
    /// The line that it belongs to: a part of a set, a modifier, a deposit.
    pub parent: Option<u32>,
}

/// A tender of a sale.
#[derive(Debug, Clone, PartialEq)]
pub struct Tender {
    /// Number, from 1, never used again.
    pub number: u32,
    /// Kind.
    pub kind: TenderKind,
    /// Amount in minor units; negative when it is paid out.
    pub amount: i64,
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
        }
    }
}

/// What a sale comes to, in minor units of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Sum of the live lines.
    pub gross: i64,
    /// Sum of the confirmed tenders.
    pub tendered: i64,
    /// Sum of the pending tenders.
    pub pending: i64,
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
    gross: i64,
    end: Option<End>,
    log: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq)]
enum End {
    Completed(SaleCompleted),
    Voided,
}

impl Sale {
    /// State.
    #[must_use]
    pub fn state(&self) -> State {
        match &self.end {
            Some(End::Completed(_)) => State::Completed,
            Some(End::Voided) => State::Voided,
            None if self.tenders.iter().any(Tender::is_live) => State::Tendering,
            None => State::Building,
        }
    }

    /// What it comes to.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let sum = |state| -> i64 {
            // Each tender is bounded by its limit and their number too: this cannot overflow, and
            // saturating keeps even a damaged journal from ending the process.
            let of_state = self.tenders.iter().filter(|tender| tender.state == state);
            of_state.fold(0, |sum: i64, tender| sum.saturating_add(tender.amount))
        };
        let (tendered, pending) = (sum(TenderState::Confirmed), sum(TenderState::Pending));
        let (due, change) = settle(self.gross, tendered.saturating_add(pending));
        Totals { gross: self.gross, tendered, pending, due, change, state: self.state() }
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

    pub(crate) fn log(&self) -> &[u8] {
        &self.log
    }

    /// What was sold and what was returned, both as amounts that are not negative.
    pub(crate) fn turnover(&self) -> (i128, i128) {
        self.live_lines().fold((0, 0), |(sold, returned), line| {
            let amount = i128::from(line.amount);
            if amount >= 0 { (sold + amount, returned) } else { (sold, returned - amount) }
        })
    }
}

/// What is still due and what is change, when this much is covered.
fn settle(gross: i64, covered: i64) -> (i64, i64) {
    let left = gross.saturating_sub(covered);
    match gross.signum() {
        1 if left < 0 => (0, -left),
        1 => (left, 0),
        -1 => (left.min(0), 0),
        _ => (0, 0),
    }
}
