//! Payments: cash rounding after all other tenders, change, tips, foreign cash.

use crate::{decimal, policy};
use pos_kernel_core::Code;
use pos_kernel_core::money::Currency;
use pos_kernel_core::policy::{CashRounding, MeansSet, PaymentMeans, Policy};
use pos_kernel_core::pricing::{ExchangeRate, Tendered, offer, round_cash, settle};
use proptest::prelude::*;
use proptest::sample::select;

fn tender(means: PaymentMeans, amount: i64) -> Tendered {
    Tendered { means, amount, tip: 0, is_pending: false }
}

use PaymentMeans::{Card, Cash, Foreign, Voucher};

fn swiss() -> Policy {
    policy("CHF", |terms| terms.cash_step = 5)
}

/// Offers tenders one after the other; the last settlement, or the first refusal.
fn pay(policy: &Policy, gross: i64, tenders: &[Tendered]) -> Result<(i64, i64, i64), Code> {
    let mut live = Vec::new();
    let mut last = settle(policy, gross, []).unwrap();
    for tender in tenders {
        last = offer(policy, gross, &live, *tender).map_err(|error| error.code())?;
        live.push(*tender);
    }
    Ok((last.due, last.rounding, last.change))
}

#[test]
fn cash_is_rounded_on_what_other_tenders_leave_in_whatever_order() {
    let policy = swiss();
    assert_eq!(pay(&policy, 1002, &[tender(Cash, 1000)]), Ok((0, -2, 0)));
    assert_eq!(pay(&policy, 1002, &[tender(Cash, 2000)]), Ok((0, -2, 1000)));
    assert_eq!(pay(&policy, 1002, &[tender(Card, 1002)]), Ok((0, 0, 0)));
    assert_eq!(pay(&policy, 1002, &[tender(Card, 500), tender(Cash, 500)]), Ok((0, -2, 0)));
    assert_eq!(pay(&policy, 1002, &[tender(Cash, 500), tender(Card, 502)]), Ok((0, 0, 0)));
    assert_eq!(pay(&policy, 1002, &[tender(Cash, 500)]), Ok((500, -2, 0)));
    let half = settle(&policy, 1002, [tender(Cash, 500)]).unwrap();
    assert_eq!((half.cash_due, half.exact_due, half.cash_payable), (500, 502, 1000));
    // More than is exactly due is no business of a card.
    let more = [tender(Cash, 500), tender(Card, 503)];
    assert_eq!(pay(&policy, 1002, &more), Err(Code::BadAmount));
}

#[test]
fn a_total_that_rounds_to_nothing_is_paid_with_nothing_in_cash() {
    let policy = swiss();
    assert_eq!(settle(&policy, 2, []).unwrap().due, 2);
    assert_eq!(pay(&policy, 2, &[tender(Cash, 0)]), Ok((0, -2, 0)));
    assert_eq!(pay(&policy, 2, &[tender(Card, 0)]), Err(Code::BadAmount));
    assert_eq!(pay(&policy, 3, &[tender(Cash, 0)]), Err(Code::BadAmount));
    assert_eq!(pay(&policy, 2, &[tender(Cash, 0), tender(Cash, 5)]), Err(Code::NothingDue));
}

#[test]
fn refunds_mirror_sales() {
    let policy = swiss();
    assert_eq!(pay(&policy, -1002, &[tender(Cash, -1000)]), Ok((0, 2, 0)));
    assert_eq!(pay(&policy, -1003, &[tender(Cash, -1005)]), Ok((0, -2, 0)));
    assert_eq!(pay(&policy, -1002, &[tender(Card, -1002)]), Ok((0, 0, 0)));
    for wrong in [tender(Cash, -1005), tender(Cash, 1000), tender(Card, -1003), tender(Cash, 0)] {
        assert_eq!(pay(&policy, -1002, &[wrong]), Err(Code::BadAmount), "{wrong:?}");
    }
}

