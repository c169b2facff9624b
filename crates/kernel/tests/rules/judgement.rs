//! What a till asks: lines, tenders and sales before the tables of a set.

use pos_kernel_core::Code;
use pos_kernel_core::money::Decimal;
use pos_kernel_core::rules::{
    Attribute, Decision, Fact, Given, LineFacts, RuleSet, Rules, SaleFacts, Table, TenderFacts,
};

fn compiled(text: &str) -> Rules {
    Rules::compile(Table::read(text).unwrap()).unwrap()
}

fn shop() -> RuleSet {
    RuleSet::new(vec![
        compiled(include_str!("../../../../examples/rules/age-limits.csv")),
        compiled(include_str!("../../../../examples/rules/approvals.csv")),
        compiled(include_str!("../../../../examples/rules/tender-limits.json")),
    ])
    .unwrap()
}

fn line<'a>(class: &'a str, quantity: i64, attributes: &'a [Attribute<'a>]) -> Fact<'a> {
    Fact::Line(LineFacts {
        sku: "4711",
        class: Some(class),
        quantity: Decimal::whole(quantity),
        unit_price: Decimal::whole(500),
        amount: quantity * 500,
        attributes,
    })
}

fn attribute<'a>(name: &'a str, value: Given<'a>) -> Attribute<'a> {
    Attribute { name, value }
}

#[test]
fn the_strictest_table_decides_and_every_table_that_spoke_is_a_hit() {
    let set = shop();
    let checked =
        [attribute("ageChecked", Given::Bool(true)), attribute("buyerAge", Given::Integer(17))];
    let judgement = set.judge(&line("spirits", 200, &checked)).unwrap();
    assert_eq!(judgement.decision(), Decision::Refuse);
    let rule = |hit| set.rule(hit);
    assert_eq!(judgement.deciding().map(rule), Some(("age limits", "spirits-18")));
    let hits: Vec<_> = judgement.hits().iter().map(|&hit| rule(hit)).collect();
    assert_eq!(hits, [("age limits", "spirits-18"), ("approvals", "bulk")]);
    assert_eq!(set.message(judgement.deciding().unwrap()), Some("Spirits from 18"));

    let judgement = set.judge(&line("bread", 100, &[])).unwrap();
    assert_eq!(judgement.decision(), Decision::Approve);
    assert_eq!(judgement.deciding().map(rule), Some(("approvals", "bulk")));

    let judgement = set.judge(&line("bread", 1, &[])).unwrap();
    assert_eq!(judgement.decision(), Decision::Allow);
    assert_eq!(judgement.hits().len(), 1);
    assert_eq!(set.message(judgement.hits()[0]), None);
}

#[test]
fn the_strictest_answer_of_a_collecting_table_decides() {
    let set = shop();
    let discount = [attribute("discountPercent", Given::Decimal(Decimal::new(501, 1).unwrap()))];
    let judgement = set.judge(&line("bread", 150, &discount)).unwrap();
    assert_eq!(set.rule(judgement.deciding().unwrap()), ("approvals", "discount-50"));
    assert_eq!(judgement.decision(), Decision::Refuse);
}

#[test]
fn a_tender_is_judged_by_its_own_tables() {
    let set = shop();
    let basket =
        [attribute("voucher", Given::Text("meal")), attribute("basket", Given::Set(&["tobacco"]))];
    let tender =
        TenderFacts { kind: "voucher", amount: 700, due: 700, total: 700, attributes: &basket };
    let judgement = set.judge(&Fact::Tender(tender)).unwrap();
    assert_eq!(set.rule(judgement.deciding().unwrap()), ("tender limits", "meal-no-food"));
    let sale = SaleFacts { total: 700, lines: 1, attributes: &[] };
    let judgement = set.judge(&Fact::Sale(sale)).unwrap();
    assert_eq!((judgement.decision(), judgement.hits().len()), (Decision::Allow, 0));
}

