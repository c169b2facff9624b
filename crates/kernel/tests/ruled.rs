//! Sales under rules, on a real folder: what is refused changes nothing, what is approved is taken, and
//! the journal holds the tables and the rows that spoke.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use pos_kernel_core::journal::{
    Fact, LineAdded, PriceOverridden, QuantitySet, RuleHit, TenderAdded, TenderKind, body_of,
    verify_terminal,
};
use pos_kernel_core::money::Decimal;
use pos_kernel_core::pricing::{Adjustment, Direction, Worth};
use pos_kernel_core::rules::{Attribute, Given, RuleSet, Rules, Table};
use pos_kernel_core::sale::{LineInput, Reason, TenderInput};
use pos_kernel_core::terminal::Recorded;
use pos_kernel_core::till::{Check, Till};
use pos_kernel_core::{Code, Terminal};
use support::{cash, line, open, sold};
use tempfile::TempDir;

const AGES: &str = include_str!("../../../examples/rules/age-limits.csv");
const TENDERS: &str = include_str!("../../../examples/rules/tender-limits.json");
const APPROVALS: &str = include_str!("../../../examples/rules/approvals.csv");

fn rules(sources: &[&str]) -> RuleSet {
    let compiled =
        sources.iter().map(|source| Rules::compile(Table::read(source).unwrap()).unwrap());
    RuleSet::new(compiled.collect()).unwrap()
}

fn set(terminal: &Terminal, set: &RuleSet) {
    let answer = terminal.settle(terminal.set_rules(set, None).unwrap()).unwrap();
    assert_eq!(answer.hash, set.hash());
    assert_eq!(terminal.rules().unwrap(), Some(set.hash()));
}

fn begin(terminal: &Terminal) -> u64 {
    terminal.begin("STORE_001", "EUR", None, None).unwrap().value.sale
}

fn approve(terminal: &Terminal, what: &str) -> u64 {
    terminal.approve("boss", what, None).unwrap().value.approval
}

fn facts(terminal: &Terminal) -> Vec<Fact> {
    let last = terminal.status().unwrap().position.sequence;
    terminal.wait_durable(last).unwrap();
    let mut facts = Vec::new();
    terminal.history().each(1, last, |recorded| facts.push(recorded.fact)).unwrap();
    facts
}

fn sound(terminal: &Terminal) {
    terminal.wait_durable(terminal.status().unwrap().position.sequence).unwrap();
    let report = verify_terminal(terminal.history(), None, &|_, _| {}).unwrap();
    assert_eq!(report.problems, [], "the audit finds nothing");
}

fn wine<'a>(attributes: &'a [Attribute<'a>]) -> LineInput<'a> {
    LineInput { class: Some("wine"), attributes, ..line("WINE", "1", "799") }
}

fn aged(age: i64) -> [Attribute<'static>; 2] {
    [
        Attribute { name: "ageChecked", value: Given::Bool(true) },
        Attribute { name: "buyerAge", value: Given::Integer(age) },
    ]
}

#[test]
fn a_refused_line_names_its_rule_and_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    set(&terminal, &rules(&[AGES]));
    let sale = begin(&terminal);
    let before = terminal.till().unwrap();
    let error = terminal.add_line(sale, &wine(&aged(15)), Some("w")).unwrap_err();
    assert_eq!(error.code(), Code::RuleRefused);
    let facts_of_error = error.facts();
    assert_eq!(facts_of_error["table"], "age limits");
    assert_eq!(facts_of_error["rule"], "beer-wine-16");
    assert_eq!(facts_of_error["reason"], "Beer and wine from 16");
    assert_eq!(facts_of_error["sale"], sale);
    assert_eq!(terminal.till().unwrap(), before);
    // The key is free: the refusal is no fact.
    terminal.add_line(sale, &wine(&aged(16)), Some("w")).unwrap();
    let again = terminal.add_line(sale, &wine(&aged(16)), Some("w")).unwrap();
    assert!(again.replayed);
    // What rules ask of a line is part of what its key stands for.
    let other = terminal.add_line(sale, &wine(&aged(17)), Some("w")).unwrap_err();
    assert_eq!(other.code(), Code::IdempotencyMismatch);
    let added = facts(&terminal).into_iter().find_map(|fact| match fact {
        Fact::LineAdded(added) => Some(added.rules),
        _ => None,
    });
    assert_eq!(added, Some(vec![RuleHit { table: 0, row: 8 }]));
    sound(&terminal);
}

