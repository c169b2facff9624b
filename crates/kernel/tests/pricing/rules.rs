//! Rules that stand in a law, a standard or a guide, each with its source.

use crate::{cart, policy, rows, tax, totals};
use pos_kernel_core::money::Rounding;
use pos_kernel_core::policy::{CashRounding, GrossSplit, PaymentMeans, Policy, Prices, TaxScope};
use pos_kernel_core::pricing::{Settlement, Tendered, round_cash, settle};

fn in_cash(policy: &Policy, gross: i64) -> Settlement {
    let cash = Tendered { means: PaymentMeans::Cash, amount: 0, tip: 0, is_pending: false };
    settle(policy, gross, [cash]).unwrap()
}

fn by_card(policy: &Policy, gross: i64) -> Settlement {
    let card = Tendered { means: PaymentMeans::Card, amount: gross, tip: 0, is_pending: false };
    settle(policy, gross, [card]).unwrap()
}

// EN 16931-1:2017, 6.4.3: BR-CO-17, the tax of a category is its taxable amount times its rate,
// rounded to two decimals; BR-CO-10 and BR-S-08, line nets are rounded first and then added; BR-CO-14,
// BR-CO-15, totals are the sums. Halves are rounded up by magnitude: the validation artefacts of CEN
// (EN16931-model.sch) round the absolute value, so that a credit note mirrors its invoice.
#[test]
fn en_16931_rounds_the_tax_of_a_category_half_up() {
    let policy = policy("EUR", |_| {});
    let (standard, reduced) = ([tax("S", "25", false)], [tax("S", "12.5", false)]);
    // Two lines of 0.01 at 25 %: 0.005 together is 0.01; rounded line by line it would be nothing.
    let sale = cart(&policy, &[("1", "1", &standard), ("1", "1", &standard), ("1", "4", &reduced)]);
    assert_eq!(rows(&sale), [("S".into(), 2, 1, 3), ("S".into(), 4, 1, 5)]);
    assert_eq!(totals(&sale), (6, 2, 8));
    // The line net is rounded before it enters the category: 3 x 0.335 is 1.01, not 1.005.
    let sale = cart(&policy, &[("3", "33.5", &standard), ("1", "0.5", &standard)]);
    assert_eq!(rows(&sale), [("S".into(), 102, 26, 128)]);
    // A credit note mirrors it.
    let back = cart(&policy, &[("-3", "33.5", &standard), ("-1", "0.5", &standard)]);
    assert_eq!(rows(&back), [("S".into(), -102, -26, -128)]);
}

// UStG section 12: 19 % and, for the goods of annex 2, 7 %. A shop shows prices with tax (PAngV
// section 3) and takes tax out of the sum of each rate: 19/119 and 7/107 (UStAE 15.4).
#[test]
fn german_gross_prices_are_split_by_rate() {
    let policy = policy("EUR", |terms| terms.prices = Prices::Gross);
    let (standard, reduced) = ([tax("A", "19", true)], [tax("B", "7", true)]);
    let sale =
        cart(&policy, &[("1", "1190", &standard), ("2", "107", &reduced), ("1", "99", &standard)]);
    // 12.89 x 19/119 = 2.05806; 2.14 x 7/107 = 0.14.
    assert_eq!(rows(&sale), [("A".into(), 1083, 206, 1289), ("B".into(), 200, 14, 214)]);
    assert_eq!(totals(&sale), (1283, 220, 1503));
}

// The same rates on net prices, as on an invoice between businesses: UStG section 14 (4) no. 7 and 8,
// the net amount and its tax by rate.
#[test]
fn german_net_prices_get_tax_on_top() {
    let policy = policy("EUR", |terms| terms.prices = Prices::Net);
    let (standard, reduced) = ([tax("A", "19", false)], [tax("B", "7", false)]);
    let sale =
        cart(&policy, &[("1", "1000", &standard), ("3", "33", &reduced), ("1", "50", &standard)]);
    // 10.50 x 19 % = 1.995; 0.99 x 7 % = 0.0693.
    assert_eq!(rows(&sale), [("A".into(), 1050, 200, 1250), ("B".into(), 99, 7, 106)]);
}

