//! The ends of every range: a typed refusal or the exact number, never a wrap, never a panic.

use crate::oracle::Oracle;
use crate::{cart, decimal, policy, tax, terms};
use pos_kernel_core::Code;
use pos_kernel_core::limits::{AMOUNT_MAX, TAX_COMPONENTS_MAX, TAX_SETS_MAX};
use pos_kernel_core::money::{Decimal, Rounding};
use pos_kernel_core::policy::{GrossSplit, PaymentMeans, TaxScope};
use pos_kernel_core::pricing::{
    Adjustment, Cart, Change, GivenBack, NewLine, SoldLine, TaxClass, TaxComponent, Tendered,
    settle,
};
use proptest::prelude::*;
use proptest::sample::select;

fn edges() -> Vec<i64> {
    vec![
        1,
        2,
        3,
        999_999,
        AMOUNT_MAX - 1,
        AMOUNT_MAX,
        AMOUNT_MAX + 1,
        i64::MAX - 1,
        i64::MAX,
        1 << 62,
        10_i64.pow(18),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

    /// Lines at the ends of the ranges: what is taken is what the oracle says; what is refused is
    /// refused for what it is, and leaves the cart as it was.
    #[test]
    fn the_largest_lines_are_exact_or_refused(
        lines in prop::collection::vec(
            (
                select(edges()), 0_u8..=6, any::<bool>(), select(edges()), 0_u8..=6,
                select(vec!["1", "1000000", "0.000001", "9223372036854775807"]),
                select(vec![0_u32, 1, 190_000, 10_000_000]), any::<bool>(),
            ),
            1..5,
        ),
        scope in select(vec![TaxScope::PerRate, TaxScope::PerLine, TaxScope::PerUnit]),
        rounding in select(vec![Rounding::HalfUp, Rounding::HalfEven, Rounding::Up, Rounding::Down]),
        split in select(vec![GrossSplit::TaxFirst, GrossSplit::NetFirst]),
    ) {
        let policy = policy("EUR", |terms| {
            (terms.tax_scope, terms.tax_rounding, terms.gross_split) = (scope, rounding, split);
        });
        let mut cart = Cart::new(&policy);
        let mut oracle = Oracle::new(policy.terms(), false);
        for (quantity, qs, back, price, ps, per, rate_ppm, inclusive) in lines {
            let class = TaxClass::parse("S").unwrap();
            let taxes = [TaxComponent { class, rate_ppm, inclusive }];
            let quantity = Decimal::new(if back { -quantity } else { quantity }, qs).unwrap();
            let line = NewLine {
                per: decimal(per),
                ..NewLine::item(quantity, Decimal::new(price, ps).unwrap(), &taxes)
            };
            let before = cart.clone();
            match cart.apply(&Change::AddLine(line)) {
                Ok(_) => {
                    prop_assert_eq!(oracle.apply(&Change::AddLine(line)), Ok(()));
                    prop_assert_eq!(*cart.totals(), oracle.work_out().totals);
                }
                Err(error) => {
                    prop_assert_eq!(error.code(), Code::Overflow);
                    prop_assert_eq!(&cart, &before);
                }
            }
            // A row may come to more than an amount may be, never to something else.
            if let Err(error) = cart.tax_table() {
                prop_assert_eq!(error.code(), Code::Overflow);
            }
        }
    }
}

#[test]
fn sums_stop_at_the_largest_amount() {
    let policy = policy("EUR", |_| {});
    let mut full = Cart::new(&policy);
    let most = Decimal::whole(AMOUNT_MAX);
    full.apply(&Change::AddLine(NewLine::item(Decimal::whole(1), most, &[]))).unwrap();
    let one = Change::AddLine(NewLine::item(Decimal::whole(1), Decimal::whole(1), &[]));
    assert_eq!(full.preview(&one).unwrap_err().code(), Code::Overflow);
    let surcharge = Change::AdjustLine { line: 1, adjustment: Adjustment::surcharge(1) };
    assert_eq!(full.apply(&surcharge).unwrap_err().code(), Code::Overflow);
    let taxed = Change::SetTaxes { line: 1, taxes: &[tax("S", "0.0001", false)] };
    assert_eq!(full.apply(&taxed).unwrap_err().code(), Code::Overflow);
    assert_eq!(full.totals().gross, AMOUNT_MAX);
    // Once it is taken back there is room again.
    full.apply(&Change::AddLine(NewLine::item(Decimal::whole(-1), most, &[]))).unwrap();
    assert_eq!(full.apply(&one).unwrap().totals.gross, 1);
}

#[test]
fn limits_are_refused_by_name() {
    let policy = policy("EUR", |_| {});
    let mut cart = Cart::new(&policy);
    let component = |number: usize| TaxComponent {
        class: TaxClass::parse(&format!("T{number}")).unwrap(),
        rate_ppm: 10_000,
        inclusive: false,
    };
    let many: Vec<TaxComponent> = (0..=TAX_COMPONENTS_MAX).map(component).collect();
    fn line(taxes: &[TaxComponent]) -> Change<'_> {
        Change::AddLine(NewLine::item(Decimal::whole(1), Decimal::whole(100), taxes))
    }
    assert_eq!(cart.apply(&line(&many)).unwrap_err().code(), Code::Limit);
    let added = cart.apply(&line(&many[..TAX_COMPONENTS_MAX])).unwrap();
    assert_eq!(added.totals.tax, 32);
    let mut taken = 0;
    for number in 0..100 {
        let taxes = [component(number)];
        if cart.apply(&line(&taxes)).is_ok() {
            taken += 1;
        }
    }
    assert_eq!(taken, TAX_SETS_MAX - 1);
    assert_eq!(cart.tax_table().unwrap().rows().len(), 63);
    let one_off = Adjustment::discount(1);
    for _ in 0..32 {
        cart.apply(&Change::AdjustLine { line: 1, adjustment: one_off }).unwrap();
    }
    let once_more = Change::AdjustLine { line: 1, adjustment: one_off };
    assert_eq!(cart.apply(&once_more).unwrap_err().code(), Code::Limit);
}

