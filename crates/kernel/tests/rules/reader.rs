//! What the reader refuses, and where it says the mistake is.

use pos_kernel_core::Code;
use pos_kernel_core::rules::Table;

const HEAD: &str = "table,t,hit,first\nrule,c,n,s,r\n,when text a|b,when integer 0..9,when set x|y,then text p|q\n";

fn refused(text: &str) -> pos_kernel_core::Error {
    let error = Table::read(text).unwrap_err();
    assert!(matches!(error.code(), Code::BadRules | Code::Limit), "{error}");
    error
}

#[test]
fn a_cell_of_csv_is_named_by_line_and_column() {
    let cases = [
        ("1,c,,,p", 2, "\"c\" is not one of a, b"),
        ("1,a|a,,,p", 2, "stands twice in the cell"),
        ("1,!a|b,,,p", 2, "excludes every value"),
        ("1,a|,,,p", 2, "a value is empty"),
        ("1,,12,,p", 3, "12 is outside 0 to 9"),
        ("1,,1.5,,p", 3, "\"1.5\" is not a whole number"),
        ("1,,x..4,,p", 3, "\"x\" is not a whole number"),
        ("1,,5..3,,p", 3, "has no number in it"),
        ("1,,1..5|4..6,,p", 3, "the alternatives 1..5 and 4..6 overlap"),
        ("1,,..,,p", 3, "names no number"),
        ("1,,<0,,p", 3, "has no number in it"),
        ("1,,!0..9,,p", 3, "excludes every value"),
        ("1,,,z,p", 4, "\"z\" is not one of x, y"),
        ("1,,,x & !x,p", 4, "stands twice in the cell"),
        ("1,,,,s", 5, "\"s\" is not one of p, q"),
        ("1,,,,", 5, "is not one of"),
    ];
    for (row, field, says) in cases {
        let error = refused(&format!("{HEAD}0,,,,p\n{row}\n"));
        assert!(error.message().contains(says), "{row}: {error}");
        assert_eq!(
            (&error.facts()["line"], &error.facts()["field"]),
            (&5.into(), &field.into()),
            "{row}"
        );
        assert_eq!(error.facts()["row"], 2, "{row}");
    }
}

