//! Sales under rules, on a real folder: what is refused changes nothing, what is approved is taken, and
//! the journal holds the tables and the rows that spoke.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use pos_kernel_core::journal::{Fact, RuleHit, TenderKind, verify_terminal};
use pos_kernel_core::pricing::{Adjustment, Direction, Worth};
use pos_kernel_core::rules::{Attribute, Given, RuleSet, Rules, Table};
use pos_kernel_core::sale::{LineInput, TenderInput};
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

#[test]
fn a_table_about_whole_sales_is_not_for_a_terminal() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(&root);
    let table = "table,t,hit,first,at,sale\nrule,total,decision\n,when integer,then text allow|refuse\n,,allow\n";
    let error = terminal.set_rules(&rules(&[table]), None).unwrap_err();
    assert_eq!(error.code(), Code::BadRules);
    assert_eq!(terminal.rules().unwrap(), None);
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
