//! Operators, drawer and reports with sales under a policy: taxes and cash rounding in a Z report,
//! foreign money in the drawer, training that takes something back, a sale that goes to another till.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use pos_kernel_core::journal::{Circle, PeriodKind, ReturnsOf, TenderKind, verify_terminal};
use pos_kernel_core::money::Currency;
use pos_kernel_core::policy::{CashRounding, Policy, PolicyTerms, Prices};
use pos_kernel_core::pricing::{ExchangeRate, TaxClass, rate_ppm};
use pos_kernel_core::sale::{LineInput, Reason, TaxInput, TenderInput};
use pos_kernel_core::{Code, OpenOptions, Terminal};
use std::time::Duration;
use support::{cash, decimal, line, open, options, sold};
use tempfile::TempDir;

fn currency(letters: &str) -> Currency {
    Currency::parse(letters).unwrap()
}

fn tax(class: &str, percent: &str) -> TaxInput {
    let (class, rate_ppm) = (TaxClass::parse(class).unwrap(), rate_ppm(percent).unwrap());
    TaxInput { class, rate_ppm, inclusive: None }
}

fn swiss(terminal: &Terminal) {
    let mut terms = PolicyTerms::of(currency("CHF"));
    terms.prices = Prices::Gross;
    (terms.cash_step, terms.cash_rounding) = (5, CashRounding::HalfUp);
    let policy = Policy::new(terms).unwrap();
    terminal.settle(terminal.set_policy(&policy, None).unwrap()).unwrap();
}

fn at(root: &TempDir, id: &str) -> Terminal {
    let id = Some(id.to_owned());
    Terminal::open(&OpenOptions { id, ..options(root) }).unwrap()
}

fn sound(terminal: &Terminal) {
    terminal.wait_durable(terminal.status().unwrap().position.sequence).unwrap();
    let report = verify_terminal(terminal.history(), None, &|_, _| {}).unwrap();
    assert_eq!(report.problems, [], "the audit finds nothing");
}

#[test]
fn a_z_report_has_taxes_and_keeps_rounding_and_foreign_money_apart() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    swiss(&terminal);
    terminal.open_shift(&[(currency("CHF"), 10_000)], None).unwrap();
    let (full, reduced) = ([tax("S", "8.1")], [tax("R", "2.6")]);
    let shirt = LineInput { taxes: &full, ..line("SHIRT", "1", "1081") };
    let bread = LineInput { taxes: &reduced, ..line("BREAD", "1", "102.6") };
    let sell = |lines: &[LineInput<'_>], tenders: &[TenderInput<'_>]| {
        let sold =
            pos_kernel_core::terminal::Sold { currency: "CHF", ..sold(None, lines, tenders) };
        terminal.settle(terminal.sell(&sold, None).unwrap()).unwrap()
    };
    // 11.84 in cash is 11.85.
    let receipt = sell(&[shirt, bread], &[cash(1185)]);
    assert_eq!((receipt.gross, receipt.rounding), (1184, 1));
    // Ten euros at 0.95 are 9.50; 1.08 go back, as 1.10.
    let rate = ExchangeRate::new(currency("EUR"), decimal("0.95"), 1).unwrap();
    let euros = TenderInput { rate: Some(rate), ..TenderInput::of(TenderKind::Foreign, 1000) };
    let milk = LineInput { taxes: &reduced, ..line("MILK", "1", "842") };
    let receipt = sell(&[milk], &[euros]);
    assert!(receipt.change > 0, "{receipt:?}");
    let change = receipt.change;
    let shift = terminal.shift().unwrap().unwrap();
    assert_eq!(shift.cash[&currency("CHF")].expected(), 10_000 + 1185 - change);
    assert_eq!(shift.cash[&currency("EUR")].expected(), 1000, "it lies there as what it is");
    let z = terminal.settle(terminal.z_report(None).unwrap()).unwrap();
    let row = &z.report.turnover[0];
    assert_eq!((row.period.sales, row.period.rounding), (2026, 1 + receipt.rounding));
    let net: i64 = row.taxes.iter().map(|tax| tax.sold_net).sum();
    let tax: i64 = row.taxes.iter().map(|tax| tax.sold_tax).sum();
    assert_eq!((row.taxes.len(), net + tax, tax), (2, 2026, row.period.sales_tax));
    let takings = &z.report.takings[0];
    let kinds: Vec<_> = takings.tenders.iter().map(|sum| (sum.kind.name(), sum.amount)).collect();
    assert_eq!(kinds, [("cash", 1185), ("foreign", 950)]);
    // I3 over the whole period: tenders less change are turnover and rounding.
    let taken: i64 = takings.tenders.iter().map(|sum| sum.amount).sum();
    let turnover = row.period.sales - row.period.returns;
    assert_eq!(taken - takings.change, turnover + row.period.rounding + takings.tips);
    // A second period has what came since, and a day has both.
    sell(&[shirt], &[cash(1080)]);
    let z = terminal.settle(terminal.z_report(None).unwrap()).unwrap();
    let second = &z.report.turnover[0];
    assert_eq!((second.period.sales, second.taxes.len()), (1081, 1));
    let day = terminal.period_close(PeriodKind::Day, None).unwrap().value;
    assert_eq!(day.turnover[0].period, day.turnover[0].total);
    assert_eq!(day.turnover[0].taxes.len(), 2);
    sound(&terminal);
    let before = terminal.till().unwrap();
    drop(terminal);
    let after = open(&root).till().unwrap();
    assert_eq!((after.periods, after.drawer), (before.periods, before.drawer));
}