#[test]
fn what_a_rule_wants_approved_is_taken_with_an_approval() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    set(&terminal, &rules(&[APPROVALS, TENDERS]));
    let sale = begin(&terminal);
    let bulk = line("A", "150", "1000");
    let error = terminal.add_line(sale, &bulk, None).unwrap_err();
    assert_eq!((error.code(), &error.facts()["rule"]), (Code::ApprovalRequired, &"bulk".into()));
    let approved = LineInput { approval: Some(approve(&terminal, "bulk")), ..bulk };
    terminal.add_line(sale, &approved, None).unwrap();
    let error = terminal.tender(sale, &cash(150_000), None).unwrap_err();
    assert_eq!(
        (error.code(), &error.facts()["rule"]),
        (Code::ApprovalRequired, &"cash-1000".into())
    );
    let approved = TenderInput { approval: Some(approve(&terminal, "cash")), ..cash(150_000) };
    terminal.settle(terminal.tender(sale, &approved, None).unwrap()).unwrap();
    terminal.settle(terminal.complete(sale, None).unwrap()).unwrap();
    let tendered = facts(&terminal).into_iter().find_map(|fact| match fact {
        Fact::TenderAdded(fact) => Some((fact.approval, fact.rules)),
        _ => None,
    });
    assert_eq!(tendered, Some((Some(2), vec![RuleHit { table: 1, row: 5 }])));
    sound(&terminal);
}

#[test]
fn a_refused_tender_is_no_tender() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    set(&terminal, &rules(&[TENDERS]));
    let sale = begin(&terminal);
    terminal.add_line(sale, &line("SOAP", "1", "500"), None).unwrap();
    let meal = [Attribute { name: "voucher", value: Given::Text("meal") }];
    let voucher = TenderInput { attributes: &meal, ..TenderInput::of(TenderKind::Voucher, 500) };
    let error = terminal.tender(sale, &voucher, None).unwrap_err();
    assert_eq!((error.code(), &error.facts()["rule"]), (Code::RuleRefused, &"meal-no-food".into()));
    assert_eq!(terminal.sale(sale).unwrap().tenders, []);
    terminal.tender(sale, &cash(500), None).unwrap();
    sound(&terminal);
}

#[test]
fn a_sale_in_one_call_is_judged_line_by_line_and_refused_whole() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    set(&terminal, &rules(&[AGES]));
    let old = aged(40);
    let young = aged(12);
    let before = terminal.till().unwrap();
    let lines = [line("BREAD", "1", "199"), wine(&young)];
    let error = terminal.sell(&sold(None, &lines, &[cash(998)]), None).unwrap_err();
    assert_eq!(error.code(), Code::RuleRefused);
    assert_eq!(terminal.till().unwrap(), before);
    let lines = [line("BREAD", "1", "199"), wine(&old)];
    let receipt = terminal.sell(&sold(None, &lines, &[cash(998)]), None).unwrap();
    assert_eq!(terminal.settle(receipt).unwrap().number, 1);
    sound(&terminal);
}

fn refuses(terminal: &Terminal) -> bool {
    let sale = begin(terminal);
    let refused = terminal.add_line(sale, &wine(&aged(15)), None).is_err();
    terminal.void_sale(sale, "over", None).unwrap();
    refused
}

#[test]
fn rules_hold_after_a_crash_after_checkpoints_and_until_they_are_ended() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    set(&terminal, &rules(&[AGES, TENDERS]));
    assert!(refuses(&terminal));
    let again = reopened(terminal, &root);
    assert!(refuses(&again));
    // Far enough for the next segment: its checkpoint carries the rules.
    let segment = again.status().unwrap().position.segment;
    while again.status().unwrap().position.segment < segment + 2 {
        again.sell(&sold(None, &[line("A", "1", "100")], &[cash(100)]), None).unwrap();
    }
    let again = reopened(again, &root);
    assert!(refuses(&again));
    set(&again, &RuleSet::default());
    assert!(!refuses(&again));
    let again = reopened(again, &root);
    assert!(!refuses(&again));
}

fn reopened(terminal: Terminal, root: &TempDir) -> Terminal {
    let before = terminal.till().unwrap();
    sound(&terminal);
    drop(terminal);
    let again = open(root);
    assert_eq!(again.till().unwrap().rules, before.rules);
    sound(&again);
    again
}

