//! Tables, findings and answers as JSON: what doors hand to hosts, and inputs as hosts give them.

use super::cell::Cell;
use super::column::{Column, Domain, Held, Scalar};
use super::compile::Rules;
use super::findings::{Finding, Gap};
use super::input::{Given, Point};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::money::Decimal;
use serde_json::{Map, Value, json};

impl Rules {
    /// Places an input that is a JSON object with a key for each condition column; a key may be left
    /// out when its column has a default. Numbers are integers, or decimals as texts.
    ///
    /// # Errors
    /// `PK_E_BAD_ARGUMENT` for anything else, with the column.
    pub fn point_of(&self, input: &Map<String, Value>) -> Result<Point> {
        let columns = self.table().columns();
        if let Some(name) = input.keys().find(|name| columns.iter().all(|c| c.name != **name)) {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            let shown = super::fault::shortened(name);
            let message = format!(
                "the input of rule table {}: there is no column {shown:?}; there are {}",
                self.table().name(),
                names.join(", ")
            );
            return Err(Error::new(Code::BadArgument, message)
                .with("argument", shown)
                .with("table", self.table().name())
                .with("allowed", names));
        }
        let sets: Vec<Vec<&str>> = columns.iter().map(|column| members(input, column)).collect();
        let given =
            |index: usize| given(input.get(&columns[index].name)?, &columns[index], &sets[index]);
        self.point_by_index(given)
    }

    /// The findings as JSON.
    #[must_use]
    pub fn show_report(&self) -> Value {
        let (table, report) = (self.table(), self.report());
        let id = |row: &usize| table.rows()[*row].id.as_str();
        let ids = |rows: &[usize]| rows.iter().map(id).collect::<Vec<_>>();
        json!({
            "ok": self.is_clean(),
            "table": table.name(),
            "hit": table.hit().name(),
            "at": table.binding().map(super::table::Binding::name),
            "gapsAllowed": table.gaps_allowed(),
            "hash": blake3::Hash::from_bytes(self.hash()).to_hex().as_str(),
            "columns": table.columns().iter().map(|column| &column.name).collect::<Vec<_>>(),
            "results": table.results().iter().map(|result| &result.name).collect::<Vec<_>>(),
            "rows": report.rows,
            "answers": report.answers,
            "products": report.products,
            "contradictions": listed(&report.contradictions, |found| json!({
                "rows": ids(&found.rows),
                "example": self.show_input(&found.example),
            })),
            "gaps": listed(&report.gaps, |gap| json!({
                "when": self.show_cells(&gap.when),
                "example": self.show_input(&gap.example),
            })),
            "shadowed": listed(&report.shadowed, |found| json!({
                "row": id(&found.row),
                "by": ids(&found.by),
                "example": self.show_input(&found.example),
            })),
            "counts": {
                "contradictions": report.contradictions.count,
                "gaps": report.gaps.count,
                "shadowed": report.shadowed.count,
            },
        })
    }

    /// The answers to an input as JSON: a list of objects with a key for each result column.
    ///
    /// # Errors
    /// As [`Rules::evaluate`].
    pub fn show_answers(&self, point: &Point) -> Result<Value> {
        let answers = self.evaluate(point)?.iter().map(|answer| self.show_answer(answer));
        Ok(Value::Array(answers.collect()))
    }

    /// The answers to an input, and the rows behind them, as JSON.
    ///
    /// # Errors
    /// As [`Rules::evaluate`].
    pub fn show_explanation(&self, point: &Point) -> Result<Value> {
        let explanation = self.explain(point)?;
        let id = |row: &usize| self.table().rows()[*row].id.as_str();
        let answers = explanation.answers.iter().map(|answering| {
            json!({
                "answer": self.show_answer(answering.answer),
                "rows": answering.rows.iter().map(id).collect::<Vec<_>>(),
            })
        });
        Ok(json!({
            "answers": answers.collect::<Vec<_>>(),
            "applying": explanation.applying.iter().map(id).collect::<Vec<_>>(),
        }))
    }

