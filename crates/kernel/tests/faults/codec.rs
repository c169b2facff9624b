//! Bodies that this version did not write: newer ones, malformed ones, random ones.

use crate::support::forge::{Journal, Mend};
use crate::support::store::Store;
use crate::support::{card, cash, line, long, sold};
use minicbor::Encoder;
use pos_kernel_core::code::Code;
use pos_kernel_core::journal::{
    ApprovalGiven, BODY_VERSION, CashAmount, CashArrived, CashCounted, CashLeg, CashMoved,
    CashMovement, CashTransfer, DecodeError, Fact, ForeignAmount, Key, LineAdded, PeriodClosed,
    PeriodKind, RecordKind, RuleAttribute, RuleHit, SaleBegun, ShiftOpened, Sums, TenderAdded,
    TenderConfirmed, TenderKind, TenderState, TenderVoided, body_of, restore, show, snapshot,
};
use pos_kernel_core::limits::{
    AMOUNT_MAX, KEY_BYTES_MAX, OPERATOR_BYTES_MAX, REASON_BYTES_MAX, REFERENCE_BYTES_MAX,
    TENDER_BYTES_MAX,
};
use pos_kernel_core::money::{Currency, Decimal};
use pos_kernel_core::pricing::{LineKind, TaxClass, TaxComponent};
use pos_kernel_core::sale::LineInput;
use pos_kernel_core::terminal::Durability;
use pos_kernel_core::till::{Check, Till};
use proptest::prelude::*;

/// A store whose terminal was closed with one sale open, and its journal.
fn open_sale() -> (Store, Journal) {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let receipt = terminal.sell(&sold(Some("R1"), &[line("X", "1", "5")], &[cash(5)]), Some("k0"));
    terminal.settle(receipt.unwrap()).unwrap();
    let sale = terminal.begin("STORE_001", "EUR", Some("R2"), Some("k1")).unwrap().value.sale;
    let bread = LineInput { text: Some("Bread"), ..line("A", "2", "150") };
    terminal.add_line(sale, &bread, Some("k2")).unwrap();
    terminal.close().unwrap();
    let journal = Journal::read(&store);
    (store, journal)
}

/// Changes the body of the last record of a kind, as a writer who has every right to.
fn rewrite(store: &Store, journal: &Journal, kind: RecordKind, change: impl FnOnce(&mut Vec<u8>)) {
    let mut journal = journal.clone();
    let record = journal.records_mut(kind as u16).last().unwrap();
    change(&mut record.body);
    journal.write(store, Mend::Everything);
}

/// Adds a field that no version knows yet: a map within a map, with indefinite lengths.
fn add_field_99(body: &mut Vec<u8>) {
    assert!((0xa0..0xb7).contains(&body[0]), "a map of a few fields");
    body[0] += 1;
    let mut out = Encoder::new(&mut *body);
    out.u8(99).unwrap().begin_map().unwrap().str("loyalty").unwrap().begin_array().unwrap();
    out.u64(7).unwrap().bool(true).unwrap().end().unwrap().end().unwrap();
}

