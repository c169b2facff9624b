//! The shipped tables: compiled, held against the model, explained.

use crate::model;
use crate::random::{self, Chance};
use pos_kernel_core::rules::{Rules, Table};
use serde_json::{Value, json};

fn shipped(text: &str) -> Rules {
    let rules = Rules::compile(Table::read(text).unwrap()).unwrap();
    assert!(rules.is_clean(), "{}", rules.show_report());
    let mut chance = Chance(1);
    for _ in 0..2_000 {
        let input = random::input(&mut chance, rules.table());
        model::agrees(&rules, &input);
    }
    rules
}

fn explained(rules: &Rules, input: &Value) -> Value {
    rules.show_explanation(&rules.point_of(input.as_object().unwrap()).unwrap()).unwrap()
}

#[test]
fn age_limits() {
    let rules = shipped(include_str!("../../../../examples/rules/age-limits.csv"));
    let input = json!({"class": "wine", "abv": "12.5", "buyerAge": 15, "ageChecked": true});
    assert_eq!(
        explained(&rules, &input),
        json!({
            "answers": [{
                "answer": {"decision": "refuse", "message": "Beer and wine from 16"},
                "rows": ["beer-wine-16"],
            }],
            "applying": ["beer-wine-16", "otherwise"],
        })
    );
    let input = json!({"class": "wine", "abv": "15.5", "buyerAge": 17, "ageChecked": true});
    assert_eq!(explained(&rules, &input)["answers"][0]["rows"], json!(["strong-18"]));
    let bread = json!({"class": "bread"});
    assert_eq!(explained(&rules, &bread)["answers"][0]["rows"], json!(["otherwise"]));
}

#[test]
fn tender_limits() {
    let rules = shipped(include_str!("../../../../examples/rules/tender-limits.json"));
    let input = json!({"kind": "voucher", "voucher": "meal", "amount": 900, "basket": ["food", "alcohol"], "exceedsFood": true});
    let explained_input = explained(&rules, &input);
    assert_eq!(explained_input["answers"][0]["rows"], json!(["meal-food-only"]));
    assert_eq!(explained_input["applying"], json!(["meal-food-only", "otherwise"]));
    let input = json!({"kind": "cash", "amount": 150_000});
    assert_eq!(explained(&rules, &input)["answers"][0]["answer"]["decision"], "approve");
}

#[test]
fn approvals() {
    let rules = shipped(include_str!("../../../../examples/rules/approvals.csv"));
    let input = json!({"quantity": "20000", "amount": 99, "isOverride": true});
    let answers = explained(&rules, &input)["answers"].as_array().unwrap().len();
    assert_eq!(answers, 3, "the price, the quantity and the typing error");
    let plain = json!({"quantity": 1, "amount": 99});
    assert_eq!(explained(&rules, &plain)["answers"], json!([]));
}

#[test]
fn tax_class() {
    let rules = shipped(include_str!("../../../../examples/rules/tax-class.json"));
    assert_eq!(rules.report().gaps.count, 0);
    let input = json!({"goods": "milk drink", "eatIn": true});
    assert_eq!(
        explained(&rules, &input)["answers"],
        json!([{"answer": {"class": "standard", "note": ""}, "rows": ["eat-in"]}])
    );
}