#[test]
fn change_comes_only_from_what_the_policy_names() {
    let strict = policy("EUR", |terms| terms.change_from = MeansSet::of(&[]));
    assert_eq!(pay(&strict, 800, &[tender(Cash, 1000)]), Err(Code::BadAmount));
    let voucher = policy("CHF", |terms| {
        terms.cash_step = 5;
        terms.change_from = MeansSet::of(&[Cash, Voucher]);
    });
    // 1.98 would be given back; the drawer gives 2.00 and the rounding says so.
    assert_eq!(pay(&voucher, 802, &[tender(Voucher, 1000)]), Ok((0, -2, 200)));
    assert_eq!(pay(&voucher, 802, &[tender(Card, 1000)]), Err(Code::BadAmount));
    let pending = Tendered { is_pending: true, ..tender(Voucher, 1000) };
    assert_eq!(pay(&voucher, 802, &[pending]), Err(Code::BadAmount));
    // 0.03 to give back would be 0.05 from the drawer for a voucher of 0.04 (I4).
    assert_eq!(pay(&voucher, 1, &[tender(Voucher, 4)]), Err(Code::BadAmount));
}

#[test]
fn tips_are_part_of_a_tender_and_not_of_the_sale() {
    let policy = policy("EUR", |_| {});
    let tipped = |means, amount, tip| Tendered { tip, ..tender(means, amount) };
    let card = offer(&policy, 4_200, &[], tipped(Card, 4_700, 500)).unwrap();
    assert_eq!((card.due, card.tips, card.change, card.tendered), (0, 500, 0, 4_700));
    // "Make it 45": fifty in cash, three of the change stay.
    let cash = offer(&policy, 4_200, &[], tipped(Cash, 5_000, 300)).unwrap();
    assert_eq!((cash.tips, cash.change), (300, 500));
    for wrong in [tipped(Card, 4_200, -1), tipped(Card, 100, 101), tipped(Cash, -100, 1)] {
        assert_eq!(offer(&policy, 4_200, &[], wrong).unwrap_err().code(), Code::BadAmount);
    }
}

#[test]
fn foreign_cash_is_worth_what_it_converts_to_and_change_is_home_cash() {
    let policy = swiss();
    let euro = Currency::parse("EUR").unwrap();
    let rate = ExchangeRate::new(euro, decimal("0.9312"), 1).unwrap();
    let worth = rate.convert(&policy, 2_000).unwrap();
    assert_eq!(worth, 1_862);
    // 12.35 is due, 6.27 would be given back and 6.25 is: the net of the drawer is exact.
    assert_eq!(pay(&policy, 1_235, &[tender(Foreign, worth)]), Ok((0, 2, 625)));
    assert_eq!(rate.convert(&policy, -2_000).unwrap(), -worth);
    // Yen have no minor unit and are quoted for a hundred: 5,000 at 0.6134 for 100 is 30.67.
    let yen = ExchangeRate::new(Currency::parse("JPY").unwrap(), decimal("0.6134"), 100).unwrap();
    let euros = crate::policy("EUR", |_| {});
    assert_eq!(yen.convert(&euros, 5_000).unwrap(), 3_067);
    // Dinars have three places: 1.500 at 2.4391 is 3.65865, rounded to 3.66.
    let dinar = ExchangeRate::new(Currency::parse("BHD").unwrap(), decimal("2.4391"), 1).unwrap();
    assert_eq!(dinar.convert(&euros, 1_500).unwrap(), 366);
    assert_eq!(dinar.convert(&euros, i64::MAX).unwrap_err().code(), Code::Overflow);
    for (worth, per) in [("0", 1), ("-1", 1), ("1", 0)] {
        let refused = ExchangeRate::new(euro, decimal(worth), per).unwrap_err();
        assert_eq!(refused.code(), Code::BadRate);
    }
}

