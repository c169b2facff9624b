//! Random sales under random policies, for a reader that works them out itself.
//!
//!     cargo run --release -p pos-kernel-core --example random_sales -- carts COUNT SEED
//!     cargo run --release -p pos-kernel-core --example random_sales -- store COUNT SEED ROOT
//!
//! `carts` prints sales of the pricing engine, one JSON object a line; `store` rings them up on a
//! terminal below ROOT. The sales are those of the tests in `tests/pricing`, with payments behind them.

#![allow(clippy::unwrap_used, reason = "an example may fail by panicking")]

mod carts;
mod desk;
#[path = "../../tests/pricing/generate.rs"]
mod generate;
mod payments;
mod store;

use pos_kernel_core::money::Currency;
use pos_kernel_core::policy::{Policy, PolicyTerms};
use pos_kernel_core::pricing::{TaxClass, TaxComponent, rate_ppm};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::io::{BufWriter, Write, stdout};

fn terms(currency: &str) -> PolicyTerms {
    PolicyTerms::of(Currency::parse(currency).unwrap())
}

fn tax(class: &str, percent: &str, inclusive: bool) -> TaxComponent {
    let class = TaxClass::parse(class).unwrap();
    TaxComponent { class, rate_ppm: rate_ppm(percent).unwrap(), inclusive }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["carts", count, seed] => print_carts(count.parse().unwrap(), seed.parse().unwrap()),
        ["store", count, seed, root] => {
            store::ring_up(root, count.parse().unwrap(), &mut runner(seed.parse().unwrap()));
        }
        _ => panic!("usage: carts COUNT SEED | store COUNT SEED ROOT"),
    }
}

fn print_carts(count: u32, seed: u32) {
    let mut runner = runner(seed);
    let mut out = BufWriter::new(stdout().lock());
    for _ in 0..count {
        let sale = one(&mut runner, &sales());
        let line = carts::play(&sale);
        // Whoever reads may have seen enough.
        if writeln!(out, "{line}").is_err() {
            return;
        }
    }
}

/// A sale under a policy, with what follows it.
#[derive(Debug, Clone)]
struct RandomSale {
    policy: Policy,
    ops: Vec<generate::Op>,
    /// In what parts its lines come back.
    cuts: Vec<u32>,
    offers: Vec<payments::Offer>,
    rate: payments::Rate,
}

fn sales() -> impl Strategy<Value = RandomSale> {
    let offers = prop::collection::vec(payments::offers(), 1..5);
    (generate::sales(), payments::cash_terms(), offers, payments::rates()).prop_map(
        |((terms, ops, cuts), cash, offers, rate)| {
            let policy = Policy::new(cash.over(terms)).unwrap();
            let ops = ops.into_iter().map(|op| op.under(&policy)).collect();
            RandomSale { policy, ops, cuts, offers, rate }
        },
    )
}

fn one<T: std::fmt::Debug>(runner: &mut TestRunner, of: &impl Strategy<Value = T>) -> T {
    of.new_tree(runner).unwrap().current()
}

fn runner(seed: u32) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(Config::default(), rng)
}
