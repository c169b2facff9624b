//! Contradictions, gaps and shadowed rows: each is one, its example shows it, and none is missed.

use crate::model;
use crate::random::{self, Chance};
use pos_kernel_core::rules::{HitPolicy, Rules, Table};

fn compiled(text: &str) -> Rules {
    Rules::compile(Table::read(text).unwrap()).unwrap()
}

#[test]
fn every_finding_is_true_and_none_is_missed() {
    for (index, hit) in ["first", "unique", "any", "priority", "collect"].iter().enumerate() {
        for seed in 0..40 {
            let mut chance = Chance(seed * 31 + index as u64);
            let rows = 1 + chance.index(14);
            let rules = Rules::compile(random::table(&mut chance, hit, rows, false)).unwrap();
            check(&rules, &mut chance);
        }
    }
}

fn check(rules: &Rules, chance: &mut Chance) {
    let (table, report) = (rules.table(), rules.report());
    for found in &report.contradictions.shown {
        let input = model::input(table, &found.example);
        assert!(found.rows.iter().all(|&row| model::applies(table, row, &input)));
    }
    for gap in &report.gaps.shown {
        let input = model::input(table, &gap.example);
        assert!(model::within(table, &gap.when, &input));
        assert!(model::applying(table, &input).is_empty());
    }
    for found in &report.shadowed.shown {
        let input = model::input(table, &found.example);
        assert!(model::applies(table, found.row, &input));
        assert!(!found.by.is_empty());
        assert!(!found.by.contains(&found.row));
    }
    let is_shadowed = |row: usize| report.shadowed.shown.iter().any(|found| found.row == row);
    let all_gaps = report.gaps.count == report.gaps.shown.len();
    let mut decided = vec![false; table.rows().len()];
    for _ in 0..300 {
        let input = random::input(chance, table);
        let applying = model::applying(table, &input);
        let in_gap = report.gaps.shown.iter().any(|gap| model::within(table, &gap.when, &input));
        if all_gaps {
            assert_eq!(applying.is_empty(), in_gap);
        }
        if matches!(table.hit(), HitPolicy::Unique | HitPolicy::Any) {
            let differ = |a: usize, b: usize| {
                table.hit() == HitPolicy::Unique || table.rows()[a].then != table.rows()[b].then
            };
            for (index, &a) in applying.iter().enumerate() {
                for &b in applying[..index].iter().filter(|&&b| differ(a, b)) {
                    assert!(report.contradictions.count > 0);
                    let known =
                        report.contradictions.shown.iter().any(|found| found.rows == [b, a]);
                    assert!(known || report.contradictions.count > 100);
                }
            }
        }
        match table.hit() {
            HitPolicy::First | HitPolicy::Priority => {
                for row in model::deciding(table, &input) {
                    decided[row] = true;
                    assert!(!is_shadowed(row), "row {row} decides {input:?}");
                }
            }
            HitPolicy::Collect => {
                for &row in &applying {
                    let then = &table.rows()[row].then;
                    let alone = !applying
                        .iter()
                        .any(|&other| other < row && table.rows()[other].then == *then);
                    assert!(!(alone && is_shadowed(row)));
                }
            }
            _ => {}
        }
    }
    // Whoever is not shadowed decides somewhere; a shadowed row's place is taken by the rows named.
    for found in &report.shadowed.shown {
        assert!(!decided[found.row]);
    }
}

#[test]
fn a_contradiction_a_gap_and_a_shadowed_row_are_found_with_examples() {
    let rules = compiled(include_str!("../../../../examples/rules/broken.csv"));
    let shown = rules.show_report();
    assert_eq!(shown["ok"], false);
    assert_eq!(
        shown["contradictions"][0]["rows"],
        serde_json::json!(["wine-adult", "wine-senior"])
    );
    assert_eq!(
        shown["contradictions"][0]["example"],
        serde_json::json!({"class": "wine", "age": 60, "member": false})
    );
    assert_eq!(
        shown["gaps"],
        serde_json::json!([
            {"when": {"class": "beer", "age": "65.."}, "example": {"class": "beer", "age": 65, "member": false}},
            {"when": {"class": "wine|beer", "age": "..17"}, "example": {"class": "wine", "age": 0, "member": false}},
        ])
    );
    assert_eq!(shown["shadowed"][0]["row"], "food-member");
    assert_eq!(shown["shadowed"][0]["by"], serde_json::json!(["food"]));
    let point = rules
        .point_of(
            serde_json::json!({"class": "food", "age": 1, "member": true}).as_object().unwrap(),
        )
        .unwrap();
    let error = rules.evaluate(&point).unwrap_err();
    assert_eq!(error.code().name(), "PK_E_BAD_RULES");
    assert_eq!(error.facts()["rows"], serde_json::json!(["wine-adult", "wine-senior"]));
}

#[test]
fn a_row_behind_several_is_shadowed_by_those_that_are_needed() {
    let rules = compiled(
        "table,t,hit,first\nrule,n,b,r\n,when integer 0..9,when bool,then text\n\
         low,..4,,x\nnone,3,,y\nhigh,5..,true,x\nhigher,5..,false,z\nlast,2..7,,w\n",
    );
    let shadowed = &rules.report().shadowed.shown;
    let found: Vec<_> = shadowed.iter().map(|found| (found.row, found.by.clone())).collect();
    assert_eq!(found, [(1, vec![0]), (4, vec![0, 2, 3])]);
    assert!(!rules.is_clean());
}

#[test]
fn gaps_may_be_allowed() {
    let text = "rule,n,r\n,when integer 0..9,then text\n1,..4,x\n";
    let refused = compiled(&format!("table,t,hit,first\n{text}"));
    assert!(!refused.is_clean());
    let allowed = compiled(&format!("table,t,hit,first,gaps,allowed\n{text}"));
    assert!(allowed.is_clean());
    assert_eq!(allowed.report().gaps.count, 1);
    assert_ne!(refused.hash(), allowed.hash());
    let collect = compiled(&format!("table,t,hit,collect\n{text}"));
    assert!(collect.is_clean());
}

#[test]
fn a_row_that_says_everything_is_one_product() {
    let rules = compiled("table,t,hit,first\nrule,n,r\n,when integer,then text\n1,,x\n");
    assert_eq!((rules.report().products, rules.report().gaps.count), (1, 0));
    assert!(rules.is_clean());
}
