//! Random sales with everything the pricing engine says about them, one JSON object a line, for a
//! reader that works them out itself.
//!
//!     cargo run --release -p pos-kernel-core --example pricing_carts -- 1000 7
//!
//! The numbers are how many sales and a seed. The sales are those of the tests, with payments behind
//! them. A change, and a tender, that was refused has `null` where the others have their result.

#![allow(clippy::unwrap_used, reason = "an example may fail by panicking")]

#[path = "../tests/pricing/generate.rs"]
mod generate;

use generate::{Op, sales};
use pos_kernel_core::money::{Currency, Decimal};
use pos_kernel_core::policy::{
    CashRounding, MeansSet, PaymentMeans, Policy, PolicyTerms, UnboundReturns,
};
use pos_kernel_core::pricing::{
    Adjustment, Cart, ExchangeRate, GivenBack, Side, TaxClass, TaxComponent, Tendered, Totals,
    Worth, offer, rate_ppm,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use std::io::{BufWriter, Write, stdout};

fn terms(currency: &str) -> PolicyTerms {
    PolicyTerms::of(Currency::parse(currency).unwrap())
}

fn tax(class: &str, percent: &str, inclusive: bool) -> TaxComponent {
    let class = TaxClass::parse(class).unwrap();
    TaxComponent { class, rate_ppm: rate_ppm(percent).unwrap(), inclusive }
}

fn main() {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u32>().unwrap());
    let (count, seed) = (numbers.next().unwrap_or(1_000), numbers.next().unwrap_or(1));
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let whole = (sales(), cash_terms(), prop::collection::vec(offers(), 1..5), rates());
    let mut out = BufWriter::new(stdout().lock());
    for _ in 0..count {
        let ((terms, ops, cuts), cash, offers, rate) =
            whole.new_tree(&mut runner).unwrap().current();
        let line = play(&Policy::new(cash.over(terms)).unwrap(), ops, &cuts, &offers, rate);
        // Whoever reads may have seen enough.
        if writeln!(out, "{line}").is_err() {
            return;
        }
    }
}

/// Plays a sale, takes its lines back in parts and pays it.
fn play(policy: &Policy, ops: Vec<Op>, cuts: &[u32], offers: &[Offer], rate: Rate) -> Value {
    let mut cart = Cart::new(policy);
    let mut changes = Vec::new();
    for op in ops {
        let op = op.under(policy);
        let outcome = cart.apply(&op.change()).ok();
        let shares = outcome.as_ref().and_then(|outcome| match op {
            Op::AdjustSale(_) => Some(cart.shares(outcome.number.unwrap()).collect::<Vec<_>>()),
            _ => None,
        });
        let totals = outcome.map(|outcome| shown_totals(&outcome.totals));
        changes.push(json!({ "change": shown(&op), "totals": totals, "shares": shares }));
    }
    let table = cart.tax_table().unwrap();
    let rows: Vec<Value> = table
        .rows()
        .iter()
        .map(|row| json!([component(&row.component), row.net, row.tax, row.gross]))
        .collect();
    let splits = cart.splits();
    let lines: Vec<Value> =
        splits.iter().map(|line| json!([line.line, line.net, line.gross, line.taxes])).collect();
    let turnover = splits.turnover().unwrap();
    let sides: Vec<Value> = turnover
        .rows
        .iter()
        .map(|row| json!([component(&row.component), side(&row.sold), side(&row.returned)]))
        .collect();
    json!({
        "policy": policy.show(),
        "bytes": hex(&policy.encode()),
        "hash": hex(&policy.hash()),
        "changes": changes,
        "rows": rows,
        "untaxed": table.untaxed,
        "lines": lines,
        "turnover": { "sold": side(&turnover.sold), "returned": side(&turnover.returned), "rows": sides },
        "parts": parts(&cart, cuts),
        "tenders": pay(policy, cart.totals().gross, offers),
        "foreign": foreign(policy, rate),
    })
}

/// An exchange rate, and foreign money.
#[derive(Debug, Clone, Copy)]
struct Rate {
    currency: &'static str,
    rate: Decimal,
    per: u32,
    amount: i64,
}

fn foreign(policy: &Policy, Rate { currency, rate, per, amount }: Rate) -> Value {
    let exchange = ExchangeRate::new(Currency::parse(currency).unwrap(), rate, per).unwrap();
    let worth = exchange.convert(policy, amount).ok();
    json!({
        "currency": currency, "rate": decimal(rate), "per": per, "amount": amount, "worth": worth,
    })
}

