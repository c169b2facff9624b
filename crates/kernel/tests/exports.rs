//! A small day, exported, and checked by a program that shares nothing with this one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use pos_kernel_core::Code;
use pos_kernel_core::Terminal;
use pos_kernel_core::export::{Business, Format, export};
use pos_kernel_core::journal::TenderKind;
use pos_kernel_core::money::{Currency, Decimal};
use pos_kernel_core::policy::{Policy, PolicyTerms, Prices, UnboundReturns};
use pos_kernel_core::pricing::{Adjustment, ExchangeRate, LineKind, TaxClass, rate_ppm};
use pos_kernel_core::sale::{LineInput, TaxInput, TenderInput};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use support::{card, cash, decimal, line, open};

fn tax(class: &str, percent: &str, inclusive: Option<bool>) -> TaxInput {
    let (class, rate_ppm) = (TaxClass::parse(class).unwrap(), rate_ppm(percent).unwrap());
    TaxInput { class, rate_ppm, inclusive }
}

/// Sales of every kind, two Z reports, and one receipt after them.
fn day(terminal: &Terminal) {
    let eur = Currency::parse("EUR").unwrap();
    let mut terms = PolicyTerms::of(eur);
    (terms.prices, terms.cash_step) = (Prices::Gross, 5);
    terms.unbound_returns = UnboundReturns::Allow;
    terminal.set_policy(&Policy::new(terms).unwrap(), None).unwrap();
    terminal.sign_on("anna", None).unwrap();
    terminal.open_shift(&[(eur, 20_000)], None).unwrap();
    let begin = || terminal.begin("STORE_001", "EUR", None, None).unwrap().value.sale;
    let (full, reduced) = ([tax("S", "19", None)], [tax("R", "7", None)]);
    let city = [tax("V", "10", None), tax("CITY", "2.5", Some(false))];
    let sale = begin();
    let ten = [(Adjustment::discount_ppm(100_000), "staff")];
    let shirt = LineInput { taxes: &full, adjustments: &ten, ..line("SHIRT", "2", "1999") };
    terminal.add_line(sale, &shirt, None).unwrap();
    let cheese = LineInput { taxes: &reduced, ..line("CHEESE; \"old\"", "0.3755", "1999") };
    let cheese = LineInput { text: Some("Käse; \"alt\""), ..cheese };
    terminal.add_line(sale, &cheese, None).unwrap();
    terminal
        .add_line(sale, &LineInput { taxes: &city, ..line("ROOM", "1", "9900") }, None)
        .unwrap();
    let bottle = LineInput { kind: LineKind::Deposit, ..line("BOTTLE", "1", "25") };
    terminal.add_line(sale, &bottle, None).unwrap();
    terminal.add_line(sale, &line("WRONG", "1", "500"), None).unwrap();
    terminal.void_line(sale, 5, "wrong one", None).unwrap();
    terminal.adjust_sale(sale, Adjustment::discount(333), "coupon".into(), None).unwrap();
    let rate = ExchangeRate::new(Currency::parse("USD").unwrap(), decimal("0.9"), 1).unwrap();
    let dollars = TenderInput { rate: Some(rate), ..TenderInput::of(TenderKind::Foreign, 2_000) };
    terminal.tender(sale, &dollars, None).unwrap();
    terminal.tender(sale, &TenderInput { tip: 200, ..card(5_200, false) }, None).unwrap();
    terminal.tender(sale, &cash(20_000), None).unwrap();
    let receipt = terminal.settle(terminal.complete(sale, None).unwrap()).unwrap();
    assert!(receipt.rounding != 0 && receipt.change > 0, "the day is worth its name");
    let voided = begin();
    terminal.add_line(voided, &LineInput { taxes: &full, ..line("A", "1", "100") }, None).unwrap();
    terminal.void_sale(voided, "left", None).unwrap();
    terminal.paid_out("EUR", 1_500, "window cleaner", None).unwrap();
    terminal.no_sale("change for a customer", None).unwrap();
    terminal.set_training(true, None, None).unwrap();
    let lesson = begin();
    terminal.add_line(lesson, &LineInput { taxes: &full, ..line("A", "1", "100") }, None).unwrap();
    terminal.tender(lesson, &cash(100), None).unwrap();
    terminal.complete(lesson, None).unwrap();
    terminal.set_training(false, None, None).unwrap();
    terminal.z_report(None).unwrap();
    let back = terminal.begin_return("REGISTER_01", 1, None).unwrap().value.sale;
    let one = (1, Decimal::whole(1));
    terminal.return_line(back, None, one, "too small".into(), None).unwrap();
    let due = terminal.totals(back).unwrap().cash_payable;
    terminal.tender(back, &cash(due), None).unwrap();
    terminal.settle(terminal.complete(back, None).unwrap()).unwrap();
    terminal.cash_count("EUR", 30_000, None).unwrap();
    terminal.z_report(None).unwrap();
    terminal.z_report(None).unwrap();
    let last = begin();
    terminal.add_line(last, &line("A", "1", "100"), None).unwrap();
    terminal.tender(last, &cash(100), None).unwrap();
    terminal.settle(terminal.complete(last, None).unwrap()).unwrap();
}

fn business() -> Business {
    Business { name: "A & B".to_owned(), country: "DEU".to_owned(), ..Business::default() }
}

/// What the foreign program says of an export; `None` where there is no Python.
fn checked(form: &str, dir: &Path) -> Option<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/audit/check_export.py");
    let output = match Command::new("python3").arg(script).arg(form).arg(dir).output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("the export was not checked: python3 cannot be run: {error}");
            return None;
        }
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}{errors}")))
}

#[test]
fn a_day_in_the_form_of_dsfinvk_adds_up_for_a_foreign_program() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    day(&terminal);
    let dir = root.path().join("dsfinvk");
    let history = terminal.history();
    let made = export(history, "REGISTER_01", Format::DsfinvK, &business(), &dir).unwrap();
    assert_eq!((made.closings, made.receipts, made.unclosed), (3, 2, 1));
    let again = export(history, "REGISTER_01", Format::DsfinvK, &business(), &dir);
    assert_eq!(again.unwrap_err().code(), Code::BadArgument);
    let Some(report) = checked("dsfinvk", &dir) else { return };
    assert_eq!(report["faults"], serde_json::json!([]), "{report}");
    assert_eq!((&report["closings"], &report["receipts"]), (&3.into(), &2.into()));
    // The check can fail: one digit of one amount is found.
    let path = dir.join("lines_vat.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen(",00000", ",00001", 1)).unwrap();
    assert_eq!(checked("dsfinvk", &dir).unwrap()["ok"], false);
}

#[test]
fn a_day_in_the_form_of_the_dep_is_a_chain_for_a_foreign_program() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    day(&terminal);
    let dir = root.path().join("dep");
    let made = export(terminal.history(), "REGISTER_01", Format::Dep, &business(), &dir).unwrap();
    assert_eq!((made.receipts, made.files[0].1), (3, 4));
    let Some(report) = checked("dep", &dir) else { return };
    assert_eq!(report["faults"], serde_json::json!([]), "{report}");
    assert_eq!(report["receipts"], 3);
    let path = dir.join("dep-export.json");
    let mut document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let receipts = document["Belege-Gruppe"][0]["Belege-kompakt"].as_array_mut().unwrap();
    receipts.remove(1);
    std::fs::write(&path, document.to_string()).unwrap();
    assert_eq!(checked("dep", &dir).unwrap()["ok"], false);
}
