//! Reports over the store are what the tills count themselves.

use crate::shop::Shop;
use crate::support::{card, cash, line, sold};
use pos_kernel_core::audit::{Report, StoreReport, store_report};
use pos_kernel_core::journal::{Takings, TenderKind};
use pos_kernel_core::money::Currency;
use pos_kernel_core::policy::{CashRounding, Policy, PolicyTerms, Prices};
use pos_kernel_core::pricing::{TaxClass, TaxComponent, rate_ppm};
use pos_kernel_core::sale::{LineInput, TaxInput};
use pos_kernel_core::terminal::Sold;
use pos_kernel_core::till::ClassTotals;
use pos_kernel_core::{OpenOptions, Terminal};
use pos_kernel_wal::sim::Random;
use std::collections::BTreeMap;

const TILLS: [&str; 3] = ["A", "B", "C"];

fn open(shop: &Shop, id: &str) -> Terminal {
    let terminal = Terminal::open(&OpenOptions { background: false, ..shop.options(id) }).unwrap();
    let mut terms = PolicyTerms::of(Currency::parse("CHF").unwrap());
    terms.prices = Prices::Gross;
    (terms.cash_step, terms.cash_rounding) = (5, CashRounding::HalfUp);
    terms.unbound_returns = pos_kernel_core::policy::UnboundReturns::Allow;
    let policy = Policy::new(terms).unwrap();
    terminal.settle(terminal.set_policy(&policy, None).unwrap()).unwrap();
    terminal
}

fn tax(class: &str, percent: &str) -> TaxInput {
    let (class, rate_ppm) = (TaxClass::parse(class).unwrap(), rate_ppm(percent).unwrap());
    TaxInput { class, rate_ppm, inclusive: None }
}

/// A day by chance: sales, returns, voids, training, Z reports, in two currencies.
fn day(shop: &Shop, random: &mut Random) {
    let tills: Vec<Terminal> = TILLS.iter().map(|id| open(shop, id)).collect();
    let (full, reduced) = ([tax("S", "8.1")], [tax("R", "2.6")]);
    for _ in 0..60 {
        let till = &tills[random.below(tills.len())];
        match random.below(12) {
            0 => {
                till.settle(till.z_report(None).unwrap()).unwrap();
            }
            1 => {
                let sale =
                    till.settle(till.begin("STORE_001", "EUR", None, None).unwrap()).unwrap().sale;
                till.add_line(sale, &line("A", "1", "100"), None).unwrap();
                till.settle(till.void_sale(sale, "changed mind", None).unwrap()).unwrap();
            }
            2 => {
                till.settle(till.set_training(true, None, None).unwrap()).unwrap();
                let lines = [line("TRAIN", "1", "500")];
                let sale = sold(None, &lines, &[]);
                let sale = Sold { tenders: &[cash(500)], ..sale };
                till.settle(till.sell(&sale, None).unwrap()).unwrap();
                till.settle(till.set_training(false, None, None).unwrap()).unwrap();
            }
            3 => {
                let lines = [line("EURO", "3", "333")];
                let sale = sold(None, &lines, &[]);
                let sale = Sold { tenders: &[card(999, false)], ..sale };
                till.settle(till.sell(&sale, None).unwrap()).unwrap();
            }
            _ => {
                let prices = ["1081", "102.6", "5.55", "0.880"];
                let count = random.below(5) + 1;
                let skus = ["SHIRT", "BREAD", "MILK", "BAG"];
                let quantities = ["1", "2", "0.250", "-1", "10"];
                let mut lines = Vec::new();
                for index in 0..count {
                    // The first line is dear, so that a sale is never a pay-out.
                    let which = if index == 0 { 0 } else { random.below(4) };
                    let back = if index == 0 { 4 } else { random.below(4) };
                    let taxes: &[TaxInput] = if which % 2 == 0 { &full } else { &reduced };
                    let one = line(skus[which], quantities[back], prices[which]);
                    lines.push(LineInput { taxes, ..one });
                }
                let tenders = [cash(1_000_000)];
                let sale = Sold { currency: "CHF", tenders: &tenders, ..sold(None, &lines, &[]) };
                till.settle(till.sell(&sale, None).unwrap()).unwrap();
            }
        }
    }
    for till in &tills {
        till.close().unwrap();
    }
}

fn all(shop: &Shop) -> StoreReport {
    let mut merger = shop.merger();
    let sources = shop.sources();
    merger.merge(&sources, &|_, _| {}).unwrap();
    let wanted = [Report::X, Report::Hours, Report::Skus];
    store_report(&sources, merger.log().cursors(), &wanted).unwrap()
}