#[test]
fn a_till_without_rules_writes_what_it_always_wrote() {
    let journals = [RuleSet::default(), rules(&[TENDERS])].map(|set_rules| {
        let root = tempfile::tempdir().unwrap();
        let terminal = open(&root);
        if !set_rules.is_empty() {
            set(&terminal, &set_rules);
        }
        let sale = begin(&terminal);
        terminal.add_line(sale, &line("A", "1", "100"), None).unwrap();
        let lines = facts(&terminal).into_iter().filter_map(|fact| match fact {
            Fact::LineAdded(added) => Some(pos_kernel_core::journal::body_of(&added.into())),
            _ => None,
        });
        lines.collect::<Vec<_>>()
    });
    assert_eq!(journals[0], journals[1], "no table speaks of lines");
}

const SALES: &str = "table,whole sales,hit,first,at,sale\n\
    rule,total,lines,account,decision,message\n\
    ,when integer,when integer,when text = none,then text allow|approve|refuse,then text =\n\
    many,,>3,,refuse,Three lines at most\n\
    blocked,,,blocked,refuse,The account is blocked\n\
    large,>=100000,,,approve,A manager allows large sales\n\
    free,0,,,refuse,Nothing is given away\n\
    other,,,,allow,\n";

#[test]
fn a_sale_is_judged_when_its_first_tender_is_taken() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    set(&terminal, &rules(&[TENDERS, SALES]));
    let sale = begin(&terminal);
    for _ in 0..4 {
        terminal.add_line(sale, &line("A", "1", "50000"), None).unwrap();
    }
    let before = terminal.till().unwrap();
    let error = terminal.tender(sale, &cash(1000), None).unwrap_err();
    assert_eq!((error.code(), &error.facts()["rule"]), (Code::RuleRefused, &"many".into()));
    assert_eq!(error.facts()["table"], "whole sales");
    assert_eq!(terminal.till().unwrap(), before);
    terminal.void_line(sale, 4, "too many", None).unwrap();
    let error = terminal.tender(sale, &cash(1000), None).unwrap_err();
    assert_eq!((error.code(), &error.facts()["rule"]), (Code::ApprovalRequired, &"large".into()));
    let blocked = [Attribute { name: "account", value: Given::Text("blocked") }];
    let refused = TenderInput { attributes: &blocked, ..cash(1000) };
    let error = terminal.tender(sale, &refused, None).unwrap_err();
    assert_eq!((error.code(), &error.facts()["rule"]), (Code::RuleRefused, &"blocked".into()));
    let approval = Some(approve(&terminal, "large"));
    terminal.tender(sale, &TenderInput { approval, ..cash(1000) }, None).unwrap();
    // The second one continues the payment of a sale that was judged.
    terminal.tender(sale, &TenderInput::of(TenderKind::Card, 149_000), None).unwrap();
    terminal.settle(terminal.complete(sale, None).unwrap()).unwrap();
    let hits: Vec<Vec<RuleHit>> = facts(&terminal)
        .into_iter()
        .filter_map(|fact| match fact {
            Fact::TenderAdded(fact) => Some(fact.rules),
            Fact::SaleCompleted(fact) => Some(fact.rules),
            _ => None,
        })
        .collect();
    let other = RuleHit { table: 0, row: 6 };
    assert_eq!(hits, [vec![other.clone(), RuleHit { table: 1, row: 2 }], vec![other], vec![]]);
    sound(&reopened(terminal, &root));
}

#[test]
fn a_sale_without_a_tender_is_judged_when_it_is_completed() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    set(&terminal, &rules(&[SALES]));
    let sale = begin(&terminal);
    terminal.add_line(sale, &line("A", "1", "0"), None).unwrap();
    let error = terminal.complete(sale, None).unwrap_err();
    assert_eq!((error.code(), &error.facts()["rule"]), (Code::RuleRefused, &"free".into()));
    assert_eq!(terminal.sale(sale).unwrap().state().name(), "building");
    let error = terminal.sell(&sold(None, &[line("A", "1", "0")], &[]), None).unwrap_err();
    assert_eq!(error.code(), Code::RuleRefused);
    set(&terminal, &rules(&[&SALES.replace("free,0,", "free,1,")]));
    terminal.settle(terminal.complete(sale, None).unwrap()).unwrap();
    let completed = facts(&terminal).into_iter().find_map(|fact| match fact {
        Fact::SaleCompleted(fact) => Some(fact.rules),
        _ => None,
    });
    assert_eq!(completed, Some(vec![RuleHit { table: 0, row: 4 }]));
    sound(&reopened(terminal, &root));
}

