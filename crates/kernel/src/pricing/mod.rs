//! Pricing: what a sale comes to, by exact arithmetic and one [`Policy`](crate::policy::Policy).
//!
//! What lives here: amounts of lines, discounts and surcharges, taxes, totals, the split of all that
//! over lines, the tax of returns, and what cash, foreign cash and tips make of a total. Pure code:
//! the same facts give the same numbers on every machine. What must not: texts, times, operators,
//! permissions, the journal; and no number that is not an integer.
//!
//! Invariants: gross = net + tax (I1); the rows of the tax table add up to the totals (I2); confirmed
//! tenders less change = gross + rounding + tips (I3); change is never negative nor more than what
//! may give it (I4); the parts of a line's return add up to the line, amount and each tax (I12); cash
//! rounding stands apart from turnover (I19). A refused change changes nothing, and no number ever
//! wraps: what leaves its range is `PK_E_OVERFLOW`.
//!
//! Read `cart.rs` first (a sale as changes: `preview` decides, `apply` folds), then `line.rs` (an
//! amount), `ledger.rs` (running sums, where tax rounds per rate), `split.rs` (back to the lines),
//! `turnover.rs`, `returns.rs` and `settlement.rs`. `docs/reference/pricing.md` has the formulas and examples.

mod adjustment;
mod allocation;
mod cart;
mod change;
mod exchange;
mod fraction;
mod ledger;
mod line;
mod returns;
mod settlement;
mod split;
mod table;
mod tax;
mod turnover;

pub use adjustment::{Adjustment, Direction, Worth};
pub(crate) use cart::Plan;
pub use cart::{Cart, LineView};
pub use change::{Change, Outcome};
pub use exchange::ExchangeRate;
pub use line::{Applied, LineKind, NewLine};
pub use returns::{GivenBack, SoldLine};
pub use settlement::{Settlement, Tendered, offer, round_cash, settle};
pub use split::{LineSplit, Splits};
pub use table::{TaxRow, TaxTable};
pub use tax::{TaxClass, TaxComponent, rate_ppm};
pub use turnover::{Side, Turnover, TurnoverRow};

/// What a sale comes to. All in minor units; what is returned counts as negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Live lines.
    pub lines: u32,
    /// Quantity times price of all lines.
    pub listed: i64,
    /// Discounts on lines and on the sale: `listed - discounts + surcharges = net + inclusive tax`.
    pub discounts: i64,
    /// Surcharges on lines and on the sale; lines that are surcharges are part of `listed`.
    pub surcharges: i64,
    /// Amounts of the deposit lines.
    pub deposits: i64,
    /// Amounts of the tip lines.
    pub tips: i64,
    /// Without tax.
    pub net: i64,
    /// All taxes.
    pub tax: i64,
    /// Net and tax.
    pub gross: i64,
}

/// Counts elementary steps, so that a test can show that a line's cost does not grow with the sale.
#[cfg(test)]
fn work(steps: usize) {
    counted::STEPS.with(|sum| sum.set(sum.get() + steps));
}

#[cfg(not(test))]
#[inline(always)]
fn work(_steps: usize) {}

#[cfg(test)]
mod counted {
    use std::cell::Cell;

    thread_local! {
        pub(super) static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    /// The steps that something takes.
    pub(super) fn steps_of(action: impl FnOnce()) -> usize {
        let before = STEPS.get();
        action();
        STEPS.get() - before
    }
}