    /// A gap in words: `age 18..20, class wine`.
    pub(super) fn words_of_gap(&self, gap: &Gap) -> String {
        let columns = self.table().columns();
        let said = columns.iter().zip(&gap.when).filter(|(_, cell)| **cell != Cell::Any);
        let said: Vec<String> = said
            .map(|(column, cell)| format!("{} {}", column.name, cell.text(&column.domain)))
            .collect();
        if said.is_empty() { "any input".to_owned() } else { said.join(", ") }
    }

    fn show_answer(&self, answer: usize) -> Value {
        let results = self.table().results().iter().zip(self.answer(answer));
        let values = results.map(|(result, value)| {
            let value = match value {
                Scalar::Bool(value) => Value::from(*value),
                Scalar::Integer(value) => Value::from(*value),
                Scalar::Text(text) => Value::from(text.as_str()),
            };
            (result.name.clone(), value)
        });
        Value::Object(values.collect())
    }

    /// Conditions as cells, those that exclude nothing left out.
    fn show_cells(&self, cells: &[Cell]) -> Value {
        let columns = self.table().columns().iter().zip(cells);
        let said = columns.filter(|(_, cell)| **cell != Cell::Any);
        let texts = said.map(|(c, cell)| (c.name.clone(), Value::from(cell.text(&c.domain))));
        Value::Object(texts.collect())
    }

    /// An input as a host would give it.
    fn show_input(&self, held: &[Held]) -> Value {
        let columns = self.table().columns().iter().zip(held);
        let values =
            columns.map(|(column, held)| (column.name.clone(), shown(&column.domain, held)));
        Value::Object(values.collect())
    }
}

fn listed<T>(finding: &Finding<T>, show: impl Fn(&T) -> Value) -> Value {
    Value::Array(finding.shown.iter().map(show).collect())
}

fn shown(domain: &Domain, held: &Held) -> Value {
    match (domain, held) {
        (_, Held::Bool(value)) => Value::from(*value),
        (Domain::Decimal { .. }, Held::Number(units)) => Value::from(domain.digits(*units)),
        (_, Held::Number(value)) => Value::from(*value),
        (Domain::Text { values, .. }, Held::Text(index)) => match values.get(*index as usize) {
            Some(text) => Value::from(text.as_str()),
            None => Value::from(unmentioned(values)),
        },
        (Domain::Set { members }, Held::Members(list)) => {
            list.iter().map(|&index| members[index as usize].as_str()).collect()
        }
        _ => Value::Null,
    }
}

/// A text that no row names.
fn unmentioned(values: &[String]) -> String {
    let free = |text: &String| !values.contains(text);
    let numbered = (2..).map(|number| format!("other {number}"));
    std::iter::once("other".to_owned()).chain(numbered).find(free).expect("values are limited")
}

fn members<'a>(input: &'a Map<String, Value>, column: &Column) -> Vec<&'a str> {
    let list = input.get(&column.name).and_then(Value::as_array);
    list.map_or(Vec::new(), |list| list.iter().filter_map(Value::as_str).collect())
}

/// A JSON value as one for a column. What no column takes becomes a value of another type than the
/// column's, and is refused as such.
fn given<'a>(value: &'a Value, column: &Column, set: &'a [&'a str]) -> Option<Given<'a>> {
    let is_number = column.domain.ends().is_some();
    let unfit = match column.domain {
        Domain::Bool => Given::Integer(0),
        _ => Given::Bool(false),
    };
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => Given::Bool(*value),
        Value::Number(number) => number.as_i64().map_or(unfit, Given::Integer),
        Value::String(text) if is_number => Decimal::parse(text).map_or(unfit, Given::Decimal),
        Value::String(text) => Given::Text(text),
        Value::Array(list) if list.len() == set.len() => Given::Set(set),
        Value::Array(_) | Value::Object(_) => unfit,
    })
}
