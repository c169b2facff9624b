//! One sale after the other in the pricing engine alone, with everything it says about them.
//!
//! A change, and a tender, that was refused has `null` where the others have their result.

use crate::RandomSale;
use crate::generate::Op;
use crate::payments::{Offer, Rate};
use pos_kernel_core::money::{Currency, Decimal};
use pos_kernel_core::policy::Policy;
use pos_kernel_core::pricing::{
    Adjustment, Cart, ExchangeRate, GivenBack, Side, TaxComponent, Tendered, Totals, Worth, offer,
};
use serde_json::{Value, json};

/// Plays a sale, takes its lines back in parts and pays it.
pub(crate) fn play(sale: &RandomSale) -> Value {
    let RandomSale { policy, ops, cuts, offers, rate } = sale;
    let mut cart = Cart::new(policy);
    let mut changes = Vec::new();
    for op in ops {
        let outcome = cart.apply(&op.change()).ok();
        let shares = outcome.as_ref().and_then(|outcome| match op {
            Op::AdjustSale(_) => Some(cart.shares(outcome.number.unwrap()).collect::<Vec<_>>()),
            _ => None,
        });
        let totals = outcome.map(|outcome| shown_totals(&outcome.totals));
        changes.push(json!({ "change": shown(op), "totals": totals, "shares": shares }));
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
        "foreign": foreign(policy, *rate),
    })
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
