//! Random policies of cash, exchange rates and tenders.

use pos_kernel_core::money::Decimal;
use pos_kernel_core::policy::{CashRounding, MeansSet, PaymentMeans, PolicyTerms, UnboundReturns};
use proptest::prelude::*;
use proptest::sample::select;

/// A tender as a part of what is due, so that a sale is paid after few of them.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) means: PaymentMeans,
    pub(crate) percent: i64,
    pub(crate) more: i64,
    pub(crate) tip: i64,
    pub(crate) is_pending: bool,
}

pub(crate) fn offers() -> impl Strategy<Value = Offer> {
    use PaymentMeans::{Card, Cash, Foreign, Other, Voucher};
    (
        select(vec![Cash, Cash, Cash, Card, Voucher, Foreign, Other]),
        select(vec![10_i64, 33, 50, 100, 100, 100, 250]),
        prop_oneof![2 => Just(0), 1 => -3_i64..8],
        prop_oneof![4 => Just(0), 1 => 0_i64..100],
        prop::bool::weighted(0.1),
    )
        .prop_map(|(means, percent, more, tip, is_pending)| Offer {
            means,
            percent,
            more,
            tip,
            is_pending,
        })
}

/// An exchange rate, and foreign money.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) currency: &'static str,
    pub(crate) rate: Decimal,
    pub(crate) per: u32,
    pub(crate) amount: i64,
}

/// What a policy says of cash, over a policy that says the rest.
#[derive(Debug, Clone)]
pub(crate) struct CashTerms {
    pub(crate) step: u32,
    pub(crate) rounding: CashRounding,
    pub(crate) change_from: MeansSet,
    pub(crate) unbound: UnboundReturns,
    pub(crate) minor_digits: Option<u8>,
}

impl CashTerms {
    pub(crate) fn over(self, terms: PolicyTerms) -> PolicyTerms {
        PolicyTerms {
            cash_step: self.step,
            cash_rounding: self.rounding,
            change_from: self.change_from,
            unbound_returns: self.unbound,
            minor_digits: self.minor_digits.unwrap_or(terms.minor_digits),
            ..terms
        }
    }
}

pub(crate) fn cash_terms() -> impl Strategy<Value = CashTerms> {
    use PaymentMeans::{Card, Cash, Foreign, Other, Voucher};
    (
        select(vec![1_u32, 5, 10, 50, 100, 1_000_000]),
        select(vec![
            CashRounding::HalfUp,
            CashRounding::HalfDown,
            CashRounding::Up,
            CashRounding::Down,
        ]),
        select(vec![
            MeansSet::of(&[]),
            MeansSet::of(&[Cash, Foreign]),
            MeansSet::of(&[Voucher, Cash]),
            MeansSet::of(&[Cash, Card, Voucher, Foreign, Other]),
        ]),
        select(vec![UnboundReturns::Allow, UnboundReturns::Approve, UnboundReturns::Refuse]),
        prop::option::weighted(0.2, 0_u8..=4),
    )
        .prop_map(|(step, rounding, change_from, unbound, minor_digits)| CashTerms {
            step,
            rounding,
            change_from,
            unbound,
            minor_digits,
        })
}

pub(crate) fn rates() -> impl Strategy<Value = Rate> {
    (
        select(vec!["EUR", "JPY", "KWD"]),
        1_i64..2_000_000,
        0_u8..=6,
        select(vec![1_u32, 100]),
        -100_000_i64..100_000,
    )
        .prop_map(|(currency, mantissa, scale, per, amount)| Rate {
            currency,
            rate: Decimal::new(mantissa, scale).unwrap(),
            per,
            amount,
        })
}
