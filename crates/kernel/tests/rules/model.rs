//! A table read row by row: what it means, in the plainest words.

use pos_kernel_core::rules::{
    Cell, Column, Domain, Given, Held, HitPolicy, Outcome, Rules, Scalar, Table,
};

/// One value for each condition column; texts that the table does not know are `Other`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Bool(bool),
    Number(i64),
    Text(String),
    Set(Vec<String>),
}

pub(crate) fn applies(table: &Table, row: usize, input: &[Value]) -> bool {
    let columns = table.columns().iter().zip(&table.rows()[row].when).zip(input);
    columns.into_iter().all(|((column, cell), value)| holds(column, cell, value))
}

fn holds(column: &Column, cell: &Cell, value: &Value) -> bool {
    match (cell, value) {
        (Cell::Any, _) => true,
        (Cell::Bool(wanted), Value::Bool(value)) => wanted == value,
        (Cell::Within(ranges), Value::Number(value)) => {
            ranges.iter().any(|(from, to)| from <= value && value <= to)
        }
        (Cell::OneOf(list), Value::Text(text)) => {
            let Domain::Text { values, open } = &column.domain else { panic!("{column:?}") };
            let index = values.iter().position(|value| value == text);
            assert!(index.is_some() || *open);
            let index = u32::try_from(index.unwrap_or(values.len())).unwrap();
            list.contains(&index)
        }
        (Cell::Members { has, lacks }, Value::Set(set)) => {
            let Domain::Set { members } = &column.domain else { panic!("{column:?}") };
            let holds = |index: &u32| set.contains(&members[*index as usize]);
            has.iter().all(holds) && !lacks.iter().any(holds)
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn applying(table: &Table, input: &[Value]) -> Vec<usize> {
    (0..table.rows().len()).filter(|&row| applies(table, row, input)).collect()
}

/// The rows that decide, by the words of the hit policies.
pub(crate) fn deciding(table: &Table, input: &[Value]) -> Vec<usize> {
    let applying = applying(table, input);
    match table.hit() {
        HitPolicy::First => applying.into_iter().take(1).collect(),
        HitPolicy::Unique | HitPolicy::Any | HitPolicy::Collect => applying,
        HitPolicy::Priority => applying
            .into_iter()
            .min_by_key(|&row| (importance(table, row), row))
            .into_iter()
            .collect(),
    }
}

fn importance(table: &Table, row: usize) -> Vec<usize> {
    let values = table.rows()[row].then.iter().zip(table.results());
    let place = |(value, result): (&Scalar, &pos_kernel_core::rules::ResultColumn)| match (
        value,
        &result.outcome,
    ) {
        (Scalar::Text(text), Outcome::Text { values: Some(values) }) => {
            values.iter().position(|value| value == text).unwrap()
        }
        _ => 0,
    };
    values.map(place).collect()
}

/// The answers, each once.
pub(crate) fn answers(table: &Table, input: &[Value]) -> Vec<Vec<Scalar>> {
    let mut answers: Vec<Vec<Scalar>> = Vec::new();
    for row in deciding(table, input) {
        let then = &table.rows()[row].then;
        if !answers.contains(then) {
            answers.push(then.clone());
        }
    }
    answers
}

/// Compiled rules agree with the table on an input, and name the rows.
pub(crate) fn agrees(rules: &Rules, input: &[Value]) {
    let table = rules.table();
    let point = point(rules, input);
    let sort = |mut list: Vec<Vec<Scalar>>| {
        list.sort_by_key(|answer| format!("{answer:?}"));
        list
    };
    let got = rules.evaluate(&point).unwrap().iter().map(|answer| rules.answer(answer).to_vec());
    assert_eq!(sort(got.collect()), sort(answers(table, input)), "{input:?}");
    let explained = rules.explain(&point).unwrap();
    assert_eq!(explained.applying, applying(table, input), "{input:?}");
    let mut rows: Vec<usize> = explained.answers.iter().flat_map(|a| a.rows.clone()).collect();
    rows.sort_unstable();
    assert_eq!(rows, deciding(table, input), "{input:?}");
    for answering in &explained.answers {
        for &row in &answering.rows {
            assert_eq!(table.rows()[row].then, rules.answer(answering.answer));
        }
    }
}

pub(crate) fn point(rules: &Rules, input: &[Value]) -> pos_kernel_core::rules::Point {
    let sets: Vec<Vec<&str>> = input
        .iter()
        .map(|value| match value {
            Value::Set(set) => set.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        })
        .collect();
    let columns = rules.table().columns();
    let given = |column: &Column| {
        let index = columns.iter().position(|other| other.name == column.name).unwrap();
        Some(match (&input[index], &column.domain) {
            (Value::Bool(value), _) => Given::Bool(*value),
            (Value::Number(units), Domain::Decimal { .. }) => {
                Given::Decimal(pos_kernel_core::money::Decimal::new(*units, 6).unwrap())
            }
            (Value::Number(value), _) => Given::Integer(*value),
            (Value::Text(text), _) => Given::Text(text),
            (Value::Set(_), _) => Given::Set(&sets[index]),
        })
    };
    rules.point(given).unwrap()
}

/// An example of a finding as an input.
pub(crate) fn input(table: &Table, held: &[Held]) -> Vec<Value> {
    let columns = table.columns().iter().zip(held);
    let value = |(column, held): (&Column, &Held)| match (&column.domain, held) {
        (_, Held::Bool(value)) => Value::Bool(*value),
        (_, Held::Number(value)) => Value::Number(*value),
        (Domain::Text { values, .. }, Held::Text(index)) => {
            let other = || "a text that no row names".to_owned();
            Value::Text(values.get(*index as usize).cloned().unwrap_or_else(other))
        }
        (Domain::Set { members }, Held::Members(list)) => {
            Value::Set(list.iter().map(|&index| members[index as usize].clone()).collect())
        }
        other => panic!("{other:?}"),
    };
    columns.map(value).collect()
}

/// Whether conditions, one for each column, hold.
pub(crate) fn within(table: &Table, when: &[Cell], input: &[Value]) -> bool {
    let columns = table.columns().iter().zip(when).zip(input);
    columns.into_iter().all(|((column, cell), value)| holds(column, cell, value))
}
