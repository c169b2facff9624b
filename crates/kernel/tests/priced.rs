//! Sales under a policy, on a real folder: taxes, discounts, tenders of all kinds, returns with their
//! receipt, handing over, expiry.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use pos_kernel_core::Code;
use pos_kernel_core::Terminal;
use pos_kernel_core::clock::TestClock;
use pos_kernel_core::journal::{Fact, ReturnsOf, TenderKind, body_of, verify_terminal};
use pos_kernel_core::money::{Currency, Decimal, Rounding};
use pos_kernel_core::policy::{
    CashRounding, GrossSplit, Policy, PolicyTerms, Prices, TaxScope, UnboundReturns,
};
use pos_kernel_core::pricing::{Adjustment, ExchangeRate, TaxClass, rate_ppm};
use pos_kernel_core::sale::{LineInput, Reason, State, TaxInput, TenderInput};
use pos_kernel_core::terminal::Sold;
use std::sync::Arc;
use std::time::Duration;
use support::{card, cash, decimal, line, open, options};
use tempfile::TempDir;

fn tax(class: &str, percent: &str) -> TaxInput {
    let (class, rate_ppm) = (TaxClass::parse(class).unwrap(), rate_ppm(percent).unwrap());
    TaxInput { class, rate_ppm, inclusive: None }
}

fn policy(currency: &str, change: impl FnOnce(&mut PolicyTerms)) -> Policy {
    let mut terms = PolicyTerms::of(Currency::parse(currency).unwrap());
    terms.prices = Prices::Gross;
    change(&mut terms);
    Policy::new(terms).unwrap()
}

fn set(terminal: &Terminal, policy: &Policy) {
    terminal.settle(terminal.set_policy(policy, None).unwrap()).unwrap();
}

fn begin(terminal: &Terminal, currency: &str) -> u64 {
    terminal.begin("STORE_001", currency, None, None).unwrap().value.sale
}

/// Both ways in agree: what the terminal knows, and what its journal folds to from its first record.
fn sound(terminal: &Terminal) {
    terminal.wait_durable(terminal.status().unwrap().position.sequence).unwrap();
    let report = verify_terminal(terminal.history(), None, &|_, _| {}).unwrap();
    assert_eq!(report.problems, [], "the audit finds nothing");
}

fn reopened(terminal: Terminal, root: &TempDir) -> Terminal {
    let before = terminal.till().unwrap();
    terminal.close().unwrap();
    drop(terminal);
    let again = open(root);
    let after = again.till().unwrap();
    assert_eq!((before.totals, before.taxes), (after.totals, after.taxes));
    assert_eq!(before.policies, after.policies);
    sound(&again);
    again
}

#[test]
fn a_german_receipt_splits_its_gross_prices_by_rate() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    set(&terminal, &policy("EUR", |_| {}));
    let sale = begin(&terminal, "EUR");
    let (full, reduced) = ([tax("S", "19")], [tax("R", "7")]);
    let shirt = LineInput { taxes: &full, ..line("SHIRT", "1", "1190") };
    let book = LineInput { taxes: &reduced, ..line("BOOK", "2", "107") };
    terminal.add_line(sale, &shirt, None).unwrap();
    let totals = terminal.add_line(sale, &book, None).unwrap().value.totals;
    assert_eq!((totals.net, totals.tax, totals.gross), (1200, 204, 1404));
    terminal.tender(sale, &cash(1500), None).unwrap();
    let receipt = terminal.complete(sale, None).unwrap().value;
    let rows: Vec<_> = receipt.taxes.iter().map(|row| (row.net, row.amount)).collect();
    assert_eq!(rows, [(1000, 190), (200, 14)]);
    assert_eq!((receipt.change, receipt.rounding), (96, 0));
    let terminal = reopened(terminal, &root);
    assert_eq!(terminal.receipt(1).unwrap(), receipt);
    let totals = terminal.till().unwrap().totals_of(Currency::parse("EUR").unwrap());
    assert_eq!((totals.sales, totals.sales_tax), (1404, 204));
}

