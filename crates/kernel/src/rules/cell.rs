//! What may stand in a cell: the values of its column for which the row speaks.
//!
//! ```text
//!   any column   (nothing)   -   any
//!   bool         true   false
//!   text         wine   wine|beer   !wine|beer          (one of; none of)
//!   numbers      18   18..64   18..   ..17   <18   <=17   >=18   >17   1..3|7..9   !18..64
//!   set          gift   gift & !voucher                 (has this; has not that)
//! ```
//!
//! A cell is kept in one canonical form: indexes and ranges ascending, ranges apart from each other,
//! and "any" when nothing is excluded. So equal cells are equal bytes.

use super::column::Domain;
use super::draft::Raw;
use super::fault::{Fault, shortened};

/// The condition of one row in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Every input.
    Any,
    /// This truth value.
    Bool(bool),
    /// One of these texts, by index; the index behind the last text stands for any other text.
    OneOf(Vec<u32>),
    /// Within one of these ranges, both ends included.
    Within(Vec<(i64, i64)>),
    /// A set that has all of these, and none of those, by index.
    Members {
        /// Has all of these.
        has: Vec<u32>,
        /// Has none of these.
        lacks: Vec<u32>,
    },
}

impl Cell {
    pub(super) fn read(domain: &Domain, raw: &Raw) -> Result<Cell, Fault> {
        if raw.is_any() {
            return Ok(Cell::Any);
        }
        match domain {
            Domain::Bool => boolean(raw).map(Cell::Bool),
            Domain::Integer { .. } | Domain::Decimal { .. } => numbers(domain, raw),
            Domain::Text { values, open } => {
                let (negated, named) = texts(raw)?;
                one_of(values, *open, negated, &named)
            }
            Domain::Set { members } => set(members, raw),
        }
    }