#[test]
fn the_store_adds_up_to_what_its_tills_count_exactly() {
    let days = if crate::support::long() { 60 } else { 8 };
    for seed in 0..days {
        let shop = Shop::new();
        day(&shop, &mut Random::new(seed));
        let report = all(&shop);
        let mut taxes: BTreeMap<(Currency, TaxComponent), ClassTotals> = BTreeMap::new();
        let mut takings: BTreeMap<Currency, BTreeMap<TenderKind, (u64, i64)>> = BTreeMap::new();
        let mut counted: BTreeMap<Currency, [i64; 7]> = BTreeMap::new();
        let mut turned: BTreeMap<Currency, [i64; 3]> = BTreeMap::new();
        for id in TILLS {
            let till = open(&shop, id);
            for (currency, totals) in till.counters().unwrap() {
                let sums = counted.entry(currency).or_default();
                let count = |count: u64| i64::try_from(count).unwrap();
                let more = [
                    totals.sales,
                    totals.returns,
                    totals.sales_tax - totals.returns_tax,
                    totals.rounding,
                    count(totals.receipts),
                    count(totals.voids),
                    totals.sales - totals.returns,
                ];
                sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
                for (component, more) in till.tax_counters(currency).unwrap() {
                    let sum = taxes.entry((currency, component)).or_default();
                    sum.sold_net += more.sold_net;
                    sum.sold_tax += more.sold_tax;
                    sum.returned_net += more.returned_net;
                    sum.returned_tax += more.returned_tax;
                }
            }
            let x = till.settle(till.x_report(None).unwrap()).unwrap().report;
            for row in &x.turnover {
                let sums = turned.entry(row.currency).or_default();
                let period = &row.period;
                let more = [period.sales, period.returns, i64::try_from(period.receipts).unwrap()];
                sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            }
            for Takings { currency, tenders, .. } in &x.takings {
                for tender in tenders {
                    let sums = takings.entry(*currency).or_default();
                    let sum = sums.entry(tender.kind).or_default();
                    *sum = (sum.0 + tender.count, sum.1 + tender.amount);
                }
            }
            till.close().unwrap();
        }
        for (currency, sums) in &report.total {
            let count = |count: u64| i64::try_from(count).unwrap();
            let said = [
                sums.sales,
                sums.returns,
                sums.tax,
                sums.rounding,
                count(sums.receipts),
                count(sums.voids),
                sums.gross,
            ];
            assert_eq!(said, counted[currency], "seed {seed}");
            assert_eq!(sums.net + sums.tax, sums.gross, "seed {seed}");
            for (component, sum) in &sums.taxes {
                let counted = taxes.remove(&(*currency, *component)).unwrap();
                let sum = (sum.sold_net, sum.sold_tax, sum.returned_net, sum.returned_tax);
                let ClassTotals { sold_net, sold_tax, returned_net, returned_tax } = counted;
                assert_eq!(sum, (sold_net, sold_tax, returned_net, returned_tax), "seed {seed}");
            }
            let hours = report.hours.iter().filter(|((_, it), _)| it == currency);
            let hours: Vec<_> = hours.map(|(_, hour)| hour).collect();
            assert_eq!(hours.iter().map(|hour| hour.gross).sum::<i64>(), sums.gross);
            assert_eq!(hours.iter().map(|hour| hour.net).sum::<i64>(), sums.net);
            assert_eq!(hours.iter().map(|hour| hour.receipts).sum::<u64>(), sums.receipts);
            let skus = report.skus.iter().filter(|((_, it), _)| it == currency);
            let skus: Vec<_> = skus.map(|(_, sku)| sku).collect();
            assert_eq!(skus.iter().map(|sku| sku.gross).sum::<i64>(), sums.gross);
            assert_eq!(skus.iter().map(|sku| sku.net).sum::<i64>(), sums.net);
        }
        assert!(taxes.is_empty(), "seed {seed}: every tax of every till is in the report");
        assert_eq!(report.total.len(), counted.len());
        for (currency, said) in turned {
            let sums = report.period.get(&currency).cloned().unwrap_or_default();
            let period = [sums.sales, sums.returns, i64::try_from(sums.receipts).unwrap()];
            assert_eq!(period, said, "seed {seed}");
            let tenders = sums.tenders.iter().map(|(kind, it)| (*kind, (it.count, it.amount)));
            let tenders: BTreeMap<_, _> = tenders.collect();
            assert_eq!(tenders, takings.remove(&currency).unwrap_or_default(), "seed {seed}");
        }
        assert!(!report.skus.keys().any(|(sku, _)| sku == "TRAIN"), "training counts nowhere");
    }
}