fn tenders() -> impl Strategy<Value = Tendered> {
    (
        select(vec![Cash, Cash, Card, Voucher, Foreign]),
        -3_000_i64..6_000,
        prop_oneof![4 => Just(0_i64), 1 => 0_i64..100],
        prop::bool::weighted(0.2),
    )
        .prop_map(|(means, amount, tip, is_pending)| Tendered {
            means,
            amount,
            tip,
            is_pending,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    /// I3, I4, I19 and the step, over random totals and tenders that were accepted.
    #[test]
    fn accepted_tenders_balance(
        gross in -4_000_i64..8_000,
        step in select(vec![1_u32, 5, 10, 50, 100]),
        mode in select(vec![
            CashRounding::HalfUp, CashRounding::HalfDown, CashRounding::Up, CashRounding::Down,
        ]),
        change_from in select(vec![
            MeansSet::of(&[Cash]), MeansSet::of(&[Cash, Foreign]), MeansSet::of(&[Cash, Voucher]),
            MeansSet::of(&[]),
        ]),
        offered in prop::collection::vec(tenders(), 1..8),
    ) {
        let policy = policy("EUR", |terms| {
            (terms.cash_step, terms.cash_rounding, terms.change_from) = (step, mode, change_from);
        });
        let mut live: Vec<Tendered> = Vec::new();
        for tender in offered {
            let before = settle(&policy, gross, live.iter().copied()).unwrap();
            let Ok(after) = offer(&policy, gross, &live, tender) else { continue };
            prop_assert_ne!(before.due, 0, "a tender for a paid sale");
            live.push(tender);
            prop_assert_eq!(after, settle(&policy, gross, live.iter().copied()).unwrap());
            let mut turned = live.clone();
            turned.reverse();
            prop_assert_eq!(after, settle(&policy, gross, turned).unwrap(), "the order matters");
            let sum = |filter: fn(&Tendered) -> bool| -> i64 {
                live.iter().filter(|t| filter(t)).map(|t| t.amount).sum()
            };
            let cash_in = sum(|t| t.means == Cash);
            let moves = live.iter().any(|t| t.means == Cash) || after.change > 0;
            prop_assert!(after.rounding.abs() < i64::from(step));
            if !moves && after.rounding != 0 {
                // Others cover more than the total by less than the drawer can give back.
                prop_assert!(sum(|t| t.means != Cash) - after.tips > gross);
            }
            prop_assert!(after.change >= 0);
            let givers: i64 = live
                .iter()
                .filter(|t| change_from.contains(t.means))
                .map(|t| t.amount - t.tip)
                .sum();
            prop_assert!(after.change <= givers.max(0), "I4: {:?}", after);
            if after.is_paid() {
                let paid = after.tendered - after.change;
                prop_assert_eq!(paid, gross + after.rounding + after.tips, "I3");
                let tips: i64 = live.iter().filter(|t| t.means == Cash).map(|t| t.tip).sum();
                if moves {
                    let stays = cash_in - tips - after.change;
                    prop_assert_eq!(stays % i64::from(step), 0, "the drawer holds {}", stays);
                }
            }
        }
    }

    #[test]
    fn cash_rounding_is_to_the_step_nearest_and_mirrored(
        amount in -1_000_000_i64..1_000_000,
        step in 1_u32..1_000,
    ) {
        let wide = i64::from(step);
        for mode in [CashRounding::HalfUp, CashRounding::HalfDown, CashRounding::Up, CashRounding::Down] {
            let rounded = round_cash(amount, step, mode);
            prop_assert_eq!(rounded % wide, 0);
            prop_assert_eq!(round_cash(-amount, step, mode), -rounded);
            let off = (rounded - amount).abs();
            match mode {
                CashRounding::HalfUp => prop_assert!(2 * off < wide || (2 * off == wide && rounded.abs() > amount.abs())),
                CashRounding::HalfDown => prop_assert!(2 * off < wide || (2 * off == wide && rounded.abs() < amount.abs())),
                CashRounding::Up => prop_assert!(off < wide && rounded.abs() >= amount.abs()),
                CashRounding::Down => prop_assert!(off < wide && rounded.abs() <= amount.abs()),
            }
        }
    }
}
