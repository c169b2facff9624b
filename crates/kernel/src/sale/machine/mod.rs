//! What may happen: command + state -> fact, or a refusal. Pure code; nothing is changed here.
//!
//! What lives here: how a sale begins, and what every decision asks of a sale before it. What must not:
//! arithmetic. Numbers come from the sale's cart: `preview` says what a change would come to, and the
//! fact says so too, so that the fold can compare.
//!
//! Read `lines.rs` first (sold, given back, taken away), then `changes.rs` (prices, taxes, discounts),
//! `tenders.rs` and `ending.rs`.

mod changes;
mod ending;
mod lines;
mod tenders;

pub use changes::{adjust_line, adjust_sale, override_price, override_taxes, retract};
pub(crate) use ending::content;
pub use ending::{complete, suspend, void};
pub(in crate::sale) use ending::{completed_sums, taken};
pub(crate) use lines::plan_line;
pub use lines::{SoldItem, add_line, return_line, set_quantity, void_line};
pub(in crate::sale) use tenders::after;
pub use tenders::{confirm_tender, decline_tender, tender, void_tender};

use super::input::{self, TaxInput};
use super::{Line, Sale, State};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{Bytes, Key, ReturnsOf, SaleBegun, Sums};
use crate::limits::LINES_MAX;
use crate::money::{Currency, Decimal};
use crate::policy::Policy;
use crate::pricing::{Change, Outcome, Plan, TaxComponent, settle};

/// Begins a sale, priced by the till's policy for the currency if it has one.
///
/// # Errors
/// `PK_E_BAD_TEXT`, `PK_E_BAD_CURRENCY`.
pub fn begin(
    sale: u64,
    store: &str,
    currency: &str,
    reference: Option<&str>,
    policy: impl FnOnce(Currency) -> Option<Policy>,
    returns: Option<ReturnsOf>,
    key: Option<Key>,
) -> Result<SaleBegun> {
    input::store(store)?;
    input::reference(reference)?;
    let currency = Currency::parse(currency)?;
    let reference = reference.map(str::to_owned);
    let policy = policy(currency).map(|policy| Bytes(policy.encode()));
    let store = store.to_owned();
    Ok(SaleBegun {
        sale,
        store,
        currency,
        reference,
        training: None,
        operator: None,
        policy,
        returns,
        takes: None,
        key,
    })
}

/// What a change of the lines comes to, and the sums that its fact says.
fn changed(sale: &Sale, change: &Change<'_>) -> Result<(Outcome, Option<Sums>)> {
    let (plan, sums) = planned(sale, change)?;
    Ok((*plan.outcome(), sums))
}

fn planned(sale: &Sale, change: &Change<'_>) -> Result<(Plan, Option<Sums>)> {
    let plan = sale.cart.plan(change)?;
    let totals = &plan.outcome().totals;
    // Lines change only while no tender is live.
    let paid = settle(sale.policy(), totals.gross, [])?;
    let sums = Sums::of(totals, paid.cash_payable);
    Ok((plan, sums))
}

fn components(sale: &Sale, taxes: &[TaxInput]) -> Vec<TaxComponent> {
    let component = |tax: &TaxInput| TaxComponent {
        class: tax.class,
        rate_ppm: tax.rate_ppm,
        inclusive: sale.policy().includes(tax.inclusive),
    };
    taxes.iter().map(component).collect()
}

fn unless_one(per: Decimal) -> Option<Decimal> {
    (per != Decimal::whole(1)).then_some(per)
}

fn unless_zero(amount: i64) -> Option<i64> {
    (amount != 0).then_some(amount)
}

/// The refusal of anything on a sale that is over.
#[must_use]
pub fn already_final(sale: u64) -> Error {
    let message = format!("sale {sale} is completed or voided; begin a new one");
    Error::new(Code::AlreadyFinal, message).with("sale", sale)
}

fn may_be_open(sale: &Sale) -> Result<()> {
    match sale.state() {
        State::Building | State::Tendering => Ok(()),
        State::Completed | State::Voided | State::Transferred => Err(already_final(sale.number)),
        State::Suspended => {
            let ticket = sale.ticket.as_deref().unwrap_or_default();
            let message = format!("sale {} is suspended; resume it by {ticket}", sale.number);
            Err(Error::new(Code::Suspended, message)
                .with("sale", sale.number)
                .with("ticket", ticket))
        }
    }
}

fn may_change_lines(sale: &Sale) -> Result<()> {
    may_be_open(sale)?;
    match sale.tenders.iter().find(|tender| tender.is_live()) {
        None => Ok(()),
        Some(tender) => Err(Error::new(
            Code::TenderTaken,
            format!(
                "sale {} has a {} tender (number {}); void it before anything else changes",
                sale.number,
                tender.state.name(),
                tender.number
            ),
        )
        .with("sale", sale.number)
        .with("tender", tender.number)),
    }
}

fn not_empty(sale: &Sale) -> Result<()> {
    if sale.live_lines().next().is_some() {
        return Ok(());
    }
    let message = format!("sale {} has no live line; add one, or void the sale", sale.number);
    Err(Error::new(Code::EmptySale, message).with("sale", sale.number))
}

fn live_line(sale: &Sale, number: u32) -> Result<&Line> {
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let Some(line) = index.and_then(|index| sale.lines.get(index)) else {
        return Err(missing("line", number, sale));
    };
    if line.voided.is_some() {
        let message = format!("line {number} of sale {} is voided already", sale.number);
        return Err(Error::new(Code::LineVoided, message)
            .with("sale", sale.number)
            .with("line", number));
    }
    Ok(line)
}

fn missing(what: &str, number: u32, sale: &Sale) -> Error {
    let message = format!("sale {} has no {what} {number}", sale.number);
    Error::new(Code::NotFound, message).with("sale", sale.number).with(what, number)
}

fn next_number(count: usize) -> u32 {
    u32::try_from(count + 1).expect("lines and tenders are limited")
}

const _: () = assert!(LINES_MAX < u32::MAX as usize);
