//! What is to be paid, by whatever means: cash rounding, change, tips.
//!
//! ```text
//!   left      = gross - what others cover          what is left for cash of the till's currency
//!   rounding  = left to the cash step - left       when cash moves, else 0
//!   payable   = gross + rounding
//!   covered   = live tenders less their tips
//!   due       = payable - covered                  while that is owed, else 0
//!   change    = covered - payable                  once that is over, else 0
//! ```
//!
//! Cash moves when there is a tender in cash, or when others cover more than the total and the rest
//! is given back from the drawer. So rounding acts on what is left after all other tenders, in
//! whatever order they came, and what stays in the drawer for the sale is a multiple of the step.
//! Rounding stands apart: neither gross nor tax moves (I19).

use crate::code::Code;
use crate::error::{Error, Result};
use crate::money::{add, in_range};
use crate::policy::{CashRounding, PaymentMeans, Policy};

/// A live tender: pending or confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tendered {
    /// What was paid with.
    pub means: PaymentMeans,
    /// Minor units of the till's currency, tip included; negative when it is paid out.
    pub amount: i64,
    /// The part that is a tip: 0 to the amount.
    pub tip: i64,
    /// Its outcome lies outside the till.
    pub is_pending: bool,
}

/// Where the payment of a sale stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// Total of the sale.
    pub gross: i64,
    /// What the total would be if all that others do not cover were cash.
    pub cash_payable: i64,
    /// What cash rounding adds to the total.
    pub rounding: i64,
    /// Total to be paid: gross and rounding.
    pub payable: i64,
    /// Live tenders, tips included.
    pub tendered: i64,
    /// Tips in live tenders.
    pub tips: i64,
    /// Still to be paid as things stand; negative while it is to be paid out. Zero means paid.
    pub due: i64,
    /// Still to be paid if cash pays it.
    pub cash_due: i64,
    /// Still to be paid if anything else pays it: without rounding.
    pub exact_due: i64,
    /// To be given back. Then `tendered - change = gross + rounding + tips`.
    pub change: i64,
}

/// Rounds to the cash step, by magnitude.
///
/// ```
/// use pos_kernel_core::policy::CashRounding;
/// use pos_kernel_core::pricing::round_cash;
/// assert_eq!([1002, 1003, -1003].map(|m| round_cash(m, 5, CashRounding::HalfUp)), [1000, 1005, -1005]);
/// ```
#[must_use]
pub fn round_cash(amount: i64, step: u32, rounding: CashRounding) -> i64 {
    let step = i64::from(step.max(1));
    let rest = (amount % step).abs();
    let left = step - rest;
    let away = rest > 0
        && match rounding {
            CashRounding::HalfUp => rest >= left,
            CashRounding::HalfDown => rest > left,
            CashRounding::Up => true,
            CashRounding::Down => false,
        };
    let towards_zero = amount - amount % step;
    // At the ends of an i64 there is no next step; amounts never come near them.
    if away { towards_zero.saturating_add(step * amount.signum()) } else { towards_zero }
}

/// Where the payment of a total stands after these tenders.
///
/// # Errors
/// `PK_E_OVERFLOW`.
pub fn settle(
    policy: &Policy,
    gross: i64,
    tenders: impl IntoIterator<Item = Tendered>,
) -> Result<Settlement> {
    let (mut tendered, mut tips, mut others, mut has_cash) = (0_i64, 0_i64, 0_i64, false);
    for tender in tenders {
        tendered = add(tendered, tender.amount)?;
        tips = add(tips, tender.tip)?;
        match tender.means {
            PaymentMeans::Cash => has_cash = true,
            _ => {
                others = add(others, in_range(i128::from(tender.amount) - i128::from(tender.tip))?)?
            }
        }
    }
    let terms = policy.terms();
    let left = in_range(i128::from(gross) - i128::from(others))?;
    let left_in_cash = round_cash(left, terms.cash_step, terms.cash_rounding);
    let is_given_back = gross >= 0 && left < 0;
    let cash_moves = has_cash || is_given_back;
    let rounding = if cash_moves { left_in_cash - left } else { 0 };
    let payable = add(gross, rounding)?;
    let covered = in_range(i128::from(tendered) - i128::from(tips))?;
    let open = in_range(i128::from(payable) - i128::from(covered))?;
    let is_over = gross >= 0 && open < 0;
    let cash_payable = add(others, left_in_cash)?;
    Ok(Settlement {
        gross,
        cash_payable,
        rounding,
        payable,
        tendered,
        tips,
        due: if is_over { 0 } else { open },
        cash_due: if is_over {
            0
        } else {
            in_range(i128::from(cash_payable) - i128::from(covered))?
        },
        exact_due: if is_over { 0 } else { in_range(i128::from(gross) - i128::from(covered))? },
        change: if is_over { -open } else { 0 },
    })
}

/// Checks a tender against what is due, and says where the payment stands with it.
///
/// Only what the policy names may be more than is due, and only when its outcome is known. A tender
/// of zero in cash pays a total that cash rounding takes to zero.
///
/// # Errors
/// `PK_E_NOTHING_DUE` when the total is paid; `PK_E_BAD_AMOUNT` when the amount is zero, has the wrong
/// sign or is more than is due, when the tip is negative or more than the amount, and when the change
/// would be more than what may give it (I4); `PK_E_OVERFLOW`.
pub fn offer(policy: &Policy, gross: i64, live: &[Tendered], new: Tendered) -> Result<Settlement> {
    in_range(new.amount.into())?;
    if new.tip < 0 || new.tip > new.amount.max(0) {
        let message = format!("a tip of {} is not part of a tender of {}", new.tip, new.amount);
        return Err(Error::new(Code::BadAmount, message)
            .with("value", new.tip)
            .with("limit", new.amount.max(0)));
    }
    let before = settle(policy, gross, live.iter().copied())?;
    if before.due == 0 {
        return Err(Error::new(Code::NothingDue, "nothing is due; complete the sale"));
    }
    let limit = match new.means {
        PaymentMeans::Cash => before.cash_due,
        _ => before.exact_due,
    };
    let covers = new.amount - new.tip;
    let gives_change = policy.terms().change_from;
    let may_be_more =
        gross > 0 && limit >= 0 && gives_change.contains(new.means) && !new.is_pending;
    let fits = if covers == 0 {
        new.means == PaymentMeans::Cash && limit == 0
    } else {
        let right_way = covers.signum() == gross.signum();
        let within = limit.signum() == covers.signum() && covers.abs() <= limit.abs();
        right_way && (within || may_be_more)
    };
    let givers = live.iter().chain([&new]).filter(|tender| gives_change.contains(tender.means));
    let most: i128 = givers.map(|t| i128::from(t.amount) - i128::from(t.tip)).sum();
    // What does not fit is refused for that, also where the sum with it would leave the range.
    if fits {
        let after = settle(policy, gross, live.iter().copied().chain([new]))?;
        if i128::from(after.change) <= most.max(0) {
            return Ok(after);
        }
    }
    let message = format!(
        "a {} tender of {} does not fit what is due: {limit}. Only what gives change may be more, \
         and a pay-out is negative",
        new.means.name(),
        new.amount
    );
    Err(Error::new(Code::BadAmount, message).with("value", new.amount).with("due", limit))
}

impl Settlement {
    /// Nothing is owed either way: the sale can be completed.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.due == 0
    }
}
