//! Compiled rules answer what the table says, row for row, for every hit policy.

use crate::model;
use crate::random::{self, Chance};
use pos_kernel_core::rules::Rules;

const TABLES: u64 = 60;
const INPUTS: usize = 400;

fn hold(hit: &str, agreeing: bool) -> usize {
    let mut compared = 0;
    for seed in 0..TABLES {
        let mut chance = Chance(seed * 7919 + hit.len() as u64);
        let rows = 1 + chance.index(24);
        let table = random::table(&mut chance, hit, rows, agreeing);
        let rules = Rules::compile(table).unwrap();
        if rules.report().contradictions.count > 0 {
            let point = model::point(&rules, &random::input(&mut chance, rules.table()));
            assert!(rules.evaluate(&point).is_err());
            continue;
        }
        for _ in 0..INPUTS {
            let input = random::input(&mut chance, rules.table());
            model::agrees(&rules, &input);
            compared += 1;
        }
    }
    compared
}

// Together 100,000 inputs and more.

#[test]
fn first() {
    assert_eq!(hold("first", false), 24_000);
}

#[test]
fn priority() {
    assert_eq!(hold("priority", false), 24_000);
}

#[test]
fn collect() {
    assert_eq!(hold("collect", false), 24_000);
}

#[test]
fn any() {
    assert_eq!(hold("any", true), 24_000);
    assert!(hold("any", false) >= 400, "some tables by chance do not contradict themselves");
}

#[test]
fn unique() {
    // A table by chance with its meeting rows taken away.
    let mut compared = 0;
    for seed in 0..TABLES {
        let mut chance = Chance(seed + 1_000_000);
        let first = random::table(&mut chance, "first", 20, false);
        let mut text = String::from("table,apart,hit,unique\nrule,n,t,s,r\n");
        text.push_str(",when integer -50..50,when text,when set u|v,then text\n");
        // Apart by ranges that follow each other; in each, by text.
        let mut from = -50;
        for row in 0..first.rows().len() {
            let to = from + i64::try_from(chance.below(6)).unwrap();
            for (t, s) in [("a", ""), ("!a|b", "u & !v"), ("!a|b", "!u")] {
                if chance.below(5) > 0 {
                    text.push_str(&format!(",{from}..{to},{t},{s},r{}\n", row % 4));
                }
            }
            from = to + 1 + i64::try_from(chance.below(2)).unwrap();
            if from > 44 {
                break;
            }
        }
        let rules = Rules::compile(pos_kernel_core::rules::Table::read(&text).unwrap()).unwrap();
        assert_eq!(rules.report().contradictions.count, 0, "{text}");
        for _ in 0..INPUTS {
            let input = random::input(&mut chance, rules.table());
            model::agrees(&rules, &input);
            compared += 1;
        }
    }
    assert_eq!(compared, 24_000);
}

/// Long lists, whose gaps and products grow on the grid.
#[test]
fn a_long_table_answers_what_its_rows_say() {
    for (index, hit) in ["first", "priority", "collect", "any"].iter().enumerate() {
        let mut chance = Chance(index as u64);
        let table = random::table(&mut chance, hit, 270, *hit == "any");
        let rules = Rules::compile(table).unwrap();
        for _ in 0..200 {
            let input = random::input(&mut chance, rules.table());
            model::agrees(&rules, &input);
        }
    }
}
