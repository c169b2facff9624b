//! The same sales on two terminals: policies are set, sales rung up, paid, left open, voided, suspended
//! and taken over, lines taken back; people come and go, cash moves and is counted, days are closed; and
//! a terminal is closed and opened again now and then. What is refused is passed over.

use crate::RandomSale;
use crate::desk::{approval, attend, done};
use crate::generate::Op;
use crate::payments::Offer;
use pos_kernel_core::journal::{TenderKind, TenderState};
use pos_kernel_core::money::{Currency, Decimal};
use pos_kernel_core::policy::PaymentMeans;
use pos_kernel_core::pricing::{ExchangeRate, TaxComponent};
use pos_kernel_core::sale::{LineInput, Reason, TaxInput, TenderInput};
use pos_kernel_core::terminal::{Answer, Begun, Durability};
use pos_kernel_core::{OpenOptions, Result, Terminal};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Small, so that a few dozen sales fill a segment and checkpoints come often.
const SEGMENT_BYTES: u32 = 65_536;

/// Each takes sales over from the other, and takes lines of the other back.
const TERMINALS: [&str; 2] = ["T1", "T2"];

pub(crate) fn ring_up(root: &str, count: u32, runner: &mut TestRunner) {
    let mut terminals = TERMINALS.map(|id| open(root, id));
    let mut tickets = Vec::new();
    for number in 0..count {
        let sale = crate::one(runner, &crate::sales());
        let luck = crate::one(runner, &any::<[u8; 12]>());
        let at = usize::from(luck[8]) % terminals.len();
        let terminal = &terminals[at];
        if luck[0] % 4 != 0 {
            terminal.set_policy(&sale.policy, None).unwrap();
        }
        attend(terminal, [luck[10], luck[11]]);
        let key = format!("sale {number}");
        // A Z report finds no sale open.
        if number % 50 == 49 {
            close_day(terminal, luck, &key);
        }
        // A sale that cannot be finished is voided, and so makes room for the next.
        let begun = match luck[9] % 8 {
            0 => take_back(terminal, luck),
            1 => tickets.pop().and_then(|ticket: String| terminal.resume(&ticket, None).ok()),
            _ => None,
        };
        let begun = match begun {
            Some(begun) => begun.value.sale,
            None => ring(terminal, &sale, luck, &key).unwrap(),
        };
        match luck[1] % 8 {
            0 if terminal.open_sales().unwrap().len() < 5 => {}
            1 => match terminal.suspend(begun, "forgot the purse", None) {
                Ok(answer) => tickets.push(answer.value.ticket),
                Err(_) => drop(finish(terminal, begun, luck, &key)),
            },
            _ => drop(finish(terminal, begun, luck, &key)),
        }
        if luck[7] % 32 == 0 {
            terminals[at].close().unwrap();
            terminals[at] = open(root, TERMINALS[at]);
        }
    }
    for terminal in terminals {
        terminal.close().unwrap();
    }
}

/// Finishes what is open and can be, and makes the report of the day.
fn close_day(terminal: &Terminal, luck: [u8; 12], key: &str) {
    for sale in terminal.open_sales().unwrap() {
        let _ = finish(terminal, sale.number, luck, &format!("{key} {}", sale.number));
    }
    let _ = terminal.z_report(None);
}

fn open(root: &str, id: &str) -> Terminal {
    Terminal::open(&OpenOptions {
        root: Some(root.into()),
        id: Some(id.to_owned()),
        durability: Some(Durability::Sale),
        segment_bytes: Some(SEGMENT_BYTES),
        ..OpenOptions::default()
    })
    .unwrap()
}

/// Takes lines of an early receipt back, of either terminal.
fn take_back(terminal: &Terminal, luck: [u8; 12]) -> Option<Answer<Begun>> {
    let receipt = u64::from(luck[2] % 32) + 1;
    let of = TERMINALS[usize::from(luck[3]) % TERMINALS.len()];
    let begun = terminal.begin_return(of, receipt, None).ok()?;
    for line in 1..4 {
        for part in [&luck[4..5], &luck[5..6]] {
            let quantity = Decimal::new(i64::from(part[0] % 3) + 1, part[0] % 4 / 3).unwrap();
            let approval = (luck[6].is_multiple_of(2)).then(|| approval(terminal)).flatten();
            let reason = Reason { text: "too small", approval };
            let _ = terminal.return_line(begun.value.sale, None, (line, quantity), reason, None);
        }
    }
    Some(begun)
}

/// Begins a sale, makes its changes and takes its first tenders.
fn ring(terminal: &Terminal, sale: &RandomSale, luck: [u8; 12], key: &str) -> Result<u64> {
    let RandomSale { policy, ops, offers, .. } = sale;
    let currency = policy.terms().currency.letters();
    let key = (luck[2].is_multiple_of(3)).then_some(key);
    let begun = terminal.begin("STORE_001", currency, Some("random"), key)?.value.sale;
    for op in ops {
        let _ = change(terminal, begun, op, luck);
    }
    for offered in offers {
        let _ = tender(terminal, begun, offered);
    }
    Ok(begun)
}

