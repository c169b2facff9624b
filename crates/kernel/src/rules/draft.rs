//! A table as a file says it, before its cells are understood: what both formats become.

use super::cell::{self, Cell};
use super::column::{Column, Domain, Held, Outcome, ResultColumn, Scalar};
use super::fault::{Fault, shortened};
use super::table::{Binding, HitPolicy, Parts, Row, Table};
use std::collections::BTreeSet;

/// A value as it stands in a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Raw {
    /// Nothing stands there.
    Absent,
    Bool(bool),
    Integer(i64),
    Text(String),
    List(Vec<Raw>),
}

#[derive(Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) hit: HitPolicy,
    pub(super) binding: Option<Binding>,
    pub(super) gaps_allowed: bool,
    pub(super) columns: Vec<DraftColumn>,
    pub(super) results: Vec<DraftColumn>,
    pub(super) rows: Vec<DraftRow>,
}

/// A column of either side; what its type has no use for must be absent.
#[derive(Debug, Default)]
pub(super) struct DraftColumn {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) values: Option<Vec<String>>,
    pub(super) least: Option<Raw>,
    pub(super) most: Option<Raw>,
    pub(super) default: Option<Raw>,
}

#[derive(Debug)]
pub(super) struct DraftRow {
    pub(super) id: Option<String>,
    pub(super) when: Vec<Raw>,
    pub(super) then: Vec<Raw>,
}

impl Raw {
    /// Whether a condition that says this excludes nothing.
    pub(super) fn is_any(&self) -> bool {
        match self {
            Raw::Absent => true,
            Raw::Text(text) => matches!(text.trim(), "" | "-" | "any"),
            _ => false,
        }
    }

    /// As a message may show it.
    pub(super) fn shown(&self) -> String {
        match self {
            Raw::Absent => "nothing".to_owned(),
            Raw::Bool(value) => value.to_string(),
            Raw::Integer(value) => value.to_string(),
            Raw::Text(text) => format!("{:?}", shortened(text)),
            Raw::List(_) => "a list".to_owned(),
        }
    }
}

impl Draft {
    pub(super) fn table(self) -> Result<Table, Fault> {
        let mut columns = Vec::with_capacity(self.columns.len());
        for (index, draft) in self.columns.iter().enumerate() {
            let column = condition(draft, self.rows.iter().map(|row| &row.when[index]));
            columns.push(column.map_err(|fault| named(fault, draft))?);
        }
        let results: Result<Vec<_>, _> = self
            .results
            .iter()
            .map(|draft| result(draft).map_err(|fault| named(fault, draft)))
            .collect();
        let results = results?;
        let mut rows = Vec::with_capacity(self.rows.len());
        for (index, draft) in self.rows.iter().enumerate() {
            let when = columns.iter().zip(&draft.when).map(|(column, raw)| {
                Cell::read(&column.domain, raw)
                    .map_err(|fault| fault.at_row(index).at_column(&column.name))
            });
            let then =
                results.iter().zip(&draft.then).zip(&self.results).map(|((column, raw), draft)| {
                    answered(&column.outcome, raw, draft)
                        .map_err(|fault| fault.at_row(index).at_column(&column.name))
                });
            rows.push(Row {
                id: draft.id.clone().unwrap_or_else(|| (index + 1).to_string()),
                when: when.collect::<Result<_, _>>()?,
                then: then.collect::<Result<_, _>>()?,
            });
        }
        Table::new(Parts {
            name: self.name,
            hit: self.hit,
            binding: self.binding,
            gaps_allowed: self.gaps_allowed,
            columns,
            results,
            rows,
        })
    }
}

fn named(fault: Fault, draft: &DraftColumn) -> Fault {
    if fault.column.is_some() { fault } else { fault.at_column(&draft.name) }
}

fn condition<'a>(
    draft: &DraftColumn,
    cells: impl Iterator<Item = &'a Raw>,
) -> Result<Column, Fault> {
    let domain = match draft.kind.as_str() {
        "bool" => {
            plain(draft)?;
            Domain::Bool
        }
        kind @ ("integer" | "decimal") => numbers(draft, kind == "decimal")?,
        "text" => {
            unranged(draft)?;
            match &draft.values {
                Some(values) => Domain::Text { values: values.clone(), open: false },
                None => Domain::Text { values: mentioned(draft, cells)?, open: true },
            }
        }
        "set" => {
            unranged(draft)?;
            let Some(members) = draft.values.clone() else {
                return Err(Fault::new("a set needs the list of its values"));
            };
            Domain::Set { members }
        }
        other => {
            return Err(Fault::new(format!(
                "the type {:?} is not one of bool, integer, decimal, text, set",
                shortened(other)
            )));
        }
    };
    domain.check()?;
    let default = draft.default.as_ref().map(|raw| held(&domain, raw)).transpose()?;
    Ok(Column { name: draft.name.clone(), domain, default })
}

/// The texts that the cells of an open column and its default name.
fn mentioned<'a>(
    draft: &DraftColumn,
    cells: impl Iterator<Item = &'a Raw>,
) -> Result<Vec<String>, Fault> {
    let mut all = BTreeSet::new();
    for (row, raw) in cells.enumerate() {
        if !raw.is_any() {
            let (_, named) = cell::texts(raw).map_err(|fault| fault.at_row(row))?;
            all.extend(named);
        }
    }
    if let Some(Raw::Text(text)) = &draft.default {
        all.insert(text.clone());
    }
    Ok(all.into_iter().collect())
}