#[test]
fn the_shape_of_csv_is_strict() {
    let cases = [
        ("", "a line of keys"),
        ("table,t\n", "a line of keys"),
        ("table,t,hit,first\nrule,c,r\n,when bool,then bool\n", "it has no row"),
        ("table,t,hit,best\nrule,c,r\n,when bool,then bool\n", "give one of first, unique"),
        ("table,t,hit,first,at,door\nrule,c,r\n,,\n1,,\n", "give one of line, tender, sale"),
        ("table,t,hit,first,hit,any\nrule,c,r\n,,\n1,,\n", "stands twice"),
        ("table,t,hits,first\nrule,c,r\n,,\n1,,\n", "\"hits\" is not one of"),
        ("table,t\nrule,c,r\n,when bool,then bool\n1,,true\n", "the key \"hit\" is missing"),
        ("table,t,hit,first\nid,c,r\n,when bool,then bool\n1,,true\n", "not \"rule\""),
        ("table,t,hit,first\nrule,c,r\n,if bool,then bool\n1,,true\n", "not with when or then"),
        (
            "table,t,hit,first\nrule,c,r\n,when boolean,then bool\n1,,true\n",
            "\"boolean\" is not one of",
        ),
        (
            "table,t,hit,first\nrule,c,r\n,when bool,then decimal\n1,,true\n",
            "\"decimal\" of a result",
        ),
        ("table,t,hit,first\nrule,c,c\n,when bool,then bool\n1,,true\n", "the column stands twice"),
        ("table,t,hit,first\nrule,c,r\n,when bool,when bool\n1,,true\n", "no result column"),
        ("table,t,hit,first\nrule,c,r\n,then bool,then bool\n1,true,true\n", "no condition column"),
        (
            "table,t,hit,first\nrule,c,r\n,when bool a|b,then bool\n1,,true\n",
            "has no list of values",
        ),
        (
            "table,t,hit,first\nrule,c,r\n,when integer 9..0,then bool\n1,,true\n",
            "has no number in it",
        ),
        ("table,t,hit,first\nrule,c,r\n,when integer 9,then bool\n1,,true\n", "is not like 0..120"),
        (
            "table,t,hit,first\nrule,c,r\n,when integer = x,then bool\n1,,true\n",
            "\"x\" is not a whole",
        ),
        (
            "table,t,hit,first\nrule,c,r\n,when text a|b|a,then bool\n1,,true\n",
            "\"a\" is listed twice",
        ),
        ("table,t,hit,first\nrule,c,r\n,when text a|any,then bool\n1,,true\n", "cannot be a value"),
        (
            "table,t,hit,first\nrule,c,r\n,when set,then bool\n1,,true\n",
            "needs the list of its values",
        ),
        ("table,t,hit,priority\nrule,c,r\n,when bool,then bool\n1,,true\n", "lists its values"),
        (
            "table,t,hit,first\nrule,c,r\n,when bool,then bool\n1,true\n",
            "the line has 2 fields, not 3",
        ),
        ("table,t,hit,first\nrule,c,r\n,when bool,then bool\n1,\"true,false\n", "never closed"),
        (
            "table,t,hit,first\nrule,c,r\n,when bool,then bool\n1,tr\"ue,true\n",
            "begins without one",
        ),
        (
            "table,t,hit,first\nrule,c,r\n,when bool,then bool\n1,\"true\"x,true\n",
            "behind the closing",
        ),
        (
            "table,t,hit,first\nrule,c,r\n,when bool,then bool\n1,,true\n1,true,false\n",
            "\"1\" stands twice",
        ),
        (
            "table,t,hit,first\nrule,c,r\n,when bool,then integer\n1,,1.5\n",
            "\"1.5\" is not a whole number",
        ),
    ];
    for (text, says) in cases {
        let error = refused(text);
        assert!(error.message().contains(says), "{text}: {error}");
    }
    let error = refused(
        "table,t,hit,first\nrule,c,r\n,when bool,then bool\n\n1,\"two\nlines\",true\n2,\"open,true\n",
    );
    assert_eq!(error.facts()["line"], 7, "{error}");
}

#[test]
fn the_shape_of_json_is_strict() {
    let whole = r#"{"table":"t","hit":"first","columns":[{"name":"c","type":"bool"}],"results":[{"name":"r","type":"bool"}],"rows":[{"then":{"r":true}}]}"#;
    Table::read(whole).unwrap();
    let cases = [
        (whole.replace("\"hit\":\"first\",", ""), "the key \"hit\" is missing"),
        (whole.replace("\"hit\"", "\"hits\""), "the key \"hit\" is missing"),
        (whole.replace("\"table\"", "\"extra\":1,\"table\""), "unknown key \"extra\""),
        (
            whole.replace("{\"then\"", "{\"if\":{},\"then\""),
            "row 1: a row has the unknown key \"if\"",
        ),
        (
            whole.replace("{\"then\"", "{\"when\":{\"d\":true},\"then\""),
            "row 1, column d: \"when\" names no such column",
        ),
        (
            whole.replace("{\"then\"", "{\"when\":{\"c\":\"yes\"},\"then\""),
            "row 1, column c: \"yes\" is not true or false",
        ),
        (
            whole.replace("{\"then\"", "{\"when\":{\"c\":true,\"c\":false},\"then\""),
            "the key \"c\" stands twice",
        ),
        (whole.replace("true", "1.5"), "write a decimal as a text"),
        (whole.replace("{\"r\":true}", "{}"), "row 1, column r: the row gives no result"),
        (
            whole.replace("\"bool\"}],\"results\"", "\"bool\",\"values\":[\"a\"]}],\"results\""),
            "column c: a column of type bool",
        ),
        (whole.replace("[{\"then\"", "[7,{\"then\""), "row 1: a row is a number, not an object"),
        (whole.replace("}]}", "}]"), "line 1, column"),
        (whole.replace("\"t\"", "\"\""), "the name of the table is empty"),
        (whole.replace("\"t\"", "\" t\""), "a blank at an end"),
    ];
    for (text, says) in cases {
        let error = refused(&text);
        assert!(error.message().contains(says), "{text}: {error}");
    }
}