    /// Whether the cell is in its canonical form and fits its column.
    pub(super) fn check(&self, domain: &Domain) -> Result<(), Fault> {
        let ascending = |list: &[u32]| list.is_sorted_by(|a, b| a < b);
        let fits = match (self, domain) {
            (Cell::Any, _) | (Cell::Bool(_), Domain::Bool) => true,
            (Cell::OneOf(list), Domain::Text { values, open }) => {
                let count = values.len() + usize::from(*open);
                !list.is_empty()
                    && list.len() < count
                    && ascending(list)
                    && list.iter().all(|&index| (index as usize) < count)
            }
            (Cell::Within(ranges), Domain::Integer { .. } | Domain::Decimal { .. }) => {
                let (least, most) = domain.ends().unwrap_or(Domain::ALL);
                !ranges.is_empty()
                    && ranges[..] != [(least, most)]
                    && ranges.iter().all(|&(from, to)| least <= from && from <= to && to <= most)
                    && ranges.windows(2).all(|pair| pair[0].1 < pair[1].0 - 1)
            }
            (Cell::Members { has, lacks }, Domain::Set { members }) => {
                !(has.is_empty() && lacks.is_empty())
                    && ascending(has)
                    && ascending(lacks)
                    && has.iter().all(|index| !lacks.contains(index))
                    && has.iter().chain(lacks).all(|&index| (index as usize) < members.len())
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(Fault::new("the cell does not fit its column")) }
    }

    /// The cell as people write it.
    pub(super) fn text(&self, domain: &Domain) -> String {
        match (self, domain) {
            (Cell::Bool(value), _) => value.to_string(),
            (Cell::OneOf(list), Domain::Text { values, open }) => {
                let others = values.len();
                let names = |keep: &dyn Fn(u32) -> bool| {
                    let indexes = (0_u32..).take(others).filter(|&index| keep(index));
                    let names: Vec<&str> =
                        indexes.map(|index| values[index as usize].as_str()).collect();
                    names.join("|")
                };
                if *open && list.last().is_some_and(|&last| last as usize == others) {
                    format!("!{}", names(&|index| !list.contains(&index)))
                } else {
                    names(&|index| list.contains(&index))
                }
            }
            (Cell::Within(ranges), _) => {
                let (least, most) = domain.ends().unwrap_or(Domain::ALL);
                let shown = ranges.iter().map(|&(from, to)| {
                    if from == to {
                        return domain.digits(from);
                    }
                    let end = |value: i64, limit: i64| {
                        if value == limit { String::new() } else { domain.digits(value) }
                    };
                    format!("{}..{}", end(from, least), end(to, most))
                });
                shown.collect::<Vec<_>>().join("|")
            }
            (Cell::Members { has, lacks }, Domain::Set { members }) => {
                let has = has.iter().map(|&index| members[index as usize].clone());
                let lacks = lacks.iter().map(|&index| format!("!{}", members[index as usize]));
                has.chain(lacks).collect::<Vec<_>>().join(" & ")
            }
            _ => "any".to_owned(),
        }
    }
}

/// The texts that a cell of a text column names, and whether it means all others.
pub(super) fn texts(raw: &Raw) -> Result<(bool, Vec<String>), Fault> {
    let (negated, named) = match raw {
        Raw::Text(text) => {
            let (negated, rest) = negation(text);
            (negated, rest.split('|').map(|part| part.trim().to_owned()).collect())
        }
        Raw::List(list) => {
            let named = list.iter().map(|item| match item {
                Raw::Text(text) => Ok(text.clone()),
                other => Err(Fault::new(format!("{} is not a text", other.shown()))),
            });
            (false, named.collect::<Result<Vec<_>, _>>()?)
        }
        other => return Err(Fault::new(format!("{} is not a text", other.shown()))),
    };
    for (index, text) in named.iter().enumerate() {
        super::column::nameable(text)?;
        if named[..index].contains(text) {
            return Err(Fault::new(format!("{:?} stands twice in the cell", shortened(text))));
        }
    }
    Ok((negated, named))
}

fn one_of(values: &[String], open: bool, negated: bool, named: &[String]) -> Result<Cell, Fault> {
    let mut chosen = vec![false; values.len() + usize::from(open)];
    for text in named {
        chosen[index_of(values, text)? as usize] = true;
    }
    let list: Vec<u32> =
        (0_u32..).zip(&chosen).filter(|(_, chosen)| **chosen != negated).map(|(i, _)| i).collect();
    if list.is_empty() {
        return Err(Fault::new("the cell excludes every value, so the row can never apply"));
    }
    Ok(if list.len() == chosen.len() { Cell::Any } else { Cell::OneOf(list) })
}

pub(super) fn index_of(values: &[String], text: &str) -> Result<u32, Fault> {
    let index = (0_u32..).zip(values).find(|(_, value)| *value == text).map(|(index, _)| index);
    index.ok_or_else(|| {
        let shown: Vec<&str> = values.iter().take(8).map(String::as_str).collect();
        let more = if values.len() > shown.len() { ", ..." } else { "" };
        Fault::new(format!("{:?} is not one of {}{more}", shortened(text), shown.join(", ")))
    })
}

fn set(members: &[String], raw: &Raw) -> Result<Cell, Fault> {
    let parts: Vec<String> = match raw {
        Raw::Text(text) => text.split('&').map(|part| part.trim().to_owned()).collect(),
        Raw::List(list) => list
            .iter()
            .map(|item| match item {
                Raw::Text(text) => Ok(text.clone()),
                other => Err(Fault::new(format!("{} is not a text", other.shown()))),
            })
            .collect::<Result<_, _>>()?,
        other => return Err(Fault::new(format!("{} is not a text", other.shown()))),
    };
    let (mut has, mut lacks) = (Vec::new(), Vec::new());
    for part in &parts {
        let (negated, text) = negation(part);
        let index = index_of(members, text)?;
        if has.contains(&index) || lacks.contains(&index) {
            return Err(Fault::new(format!("{:?} stands twice in the cell", shortened(text))));
        }
        if negated { lacks.push(index) } else { has.push(index) }
    }
    has.sort_unstable();
    lacks.sort_unstable();
    Ok(if has.is_empty() && lacks.is_empty() { Cell::Any } else { Cell::Members { has, lacks } })
}

fn numbers(domain: &Domain, raw: &Raw) -> Result<Cell, Fault> {
    let (negated, mut ranges) = match raw {
        Raw::Text(text) => {
            let (negated, rest) = negation(text);
            let ranges: Result<Vec<_>, _> =
                rest.split('|').map(|part| range(domain, part)).collect();
            (negated, ranges?)
        }
        Raw::List(list) => {
            let ranges: Result<Vec<_>, _> =
                list.iter().map(|item| one_range(domain, item)).collect();
            (false, ranges?)
        }
        other => (false, vec![one_range(domain, other)?]),
    };
    ranges.sort_unstable();
    if let Some(pair) = ranges.windows(2).find(|pair| pair[0].1 >= pair[1].0) {
        return Err(Fault::new(format!(
            "the alternatives {}..{} and {}..{} overlap",
            domain.digits(pair[0].0),
            domain.digits(pair[0].1),
            domain.digits(pair[1].0),
            domain.digits(pair[1].1)
        )));
    }
    let (least, most) = domain.ends().unwrap_or(Domain::ALL);
    let mut joined: Vec<(i64, i64)> = Vec::new();
    for (from, to) in ranges {
        match joined.last_mut() {
            Some(last) if last.1 + 1 == from => last.1 = to,
            _ => joined.push((from, to)),
        }
    }
    if negated {
        let mut others = Vec::new();
        let mut from = least;
        for &(start, end) in &joined {
            if from < start {
                others.push((from, start - 1));
            }
            from = end + 1;
        }
        if from <= most {
            others.push((from, most));
        }
        joined = others;
    }
    if joined.is_empty() {
        return Err(Fault::new("the cell excludes every value, so the row can never apply"));
    }
    Ok(if joined == [(least, most)] { Cell::Any } else { Cell::Within(joined) })
}

fn one_range(domain: &Domain, raw: &Raw) -> Result<(i64, i64), Fault> {
    match raw {
        Raw::Integer(value) => {
            let units = domain.number(&value.to_string())?;
            Ok((units, units))
        }
        Raw::Text(text) => range(domain, text),
        other => Err(Fault::new(format!("{} is not a number or a range", other.shown()))),
    }
}

/// One range, in any of its spellings.
pub(super) fn range(domain: &Domain, text: &str) -> Result<(i64, i64), Fault> {
    let (least, most) = domain.ends().unwrap_or(Domain::ALL);
    let text = text.trim();
    let number = |text: &str| domain.number(text.trim());
    let (from, to) = if let Some(rest) = text.strip_prefix(">=") {
        (number(rest)?, most)
    } else if let Some(rest) = text.strip_prefix("<=") {
        (least, number(rest)?)
    } else if let Some(rest) = text.strip_prefix('>') {
        (number(rest)? + 1, most)
    } else if let Some(rest) = text.strip_prefix('<') {
        (least, number(rest)? - 1)
    } else if let Some((from, to)) = text.split_once("..") {
        if from.trim().is_empty() && to.trim().is_empty() {
            return Err(Fault::new("\"..\" names no number"));
        }
        let end = |text: &str, open: i64| {
            if text.trim().is_empty() { Ok(open) } else { number(text) }
        };
        (end(from, least)?, end(to, most)?)
    } else {
        let value = number(text)?;
        (value, value)
    };
    if from > to {
        return Err(Fault::new(format!("{:?} has no number in it", shortened(text))));
    }
    Ok((from, to))
}

pub(super) fn boolean(raw: &Raw) -> Result<bool, Fault> {
    match raw {
        Raw::Bool(value) => Ok(*value),
        Raw::Text(text) if text == "true" => Ok(true),
        Raw::Text(text) if text == "false" => Ok(false),
        other => Err(Fault::new(format!("{} is not true or false", other.shown()))),
    }
}

fn negation(text: &str) -> (bool, &str) {
    match text.trim().strip_prefix('!') {
        Some(rest) => (true, rest.trim()),
        None => (false, text.trim()),
    }
}