#[test]
fn a_field_of_a_newer_version_survives_checkpoints_reopening_and_completion() {
    let (store, journal) = open_sale();
    rewrite(&store, &journal, RecordKind::LineAdded, add_field_99);
    store.assert_sound();
    let added = Journal::read(&store).records_mut(RecordKind::LineAdded as u16).last().cloned();
    let newer_body = added.unwrap().body;
    let shown = {
        let reader = store.history().reader().unwrap();
        let scan = reader.scan(1, true).unwrap().unwrap();
        let all: Vec<_> = scan.frames().flat_map(|frame| show(&frame)).collect();
        all.into_iter().map(|shown| shown.value.to_string()).collect::<Vec<_>>().join("\n")
    };
    assert!(shown.contains("6c6f79616c7479"), "inspect shows the bytes that it does not know");
    // Through several segments, each of which begins with a checkpoint, and two owners.
    for _ in 0..2 {
        let terminal = store.open();
        let lines = [line("X", "1", "5"); 60];
        for _ in 0..30 {
            let sell = terminal.sell(&sold(None, &lines, &[cash(300)]), None).unwrap();
            terminal.settle(sell).unwrap();
        }
        terminal.close().unwrap();
    }
    let terminal = store.open();
    assert!(terminal.status().unwrap().position.segment >= 3);
    assert!(terminal.till().unwrap().open.values().all(|sale| sale.log_bytes() > newer_body.len()));
    let sale = terminal.open_sales().unwrap()[0].clone();
    assert!(sale.recovered);
    terminal.tender(sale.number, &cash(300), None).unwrap();
    let receipt = terminal.settle(terminal.complete(sale.number, None).unwrap()).unwrap();
    assert_eq!(receipt.lines[0].sku, "A");
    assert_eq!(terminal.receipt(receipt.number).unwrap(), receipt);
    terminal.close().unwrap();
    // The completion's hash covers the bytes as they were written, the unknown field among them.
    store.assert_sound();
    let snapshot_holds = store.facts().iter().any(
        |recorded| matches!(&recorded.fact, Fact::SaleCompleted(fact) if fact.sale == sale.number),
    );
    assert!(snapshot_holds);
    // Without the field the hash no longer fits.
    let mut journal = Journal::read(&store);
    let record = journal
        .records_mut(RecordKind::LineAdded as u16)
        .find(|record| record.body == newer_body)
        .unwrap();
    record.body = body_of(&Fact::decode(RecordKind::LineAdded, &record.body).unwrap().unwrap());
    journal.write(&store, Mend::Everything);
    assert_ne!(store.verify().problems, []);
}

#[test]
fn a_record_of_an_unknown_kind_or_a_newer_version_is_refused_by_its_name() {
    let (store, journal) = open_sale();
    let mut checked = 0;
    for kind in [RecordKind::LineAdded, RecordKind::Checkpoint, RecordKind::SaleBegun] {
        for newer in [true, false] {
            let mut journal = journal.clone();
            let record = journal.records_mut(kind as u16).last().unwrap();
            match newer {
                true => record.flags = BODY_VERSION + 1,
                false => record.kind = 77,
            }
            journal.write(&store, Mend::Everything);
            let error = store.try_open().unwrap_err();
            assert_eq!(error.code(), Code::Version, "{kind:?} {newer} {error}");
            let report = store.verify();
            assert_eq!(report.problems[0].code, Code::Version, "{kind:?} {newer}");
            checked += 1;
        }
    }
    assert_eq!(checked, 6);
    journal.write(&store, Mend::Everything);
    store.open();
}