#[test]
fn very_many_units_are_taxed_by_unit_without_a_wrap() {
    let policy = policy("EUR", |terms| {
        terms.tax_scope = TaxScope::PerUnit;
        terms.tax_rounding = Rounding::Up;
    });
    // Each unit is taxed with a whole cent then: far over an amount.
    let taxes = [tax("S", "19", false)];
    let line = NewLine::item(Decimal::whole(i64::MAX), decimal("0.000001"), &taxes);
    let refused = Cart::new(&policy).apply(&Change::AddLine(line)).unwrap_err();
    assert_eq!(refused.code(), Code::Overflow);
    let fewer = cart(&policy, &[("1000000000", "0.000001", &taxes)]);
    assert_eq!(fewer.totals().tax, 1_000_000_000);
}

#[test]
fn large_returns_and_payments_are_refused_or_exact() {
    let sold = SoldLine {
        kind: pos_kernel_core::pricing::LineKind::Item,
        quantity: Decimal::whole(i64::MAX),
        amount: AMOUNT_MAX,
        components: vec![tax("S", "19", true)],
        taxes: vec![AMOUNT_MAX / 10],
    };
    let part = sold.give_back(Decimal::whole(0), Decimal::whole(i64::MAX)).unwrap();
    assert_eq!((part.amount(), part.taxes()[0]), (-AMOUNT_MAX, -(AMOUNT_MAX / 10)));
    let parts =
        |amount, taxes| GivenBack::new(sold.kind, Decimal::whole(-1), amount, vec![], taxes);
    assert_eq!(parts(-1, vec![]).unwrap().gross(), -1);
    assert_eq!(parts(1, vec![]).unwrap_err().code(), Code::BadAmount);
    assert_eq!(parts(-1, vec![1]).unwrap_err().code(), Code::BadArgument);
    assert_eq!(parts(i64::MIN, vec![]).unwrap_err().code(), Code::Overflow);
    let one = GivenBack::new(sold.kind, Decimal::whole(1), 0, vec![], vec![]).unwrap_err();
    assert_eq!(one.code(), Code::BadQuantity);
    let finer = Decimal::new(1, 6).unwrap();
    let refused = sold.give_back(finer, Decimal::whole(i64::MAX - 1)).unwrap_err();
    assert_eq!(refused.code(), Code::Overflow);
    let policy = policy("EUR", |_| {});
    let cash = |amount| Tendered { means: PaymentMeans::Cash, amount, tip: 0, is_pending: false };
    let two = settle(&policy, 100, [cash(AMOUNT_MAX), cash(AMOUNT_MAX)]).unwrap_err();
    assert_eq!(two.code(), Code::Overflow);
    assert_eq!(settle(&policy, i64::MIN, [cash(i64::MIN)]).unwrap_err().code(), Code::Overflow);
    assert_eq!(terms("EUR").cash_step, 1);
}