#[test]
fn training_takes_nothing_back() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let lines = [line("A", "3", "100")];
    terminal.settle(terminal.sell(&sold(None, &lines, &[cash(300)]), None).unwrap()).unwrap();
    let of = ReturnsOf { terminal: "REGISTER_01".to_owned(), receipt: 1 };
    let give_back = |quantity: &str| {
        let sale = terminal.begin("STORE_001", "EUR", None, None).unwrap().value.sale;
        let part = (1, decimal(quantity));
        let returned = terminal.return_line(sale, Some(&of), part, "broken".into(), None);
        match returned {
            Ok(answer) => {
                terminal.tender(sale, &cash(answer.value.totals.due), None).unwrap();
                Ok(terminal.settle(terminal.complete(sale, None).unwrap()).unwrap())
            }
            Err(error) => {
                terminal.void_sale(sale, "refused", None).unwrap();
                Err(error.code())
            }
        }
    };
    terminal.set_training(true, None, None).unwrap();
    let practised = give_back("3").unwrap();
    assert_eq!((practised.circle, practised.gross), (Circle::Training, -300));
    terminal.set_training(false, None, None).unwrap();
    let (two, one) = (give_back("2").unwrap(), give_back("1").unwrap());
    assert_eq!((two.gross, one.gross), (-200, -100));
    assert_eq!(give_back("1").unwrap_err(), Code::RefundExceeds);
    let totals = terminal.till().unwrap().totals_of(currency("EUR"));
    assert_eq!((totals.sales, totals.returns, totals.receipts), (300, 300, 3));
    sound(&terminal);
}

#[test]
fn a_sale_that_is_taken_over_names_who_took_it_over() {
    let root = tempfile::tempdir().unwrap();
    let (giver, taker) = (at(&root, "REGISTER_01"), at(&root, "REGISTER_02"));
    giver.sign_on("ann", None).unwrap();
    giver.approve("boss", "a void", None).unwrap();
    let sale = giver.begin("STORE_001", "EUR", None, None).unwrap().value.sale;
    giver.add_line(sale, &line("A", "1", "100"), None).unwrap();
    giver.add_line(sale, &line("B", "1", "100"), None).unwrap();
    let why = Reason { text: "wrong", approval: Some(1) };
    giver.void_line(sale, 2, why, None).unwrap();
    // While it waits, it is open: the giver's day is not over.
    let ticket = giver.suspend(sale, "purse", None).unwrap().value.ticket;
    assert_eq!(giver.z_report(None).unwrap_err().code(), Code::OpenSales);
    taker.sign_on("bob", None).unwrap();
    taker.set_training(true, None, None).unwrap();
    assert_eq!(taker.resume(&ticket, None).unwrap_err().code(), Code::Training);
    taker.set_training(false, None, None).unwrap();
    let sale = taker.resume(&ticket, None).unwrap().value.sale;
    taker.tender(sale, &cash(100), None).unwrap();
    let receipt = taker.settle(taker.complete(sale, None).unwrap()).unwrap();
    assert_eq!(receipt.operator.as_deref(), Some("bob"));
    giver.collect_transfers().unwrap();
    giver.settle(giver.z_report(None).unwrap()).unwrap();
    [&giver, &taker].into_iter().for_each(sound);
}

#[test]
fn an_expired_training_sale_counts_as_no_void() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    terminal.sign_on("ann", None).unwrap();
    terminal.set_training(true, None, None).unwrap();
    terminal.begin("STORE_001", "EUR", None, None).unwrap();
    terminal.set_training(false, None, None).unwrap();
    terminal.begin("STORE_001", "EUR", None, None).unwrap();
    let expired = terminal.settle(terminal.expire(Duration::ZERO, "idle").unwrap()).unwrap();
    assert_eq!(expired, [1, 2]);
    assert_eq!(terminal.till().unwrap().totals_of(currency("EUR")).voids, 1);
    sound(&terminal);
}