fn fields(pairs: u64, write: impl Fn(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut body = Vec::new();
    let mut out = Encoder::new(&mut body);
    out.map(pairs).unwrap();
    write(&mut out);
    body
}

fn decode(kind: RecordKind, body: &[u8]) -> Result<Option<Fact>, DecodeError> {
    Fact::decode(kind, body)
}

#[test]
fn malformed_bodies_are_errors() {
    let good = fields(3, |out| {
        out.u8(0).unwrap().u64(1).unwrap().u8(1).unwrap().str("S").unwrap();
        out.u8(2).unwrap().str("EUR").unwrap();
    });
    assert!(decode(RecordKind::SaleBegun, &good).is_ok());
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut body = good.clone();
        change(&mut body);
        body
    };
    let nested = |depth: usize| {
        fields(4, |out| {
            out.u8(0).unwrap().u64(1).unwrap().u8(1).unwrap().str("S").unwrap();
            out.u8(2).unwrap().str("EUR").unwrap().u8(99).unwrap();
            for _ in 0..depth {
                out.array(1).unwrap();
            }
        })
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("no map", vec![0x83, 1, 2, 3]),
        (
            "an indefinite map",
            with(&|body| {
                body[0] = 0xbf;
                body.push(0xff);
            }),
        ),
        ("a field too few", with(&|body| body[0] -= 1)),
        ("a field too many", with(&|body| body[0] += 1)),
        ("a byte behind it", with(&|body| body.push(0))),
        (
            "a second sale number",
            with(&|body| {
                body[0] += 1;
                body.extend_from_slice(&[0, 2]);
            }),
        ),
        (
            "a text as key",
            with(&|body| {
                body[0] += 1;
                body.extend_from_slice(&[0x61, b'a', 2]);
            }),
        ),
        (
            "a negative key",
            with(&|body| {
                body[0] += 1;
                body.extend_from_slice(&[0x20, 2]);
            }),
        ),
        ("a currency that is none", with(&|body| *body.last_mut().unwrap() = b'X')),
        (
            "a store that is not UTF-8",
            with(&|body| {
                let at = body.iter().position(|byte| *byte == b'S').unwrap();
                body[at] = 0xff;
            }),
        ),
        (
            "a number as store",
            with(&|body| {
                let at = body.iter().position(|byte| *byte == b'S').unwrap();
                body.splice(at - 1..=at, [0x05]);
            }),
        ),
        (
            "a float as sale",
            with(&|body| {
                body.splice(2..3, [0xf9, 0x3c, 0x00]);
            }),
        ),
        ("deep nesting that never ends", nested(100_000)),
        (
            "an array of 2^64 - 1",
            fields(4, |out| {
                out.u8(0).unwrap().u64(1).unwrap().u8(1).unwrap().str("S").unwrap();
                out.u8(2).unwrap().str("EUR").unwrap().u8(99).unwrap().array(u64::MAX).unwrap();
            }),
        ),
        (
            "a map of 2^64 - 1",
            fields(u64::MAX, |out| {
                out.u8(0).unwrap().u8(1).unwrap();
            }),
        ),
    ];
    for (what, body) in cases {
        assert!(decode(RecordKind::SaleBegun, &body).is_err(), "{what}");
    }
    // Deep nesting that does end is skipped like any other unknown field.
    let mut deep = nested(100_000);
    deep.push(1);
    assert!(decode(RecordKind::SaleBegun, &deep).is_ok());
    let line = |quantity: &dyn Fn(&mut Encoder<&mut Vec<u8>>)| {
        fields(7, |out| {
            out.u8(0).unwrap().u64(1).unwrap().u8(1).unwrap().u32(1).unwrap();
            out.u8(2).unwrap().str("A").unwrap().u8(4).unwrap();
            quantity(out);
            out.u8(5).unwrap().array(2).unwrap().i8(0).unwrap().i64(5).unwrap();
            out.u8(6).unwrap().i64(5).unwrap().u8(7).unwrap().i64(5).unwrap();
        })
    };
    let decimal = |scale: i8, size: u64| {
        line(&move |out| {
            out.array(size).unwrap().i8(scale).unwrap();
            for _ in 1..size {
                out.i64(1).unwrap();
            }
        })
    };
    assert!(decode(RecordKind::LineAdded, &decimal(0, 2)).is_ok());
    for body in [decimal(1, 2), decimal(-7, 2), decimal(-128, 2), decimal(0, 1), decimal(0, 3)] {
        assert!(decode(RecordKind::LineAdded, &body).is_err());
    }
}

#[test]
fn a_terminal_with_a_malformed_body_is_refused_and_not_changed() {
    let (store, journal) = open_sale();
    let changes: [(RecordKind, fn(&mut Vec<u8>)); 5] = [
        (RecordKind::SaleBegun, |body| body.truncate(body.len() - 1)),
        (RecordKind::LineAdded, |body| body.push(0)),
        (RecordKind::LineAdded, |body| body.clear()),
        (RecordKind::Checkpoint, |body| body.push(0)),
        (RecordKind::SaleCompleted, |body| body[0] += 1),
    ];
    for (kind, change) in changes {
        rewrite(&store, &journal, kind, change);
        let before = store.segment(1);
        let error = store.try_open().unwrap_err();
        assert_eq!(error.code(), Code::Inconsistent, "{kind:?}: {error}");
        assert!(error.facts().contains_key("sequence"));
        assert!(store.segment(1) == before, "{kind:?}");
        assert_eq!(store.verify().problems[0].code, Code::Inconsistent, "{kind:?}");
    }
}

/// A checkpoint's head, written by hand.
fn checkpoint(next_sale: u64, next_receipt: u64, totals: &[(&str, i64, u64)]) -> Vec<u8> {
    fields(6, |out| {
        out.u8(0).unwrap().u64(next_sale).unwrap().u8(1).unwrap().u64(next_receipt).unwrap();
        out.u8(2).unwrap().array(totals.len() as u64).unwrap();
        for (currency, amount, count) in totals {
            out.map(5).unwrap().u8(0).unwrap().str(currency).unwrap();
            out.u8(1).unwrap().i64(*amount).unwrap().u8(2).unwrap().i64(0).unwrap();
            out.u8(3).unwrap().u64(1).unwrap().u8(4).unwrap().u64(*count).unwrap();
        }
        out.u8(3).unwrap().bytes(&[]).unwrap().u8(4).unwrap().u64(32).unwrap();
        out.u8(5).unwrap().u64(0).unwrap();
    })
}