#[test]
fn a_changed_line_is_judged_as_it_would_be() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    set(&terminal, &rules(&[AGES, APPROVALS]));
    let sale = begin(&terminal);
    let strong = aged(17);
    terminal.add_line(sale, &wine(&strong), None).unwrap();
    let before = terminal.till().unwrap();
    let hundred = Decimal::whole(100);
    let error = terminal.set_quantity(sale, 1, hundred, "more", None).unwrap_err();
    assert_eq!((error.code(), &error.facts()["rule"]), (Code::ApprovalRequired, &"bulk".into()));
    let million = Decimal::whole(1_000_000);
    let error = terminal.set_quantity(sale, 1, million, "more", None).unwrap_err();
    assert_eq!((error.code(), &error.facts()["rule"]), (Code::RuleRefused, &"typing-error".into()));
    assert_eq!(terminal.till().unwrap(), before);
    let approval = Some(approve(&terminal, "bulk"));
    let allowed = Reason { text: "more", approval };
    terminal.set_quantity(sale, 1, hundred, allowed, None).unwrap();
    // Class and age are those that it was added with, in another process too, and for other tables.
    let terminal = reopened(terminal, &root);
    set(&terminal, &rules(&[&AGES.replace("..15", "..17")]));
    let price = (Decimal::whole(1), Decimal::whole(1));
    let reason = Reason::from("offer");
    let error = terminal.override_price(sale, 1, price, reason, None).unwrap_err();
    assert_eq!((error.code(), &error.facts()["rule"]), (Code::RuleRefused, &"beer-wine-16".into()));
    set(&terminal, &rules(&[AGES]));
    terminal.override_price(sale, 1, price, reason, None).unwrap();
    let hits: Vec<Vec<RuleHit>> = facts(&terminal)
        .into_iter()
        .filter_map(|fact| match fact {
            Fact::QuantitySet(fact) => Some(fact.rules),
            Fact::PriceOverridden(fact) => Some(fact.rules),
            _ => None,
        })
        .collect();
    let other = RuleHit { table: 0, row: 8 };
    assert_eq!(hits, [vec![other.clone(), RuleHit { table: 1, row: 5 }], vec![other]]);
    sound(&reopened(terminal, &root));
}

#[test]
fn only_what_a_table_asks_for_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let said = |terminal: &Terminal| {
        let sale = begin(terminal);
        let mut attributes = aged(40).to_vec();
        attributes.push(Attribute { name: "loyaltyNumber", value: Given::Text("4711") });
        terminal.add_line(sale, &wine(&attributes), None).unwrap();
        let added = facts(terminal).into_iter().rev().find_map(|fact| match fact {
            Fact::LineAdded(fact) => Some((fact.class, fact.attributes)),
            _ => None,
        });
        terminal.void_sale(sale, "over", None).unwrap();
        let (class, attributes) = added.unwrap();
        (class, attributes.into_iter().map(|said| said.name).collect::<Vec<_>>())
    };
    assert_eq!(said(&terminal), (None, vec![]));
    set(&terminal, &rules(&[APPROVALS]));
    assert_eq!(said(&terminal), (None, vec![]));
    set(&terminal, &rules(&[AGES]));
    let asked = vec!["ageChecked".to_owned(), "buyerAge".to_owned()];
    assert_eq!(said(&terminal), (Some("wine".to_owned()), asked));
    let sale = begin(&terminal);
    let class = "x".repeat(3000);
    let long = LineInput { class: Some(&class), ..line("A", "1", "1") };
    let error = terminal.add_line(sale, &long, None).unwrap_err();
    assert_eq!((error.code(), &error.facts()["limit"]), (Code::Limit, &2048.into()));
}

#[test]
fn the_audit_judges_again() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    set(&terminal, &rules(&[AGES, APPROVALS, TENDERS, SALES]));
    let sale = begin(&terminal);
    let adult = aged(40);
    terminal.add_line(sale, &wine(&adult), None).unwrap();
    let allowed = Reason { text: "more", approval: Some(approve(&terminal, "bulk")) };
    terminal.set_quantity(sale, 1, Decimal::whole(100), allowed, None).unwrap();
    let price = (Decimal::whole(700), Decimal::whole(1));
    let allowed = Reason { text: "offer", approval: Some(approve(&terminal, "bulk")) };
    terminal.override_price(sale, 1, price, allowed, None).unwrap();
    terminal.tender(sale, &cash(70_000), None).unwrap();
    terminal.complete(sale, None).unwrap();
    sound(&terminal);
    let mut facts = Vec::new();
    let last = terminal.status().unwrap().position.sequence;
    let each = |recorded: Recorded| facts.push((recorded.sequence, recorded.fact));
    terminal.history().each(1, last, each).unwrap();
    assert_eq!(refused(&facts), None);
    let mut forged = 0;
    for (index, (_, fact)) in facts.iter().enumerate() {
        for other in forgeries(fact) {
            let mut facts = facts[..=index].to_vec();
            facts[index].1 = other;
            let (at, found) = refused(&facts).expect("a forgery is found");
            assert_eq!(at, index, "{:?}: {found}", facts[index]);
            forged += 1;
        }
    }
    assert_eq!(forged, 16);
}

