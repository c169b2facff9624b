//! Pricing against an independent oracle in exact rationals, and against rules with a source.
//!
//! `carts.rs` compares random sales under every kind of policy with `oracle.rs`, which knows nothing
//! but the definitions in `docs/reference/pricing.md` and works everything out anew each time. Run
//! with `--nocapture` to see the counts, and with `PK_LONG=1` for a million sales.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod carts;
mod day;
mod extremes;
mod generate;
mod oracle;
mod payments;
mod rules;
#[path = "../support/mod.rs"]
mod support;
mod worked;

use pos_kernel_core::money::{Currency, Decimal};
use pos_kernel_core::policy::{Policy, PolicyTerms};
use pos_kernel_core::pricing::{Cart, Change, NewLine, TaxClass, TaxComponent, rate_ppm};

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

fn terms(currency: &str) -> PolicyTerms {
    PolicyTerms::of(Currency::parse(currency).unwrap())
}

fn policy(currency: &str, change: impl FnOnce(&mut PolicyTerms)) -> Policy {
    let mut terms = terms(currency);
    change(&mut terms);
    Policy::new(terms).unwrap()
}

fn tax(class: &str, percent: &str, inclusive: bool) -> TaxComponent {
    let class = TaxClass::parse(class).unwrap();
    TaxComponent { class, rate_ppm: rate_ppm(percent).unwrap(), inclusive }
}

/// A sale of items: quantity, price, taxes.
fn cart(policy: &Policy, items: &[(&str, &str, &[TaxComponent])]) -> Cart {
    let mut cart = Cart::new(policy);
    for (quantity, price, taxes) in items {
        let line = NewLine::item(decimal(quantity), decimal(price), taxes);
        cart.apply(&Change::AddLine(line)).unwrap();
    }
    cart
}

/// The rows of a sale as class, net, tax and gross.
fn rows(cart: &Cart) -> Vec<(String, i64, i64, i64)> {
    let table = cart.tax_table().unwrap();
    let row = |row: &pos_kernel_core::pricing::TaxRow| {
        (row.component.class.as_str().to_owned(), row.net, row.tax, row.gross)
    };
    table.rows().iter().map(row).collect()
}

/// Net, tax and gross of a sale.
fn totals(cart: &Cart) -> (i64, i64, i64) {
    let totals = cart.totals();
    (totals.net, totals.tax, totals.gross)
}
