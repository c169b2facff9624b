//! Random policies and random changes of a sale, most of them possible, some not.

use crate::{tax, terms};
use pos_kernel_core::money::{Decimal, Rounding};
use pos_kernel_core::policy::{GrossSplit, Policy, PolicyTerms, Prices, TaxScope};
use pos_kernel_core::pricing::{
    Adjustment, Change, Direction, GivenBack, LineKind, NewLine, SoldLine, TaxComponent, Worth,
};
use proptest::prelude::*;
use proptest::sample::select;

/// A change that owns what it needs.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Add {
        kind: LineKind,
        quantity: Decimal,
        price: Decimal,
        per: Decimal,
        taxes: Vec<TaxComponent>,
    },
    Return(GivenBack),
    Void(u32),
    Quantity(u32, Decimal),
    Price(u32, Decimal, Decimal),
    Taxes(u32, Vec<TaxComponent>),
    AdjustLine(u32, Adjustment),
    AdjustSale(Adjustment),
    Retract(u32),
}

impl Op {
    pub(crate) fn change(&self) -> Change<'_> {
        match self {
            Self::Add { kind, quantity, price, per, taxes } => Change::AddLine(NewLine {
                kind: *kind,
                quantity: *quantity,
                unit_price: *price,
                per: *per,
                taxes,
            }),
            Self::Return(part) => Change::AddReturn(part),
            Self::Void(line) => Change::VoidLine { line: *line },
            Self::Quantity(line, quantity) => {
                Change::SetQuantity { line: *line, quantity: *quantity }
            }
            Self::Price(line, unit_price, per) => {
                Change::SetPrice { line: *line, unit_price: *unit_price, per: *per }
            }
            Self::Taxes(line, taxes) => Change::SetTaxes { line: *line, taxes },
            Self::AdjustLine(line, adjustment) => {
                Change::AdjustLine { line: *line, adjustment: *adjustment }
            }
            Self::AdjustSale(adjustment) => Change::AdjustSale { adjustment: *adjustment },
            Self::Retract(number) => Change::Retract { number: *number },
        }
    }
}

impl Op {
    /// Taxes of the class A say nothing of themselves: they are as the policy's prices are.
    pub(crate) fn under(mut self, policy: &Policy) -> Self {
        if let Self::Add { taxes, .. } | Self::Taxes(_, taxes) = &mut self {
            for tax in taxes.iter_mut().filter(|tax| tax.class.as_str() == "A") {
                tax.inclusive = policy.includes(None);
            }
        }
        self
    }
}

const ROUNDINGS: [Rounding; 4] =
    [Rounding::HalfUp, Rounding::HalfEven, Rounding::Up, Rounding::Down];

pub(crate) fn policies() -> impl Strategy<Value = PolicyTerms> {
    (
        select(vec!["EUR", "JPY", "BHD"]),
        select(vec![Prices::Net, Prices::Gross]),
        select(vec![TaxScope::PerRate, TaxScope::PerLine, TaxScope::PerUnit]),
        select(ROUNDINGS.to_vec()),
        select(vec![GrossSplit::TaxFirst, GrossSplit::NetFirst]),
        select(ROUNDINGS.to_vec()),
        prop::bool::weighted(0.9),
    )
        .prop_map(
            |(currency, prices, tax_scope, tax_rounding, gross_split, amount_rounding, mixed)| {
                PolicyTerms {
                    prices,
                    tax_scope,
                    tax_rounding,
                    gross_split,
                    amount_rounding,
                    mixed_returns: mixed,
                    ..terms(currency)
                }
            },
        )
}

/// Lists of taxes as they stand in real shops, in every combination of inside and on top.
fn taxes() -> impl Strategy<Value = Vec<TaxComponent>> {
    let rates = ["0", "1", "2.5", "5", "7", "8.1", "8.25", "10", "19", "20", "25", "33.3333"];
    let one = (select(vec!["A", "B"]), select(rates.to_vec()), any::<bool>());
    prop_oneof![
        1 => Just(vec![]),
        6 => select(vec![
            vec![tax("S", "19", true)],
            vec![tax("R", "7", true)],
            vec![tax("S", "19", false)],
            vec![tax("GST", "5", false), tax("PST", "7", false)],
            vec![tax("GST", "5", false)],
            vec![tax("CGST", "9", true), tax("SGST", "9", true)],
            vec![tax("VAT", "10", true), tax("CITY", "2.5", false)],
            vec![tax("VAT", "10", true), tax("LUX", "20", true)],
            vec![tax("VAT", "10", true)],
        ]),
        4 => prop::collection::vec(one, 1..4).prop_map(|list| {
            list.into_iter().map(|(class, rate, inclusive)| tax(class, rate, inclusive)).collect()
        }),
    ]
}