// Gross split: what is rounded first decides the other by difference. At a tie both ways are right
// arithmetic and differ by a cent: 0.03 at 20 % holds 0.005 of tax and 0.025 of net.
#[test]
fn the_gross_split_decides_what_is_rounded() {
    let twenty = [tax("S", "20", true)];
    let tax_first = policy("EUR", |terms| terms.gross_split = GrossSplit::TaxFirst);
    let net_first = policy("EUR", |terms| terms.gross_split = GrossSplit::NetFirst);
    assert_eq!(totals(&cart(&tax_first, &[("1", "3", &twenty)])), (2, 1, 3));
    assert_eq!(totals(&cart(&net_first, &[("1", "3", &twenty)])), (3, 0, 3));
}

// Japan, qualified invoices: the tax is rounded once for each rate on an invoice, up, down or to the
// nearest as the issuer chooses; rounding line by line and adding up is not allowed. National Tax
// Agency, Q&A on the qualified invoice system, "rounding of fractions". The yen has no decimals.
#[test]
fn japan_rounds_once_for_each_rate_and_the_yen_has_no_decimals() {
    let (standard, reduced) = ([tax("10", "10", false)], [tax("8", "8", false)]);
    let items: [(&str, &str, &[_]); 4] = [
        ("1", "105", &standard),
        ("1", "105", &standard),
        ("3", "129", &reduced),
        ("1", "98", &reduced),
    ];
    for (rounding, taxes) in
        [(Rounding::Down, (21, 38)), (Rounding::Up, (21, 39)), (Rounding::HalfUp, (21, 39))]
    {
        let policy = policy("JPY", |terms| terms.tax_rounding = rounding);
        assert_eq!(policy.terms().minor_digits, 0);
        // 210 x 10 % = 21 and 485 x 8 % = 38.8; line by line down it would be 20.
        let sale = cart(&policy, &items);
        let found: Vec<i64> = rows(&sale).iter().map(|row| row.2).collect();
        assert_eq!(found, [taxes.0, taxes.1], "{rounding:?}");
    }
    let by_line = policy("JPY", |terms| {
        terms.tax_scope = TaxScope::PerLine;
        terms.tax_rounding = Rounding::Down;
    });
    assert_eq!(rows(&cart(&by_line, &items))[0].2, 20);
}

// Bahrain: executive regulations of the VAT law, article 55: a fraction of a fils is rounded to the
// nearest fils. A dinar has a thousand fils; 10 % since 2022. BHD 0.397 at 10 % is 0.0397, so 0.040.
#[test]
fn bahrain_rounds_to_the_nearest_of_a_thousand_fils() {
    let policy = policy("BHD", |_| {});
    assert_eq!(policy.terms().minor_digits, 3);
    let standard = [tax("S", "10", false)];
    assert_eq!(totals(&cart(&policy, &[("1", "397", &standard)])), (397, 40, 437));
    assert_eq!(totals(&cart(&policy, &[("1", "25", &standard)])), (25, 3, 28));
}

// Switzerland: the smallest coin is 5 Rappen; cash is rounded to the nearest, 17.87 to 17.85 and
// 17.88 to 17.90 (SRF Espresso, "Wechselgeld auf den Rappen genau?", with the practice of the post).
#[test]
fn swiss_cash_is_rounded_to_five_rappen() {
    let policy = policy("CHF", |terms| terms.cash_step = 5);
    for (gross, payable) in [(1787, 1785), (1788, 1790), (1932, 1930), (1790, 1790), (2, 0), (3, 5)]
    {
        assert_eq!(in_cash(&policy, gross).payable, payable, "{gross}");
        assert_eq!(by_card(&policy, gross).payable, gross);
    }
}

// Sweden: lag (1970:1029) om avrundning av vissa oresbelopp, section 2 as amended by SFS 2009:283: to
// the nearest hundred; 1 to 49 down, 50 to 99 up.
#[test]
fn swedish_cash_is_rounded_to_the_krona() {
    let policy = policy("SEK", |terms| terms.cash_step = 100);
    for (gross, payable) in [(10_049, 10_000), (10_050, 10_100), (10_099, 10_100), (10_001, 10_000)]
    {
        assert_eq!(in_cash(&policy, gross).payable, payable, "{gross}");
    }
}

