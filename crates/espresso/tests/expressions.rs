//! Boolean expressions: what they mean, what they print, and what is wrong with a bad one.

use pos_kernel_espresso::{Expression, ExpressionProblem, Mode};
use proptest::prelude::*;

fn parse(text: &str) -> Expression {
    Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn operators_bind_as_documented() {
    for (text, same) in [
        ("a | b & c", "a | (b & c)"),
        ("a ^ b | c", "(a ^ b) | c"),
        ("a & b ^ c", "(a & b) ^ c"),
        ("!a & b", "(!a) & b"),
        ("a' * b + c", "((!a) && b) || c"),
        ("~~a''", "a"),
    ] {
        assert_eq!(parse(text).to_string(), parse(same).to_string(), "{text}");
    }
    assert_eq!(parse("a & (b | c) & !(d ^ e)").to_string(), "a & (b | c) & !(d ^ e)");
}

#[test]
fn known_functions_come_out_in_their_smallest_form() {
    for (text, minimal) in [
        ("a & b | a & !b", "a"),
        ("a | !a", "1"),
        ("a & !a", "0"),
        ("a & b | !a & c | b & c", "a & b | !a & c"),
        ("member & (coupon | !coupon) & !(staff & !staff)", "member"),
    ] {
        assert_eq!(parse(text).minimize().expect("small").to_string(), minimal, "{text}");
    }
    let odd = parse("a ^ b ^ c ^ d").minimize_with(|m| m.mode(Mode::Exact)).expect("small");
    assert_eq!((odd.cost.products, odd.cost.inputs, odd.proved), (8, 32, true));
}

#[test]
fn a_bad_expression_says_where() {
    use ExpressionProblem::*;
    for (text, column, problem) in [
        ("", 1, Ended),
        ("a &", 4, Ended),
        ("a b", 3, Unexpected { found: 'b' }),
        ("a | é", 5, Unexpected { found: 'é' }),
        ("a | | b", 5, Unexpected { found: '|' }),
        ("(a | (b", 8, NotClosed { opened: 6 }),
        ("a)", 2, Unexpected { found: ')' }),
        ("(a 1)", 4, Unexpected { found: '1' }),
    ] {
        let error = Expression::parse(text).expect_err(text);
        assert_eq!((error.column, error.problem), (column, problem), "{text}");
    }
    let deep = "(".repeat(1000) + "a" + &")".repeat(1000);
    let error = Expression::parse(&deep).expect_err("deep");
    assert_eq!(error.problem, TooDeep { limit: 128 });
    assert_eq!(parse(&("!".repeat(100_001) + "a")).to_string(), "!a");
    let error = Expression::parse(&"a|".repeat(600_000)).expect_err("long");
    assert!(matches!(error.problem, TooLong { .. }));
}

fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => (0u8..6).prop_map(|v| char::from(b'a' + v).to_string()),
        1 => prop_oneof![Just("0".to_owned()), Just("1".to_owned())],
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|e| format!("!({e})")),
            (prop::collection::vec(inner, 2..4), prop::sample::select(vec![" & ", "|", " ^ "]))
                .prop_map(|(parts, join)| format!("({})", parts.join(join))),
        ]
    })
}

proptest! {
    #[test]
    fn minimised_and_printed_expressions_mean_the_same(text in expressions()) {
        let given = parse(&text);
        let printed = parse(&given.to_string());
        let minimal = given.minimize().expect("small");
        let count = given.names().len();
        for point in 0u32..1 << count {
            let value = |name: &String| {
                let at = given.names().iter().position(|n| n == name).expect("a known name");
                point >> at & 1 == 1
            };
            let expected = given.evaluate(&given.names().iter().map(value).collect::<Vec<_>>());
            for other in [&printed, &minimal] {
                let values: Vec<bool> = other.names().iter().map(value).collect();
                prop_assert_eq!(other.evaluate(&values), expected, "{} at {:b}", other, point);
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,60}") {
        if let Ok(expression) = Expression::parse(&text) {
            prop_assert_eq!(parse(&expression.to_string()).to_string(), expression.to_string());
        }
    }
}