#[test]
fn discounts_are_facts_with_a_reason_and_repeat_their_answers() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    set(&terminal, &policy("EUR", |_| {}));
    let sale = begin(&terminal, "EUR");
    let full = [tax("S", "19")];
    let ten_percent = [(Adjustment::discount_ppm(100_000), "opened box")];
    let first = LineInput { taxes: &full, adjustments: &ten_percent, ..line("A", "1", "1000") };
    let added = terminal.add_line(sale, &first, Some("k1")).unwrap();
    assert_eq!((added.value.amount, added.value.totals.discounts), (900, 100));
    assert_eq!(terminal.add_line(sale, &first, Some("k1")).unwrap().value, added.value);
    terminal.add_line(sale, &LineInput { taxes: &full, ..line("B", "1", "1000") }, None).unwrap();
    let off = |key| {
        let staff = Reason { text: "staff", approval: None };
        terminal.adjust_sale(sale, Adjustment::discount(100), staff, key).unwrap()
    };
    let given = off(Some("k2"));
    assert_eq!(given.value.allocated, [(1, -47), (2, -53)]);
    assert_eq!((given.value.adjusted, given.value.totals.gross), (-100, 1800));
    let again = off(Some("k2"));
    assert!(again.replayed);
    assert_eq!(again.value, given.value);
    let price = (Decimal::whole(500), Decimal::whole(1));
    let cheaper = terminal.override_price(sale, 2, price, "damaged".into(), Some("k3")).unwrap();
    assert_eq!((cheaper.value.amount, cheaper.value.totals.gross), (447, 1300));
    let back = terminal.retract(sale, given.value.number, "no card".into(), None).unwrap();
    assert_eq!((back.value.adjusted, back.value.totals.gross), (100, 1400));
    let refused = terminal.adjust_line(sale, 2, Adjustment::discount(501), "x".into(), None);
    assert_eq!(refused.unwrap_err().code(), Code::BadAmount);
    let terminal = reopened(terminal, &root);
    assert_eq!(terminal.totals(sale).unwrap().gross, 1400);
    assert_eq!(terminal.add_line(sale, &first, Some("k1")).unwrap().value, added.value);
}

#[test]
fn cash_is_rounded_and_what_is_left_to_zero_is_paid_by_nothing() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let swiss = policy("CHF", |terms| {
        terms.cash_step = 5;
        terms.cash_rounding = CashRounding::HalfUp;
    });
    set(&terminal, &swiss);
    let sale = begin(&terminal, "CHF");
    terminal.add_line(sale, &line("A", "1", "1002"), None).unwrap();
    assert_eq!(terminal.totals(sale).unwrap().cash_payable, 1000);
    terminal.tender(sale, &card(1000, false), None).unwrap();
    let nothing = terminal.tender(sale, &cash(0), None).unwrap().value;
    assert_eq!((nothing.due, nothing.change, nothing.rounding), (0, 0, -2));
    let receipt = terminal.complete(sale, None).unwrap().value;
    assert_eq!((receipt.gross, receipt.tendered, receipt.rounding), (1002, 1000, -2));
    let terminal = reopened(terminal, &root);
    let totals = terminal.till().unwrap().totals_of(Currency::parse("CHF").unwrap());
    assert_eq!((totals.sales, totals.rounding), (1002, -2));
}

#[test]
fn a_bill_is_paid_with_a_voucher_foreign_notes_and_a_card_with_a_tip() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    set(&terminal, &policy("EUR", |_| {}));
    let sale = begin(&terminal, "EUR");
    terminal.add_line(sale, &line("DINNER", "1", "5000"), None).unwrap();
    let rate = ExchangeRate::new(Currency::parse("USD").unwrap(), decimal("0.9"), 1).unwrap();
    let dollars = TenderInput { rate: Some(rate), ..TenderInput::of(TenderKind::Foreign, 2000) };
    let no_rate = terminal.tender(sale, &TenderInput::of(TenderKind::Foreign, 1), None);
    assert_eq!(no_rate.unwrap_err().code(), Code::BadArgument);
    let voucher = TenderInput::of(TenderKind::Voucher, 1000);
    assert_eq!(terminal.tender(sale, &voucher, None).unwrap().value.due, 4000);
    assert_eq!(terminal.tender(sale, &dollars, None).unwrap().value.due, 2200);
    let tip = TenderInput { tip: 300, ..card(2500, false) };
    assert_eq!(terminal.tender(sale, &tip, Some("card")).unwrap().value.due, 0);
    let receipt = terminal.complete(sale, None).unwrap().value;
    assert_eq!((receipt.tendered, receipt.tips, receipt.change), (5300, 300, 0));
    let terminal = reopened(terminal, &root);
    assert_eq!(terminal.receipt(1).unwrap(), receipt);
}