/// The fact at which a fold of these ends, and why.
fn refused(facts: &[(u64, Fact)]) -> Option<(usize, String)> {
    let mut till = Till::new(2048);
    facts.iter().enumerate().find_map(|(index, (sequence, fact))| {
        let applied = till.apply(fact, &body_of(fact), *sequence, 0, Check::Replay);
        applied.err().map(|found| (index, found.0))
    })
}

/// The same fact with a row that is missing, another one, one more, and what would have been refused.
fn forgeries(fact: &Fact) -> Vec<Fact> {
    let with = |rules: &[RuleHit], put: &dyn Fn(Vec<RuleHit>) -> Fact| {
        let mut other = rules.to_vec();
        other[0].row = if other[0].row == 0 { 1 } else { 0 };
        let more = [rules, &[RuleHit { table: 9, row: 0 }]].concat();
        [rules[1..].to_vec(), other, more].map(put).to_vec()
    };
    match fact {
        Fact::LineAdded(fact) => {
            let mut all = with(&fact.rules, &|rules| LineAdded { rules, ..fact.clone() }.into());
            let mut young = fact.clone();
            young.attributes[1].number = Some(Decimal::whole(15));
            all.push(young.clone().into());
            // With the row that refuses: what is refused is no fact.
            young.rules[0].row = 3;
            all.push(young.into());
            all
        }
        Fact::QuantitySet(fact) => {
            let mut all = with(&fact.rules, &|rules| QuantitySet { rules, ..fact.clone() }.into());
            all.push(QuantitySet { approval: None, ..fact.clone() }.into());
            all
        }
        Fact::PriceOverridden(fact) => {
            let rules = |rules| PriceOverridden { rules, ..fact.clone() }.into();
            let mut all = with(&fact.rules, &rules);
            all.push(PriceOverridden { approval: None, ..fact.clone() }.into());
            all
        }
        Fact::TenderAdded(fact) => {
            with(&fact.rules, &|rules| TenderAdded { rules, ..fact.clone() }.into())
        }
        _ => Vec::new(),
    }
}

#[test]
fn a_sale_in_one_call_signs_its_facts_and_uses_up_its_approvals() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    set(&terminal, &rules(&[APPROVALS, TENDERS]));
    terminal.sign_on("anna", None).unwrap();
    let approval = Some(approve(&terminal, "bulk"));
    let discount = Adjustment { direction: Direction::Discount, worth: Worth::Amount(10) };
    let adjustments = [(discount, "friend")];
    let bulk = LineInput { adjustments: &adjustments, approval, ..line("A", "150", "10") };
    let twice = [bulk, bulk];
    let error = terminal.sell(&sold(None, &twice, &[cash(2980)]), None).unwrap_err();
    assert_eq!(error.code(), Code::ApprovalUsed);
    let receipt = terminal.sell(&sold(None, &[bulk], &[cash(1490)]), None).unwrap();
    assert_eq!(terminal.settle(receipt).unwrap().gross, 1490);
    let error = terminal.sell(&sold(None, &[bulk], &[cash(1490)]), None).unwrap_err();
    assert_eq!(error.code(), Code::ApprovalUsed);
    let again = reopened(terminal, &root);
    assert_eq!(again.till().unwrap().people.approvals.len(), 0);
}

#[test]
fn rules_that_no_checkpoint_could_carry_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let mut table = String::from(
        "table,t,hit,first,at,line\nrule,sku,decision,message\n,when text,then text allow|refuse,then text\n",
    );
    for row in 0..200 {
        table.push_str(&format!(",sku {row},refuse,{}\n", "x".repeat(200)));
    }
    table.push_str(",,allow,\n");
    let error = terminal.set_rules(&rules(&[&table]), None).unwrap_err();
    assert_eq!((error.code(), &error.facts()["limit"]), (Code::Limit, &(16 << 10).into()));
    assert_eq!(terminal.rules().unwrap(), None);
}
