//! Tables and inputs by chance, repeatable from a seed.

use crate::model::Value;
use pos_kernel_core::rules::{Cell, Domain, Table};
use std::fmt::Write;

/// Splitmix64.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn index(&mut self, limit: usize) -> usize {
        usize::try_from(self.below(limit as u64)).unwrap()
    }

    fn number(&mut self, limit: u64) -> i64 {
        i64::try_from(self.below(limit)).unwrap()
    }
}

/// A table as JSON. `agreeing` makes the results a function of the first column, a boolean, so that
/// rows that meet agree.
pub(crate) fn table(chance: &mut Chance, hit: &str, rows: usize, agreeing: bool) -> Table {
    let columns = 2 + chance.index(5);
    let kinds: Vec<u64> =
        (0..columns).map(|index| if index == 0 { 0 } else { chance.below(6) }).collect();
    let mut text = format!("{{\"table\":\"chance\",\"hit\":\"{hit}\",\"columns\":[");
    for (index, kind) in kinds.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let of = match kind {
            0 => r#""type":"bool""#,
            1 => r#""type":"integer","min":-20,"max":100"#,
            2 => r#""type":"integer""#,
            3 => r#""type":"decimal","min":"-1.5","max":"30""#,
            4 => r#""type":"text","values":["a","b","c","d"]"#,
            _ => r#""type":"set","values":["x","y","z"]"#,
        };
        // A closed text column is an open one in half of the tables.
        let of = if *kind == 4 && chance.below(2) == 0 { r#""type":"text""# } else { of };
        write!(text, "{comma}{{\"name\":\"c{index}\",{of}}}").unwrap();
    }
    text.push_str(r#"],"results":[{"name":"r","type":"text","values":["p","q","r","s"]},"#);
    text.push_str(r#"{"name":"n","type":"integer"}],"rows":["#);
    for row in 0..rows {
        let mut when = String::new();
        let mut first = None;
        for (index, kind) in kinds.iter().enumerate() {
            let is_needed = agreeing && index == 0;
            if chance.below(10) < 4 && !is_needed {
                continue;
            }
            let cell = cell(chance, *kind);
            if index == 0 {
                first = Some(cell.clone());
            }
            let comma = if when.is_empty() { "" } else { "," };
            write!(when, "{comma}\"c{index}\":{cell}").unwrap();
        }
        let (result, number) = if agreeing {
            (if first.as_deref() == Some("true") { "p" } else { "q" }, 0)
        } else {
            (["p", "q", "r", "s"][chance.index(4)], chance.below(2))
        };
        let comma = if row > 0 { "," } else { "" };
        write!(
            text,
            "{comma}{{\"when\":{{{when}}},\"then\":{{\"r\":\"{result}\",\"n\":{number}}}}}"
        )
        .unwrap();
    }
    text.push_str("]}");
    Table::read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn cell(chance: &mut Chance, kind: u64) -> String {
    match kind {
        0 => ["true", "false"][chance.index(2)].to_owned(),
        1 | 2 => {
            let (a, b) = (chance.number(60) - 10, chance.number(40));
            match chance.below(6) {
                0 => a.to_string(),
                1 => format!("\">={a}\""),
                2 => format!("\"<{a}\""),
                3 => format!("\"!{a}..{}\"", a + b),
                4 => format!("\"..{a}|{}..\"", a + 2 + b),
                _ => format!("\"{a}..{}\"", a + b),
            }
        }
        3 => {
            let (a, b) = (chance.number(15), chance.number(14));
            match chance.below(3) {
                0 => format!("\"{a}.5..{}.25\"", a + b + 1),
                1 => format!("\">{a}.000001\""),
                _ => format!("\"<={a}.75\""),
            }
        }
        4 => {
            ["\"a\"", "\"b|c\"", "\"!a|d\"", "[\"c\",\"d\"]", "\"!b\""][chance.index(5)].to_owned()
        }
        _ => ["\"x\"", "\"!y\"", "\"x & !z\"", "\"y & z\"", "[\"!x\",\"z\"]"][chance.index(5)]
            .to_owned(),
    }
}

/// An input; numbers are often at or beside an end of a range.
pub(crate) fn input(chance: &mut Chance, table: &Table) -> Vec<Value> {
    let columns = table.columns().iter().enumerate();
    let value = |(index, column): (usize, &pos_kernel_core::rules::Column)| match &column.domain {
        Domain::Bool => Value::Bool(chance.below(2) == 1),
        Domain::Integer { least, most } | Domain::Decimal { least, most } => {
            let ends: Vec<i64> = table
                .rows()
                .iter()
                .filter_map(|row| match &row.when[index] {
                    Cell::Within(ranges) => Some(ranges),
                    _ => None,
                })
                .flatten()
                .flat_map(|&(from, to)| [from - 1, from, to, to + 1])
                .collect();
            let near = if ends.is_empty() || chance.below(4) == 0 {
                chance.number(1 << 40)
            } else {
                ends[chance.index(ends.len())]
            };
            Value::Number(near.clamp(*least, *most))
        }
        Domain::Text { values, open } => {
            let index = chance.index(values.len() + usize::from(*open));
            Value::Text(values.get(index).cloned().unwrap_or_else(|| "zzz".to_owned()))
        }
        Domain::Set { members } => {
            Value::Set(members.iter().filter(|_| chance.below(2) == 1).cloned().collect())
        }
    };
    columns.map(value).collect()
}