// Norway: forskrift 16 March 2011 no. 294, section 2: at the final settlement in coins, 1 to 49 ore
// down, 50 to 99 up to the krone.
#[test]
fn norwegian_cash_is_rounded_to_the_krone() {
    let policy = policy("NOK", |terms| terms.cash_step = 100);
    for (gross, payable) in [(3040, 3000), (4560, 4600), (4550, 4600), (4549, 4500)] {
        assert_eq!(in_cash(&policy, gross).payable, payable, "{gross}");
    }
}

// Denmark: bekendtgorelse no. 928 of 19 September 2008, section 2: to the nearest amount that 50 ore
// divide. Danmarks Nationalbank: .01 to .24 down, .25 to .74 to .50, .75 to .99 up.
#[test]
fn danish_cash_is_rounded_to_fifty_ore() {
    let policy = policy("DKK", |terms| terms.cash_step = 50);
    for (gross, payable) in
        [(40_524, 40_500), (40_525, 40_550), (40_574, 40_550), (40_575, 40_600), (40_585, 40_600)]
    {
        assert_eq!(in_cash(&policy, gross).payable, payable, "{gross}");
        assert_eq!(by_card(&policy, gross).payable, gross);
    }
}

// Canada: Budget 2012, "Rounding": cash only, on the total after tax, 1, 2, 6, 7 down and 3, 4, 8, 9
// up. Its example: a coffee of 1.83 and a sandwich of 2.86 come to 4.92 with 5 % GST, 4.90 in cash.
#[test]
fn canadian_cash_is_rounded_to_five_cents() {
    let policy = policy("CAD", |terms| terms.cash_step = 5);
    let gst = [tax("GST", "5", false)];
    let sale = cart(&policy, &[("1", "183", &gst), ("1", "286", &gst)]);
    assert_eq!(totals(&sale), (469, 23, 492));
    assert_eq!(in_cash(&policy, 492).payable, 490);
    assert_eq!((in_cash(&policy, 492).rounding, by_card(&policy, 492).rounding), (-2, 0));
    let ends = [0, 0, 0, 5, 5, 5, 5, 5, 10, 10];
    for (cents, payable) in (0_i64..).zip(ends) {
        assert_eq!(in_cash(&policy, 100 + cents).payable, 100 + payable, "1.0{cents}");
    }
}

// Canada, Excise Tax Act, section 165.2: the tax on several supplies of one invoice may be computed on
// their sum, and a fraction of a cent from one half on counts as one. The goods and services tax is
// one tax, however the lines differ in provincial tax.
#[test]
fn one_tax_is_rounded_once_over_lines_with_different_other_taxes() {
    let policy = policy("CAD", |_| {});
    let both = [tax("GST", "5", false), tax("PST", "7", false)];
    let gst = [tax("GST", "5", false)];
    // 0.10 at 5 % is 0.005, so 0.01; each line by itself would be 0.0025, so nothing.
    let sale = cart(&policy, &[("1", "5", &both), ("1", "5", &gst)]);
    assert_eq!(rows(&sale), [("GST".into(), 10, 1, 11), ("PST".into(), 5, 0, 5)]);
}

// Hungary rounds to 5 forints (act III of 2008), and the euro to 5 cents in Finland (act 890/2000) or
// the Netherlands: the same step and mode in other minor units.
#[test]
fn other_steps() {
    let half_up = CashRounding::HalfUp;
    assert_eq!([242, 250, 749, 750].map(|a| round_cash(a, 500, half_up)), [0, 500, 500, 1000]);
    assert_eq!([1, 2, 3, 7, 8].map(|a| round_cash(a, 5, half_up)), [0, 0, 5, 5, 10]);
    // New Zealand leaves 5 cents of 10 to the shop; most round down (Reserve Bank of New Zealand).
    assert_eq!([5, 6, 15].map(|a| round_cash(a, 10, CashRounding::HalfDown)), [0, 10, 10]);
    assert_eq!([1, 10, 11].map(|a| round_cash(a, 10, CashRounding::Up)), [10, 10, 20]);
    assert_eq!([9, 10, 19].map(|a| round_cash(a, 10, CashRounding::Down)), [0, 10, 10]);
}