fn numbers(draft: &DraftColumn, is_decimal: bool) -> Result<Domain, Fault> {
    if draft.values.is_some() {
        return Err(Fault::new("a column of numbers has a range, not a list of values"));
    }
    let of = |(least, most)| {
        if is_decimal { Domain::Decimal { least, most } } else { Domain::Integer { least, most } }
    };
    let all = of(Domain::ALL);
    let end = |raw: &Option<Raw>, otherwise: i64| match raw {
        None => Ok(otherwise),
        Some(Raw::Integer(value)) => all.number(&value.to_string()),
        Some(Raw::Text(text)) => all.number(text.trim()),
        Some(other) => Err(Fault::new(format!("{} is not a number", other.shown()))),
    };
    Ok(of((end(&draft.least, Domain::ALL.0)?, end(&draft.most, Domain::ALL.1)?)))
}

fn held(domain: &Domain, raw: &Raw) -> Result<Held, Fault> {
    let not = |what: &str| Err(Fault::new(format!("the default {} is not {what}", raw.shown())));
    match (domain, raw) {
        (Domain::Bool, raw) => cell::boolean(raw).map(Held::Bool),
        (Domain::Integer { .. } | Domain::Decimal { .. }, Raw::Integer(value)) => {
            domain.number(&value.to_string()).map(Held::Number)
        }
        (Domain::Integer { .. } | Domain::Decimal { .. }, Raw::Text(text)) => {
            domain.number(text.trim()).map(Held::Number)
        }
        (Domain::Text { values, .. }, Raw::Text(text)) => {
            cell::index_of(values, text).map(Held::Text)
        }
        (Domain::Set { .. }, Raw::Text(text)) if text.is_empty() => Ok(Held::Members(Vec::new())),
        (Domain::Set { members }, Raw::Text(text)) => {
            let named: Vec<Raw> =
                text.split('&').map(|part| Raw::Text(part.trim().to_owned())).collect();
            set(members, &named)
        }
        (Domain::Set { members }, Raw::List(list)) => set(members, list),
        (Domain::Text { .. }, _) => not("a text"),
        (Domain::Set { .. }, _) => not("a list of texts"),
        _ => not("a number"),
    }
}

fn set(members: &[String], list: &[Raw]) -> Result<Held, Fault> {
    let mut held = Vec::new();
    for item in list {
        let Raw::Text(text) = item else {
            return Err(Fault::new(format!("{} is not a text", item.shown())));
        };
        let index = cell::index_of(members, text)?;
        if held.contains(&index) {
            return Err(Fault::new(format!("{:?} stands twice", shortened(text))));
        }
        held.push(index);
    }
    held.sort_unstable();
    Ok(Held::Members(held))
}

fn result(draft: &DraftColumn) -> Result<ResultColumn, Fault> {
    let outcome = match draft.kind.as_str() {
        "bool" => {
            plain(draft)?;
            Outcome::Bool
        }
        "integer" => {
            plain(draft)?;
            Outcome::Integer
        }
        "text" => {
            unranged(draft)?;
            Outcome::Text { values: draft.values.clone() }
        }
        other => {
            return Err(Fault::new(format!(
                "the type {:?} of a result is not one of bool, integer, text",
                shortened(other)
            )));
        }
    };
    Ok(ResultColumn { name: draft.name.clone(), outcome })
}

fn answered(outcome: &Outcome, raw: &Raw, draft: &DraftColumn) -> Result<Scalar, Fault> {
    let raw = match raw {
        Raw::Absent => draft.default.as_ref().unwrap_or(raw),
        Raw::Text(text) if text.is_empty() => draft.default.as_ref().unwrap_or(raw),
        raw => raw,
    };
    match (outcome, raw) {
        (_, Raw::Absent) => {
            Err(Fault::new("the row gives no result and the column has no default"))
        }
        (Outcome::Bool, raw) => cell::boolean(raw).map(Scalar::Bool),
        (Outcome::Integer, Raw::Integer(value)) => integer(&value.to_string()),
        (Outcome::Integer, Raw::Text(text)) => integer(text.trim()),
        (Outcome::Text { values: Some(values) }, Raw::Text(text)) => {
            let text = text.trim();
            cell::index_of(values, text)?;
            Ok(Scalar::Text(text.to_owned()))
        }
        (Outcome::Text { values: None }, Raw::Text(text)) => Ok(Scalar::Text(text.clone())),
        (Outcome::Integer, other) => {
            Err(Fault::new(format!("{} is not a whole number", other.shown())))
        }
        (_, other) => Err(Fault::new(format!("{} is not a text", other.shown()))),
    }
}

fn integer(text: &str) -> Result<Scalar, Fault> {
    let all = Domain::Integer { least: Domain::ALL.0, most: Domain::ALL.1 };
    all.number(text).map(Scalar::Integer)
}

fn unranged(draft: &DraftColumn) -> Result<(), Fault> {
    if draft.least.is_some() || draft.most.is_some() {
        return Err(Fault::new("only a column of numbers has a range"));
    }
    Ok(())
}

fn plain(draft: &DraftColumn) -> Result<(), Fault> {
    unranged(draft)?;
    if draft.values.is_some() {
        return Err(Fault::new(format!("a column of type {} has no list of values", draft.kind)));
    }
    Ok(())
}
