//! The worked examples of `docs/reference/pricing.md`, run as they stand there.
//!
//! Each fenced block of the kind `pricing` is a small sale, line by line; what follows `->` and what
//! stands in `totals`, `row` and `split` is checked. A line that is not understood fails.

use crate::{decimal, tax};
use pos_kernel_core::money::{Currency, Decimal, Rounding};
use pos_kernel_core::policy::{
    CashRounding, GrossSplit, PaymentMeans, Policy, PolicyTerms, Prices, TaxScope,
};
use pos_kernel_core::pricing::{
    Adjustment, Cart, Change, Direction, NewLine, TaxComponent, Tendered, Worth, offer, rate_ppm,
};

const PAGE: &str = include_str!("../../../../docs/reference/pricing.md");

struct Example {
    policy: Policy,
    cart: Cart,
    live: Vec<Tendered>,
    returned: Vec<(u32, Decimal)>,
}

#[test]
fn the_worked_examples_are_right() {
    let blocks: Vec<&str> = PAGE.split("```pricing\n").skip(1).collect();
    assert!(blocks.len() >= 10, "{} examples", blocks.len());
    for block in &blocks {
        let block = block.split("```").next().unwrap();
        let mut lines = block.lines();
        let mut example = begin(lines.next().unwrap());
        for line in lines {
            let (asked, expected) = line.split_once("->").map_or((line, ""), |(a, b)| (a, b));
            let words: Vec<&str> = asked.split_whitespace().collect();
            let expected: Vec<i64> =
                expected.split_whitespace().map(|word| word.parse().unwrap()).collect();
            let found = step(&mut example, &words);
            assert_eq!(found, expected, "{line:?} in\n{block}");
        }
    }
    println!("{} worked examples", blocks.len());
}

fn begin(line: &str) -> Example {
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[0], "policy", "{line:?}");
    let mut terms = PolicyTerms::of(Currency::parse(words[1]).unwrap());
    for word in &words[2..] {
        let (name, value) = word.split_once('=').unwrap();
        match name {
            "prices" => terms.prices = Prices::parse(value).unwrap(),
            "taxScope" => terms.tax_scope = TaxScope::parse(value).unwrap(),
            "taxRounding" => terms.tax_rounding = Rounding::parse(value).unwrap(),
            "grossSplit" => terms.gross_split = GrossSplit::parse(value).unwrap(),
            "amountRounding" => terms.amount_rounding = Rounding::parse(value).unwrap(),
            "cashStep" => terms.cash_step = value.parse().unwrap(),
            "cashRounding" => terms.cash_rounding = CashRounding::parse(value).unwrap(),
            _ => panic!("no such term: {name}"),
        }
    }
    let policy = Policy::new(terms).unwrap();
    Example { policy, cart: Cart::new(&policy), live: vec![], returned: vec![] }
}

/// Does what a line says and gives the numbers that stand behind its arrow; checks need no arrow.
fn step(example: &mut Example, words: &[&str]) -> Vec<i64> {
    let number = |word: &str| -> i64 { word.parse().unwrap() };
    let line = |word: &str| -> u32 { word.parse().unwrap() };
    match words {
        ["line", quantity, "x", price, taxes @ ..] => {
            let (price, per) = price.split_once('/').unwrap_or((price, "1"));
            let taxes: Vec<TaxComponent> =
                taxes.iter().map(|word| component(&example.policy, word)).collect();
            let item = NewLine::item(decimal(quantity), decimal(price), &taxes);
            let new = NewLine { per: decimal(per), ..item };
            vec![example.cart.apply(&Change::AddLine(new)).unwrap().amount]
        }
        [what @ ("discount" | "surcharge"), "sale", worth] => {
            let adjustment = adjustment(what, worth);
            let given = example.cart.apply(&Change::AdjustSale { adjustment }).unwrap();
            example.cart.shares(given.number.unwrap()).map(|(_, amount)| amount).collect()
        }
        [what @ ("discount" | "surcharge"), at, worth] => {
            let change = Change::AdjustLine { line: line(at), adjustment: adjustment(what, worth) };
            vec![example.cart.apply(&change).unwrap().adjusted]
        }
        ["quantity", at, quantity] => {
            let change = Change::SetQuantity { line: line(at), quantity: decimal(quantity) };
            vec![example.cart.apply(&change).unwrap().amount]
        }
        ["void", at] => {
            example.cart.apply(&Change::VoidLine { line: line(at) }).unwrap();
            vec![]
        }
        ["totals", net, tax, gross] => {
            let totals = example.cart.totals();
            let found = (totals.net, totals.tax, totals.gross);
            assert_eq!(found, (number(net), number(tax), number(gross)), "{words:?}");
            vec![]
        }
        ["row", tax, net, amount] => {
            let wanted = component(&example.policy, tax);
            let table = example.cart.tax_table().unwrap();
            let row = table.rows().iter().find(|row| row.component == wanted).unwrap();
            assert_eq!((row.net, row.tax), (number(net), number(amount)), "{words:?}");
            vec![]
        }
        ["split", at, net, taxes @ ..] => {
            let splits = example.cart.splits();
            let split = splits.line(line(at)).unwrap();
            let expected: Vec<i64> = taxes.iter().map(|tax| number(tax)).collect();
            assert_eq!((split.net, split.taxes), (number(net), &expected[..]), "{words:?}");
            vec![]
        }
        ["pay", means, amount] => {
            let (amount, tip) = amount.split_once("+tip").map_or((*amount, "0"), |parts| parts);
            let tip = number(tip);
            let means = PaymentMeans::parse(means).unwrap();
            let new = Tendered { means, amount: number(amount) + tip, tip, is_pending: false };
            let gross = example.cart.totals().gross;
            let after = offer(&example.policy, gross, &example.live, new).unwrap();
            example.live.push(new);
            vec![after.due, after.rounding, after.change]
        }
        ["return", at, quantity] => {
            let (at, quantity) = (line(at), decimal(quantity));
            let before = example.returned.iter().rfind(|(line, _)| *line == at);
            let before = before.map_or(Decimal::whole(0), |(_, quantity)| *quantity);
            let sold = example.cart.splits().line(at).unwrap().sold();
            let part = sold.give_back(before, quantity).unwrap();
            let sum = before.mantissa() + quantity.mantissa();
            example.returned.push((at, Decimal::new(sum, quantity.scale()).unwrap()));
            [&[part.amount()], part.taxes()].concat()
        }
        _ => panic!("not understood: {words:?}"),
    }
}

/// `S=19` as the policy's prices have it, `S=19:in` inside the price, `S=19:on` on top of it.
fn component(policy: &Policy, word: &str) -> TaxComponent {
    let (class, rate) = word.split_once('=').unwrap();
    let (rate, inclusive) = match rate.split_once(':') {
        Some((rate, "in")) => (rate, Some(true)),
        Some((rate, "on")) => (rate, Some(false)),
        Some(_) => panic!("neither in nor on: {word}"),
        None => (rate, None),
    };
    tax(class, rate, policy.includes(inclusive))
}

fn adjustment(what: &str, worth: &str) -> Adjustment {
    let direction = if what == "discount" { Direction::Discount } else { Direction::Surcharge };
    let worth = match worth.strip_suffix('%') {
        Some(percent) => Worth::Percent(rate_ppm(percent).unwrap()),
        None => Worth::Amount(worth.parse().unwrap()),
    };
    Adjustment { direction, worth }
}