#[test]
fn a_checkpoint_that_no_till_can_have_made_is_refused() {
    let head = RecordKind::Checkpoint as u16;
    let eur = ("EUR", 5, 1);
    let good = checkpoint(2, 2, &[eur]);
    let till = restore([(head, &good[..])]).unwrap();
    assert_eq!((till.next_sale, till.next_receipt), (2, 2));
    assert_eq!(snapshot(&till)[0].1, checkpoint(2, 2, &[eur]).as_slice());
    let cases = [
        ("no sale number", checkpoint(0, 1, &[])),
        ("no receipt number", checkpoint(1, 0, &[])),
        ("a sale number at the end of all numbers", checkpoint(u64::MAX, 1, &[])),
        ("a receipt number at the end of all numbers", checkpoint(1, u64::MAX, &[])),
        ("negative sales", checkpoint(2, 2, &[("EUR", -1, 1)])),
        ("sales out of range", checkpoint(2, 2, &[("EUR", AMOUNT_MAX + 1, 1)])),
        ("voids at the end of all numbers", checkpoint(2, 2, &[("EUR", 5, u64::MAX)])),
        ("one currency twice", checkpoint(2, 2, &[eur, eur])),
        ("a byte behind it", [&good[..], &[0]].concat()),
    ];
    for (what, body) in cases {
        assert!(restore([(head, &body[..])]).is_err(), "{what}");
    }
    assert!(restore([]).is_err());
    assert!(restore([(head, &good[..]), (head, &good[..])]).is_err(), "two heads");
}

#[test]
fn a_finished_or_foreign_sale_in_a_checkpoint_is_refused() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let sale = terminal.begin("S", "EUR", None, None).unwrap().value.sale;
    terminal.add_line(sale, &line("A", "1", "0"), None).unwrap();
    let till = terminal.till().unwrap();
    let records = snapshot(&till);
    let as_numbers = |records: &[(RecordKind, Vec<u8>)]| -> Result<Till, DecodeError> {
        restore(records.iter().map(|(kind, body)| (*kind as u16, &body[..])))
    };
    assert_eq!(as_numbers(&records).unwrap().open, till.open);
    let mut doubled = records.clone();
    doubled.push(records[1].clone());
    assert!(as_numbers(&doubled).is_err(), "one sale twice");
    assert!(as_numbers(&records[..1]).is_err(), "a sale less than the head counts");
    // The sale's log with its completion appended: not open any more.
    terminal.complete(sale, None).unwrap();
    terminal.close().unwrap();
    let mut completed = store.facts().into_iter().map(|recorded| recorded.fact);
    let completed = completed.rfind(|fact| matches!(fact, Fact::SaleCompleted(_))).unwrap();
    let body = body_of(&completed);
    let mut log = Vec::new();
    log.extend_from_slice(&(RecordKind::SaleCompleted as u16).to_le_bytes());
    log.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
    log.extend_from_slice(&body);
    let before = sale_log(&records[1].1);
    let finished = fields(5, |out| {
        out.u8(0).unwrap().u64(sale).unwrap().u8(1).unwrap().u64(4).unwrap();
        out.u8(2).unwrap().i64(0).unwrap().u8(3).unwrap().bool(false).unwrap();
        out.u8(4).unwrap().bytes(&[&before[..], &log[..]].concat()).unwrap();
    });
    let mut over = records.clone();
    over[1].1 = finished;
    assert!(as_numbers(&over).is_err(), "a finished sale");
}

/// The log in a record of an open sale.
fn sale_log(body: &[u8]) -> Vec<u8> {
    let mut input = minicbor::Decoder::new(body);
    for _ in 0..input.map().unwrap().unwrap() {
        if input.u64().unwrap() == 4 {
            return input.bytes().unwrap().to_vec();
        }
        input.skip().unwrap();
    }
    panic!("an open sale without a log");
}

fn attribute(kind: u32) -> RuleAttribute {
    let (name, members) = (format!("column {kind}"), Vec::new());
    let mut said = RuleAttribute { name, flag: None, number: None, text: None, members };
    match kind {
        0 => said.flag = Some(false),
        1 => said.number = Decimal::new(-125, 1),
        2 => said.text = Some("private".to_owned()),
        3 => said.members = vec!["food".to_owned(), "tobacco".to_owned()],
        _ => {}
    }
    said
}

