//! Inputs: what a host says of a line, a tender or a sale, placed among the values of a table.

use super::column::{Column, Domain, Held};
use super::fault::shortened;
use super::space::{Axis, Space};
use super::table::Table;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::limits::RULE_VARIABLES_MAX;
use crate::money::Decimal;

/// A value of an input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Given<'a> {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number of up to six decimal places.
    Decimal(Decimal),
    /// A text; for a column of numbers, the digits of one.
    Text(&'a str),
    /// A set of texts.
    Set(&'a [&'a str]),
}

/// An input as the table sees it: one value for each variable. It belongs to the table that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point([u16; RULE_VARIABLES_MAX]);

impl Default for Point {
    fn default() -> Self {
        Self([0; RULE_VARIABLES_MAX])
    }
}

impl Point {
    #[inline]
    pub(super) fn part(&self, variable: usize) -> usize {
        usize::from(self.0[variable])
    }

    #[inline]
    pub(super) fn set(&mut self, variable: usize, part: usize) {
        self.0[variable] = u16::try_from(part).expect("values of a column are limited");
    }
}

impl Space {
    /// The point of an input. Allocates nothing unless it fails.
    pub(super) fn point<'a>(
        &self,
        table: &Table,
        given: impl Fn(usize, &Column) -> Option<Given<'a>>,
    ) -> Result<Point> {
        let mut point = Point::default();
        for (index, (axis, column)) in self.axes.iter().zip(table.columns()).enumerate() {
            match (given(index, column), &column.default) {
                (Some(given), _) => place(&mut point, axis, table, column, given)?,
                (None, Some(default)) => place_default(&mut point, axis, default),
                (None, None) => {
                    return Err(refused(table, column, "is not given and has no default"));
                }
            }
        }
        Ok(point)
    }
}

fn place(
    point: &mut Point,
    axis: &Axis,
    table: &Table,
    column: &Column,
    given: Given<'_>,
) -> Result<()> {
    match (axis, given) {
        (Axis::Bool { variable }, Given::Bool(value)) => point.set(*variable, usize::from(value)),
        (Axis::Numbers { variable, starts }, Given::Integer(value)) => {
            number(point, *variable, starts, table, column, Decimal::whole(value))?;
        }
        (Axis::Numbers { variable, starts }, Given::Decimal(value)) => {
            number(point, *variable, starts, table, column, value)?;
        }
        (Axis::Numbers { variable, starts }, Given::Text(text)) => {
            let Some(value) = Decimal::parse(text) else {
                return Err(refused(table, column, wanted(column)));
            };
            number(point, *variable, starts, table, column, value)?;
        }
        (Axis::Texts { variable, sorted }, Given::Text(text)) => {
            let part = match find(sorted, text) {
                Some(part) => part,
                None if matches!(column.domain, Domain::Text { open: true, .. }) => sorted.len(),
                None => return Err(unknown(table, column, text)),
            };
            point.set(*variable, part);
        }
        (Axis::Members { first, sorted }, Given::Set(members)) => {
            for member in members {
                let Some(part) = find(sorted, member) else {
                    return Err(unknown(table, column, member));
                };
                point.set(first + part, 1);
            }
        }
        _ => return Err(refused(table, column, wanted(column))),
    }
    Ok(())
}

fn wanted(column: &Column) -> &'static str {
    match &column.domain {
        Domain::Bool => "is not true or false",
        Domain::Integer { .. } => "is not a whole number",
        Domain::Decimal { .. } => "is not a decimal of up to six places",
        Domain::Text { .. } => "is not a text",
        Domain::Set { .. } => "is not a list of texts",
    }
}

fn number(
    point: &mut Point,
    variable: usize,
    starts: &[i64],
    table: &Table,
    column: &Column,
    value: Decimal,
) -> Result<()> {
    let Some(mut units) = column.domain.units(value) else {
        return Err(refused(table, column, &format!("{value} is not a whole number")));
    };
    let (least, most) = column.domain.ends().unwrap_or(Domain::ALL);
    // A column without ends has room for every number; no row can tell those beyond apart.
    if least == Domain::ALL.0 {
        units = units.max(least);
    }
    if most == Domain::ALL.1 {
        units = units.min(most);
    }
    if !(least..=most).contains(&units) {
        let (least, most) = (column.domain.digits(least), column.domain.digits(most));
        return Err(refused(table, column, &format!("{value} is outside {least} to {most}")));
    }
    point.set(variable, starts.partition_point(|start| *start <= units) - 1);
    Ok(())
}

fn place_default(point: &mut Point, axis: &Axis, default: &Held) {
    match (axis, default) {
        (Axis::Bool { variable }, Held::Bool(value)) => point.set(*variable, usize::from(*value)),
        (Axis::Numbers { variable, starts }, Held::Number(value)) => {
            point.set(*variable, starts.partition_point(|start| start <= value) - 1);
        }
        (Axis::Texts { variable, .. }, Held::Text(index)) => point.set(*variable, *index as usize),
        (Axis::Members { first, .. }, Held::Members(list)) => {
            for &index in list {
                point.set(first + index as usize, 1);
            }
        }
        _ => unreachable!("a table's defaults fit their columns"),
    }
}

#[inline]
fn find(sorted: &[(String, u16)], text: &str) -> Option<usize> {
    let place = sorted.binary_search_by(|(name, _)| name.as_str().cmp(text)).ok()?;
    Some(usize::from(sorted[place].1))
}

fn unknown(table: &Table, column: &Column, text: &str) -> Error {
    let values: &[String] = match &column.domain {
        Domain::Text { values, .. } => values,
        Domain::Set { members } => members,
        _ => &[],
    };
    let what = format!("{:?} is not one of {}", shortened(text), values.join(", "));
    refused(table, column, &what).with("allowed", values)
}

fn refused(table: &Table, column: &Column, what: &str) -> Error {
    let message = format!("the input of rule table {}: {} {what}", table.name(), column.name);
    Error::new(Code::BadArgument, message)
        .with("argument", column.name.as_str())
        .with("table", table.name())
}