#[test]
fn a_set_is_bytes_and_back_and_judges_the_same() {
    let set = shop();
    let bytes = set.encode();
    let again = RuleSet::decode(&bytes).unwrap();
    assert_eq!(again.encode(), bytes);
    assert_eq!(again.hash(), set.hash());
    let fact = line("wine", 3, &[]);
    assert_eq!(again.judge(&fact).unwrap(), set.judge(&fact).unwrap());
    assert_eq!(RuleSet::decode(&RuleSet::default().encode()).unwrap().tables().count(), 0);
    for index in 0..60 {
        for byte in [0, 0xff, bytes[index] ^ 1] {
            let mut bytes = bytes.clone();
            bytes[index] = byte;
            if let Ok(other) = RuleSet::decode(&bytes) {
                assert_eq!(other.encode(), bytes);
            }
        }
    }
}

#[test]
fn what_is_missing_or_out_of_range_is_refused_by_name() {
    let set = RuleSet::new(vec![compiled(
        "table,t,hit,first,at,line\nrule,age,decision\n,when integer 0..150,then text allow|refuse\n,,allow\n",
    )])
    .unwrap();
    let error = set.judge(&line("x", 1, &[])).unwrap_err();
    assert_eq!((error.code(), &error.facts()["argument"]), (Code::BadArgument, &"age".into()));
    let old = [attribute("age", Given::Integer(151))];
    assert!(set.judge(&line("x", 1, &old)).unwrap_err().message().contains("outside 0 to 150"));
    let wrong = [attribute("age", Given::Text("old"))];
    assert_eq!(set.judge(&line("x", 1, &wrong)).unwrap_err().code(), Code::BadArgument);
}

#[test]
fn quantities_beyond_every_column_are_judged_too() {
    let set = shop();
    let Fact::Line(mut facts) = line("bread", 1, &[]) else { unreachable!() };
    facts.quantity = Decimal::whole(i64::MAX);
    let judgement = set.judge(&Fact::Line(facts)).unwrap();
    assert_eq!(set.rule(judgement.deciding().unwrap()), ("approvals", "typing-error"));
}

#[test]
fn a_table_that_a_till_cannot_ask_is_refused() {
    let cases = [
        ("table,t,hit,first\nrule,n,decision\n,when bool,then text allow\n,,allow\n", "\"at\""),
        (
            "table,t,hit,first,at,line\nrule,n,verdict\n,when bool,then text allow\n,,allow\n",
            "\"decision\"",
        ),
        (
            "table,t,hit,first,at,line\nrule,n,decision\n,when bool,then text allow|deny\n,,deny\n",
            "other than",
        ),
        (
            "table,t,hit,first,at,line\nrule,n,decision\n,when bool,then text\n,,allow\n",
            "other than",
        ),
        (
            "table,t,hit,first,at,line\nrule,n,decision\n,when bool,then text allow\n,true,allow\n",
            "n false",
        ),
        (
            "table,t,hit,unique,at,line\nrule,n,decision\n,when bool,then text allow\na,,allow\nb,true,allow\n",
            "a and b",
        ),
        (
            "table,t,hit,first,at,line\nrule,quantity,decision\n,when integer,then text allow\n,,allow\n",
            "type decimal",
        ),
        (
            "table,t,hit,first,at,tender\nrule,amount,decision\n,when integer 0..9,then text allow\n,,allow\n",
            "no range",
        ),
        (
            "table,t,hit,first,at,line\nrule,n,decision,message\n,when bool,then text allow,then bool\n,,allow,true\n",
            "message",
        ),
    ];
    for (text, says) in cases {
        let error = RuleSet::new(vec![compiled(text)]).unwrap_err();
        assert_eq!(error.code(), Code::BadRules, "{text}");
        assert!(error.message().contains(says), "{}", error.message());
    }
    let same = || compiled(include_str!("../../../../examples/rules/approvals.csv"));
    assert_eq!(RuleSet::new(vec![same(), same()]).unwrap_err().code(), Code::BadRules);
}