#[test]
fn a_sold_line_comes_back_in_parts_that_add_up_and_never_twice() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    set(&terminal, &policy("EUR", |terms| terms.unbound_returns = UnboundReturns::Refuse));
    let full = [tax("S", "19")];
    let three = LineInput { taxes: &full, ..line("A", "3", "333.333") };
    let sold = Sold {
        store: "STORE_001",
        currency: "EUR",
        reference: None,
        lines: &[three],
        adjustments: &[],
        tenders: &[cash(1000)],
    };
    terminal.settle(terminal.sell(&sold, None).unwrap()).unwrap();
    let unbound = terminal.add_line(begin(&terminal, "EUR"), &line("A", "-1", "333"), None);
    assert_eq!(unbound.unwrap_err().code(), Code::UnboundReturn);
    let mut amounts = Vec::new();
    for _ in 0..2 {
        let sale = terminal.begin_return("REGISTER_01", 1, None).unwrap().value.sale;
        let part = (1, Decimal::whole(1));
        let back = terminal.return_line(sale, None, part, "too small".into(), None).unwrap();
        amounts.push((back.value.amount, back.value.totals.tax));
        let due = terminal.totals(sale).unwrap().due;
        terminal.tender(sale, &cash(due), None).unwrap();
        terminal.complete(sale, None).unwrap();
    }
    let terminal = reopened(terminal, &root);
    let sale = terminal.begin_return("REGISTER_01", 1, None).unwrap().value.sale;
    let two = terminal.return_line(sale, None, (1, Decimal::whole(2)), "both".into(), None);
    let error = two.unwrap_err();
    assert_eq!(error.code(), Code::RefundExceeds);
    let last = (1, Decimal::whole(1));
    let back = terminal.return_line(sale, None, last, "the last".into(), Some("r")).unwrap();
    amounts.push((back.value.amount, back.value.totals.tax));
    assert_eq!(amounts, [(-333, -53), (-334, -54), (-333, -53)]);
    let more = terminal.return_line(sale, None, last, "one more".into(), None);
    assert_eq!(more.unwrap_err().code(), Code::RefundExceeds);
    // What is voided may come back again, with the amount of the gap that it left.
    terminal.void_line(sale, 1, "keeps it", None).unwrap();
    let again = terminal.return_line(sale, None, last, "after all".into(), None).unwrap().value;
    assert_eq!((again.amount, again.totals.tax), (-333, -53));
    sound(&terminal);
}

#[test]
fn two_tills_never_take_the_same_thing_back() {
    let root = tempfile::tempdir().unwrap();
    let terminals: Vec<Terminal> = ["REGISTER_01", "REGISTER_02", "REGISTER_03"]
        .map(|id| {
            let options =
                pos_kernel_core::OpenOptions { id: Some(id.to_owned()), ..options(&root) };
            Terminal::open(&options).unwrap()
        })
        .into();
    let lines = [line("A", "10", "100")];
    let tenders = [cash(1000)];
    let sold = Sold {
        store: "STORE_001",
        currency: "EUR",
        reference: None,
        lines: &lines,
        adjustments: &[],
        tenders: &tenders,
    };
    terminals[0].settle(terminals[0].sell(&sold, None).unwrap()).unwrap();
    let of = ReturnsOf { terminal: "REGISTER_01".to_owned(), receipt: 1 };
    let taken: usize = std::thread::scope(|scope| {
        let tills = terminals.iter().map(|terminal| {
            let of = &of;
            scope.spawn(move || {
                let sale = begin(terminal, "EUR");
                let one = (1, Decimal::whole(1));
                let tries =
                    (0..8).map(|_| terminal.return_line(sale, Some(of), one, "back".into(), None));
                tries.filter(Result::is_ok).count()
            })
        });
        let tills: Vec<_> = tills.collect();
        tills.into_iter().map(|till| till.join().unwrap()).sum()
    });
    assert_eq!(taken, 10);
    terminals.iter().for_each(sound);
}