#[test]
fn the_facts_of_one_tender_keep_to_their_limit() {
    let key = Some(Key { text: "k".repeat(KEY_BYTES_MAX), fingerprint: u64::MAX });
    let reference = Some("r".repeat(REFERENCE_BYTES_MAX));
    let (sale, tender) = (u64::MAX, u32::MAX);
    let (due, change, rounding) = (-AMOUNT_MAX, -AMOUNT_MAX, Some(-AMOUNT_MAX));
    let facts: [Fact; 3] = [
        TenderAdded {
            sale,
            tender,
            kind: TenderKind::Card,
            amount: -AMOUNT_MAX,
            state: TenderState::Pending,
            reference: reference.clone(),
            due,
            change,
            tip: Some(AMOUNT_MAX),
            foreign: Some(ForeignAmount {
                currency: Currency::parse("EUR").unwrap(),
                amount: -AMOUNT_MAX,
                rate: Decimal::new(i64::MAX, 6).unwrap(),
                per: Some(u32::MAX),
            }),
            rounding,
            approval: Some(u64::MAX),
            key: key.clone(),
            rules: (0..16).map(|table| RuleHit { table, row: 2047 }).collect(),
            // Room for these is held by itself.
            attributes: Vec::new(),
        }
        .into(),
        TenderConfirmed { sale, tender, auth: reference, due, change, rounding, key: key.clone() }
            .into(),
        TenderVoided {
            sale,
            tender,
            reason: "r".repeat(REASON_BYTES_MAX),
            due,
            change,
            rounding,
            operator: Some("o".repeat(OPERATOR_BYTES_MAX)),
            approval: Some(u64::MAX),
            key,
        }
        .into(),
    ];
    let bytes: usize = facts.iter().map(|fact| body_of(fact).len() + 6).sum();
    assert!(bytes <= TENDER_BYTES_MAX, "{bytes} bytes of {TENDER_BYTES_MAX}");
}

const FACT_KINDS: [u16; 26] = [
    20, 21, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 80,
    81, 82,
];

/// The body of a fuzz target: any bytes as the body of any kind of record.
pub(crate) fn fuzz_fact(bytes: &[u8]) {
    let Some((kind, body)) = bytes.split_first() else { return };
    let kind = FACT_KINDS[usize::from(*kind) % FACT_KINDS.len()];
    let kind = RecordKind::from_number(kind).expect("every fact has its kind");
    let Ok(Some(fact)) = Fact::decode(kind, body) else { return };
    let again = body_of(&fact);
    assert_eq!(Fact::decode(kind, &again), Ok(Some(fact.clone())), "what is read is written");
    drop(fact.show());
    let mut till = Till::new(4);
    drop(till.apply(&fact, body, 1, 0, Check::Replay));
}

/// The body of a fuzz target: bytes cut into records, as a checkpoint and then as facts on it.
pub(crate) fn fuzz_till(bytes: &[u8]) {
    let mut records = Vec::new();
    let mut rest = bytes;
    while let [kind, size, after @ ..] = rest {
        let (body, after) = after.split_at(after.len().min(usize::from(*size)));
        records.push((*kind, body));
        rest = after;
    }
    let is_state = |kind: u8| kind == 16 || kind == 17;
    let state = records.iter().take_while(|(kind, _)| is_state(*kind));
    let till = restore(state.map(|(kind, body)| (u16::from(*kind), *body)));
    let mut till = match till {
        Ok(till) => {
            let again = snapshot(&till);
            let again = restore(again.iter().map(|(kind, body)| (*kind as u16, &body[..])));
            assert_eq!(again.as_ref(), Ok(&till), "what is restored is what is carried on");
            till
        }
        Err(_) => Till::new(4),
    };
    for (sequence, (kind, body)) in (1..).zip(records.iter().filter(|(kind, _)| !is_state(*kind))) {
        let Some(kind) = RecordKind::from_number(u16::from(*kind)) else { continue };
        let Ok(Some(fact)) = Fact::decode(kind, body) else { continue };
        if till.apply(&fact, body, sequence, 0, Check::Replay).is_err() {
            return;
        }
    }
}