fn change(terminal: &Terminal, sale: u64, op: &Op, luck: [u8; 12]) -> Result<()> {
    match op {
        Op::Add { kind, quantity, price, per, taxes } => {
            let taxes: Vec<TaxInput> = taxes.iter().map(input).collect();
            let parent = (luck[3].is_multiple_of(4)).then_some(1);
            let item = LineInput::item("SKU", *quantity, *price);
            let line = LineInput {
                kind: *kind,
                text: Some("Käse"),
                per: *per,
                taxes: &taxes,
                parent,
                approval: (quantity.mantissa() < 0).then(|| approval(terminal)).flatten(),
                ..item
            };
            // The first line has no line that it could belong to.
            if terminal.add_line(sale, &line, None).is_err() {
                terminal.add_line(sale, &LineInput { parent: None, ..line }, None)?;
            }
        }
        // What came back of a sale that never was cannot come back here.
        Op::Return(_) => {}
        Op::Void(line) => done(terminal.void_line(sale, *line, "not wanted", None)?),
        Op::Quantity(line, quantity) => {
            terminal.set_quantity(sale, *line, *quantity, "counted again", None)?;
        }
        Op::Price(line, price, per) => {
            terminal.override_price(sale, *line, (*price, *per), "damaged".into(), None)?;
        }
        Op::Taxes(line, taxes) => {
            let taxes: Vec<TaxInput> = taxes.iter().map(input).collect();
            terminal.override_taxes(sale, *line, &taxes, "taken away".into(), None)?;
        }
        Op::AdjustLine(line, adjustment) => {
            terminal.adjust_line(sale, *line, *adjustment, "friend".into(), None)?;
        }
        Op::AdjustSale(adjustment) => {
            terminal.adjust_sale(sale, *adjustment, "jubilee".into(), None)?;
        }
        Op::Retract(number) => done(terminal.retract(sale, *number, "mistake".into(), None)?),
    }
    Ok(())
}

/// Takes a part of what is due; a pending tender is confirmed, declined or left.
fn tender(terminal: &Terminal, sale: u64, offered: &Offer) -> Result<()> {
    let Offer { means, percent, more, tip, is_pending } = *offered;
    let (due, _) = due(terminal, sale)?;
    let kind = kind(means);
    let rate = foreign(means);
    let amount = match rate {
        Some(_) => due * 10 * percent / 100 + more,
        None => due * percent / 100 + more + tip,
    };
    let new = TenderInput { tip, rate, pending: is_pending, ..TenderInput::of(kind, amount) };
    let taken = terminal.tender(sale, &new, None)?.value;
    match (taken.state, percent % 3) {
        (TenderState::Pending, 0) => {
            terminal.confirm_tender(sale, taken.tender, Some("4711"), None)?;
        }
        (TenderState::Pending, 1) => {
            terminal.decline_tender(sale, taken.tender, "no cover", None)?;
        }
        (TenderState::Confirmed, _) if more < 0 => {
            terminal.void_tender(sale, taken.tender, "wrong note", None)?;
        }
        _ => {}
    }
    Ok(())
}

/// Declines what is pending, pays the rest in cash and completes; or voids.
fn finish(terminal: &Terminal, sale: u64, luck: [u8; 12], key: &str) -> Result<()> {
    for (index, tender) in (1..).zip(terminal.sale(sale)?.tenders) {
        if tender.state == TenderState::Pending {
            terminal.decline_tender(sale, index, "no answer", None)?;
        }
    }
    let (due, cash_due) = due(terminal, sale)?;
    if due != 0 {
        let more = if due > 0 && luck[4].is_multiple_of(2) { 1_000 } else { 0 };
        let cash = |amount| TenderInput::of(TenderKind::Cash, amount);
        if terminal.tender(sale, &cash(cash_due + more), None).is_err() {
            let _ = terminal.tender(sale, &cash(cash_due), None);
        }
    }
    let key = format!("{key} completed");
    if !luck[5].is_multiple_of(8)
        && terminal.complete(sale, (luck[6].is_multiple_of(2)).then_some(&key)).is_ok()
    {
        return terminal.close_sale(sale);
    }
    for (index, tender) in (1..).zip(terminal.sale(sale)?.tenders) {
        if tender.state == TenderState::Confirmed {
            terminal.void_tender(sale, index, "taken back", None)?;
        }
    }
    terminal.void_sale(sale, "went away", None)?;
    Ok(())
}

/// What is due, and what that is in cash.
fn due(terminal: &Terminal, sale: u64) -> Result<(i64, i64)> {
    let sale = terminal.sale(sale)?;
    let settled = sale.settlement();
    Ok((settled.due, settled.cash_due))
}

/// What a franc is worth, for tenders in francs.
fn foreign(means: PaymentMeans) -> Option<ExchangeRate> {
    let franc = Currency::parse("CHF").unwrap();
    let rate = ExchangeRate::new(franc, Decimal::new(107_341, 6).unwrap(), 1).unwrap();
    (means == PaymentMeans::Foreign).then_some(rate)
}

fn kind(means: PaymentMeans) -> TenderKind {
    match means {
        PaymentMeans::Cash => TenderKind::Cash,
        PaymentMeans::Card => TenderKind::Card,
        PaymentMeans::Voucher => TenderKind::Voucher,
        PaymentMeans::Foreign => TenderKind::Foreign,
        PaymentMeans::Other => TenderKind::Other,
    }
}

fn input(tax: &TaxComponent) -> TaxInput {
    TaxInput { class: tax.class, rate_ppm: tax.rate_ppm, inclusive: Some(tax.inclusive) }
}