#[test]
fn a_suspended_sale_goes_on_at_one_till_only() {
    let root = tempfile::tempdir().unwrap();
    let at = |id: &str| {
        let id = Some(id.to_owned());
        Terminal::open(&pos_kernel_core::OpenOptions { id, ..options(&root) }).unwrap()
    };
    let (giver, taker, late) = (at("REGISTER_01"), at("REGISTER_02"), at("REGISTER_03"));
    set(&giver, &policy("EUR", |_| {}));
    let full = [tax("S", "19")];
    let sale = begin(&giver, "EUR");
    giver.add_line(sale, &LineInput { taxes: &full, ..line("A", "1", "1190") }, Some("a")).unwrap();
    giver.add_line(sale, &line("B", "2", "50"), None).unwrap();
    giver.void_line(sale, 2, "wrong one", None).unwrap();
    giver.adjust_sale(sale, Adjustment::discount(90), "coupon".into(), None).unwrap();
    let before = giver.totals(sale).unwrap();
    let suspended = giver.suspend(sale, "forgot the purse", None).unwrap().value;
    assert_eq!(giver.totals(sale).unwrap().state, State::Suspended);
    let frozen = giver.add_line(sale, &line("C", "1", "1"), None).unwrap_err();
    assert_eq!(frozen.code(), Code::Suspended);
    let waiting = taker.suspended_sales().unwrap();
    assert_eq!((waiting.len(), waiting[0].gross), (1, 1100));
    let ticket = suspended.ticket;
    let resumed = taker.resume(&ticket, Some("resume")).unwrap().value;
    let after = taker.totals(resumed.sale).unwrap();
    assert_eq!(after, before);
    assert_eq!(taker.resume(&ticket, Some("resume")).unwrap().value, resumed);
    for terminal in [&giver, &late, &taker] {
        let twice = terminal.resume(&ticket, None).unwrap_err();
        assert_eq!(twice.code(), Code::AlreadyResumed);
    }
    assert_eq!(late.suspended_sales().unwrap(), []);
    assert_eq!(giver.collect_transfers().unwrap(), [sale]);
    assert_eq!(giver.open_sales().unwrap(), []);
    assert_eq!(giver.resume(&ticket, None).unwrap_err().code(), Code::AlreadyResumed);
    taker.tender(resumed.sale, &cash(1100), None).unwrap();
    let receipt = taker.complete(resumed.sale, None).unwrap().value;
    assert_eq!((receipt.gross, receipt.tax), (1100, after.tax));
    [&giver, &taker, &late].into_iter().for_each(sound);
    drop(taker);
    assert_eq!(at("REGISTER_02").receipt(1).unwrap(), receipt);
}

#[test]
fn a_suspended_sale_goes_on_where_it_was_and_survives_a_crash_on_the_way() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let sale = begin(&terminal, "EUR");
    terminal.add_line(sale, &line("A", "1", "100"), None).unwrap();
    let first = terminal.suspend(sale, "phone", None).unwrap().value.ticket;
    drop(terminal);
    // A claim that came to nothing, as a death between claim and journal leaves it.
    let claims = root.path().join("shared/claims");
    std::fs::create_dir_all(&claims).unwrap();
    let left = r#"{"terminal":"REGISTER_01","after":3,"done":null}"#;
    std::fs::write(claims.join(format!("{first}.json")), left).unwrap();
    let terminal = open(&root);
    assert!(std::fs::read_dir(&claims).unwrap().next().is_none());
    assert_eq!(terminal.resume(&first, None).unwrap().value.sale, sale);
    assert_eq!(terminal.resume(&first, None).unwrap_err().code(), Code::AlreadyResumed);
    let second = terminal.suspend(sale, "again", None).unwrap().value.ticket;
    assert_ne!(first, second);
    assert_eq!(terminal.resume(&first, None).unwrap_err().code(), Code::AlreadyResumed);
    assert_eq!(terminal.resume("nonsense", None).unwrap_err().code(), Code::BadArgument);
    assert_eq!(terminal.resume("REGISTER_09.1.2.1", None).unwrap_err().code(), Code::NotFound);
    terminal.resume(&second, None).unwrap();
    terminal.tender(sale, &cash(100), None).unwrap();
    terminal.complete(sale, None).unwrap();
    sound(&terminal);
}