/// Every sold line, back in parts that the cuts choose.
fn parts(cart: &Cart, cuts: &[u32]) -> Vec<Value> {
    let mut cuts = cuts.iter().cycle();
    let mut parts = Vec::new();
    let splits = cart.splits();
    for line in splits.iter().filter(|line| line.quantity.mantissa() > 0) {
        let sold = line.sold();
        let mut left = sold.quantity.mantissa();
        let scale = sold.quantity.scale();
        while left > 0 {
            let wanted = left / i64::from(cuts.next().unwrap() % 3 + 1);
            let now = Decimal::new(wanted.max(1), scale).unwrap();
            let before = Decimal::new(sold.quantity.mantissa() - left, scale).unwrap();
            let part = sold.give_back(before, now).unwrap();
            parts.push(json!([line.line, decimal(before), decimal(now), given(&part)]));
            left -= now.mantissa();
        }
    }
    parts
}

/// A tender as a part of what is due, so that a sale is paid after few of them.
#[derive(Debug, Clone)]
struct Offer {
    means: PaymentMeans,
    percent: i64,
    more: i64,
    tip: i64,
    is_pending: bool,
}

fn offers() -> impl Strategy<Value = Offer> {
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

fn pay(policy: &Policy, gross: i64, offers: &[Offer]) -> Vec<Value> {
    let mut live: Vec<Tendered> = Vec::new();
    let mut due = gross;
    let mut tenders = Vec::new();
    for Offer { means, percent, more, tip, is_pending } in offers {
        let amount = due * percent / 100 + more + tip;
        let new = Tendered { means: *means, amount, tip: *tip, is_pending: *is_pending };
        let settled = offer(policy, gross, &live, new).ok().map(|settled| {
            live.push(new);
            due = settled.due;
            json!([
                settled.payable,
                settled.rounding,
                settled.tendered,
                settled.tips,
                settled.due,
                settled.change,
                settled.cash_payable,
                settled.cash_due,
                settled.exact_due,
            ])
        });
        tenders.push(json!({
            "means": means.name(), "amount": amount, "tip": tip, "pending": is_pending,
            "settled": settled,
        }));
    }
    tenders
}

/// What a policy says of cash, over a policy that says the rest.
#[derive(Debug, Clone)]
struct CashTerms {
    step: u32,
    rounding: CashRounding,
    change_from: MeansSet,
    unbound: UnboundReturns,
    minor_digits: Option<u8>,
}

impl CashTerms {
    fn over(self, terms: PolicyTerms) -> PolicyTerms {
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

fn cash_terms() -> impl Strategy<Value = CashTerms> {
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

fn rates() -> impl Strategy<Value = Rate> {
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

fn shown(op: &Op) -> Value {
    match op {
        Op::Add { kind, quantity, price, per, taxes } => json!({
            "name": "addLine", "kind": kind.name(), "quantity": decimal(*quantity),
            "unitPrice": decimal(*price), "per": decimal(*per), "taxes": components(taxes),
        }),
        Op::Return(part) => json!({ "name": "addReturn", "part": given(part) }),
        Op::Void(line) => json!({ "name": "voidLine", "line": line }),
        Op::Quantity(line, quantity) => {
            json!({ "name": "setQuantity", "line": line, "quantity": decimal(*quantity) })
        }
        Op::Price(line, price, per) => json!({
            "name": "setPrice", "line": line, "unitPrice": decimal(*price), "per": decimal(*per),
        }),
        Op::Taxes(line, taxes) => {
            json!({ "name": "setTaxes", "line": line, "taxes": components(taxes) })
        }
        Op::AdjustLine(line, adjustment) => {
            json!({ "name": "adjustLine", "line": line, "adjustment": adjusted(*adjustment) })
        }
        Op::AdjustSale(adjustment) => {
            json!({ "name": "adjustSale", "adjustment": adjusted(*adjustment) })
        }
        Op::Retract(number) => json!({ "name": "retract", "number": number }),
    }
}

fn adjusted(Adjustment { direction, worth }: Adjustment) -> Value {
    match worth {
        Worth::Amount(amount) => json!({ "direction": direction.name(), "amount": amount }),
        Worth::Percent(ppm) => json!({ "direction": direction.name(), "ppm": ppm }),
    }
}

fn given(part: &GivenBack) -> Value {
    json!({
        "kind": part.kind().name(), "quantity": decimal(part.quantity()), "amount": part.amount(),
        "components": components(part.components()), "taxes": part.taxes(),
    })
}

fn shown_totals(totals: &Totals) -> Value {
    let Totals { lines, listed, discounts, surcharges, deposits, tips, net, tax, gross } = totals;
    json!([lines, listed, discounts, surcharges, deposits, tips, net, tax, gross])
}

fn side(side: &Side) -> Value {
    json!([side.net, side.tax])
}

fn components(taxes: &[TaxComponent]) -> Vec<Value> {
    taxes.iter().map(component).collect()
}

fn component(tax: &TaxComponent) -> Value {
    json!([tax.class.as_str(), tax.rate_ppm, tax.inclusive])
}

/// A decimal as records write it.
fn decimal(decimal: Decimal) -> Value {
    json!([-i64::from(decimal.scale()), decimal.mantissa()])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