fn quantities() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        8 => (1_i64..10).prop_map(Decimal::whole),
        4 => (1_i64..3_000_000, 0_u8..=6).prop_map(|(m, s)| Decimal::new(m, s).unwrap()),
        2 => (-5_i64..=0).prop_map(Decimal::whole),
        1 => (-3_000_i64..0).prop_map(|m| Decimal::new(m, 3).unwrap()),
    ]
}

fn prices() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        8 => (0_i64..3_000).prop_map(Decimal::whole),
        3 => (0_i64..5_000_000, 0_u8..=6).prop_map(|(m, s)| Decimal::new(m, s).unwrap()),
        1 => (-3_i64..3).prop_map(Decimal::whole),
    ]
}

fn pers() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        8 => Just(Decimal::whole(1)),
        2 => select(vec!["100", "12", "3", "0.5"])
            .prop_map(|text| Decimal::parse(text).unwrap()),
        1 => (-1_i64..2).prop_map(Decimal::whole),
    ]
}

fn adjustments() -> impl Strategy<Value = Adjustment> {
    let worth = prop_oneof![
        4 => (1_i64..400).prop_map(Worth::Amount),
        4 => select(vec![10_000_u32, 50_000, 100_000, 333_333, 1_000_000]).prop_map(Worth::Percent),
        1 => select(vec![
            Worth::Amount(0), Worth::Amount(-5), Worth::Amount(1 << 40), Worth::Percent(0),
            Worth::Percent(1_000_001), Worth::Percent(10_000_001),
        ]),
    ];
    (prop::bool::weighted(0.75), worth).prop_map(|(is_discount, worth)| {
        let direction = if is_discount { Direction::Discount } else { Direction::Surcharge };
        Adjustment { direction, worth }
    })
}

/// A part of a line of another sale, whose taxes need not be what any policy would have made.
fn returns() -> impl Strategy<Value = GivenBack> {
    (taxes(), 1_i64..9, 0_i64..4_000, prop::collection::vec(0_i64..400, 4), 1_i64..9).prop_map(
        |(mut components, quantity, amount, taxes, now)| {
            components.sort();
            components.dedup();
            let taxes = taxes[..components.len()].iter().map(|t| (*t).min(amount / 4)).collect();
            let now = Decimal::whole(now.min(quantity));
            let quantity = Decimal::whole(quantity);
            let sold = SoldLine { kind: LineKind::Item, quantity, amount, components, taxes };
            sold.give_back(Decimal::whole(0), now).unwrap()
        },
    )
}

fn additions() -> impl Strategy<Value = Op> {
    let kind = prop_oneof![
        12 => Just(LineKind::Item),
        1 => Just(LineKind::Deposit),
        1 => Just(LineKind::Surcharge),
        1 => Just(LineKind::Tip),
    ];
    (kind, quantities(), prices(), pers(), taxes()).prop_map(
        |(kind, quantity, price, per, taxes)| Op::Add { kind, quantity, price, per, taxes },
    )
}

fn ops() -> impl Strategy<Value = Op> {
    let line = || prop_oneof![1 => 0_u32..9, 6 => 1_u32..4];
    prop_oneof![
        6 => additions(),
        1 => returns().prop_map(Op::Return),
        2 => line().prop_map(Op::Void),
        2 => (line(), quantities()).prop_map(|(line, quantity)| Op::Quantity(line, quantity)),
        2 => (line(), prices(), pers()).prop_map(|(line, price, per)| Op::Price(line, price, per)),
        1 => (line(), taxes()).prop_map(|(line, taxes)| Op::Taxes(line, taxes)),
        3 => (line(), adjustments()).prop_map(|(line, given)| Op::AdjustLine(line, given)),
        3 => adjustments().prop_map(Op::AdjustSale),
        1 => (1_u32..5).prop_map(Op::Retract),
    ]
}

/// A sale: a policy, its changes, and how its lines come back afterwards.
pub(crate) fn sales() -> impl Strategy<Value = (PolicyTerms, Vec<Op>, Vec<u32>)> {
    let changes = (prop::collection::vec(additions(), 1..6), prop::collection::vec(ops(), 0..9))
        .prop_map(|(mut first, then)| {
            first.extend(then);
            first
        });
    (policies(), changes, prop::collection::vec(0_u32..1_000_000, 6))
}