#[test]
fn an_idle_sale_expires_by_the_monotonic_clock_and_money_never_does() {
    let root = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::new(1_700_000_000_000_000_000));
    let terminal =
        Terminal::open(&pos_kernel_core::OpenOptions { clock: clock.clone(), ..options(&root) })
            .unwrap();
    let (idle, paid, waits) =
        (begin(&terminal, "EUR"), begin(&terminal, "EUR"), begin(&terminal, "EUR"));
    for sale in [idle, paid, waits] {
        terminal.add_line(sale, &line("A", "1", "100"), None).unwrap();
    }
    terminal.tender(paid, &cash(50), None).unwrap();
    terminal.suspend(waits, "later", None).unwrap();
    let minute = Duration::from_secs(60);
    clock.set_wall(1_900_000_000_000_000_000);
    assert!(terminal.expire(minute, "timeout").unwrap().value.is_empty());
    clock.pass(61_000_000_000);
    let fresh = begin(&terminal, "EUR");
    let expired = terminal.expire(minute, "timeout").unwrap();
    assert_eq!(terminal.settle(expired).unwrap(), [idle]);
    let open: Vec<u64> = terminal.open_sales().unwrap().iter().map(|sale| sale.number).collect();
    assert_eq!(open, [paid, waits, fresh]);
    assert!(terminal.expire(minute, "timeout").unwrap().value.is_empty());
    sound(&terminal);
}

#[test]
fn a_completion_of_five_lines_and_two_rates_has_less_than_a_kilobyte() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    set(&terminal, &policy("EUR", |terms| terms.cash_step = 5));
    let (full, reduced) = ([tax("STANDARD", "19")], [tax("REDUCED", "7")]);
    let ten_percent = [(Adjustment::discount_ppm(100_000), "staff")];
    let line = |sku| LineInput { adjustments: &ten_percent, ..line(sku, "1.250", "199999999") };
    let lines = [
        LineInput { taxes: &full, ..line("A") },
        LineInput { taxes: &reduced, ..line("B") },
        LineInput { taxes: &full, ..line("C") },
        LineInput { taxes: &reduced, ..line("D") },
        LineInput { taxes: &full, ..line("E") },
    ];
    let tenders = [card(500_000_000, false), cash(1_000_000_000)];
    let sold = Sold {
        store: "STORE_001",
        currency: "EUR",
        reference: Some("INVOICE-2026-0000123"),
        lines: &lines,
        adjustments: &[(Adjustment::discount(100_000), "coupon")],
        tenders: &tenders,
    };
    for number in 0..2 {
        let key = format!("a-key-of-an-ordinary-length-{number}");
        terminal.settle(terminal.sell(&sold, Some(&key)).unwrap()).unwrap();
    }
    let mut sizes = Vec::new();
    terminal
        .history()
        .each(1, u64::MAX, |recorded| {
            if matches!(recorded.fact, Fact::SaleCompleted(_)) {
                sizes.push(body_of(&recorded.fact).len());
            }
        })
        .unwrap();
    println!("completions of 5 lines, 2 rates, 2 tenders: {sizes:?} bytes");
    assert!(sizes.iter().all(|size| *size <= 1024), "{sizes:?}");
}

/// Sells until the sums stand in the first checkpoint of the next segment.
fn fill_segment(terminal: &Terminal) {
    let segment = || terminal.status().unwrap().position.segment;
    let first = segment();
    while segment() == first {
        let sale = begin(terminal, "EUR");
        for _ in 0..100 {
            terminal.add_line(sale, &line("TEA", "1", "300"), None).unwrap();
        }
        terminal.tender(sale, &cash(30_000), None).unwrap();
        terminal.complete(sale, None).unwrap();
    }
}