#[test]
fn limits_have_names_and_places() {
    let rows: String = (0..2049).map(|row| format!("{row},,,,p\n")).collect();
    let error = refused(&format!("{HEAD}{rows}"));
    assert_eq!((error.code(), &error.facts()["limit"]), (Code::Limit, &2048.into()));

    let columns: String = (0..33).map(|index| format!(",c{index}")).collect();
    let types = ",when bool".repeat(33);
    let cells = ",".repeat(33);
    let text = format!("table,t,hit,first\nrule{columns},r\n{types},then bool\n1{cells},true\n");
    assert_eq!(refused(&text).facts()["what"], "condition columns: 33 is over the limit of 32");

    let mut text = String::from("table,t,hit,first\nrule,n,r\n,when integer,then bool\n");
    for row in 0..300 {
        text.push_str(&format!(",{},true\n", row * 3));
    }
    let error = refused(&text);
    assert_eq!((error.code(), &error.facts()["column"]), (Code::Limit, &"n".into()));

    let values: Vec<String> = (0..257).map(|index| format!("v{index}")).collect();
    let text = format!(
        "table,t,hit,first\nrule,n,r\n,when text {},then bool\n1,,true\n",
        values.join("|")
    );
    assert_eq!(refused(&text).code(), Code::Limit);

    let mut text = String::from("table,t,hit,first\nrule,n,r\n,when bool,then integer\n");
    for row in 0..257 {
        text.push_str(&format!(",,{row}\n"));
    }
    assert_eq!(refused(&text).code(), Code::Limit);
    assert_eq!(refused(&" ".repeat((1 << 20) + 1)).code(), Code::Limit);
}

#[test]
fn nothing_makes_the_reader_panic() {
    let sources = [
        include_str!("../../../../examples/rules/age-limits.csv"),
        include_str!("../../../../examples/rules/tender-limits.json"),
    ];
    let mut chance = crate::random::Chance(5);
    for source in sources {
        for _ in 0..4_000 {
            let mut text: Vec<char> = source.chars().collect();
            for _ in 0..1 + chance.below(4) {
                let at = chance.index(text.len());
                let marks =
                    ['"', ',', '\n', '\r', '|', '!', '.', '9', '-', '{', '}', 'é', '<', '='];
                match chance.below(3) {
                    0 => text[at] = marks[chance.index(marks.len())],
                    1 => text.insert(at, marks[chance.index(marks.len())]),
                    _ => text.truncate(at + 1),
                }
            }
            let text: String = text.into_iter().collect();
            if let Ok(table) = Table::read(&text) {
                assert_eq!(Table::decode(&table.encode()).unwrap(), table);
            }
        }
    }
}

#[test]
fn a_spreadsheet_file_with_its_mark_and_its_line_ends_is_read() {
    let unix = format!("{HEAD}1,a,<4,x & !y,p\n2,,,,q\n");
    let windows = format!("\u{feff}{}", unix.replace('\n', "\r\n"));
    assert_eq!(Table::read(&unix).unwrap(), Table::read(&windows).unwrap());
    let padded = unix.replace("2,,,,q\n", "2,,,,q\n,,,,\n");
    assert_eq!(Table::read(&unix).unwrap(), Table::read(&padded).unwrap());
}