fn tax(number: u32) -> TaxComponent {
    let class = TaxClass::parse("S").unwrap();
    TaxComponent { class, rate_ppm: number * 190_000, inclusive: number > 0 }
}

fn sums(amount: i64) -> Sums {
    Sums { tax: amount, discounts: amount, surcharges: amount, cash_payable: amount }
}

/// Facts whose numbers lie anywhere, the ends of their ranges more often than not.
fn any_fact() -> impl Strategy<Value = Fact> {
    let amount = || {
        let ends = [0, 1, -1, AMOUNT_MAX, -AMOUNT_MAX, AMOUNT_MAX + 1, i64::MAX, i64::MIN];
        prop_oneof![-1000_i64..1000, any::<i64>(), prop::sample::select(ends.to_vec())]
    };
    let sale = || prop_oneof![4 => Just(1_u64), 1 => any::<u64>()];
    let number = || prop_oneof![8 => 0_u32..4, 1 => any::<u32>()];
    let text = || "[a-zé\u{0}]{0,6}";
    let decimal = || (amount(), 0_u8..7).prop_map(|(m, s)| Decimal::new(m, s).expect("scale"));
    let eur = Currency::parse("EUR").expect("it is listed");
    let begun = (sale(), text()).prop_map(move |(sale, store)| {
        SaleBegun {
            sale,
            store,
            currency: eur,
            reference: None,
            training: None,
            operator: None,
            policy: None,
            returns: None,
            takes: None,
            key: None,
        }
        .into()
    });
    let line = (sale(), number(), text(), (decimal(), decimal()), (amount(), amount()));
    let line = line.prop_map(|(sale, line, sku, (quantity, unit_price), (amount, gross))| {
        LineAdded {
            sale,
            line,
            sku,
            text: None,
            quantity,
            unit_price,
            amount,
            gross,
            parent: line.checked_sub(7),
            kind: line.is_multiple_of(3).then_some(LineKind::Deposit),
            per: line.is_multiple_of(4).then_some(unit_price),
            taxes: (0..line % 3).map(tax).collect(),
            sums: line.is_multiple_of(2).then_some(sums(amount)),
            approval: line.checked_sub(9).map(u64::from),
            key: None,
            rules: (0..line % 4).map(|table| RuleHit { table, row: line }).collect(),
            class: line.is_multiple_of(5).then(|| "wine".to_owned()),
            attributes: (0..line % 5).map(attribute).collect(),
        }
        .into()
    });
    let tender = (sale(), number(), any::<bool>(), any::<bool>(), (amount(), amount(), amount()));
    let tender = tender.prop_map(|(sale, tender, cash, pending, (amount, due, change))| {
        let kind = if cash { TenderKind::Cash } else { TenderKind::Card };
        let state = if pending { TenderState::Pending } else { TenderState::Confirmed };
        TenderAdded {
            sale,
            tender,
            kind,
            amount,
            state,
            reference: None,
            due,
            change,
            tip: pending.then_some(due),
            foreign: None,
            rounding: cash.then_some(change),
            approval: cash.then_some(sale),
            key: None,
            rules: (0..tender % 3).map(|table| RuleHit { table, row: tender }).collect(),
            attributes: (0..tender % 4).map(attribute).collect(),
        }
        .into()
    });
    let void = (sale(), number(), text(), amount(), amount());
    let void = void.prop_map(|(sale, tender, reason, due, change)| {
        let (rounding, operator, approval, key) = (Some(due), None, None, None);
        TenderVoided { sale, tender, reason, due, change, rounding, operator, approval, key }.into()
    });
    let opened = (sale(), amount()).prop_map(move |(number, amount)| {
        let float = vec![CashAmount { currency: eur, amount }];
        ShiftOpened { number, float, operator: None, key: None }.into()
    });
    let moved = (any::<bool>(), amount(), 0..8_usize).prop_map(move |(out, amount, way)| {
        let kind = if out { CashMovement::PaidOut } else { CashMovement::PaidIn };
        let (currency, amount, shift) = (Some(eur), Some(amount), Some(1));
        let (operator, approval, key, reason) = (None, None, None, String::new());
        let leg = [CashLeg::Sent, CashLeg::Received, CashLeg::TakenBack].into_iter().nth(way);
        let sent = leg.filter(|leg| *leg != CashLeg::Sent).map(|_| way as u64);
        let transfer = leg.map(|leg| CashTransfer { leg, terminal: "B".to_owned(), sent });
        CashMoved { kind, currency, amount, reason, shift, transfer, operator, approval, key }
            .into()
    });
    let arrived = (0..4_u64, sale()).prop_map(|(sent, other_sequence)| {
        CashArrived { sent, terminal: "B".to_owned(), other_sequence }.into()
    });
    let counted =
        (amount(), amount(), any::<bool>()).prop_map(move |(expected, counted, right)| {
            // Where the drawer is empty, this is a count that is right.
            let expected = if right { 0 } else { expected };
            let over_short = counted.saturating_sub(expected);
            let (shift, currency, operator, key) = (1, eur, None, None);
            CashCounted { shift, currency, expected, counted, over_short, operator, key }.into()
        });
    let approved = (any::<u64>(), any::<bool>()).prop_map(|(number, next)| {
        let number = if next { 1 } else { number };
        let (approver, what) = (String::new(), String::new());
        ApprovalGiven { number, approver, what, operator: None, key: None }.into()
    });
    let closed = (sale(), sale(), sale()).prop_map(|(number, first, last)| {
        let (kind, turnover, operator, key) = (PeriodKind::Day, Vec::new(), None, None);
        PeriodClosed { kind, number, first, last, turnover, operator, key }.into()
    });
    let of_till = prop_oneof![
        2 => opened, 3 => moved, 1 => arrived, 2 => counted, 1 => approved, 1 => closed
    ];
    prop_oneof![1 => begun, 3 => line, 3 => tender, 1 => void, 4 => of_till]
}

