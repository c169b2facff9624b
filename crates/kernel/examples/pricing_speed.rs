//! How many lines a second are priced, taxed and totalled on one core, and what it allocates.
//!
//!     cargo run --release -p pos-kernel-core --example pricing_speed
//!
//! Each line is decided (`preview`) and folded (`apply`), as a till does, and the totals are read
//! after each; then the same with `apply` alone, and the tax table after each line. Allocations are
//! counted by the allocator itself. Times are printed and judge nothing.

#![allow(clippy::unwrap_used, reason = "an example may fail by panicking")]

use pos_kernel_core::money::{Currency, Decimal};
use pos_kernel_core::policy::{GrossSplit, Policy, PolicyTerms, Prices, TaxScope};
use pos_kernel_core::pricing::{Cart, Change, NewLine, TaxClass, TaxComponent};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::hint::black_box;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROUNDS: usize = 5;

fn main() {
    let lists = tax_lists();
    for (name, policy) in policies() {
        for lines in [5_usize, 1_000] {
            let sales = 400_000 / lines;
            let nanoseconds: Vec<[u128; 3]> =
                (0..ROUNDS).map(|_| measure(&policy, &lists, lines, sales)).collect();
            let [both, folded, table] = [0, 1, 2].map(|way: usize| {
                let mut rates: Vec<u128> = nanoseconds
                    .iter()
                    .map(|taken| (lines * sales) as u128 * 1_000_000_000 / taken[way].max(1))
                    .collect();
                rates.sort_unstable();
                rates[ROUNDS / 2]
            });
            println!(
                "{name:22} {lines:5} lines a sale: {both:>10} lines/s decided and folded, \
                 {folded:>10} folded, {table:>10} with a tax table after each",
            );
        }
        allocations(name, &policy, &lists);
    }
}

fn tax_lists() -> Vec<Vec<TaxComponent>> {
    let tax = |class: &str, rate_ppm, inclusive| TaxComponent {
        class: TaxClass::parse(class).unwrap(),
        rate_ppm,
        inclusive,
    };
    vec![
        vec![tax("A", 190_000, true)],
        vec![tax("B", 70_000, true)],
        vec![tax("GST", 50_000, false), tax("PST", 70_000, false)],
    ]
}

fn policies() -> Vec<(&'static str, Policy)> {
    let of = |tax_scope, gross_split| {
        let terms = PolicyTerms::of(Currency::parse("EUR").unwrap());
        Policy::new(PolicyTerms { prices: Prices::Gross, tax_scope, gross_split, ..terms }).unwrap()
    };
    vec![
        ("per rate, tax first", of(TaxScope::PerRate, GrossSplit::TaxFirst)),
        ("per rate, net first", of(TaxScope::PerRate, GrossSplit::NetFirst)),
        ("per line, tax first", of(TaxScope::PerLine, GrossSplit::TaxFirst)),
        ("per unit, tax first", of(TaxScope::PerUnit, GrossSplit::TaxFirst)),
    ]
}

fn line<'a>(lists: &'a [Vec<TaxComponent>], number: usize) -> Change<'a> {
    let number = i64::try_from(number).unwrap();
    let quantity = match number % 4 {
        0 => Decimal::new(350 + number % 100, 3).unwrap(),
        some => Decimal::whole(some),
    };
    let price = Decimal::new(19_900 + number * 7 % 50_000, 2).unwrap();
    // A shop mostly sells one kind after the other; every seventh line changes the list of taxes.
    let list = usize::try_from(number / 7).unwrap() % lists.len();
    Change::AddLine(NewLine::item(quantity, price, &lists[list]))
}

fn measure(policy: &Policy, lists: &[Vec<TaxComponent>], lines: usize, sales: usize) -> [u128; 3] {
    let changes: Vec<Change<'_>> = (0..lines).map(|number| line(lists, number)).collect();
    let timed = |step: &dyn Fn(&mut Cart, &Change<'_>)| {
        let start = Instant::now();
        for _ in 0..sales {
            let mut cart = Cart::new(policy);
            for change in &changes {
                step(&mut cart, black_box(change));
            }
            black_box(cart.totals());
        }
        start.elapsed().as_nanos()
    };
    let both = timed(&|cart, change| {
        black_box(cart.preview(change).unwrap());
        black_box(cart.apply(change).unwrap().totals);
    });
    let folded = timed(&|cart, change| {
        black_box(cart.apply(change).unwrap().totals);
    });
    let table = timed(&|cart, change| {
        cart.apply(change).unwrap();
        black_box(cart.tax_table().unwrap());
    });
    [both, folded, table]
}

/// Allocations of one sale of a thousand lines, and of a thousand totals and tax tables of it.
fn allocations(name: &str, policy: &Policy, lists: &[Vec<TaxComponent>]) {
    let counted = |action: &mut dyn FnMut()| {
        let region = Region::new(ALLOCATOR);
        action();
        let change = region.change();
        change.allocations + change.reallocations
    };
    let mut cart = Cart::new(policy);
    let lines = counted(&mut || {
        for number in 0..1_000 {
            cart.apply(&line(lists, number)).unwrap();
        }
    });
    let next = line(lists, 0);
    let totals = counted(&mut || {
        for _ in 0..1_000 {
            black_box(cart.totals());
            black_box(cart.tax_table().unwrap());
            black_box(cart.preview(&next).unwrap());
        }
    });
    println!(
        "{name:22} allocations: {lines} for 1,000 lines, {totals} for 1,000 totals, tax tables and \
         previews"
    );
    assert_eq!(totals, 0, "a total allocates");
}