#[test]
fn a_net_that_is_rounded_above_the_price_leaves_a_till_that_opens_and_takes_the_line_back() {
    let root = TempDir::new().unwrap();
    for grosses in [GrossSplit::NetFirst, GrossSplit::TaxFirst] {
        let terminal = open(&root);
        set(
            &terminal,
            &policy("EUR", |terms| {
                terms.tax_scope = TaxScope::PerUnit;
                terms.tax_rounding = Rounding::Up;
                terms.gross_split = grosses;
                terms.unbound_returns = UnboundReturns::Allow;
            }),
        );
        terminal.z_report(None).unwrap();
        let sale = begin(&terminal, "EUR");
        let screws = LineInput { taxes: &[tax("S", "19")], ..line("SCREW", "2500", "0.003") };
        let totals = terminal.add_line(sale, &screws, None).unwrap().value.totals;
        // Each unit has a whole cent of net, or of tax.
        let whole = if grosses == GrossSplit::NetFirst { (2_500, -2_492) } else { (-2_492, 2_500) };
        assert_eq!((totals.net, totals.tax, totals.gross), (whole.0, whole.1, 8));
        terminal.tender(sale, &cash(8), None).unwrap();
        let receipt = terminal.complete(sale, None).unwrap().value.number;
        fill_segment(&terminal);
        let terminal = reopened(terminal, &root);
        let back = terminal.begin_return(terminal.id(), receipt, None).unwrap().value.sale;
        terminal.return_line(back, None, (1, decimal("1000")), "too many".into(), None).unwrap();
        let rest = (1, decimal("1500"));
        let totals = terminal.return_line(back, None, rest, "too many".into(), None).unwrap();
        let totals = totals.value.totals;
        assert_eq!((totals.net, totals.tax, totals.gross), (-whole.0, -whole.1, -8));
        terminal.tender(back, &cash(-8), None).unwrap();
        terminal.complete(back, None).unwrap();
        reopened(terminal, &root).close().unwrap();
    }
}

/// The facts of a sale in one call are signed as those of single calls: each names the operator, and
/// an approval allows one of its lines.
#[test]
fn a_sale_in_one_call_is_signed_line_by_line() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    set(&terminal, &policy("EUR", |_| {}));
    terminal.sign_on("ann", None).unwrap();
    let approval = terminal.approve("boss", "returns", None).unwrap().value.approval;
    let off = [(Adjustment::discount(10), "worn")];
    let back = LineInput { approval: Some(approval), ..line("BACK", "-1", "100") };
    let lines = [LineInput { adjustments: &off, ..line("SHIRT", "1", "1190") }, back];
    let whole = [(Adjustment::discount_ppm(100_000), "sale")];
    let nothing = Sold {
        store: "STORE_001",
        currency: "EUR",
        reference: None,
        lines: &[],
        adjustments: &whole,
        tenders: &[],
    };
    let unpaid = Sold { lines: &lines, ..nothing };
    assert_eq!(terminal.sell(&unpaid, None).unwrap_err().code(), Code::Underpaid);
    let twice = [back, back];
    assert_eq!(
        terminal.sell(&Sold { lines: &twice, ..nothing }, None).unwrap_err().code(),
        Code::ApprovalUsed
    );
    let wild = [LineInput { approval: Some(99), ..back }];
    assert_eq!(
        terminal.sell(&Sold { lines: &wild, ..nothing }, None).unwrap_err().code(),
        Code::NotFound
    );
    let paid = Sold { tenders: &[cash(1000)], ..unpaid };
    terminal.settle(terminal.sell(&paid, None).unwrap()).unwrap();
    let again = Sold { lines: &lines[1..], ..nothing };
    assert_eq!(terminal.sell(&again, None).unwrap_err().code(), Code::ApprovalUsed);
    let people = terminal.till().unwrap().people;
    let terminal = reopened(terminal, &root);
    assert_eq!(terminal.till().unwrap().people, people);
}