fn cases() -> ProptestConfig {
    let cases = if long() { 100_000 } else { 2_000 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_bytes_make_the_codec_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz_fact(&bytes);
        fuzz_till(&bytes);
    }

    #[test]
    fn no_damage_to_a_real_body_makes_the_codec_panic(
        fact in any_fact(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut body = body_of(&fact);
        let index = at.index(body.len());
        if cut { body.truncate(index) } else { body[index] = byte }
        let kind = FACT_KINDS.iter().position(|kind| *kind == fact.kind() as u16).expect("a fact");
        body.insert(0, u8::try_from(kind).expect("twelve kinds"));
        fuzz_fact(&body);
    }

    #[test]
    fn no_sequence_of_facts_makes_the_fold_panic(facts in prop::collection::vec(any_fact(), 1..12)) {
        let mut till = Till::new(4);
        let begun = fields(3, |out| {
            out.u8(0).unwrap().u64(1).unwrap().u8(1).unwrap().str("S").unwrap();
            out.u8(2).unwrap().str("EUR").unwrap();
        });
        let begin = Fact::decode(RecordKind::SaleBegun, &begun).unwrap().unwrap();
        till.apply(&begin, &begun, 1, 0, Check::Replay).unwrap();
        for (sequence, fact) in (2..).zip(&facts) {
            // What contradicts is left out, so that what follows meets a state that can be.
            let mut next = till.clone();
            if next.apply(fact, &body_of(fact), sequence, 0, Check::Replay).is_ok() {
                till = next;
            }
        }
        drop(till.open.values().map(|sale| sale.totals()).collect::<Vec<_>>());
    }
}

#[test]
fn what_stands_on_a_recovered_sale_can_be_shown_and_counted() {
    let (store, _) = open_sale();
    let terminal = store.open();
    let sale = terminal.open_sales().unwrap().remove(0);
    terminal.tender(sale.number, &card(100, true), None).unwrap();
    terminal.close().unwrap();
    let reader = store.history().reader().unwrap();
    let scan = reader.scan(1, true).unwrap().unwrap();
    let shown: Vec<_> = scan.frames().flat_map(|frame| show(&frame)).collect();
    let kinds: Vec<&str> = shown.iter().filter_map(|shown| shown.value["kind"].as_str()).collect();
    assert!(kinds.contains(&"Checkpoint"));
    assert!(kinds.contains(&"TenderAdded"));
    assert_eq!(kinds.len(), shown.len(), "every kind has its name");
    let tender = shown.iter().rfind(|shown| shown.value["kind"] == "TenderAdded").unwrap();
    assert_eq!(tender.value["fact"]["kind"], "card");
    assert_eq!(tender.value["fact"]["due"], 200);
    assert!(tender.value.get("body").is_none(), "nothing unknown is in it");
}
