//! A table as bytes: one CBOR array (RFC 8949), and its BLAKE3 hash.
//!
//! ```text
//!   table   [1, name, hit 1-5, at 0-3, gapsAllowed, [column], [result], [row]]
//!   column  [name, type 1-5, domain, default or null]
//!   domain  null | [least, most] | [open, [text]] | [text]            by type
//!   result  [name, type, [text] or null]
//!   row     [id, [cell], [value]]
//!   cell    null | bool | [index] | [from, to, from, to, ...] | [[index], [index]]
//! ```
//!
//! Canonical: definite lengths and the shortest form of each integer (RFC 8949, section 4.2.1), and
//! cells in the one form that `cell.rs` gives them. The reader writes what it has read again and
//! refuses bytes that differ, so that equal hashes mean equal tables.

use super::cell::Cell;
use super::column::{Column, Domain, Held, Outcome, ResultColumn, Scalar};
use super::table::{Binding, HitPolicy, Parts, Row, Table};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::limits::{RULE_ROWS_MAX, RULE_SOURCE_BYTES_MAX};
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use std::convert::Infallible;

/// Version of the encoding. A table of another version is refused, since what it means is unknown.
pub const TABLE_VERSION: u8 = 1;

type Written = std::result::Result<(), minicbor::encode::Error<Infallible>>;
type Read<T> = std::result::Result<T, minicbor::decode::Error>;

impl Table {
    /// Reads a table from JSON, or from CSV when the text does not begin with a brace.
    ///
    /// # Errors
    /// `PK_E_BAD_RULES` with row, line and column; `PK_E_LIMIT` for a table that is too large.
    ///
    /// ```
    /// use pos_kernel_core::rules::Table;
    /// let table = Table::read(
    ///     "table,Age,hit,first\n\
    ///      rule,age,allowed\n\
    ///      ,when integer 0..150,then bool\n\
    ///      minor,<18,false\n\
    ///      adult,,true\n",
    /// )?;
    /// assert_eq!(Table::decode(&table.encode())?, table);
    /// # Ok::<(), pos_kernel_core::Error>(())
    /// ```
    pub fn read(source: &str) -> Result<Table> {
        if source.len() > RULE_SOURCE_BYTES_MAX {
            return Err(Error::limit("bytes of a rule table", source.len(), RULE_SOURCE_BYTES_MAX));
        }
        let begin = source.trim_start_matches('\u{feff}').trim_start();
        if begin.starts_with('{') { super::json::read(begin) } else { super::csv::read(source) }
    }

    /// Its canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64 * self.rows().len());
        self.write(&mut Encoder::new(&mut bytes)).expect("writing to memory cannot fail");
        bytes
    }

    /// BLAKE3 of its canonical bytes.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        *blake3::hash(&self.encode()).as_bytes()
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// `PK_E_BAD_RULES` for any other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Table> {
        let parts = read(&mut Decoder::new(bytes)).map_err(|error| {
            Error::new(
                Code::BadRules,
                format!("the bytes of the rule table are malformed: {error}"),
            )
        })?;
        let table = Table::new(parts).map_err(|fault| fault.error(None, None))?;
        if table.encode() == bytes {
            return Ok(table);
        }
        let message = "the bytes of the rule table are not in their canonical form";
        Err(Error::new(Code::BadRules, message))
    }

    fn write(&self, out: &mut Encoder<&mut Vec<u8>>) -> Written {
        let parts = &self.parts;
        out.array(8)?.u8(TABLE_VERSION)?.str(&parts.name)?;
        out.u8(number(parts.hit, HitPolicy::ALL))?;
        out.u8(parts.binding.map_or(0, |binding| number(binding, Binding::ALL)))?;
        out.bool(parts.gaps_allowed)?;
        out.array(parts.columns.len() as u64)?;
        for column in &parts.columns {
            write_column(out, column)?;
        }
        out.array(parts.results.len() as u64)?;
        for result in &parts.results {
            out.array(3)?.str(&result.name)?.u8(result.outcome.kind().1)?;
            match &result.outcome {
                Outcome::Text { values: Some(values) } => write_texts(out, values)?,
                _ => {
                    out.null()?;
                }
            }
        }
        out.array(parts.rows.len() as u64)?;
        for row in &parts.rows {
            out.array(3)?.str(&row.id)?.array(row.when.len() as u64)?;
            for cell in &row.when {
                write_cell(out, cell)?;
            }
            out.array(row.then.len() as u64)?;
            for value in &row.then {
                match value {
                    Scalar::Bool(value) => out.bool(*value)?,
                    Scalar::Integer(value) => out.i64(*value)?,
                    Scalar::Text(text) => out.str(text)?,
                };
            }
        }
        Ok(())
    }
}

fn number<T: PartialEq>(value: T, all: &[(T, u8, &str)]) -> u8 {
    all.iter().find(|row| row.0 == value).expect("every choice is listed").1
}

fn write_column(out: &mut Encoder<&mut Vec<u8>>, column: &Column) -> Written {
    out.array(4)?.str(&column.name)?.u8(column.domain.kind().1)?;
    match &column.domain {
        Domain::Bool => {
            out.null()?;
        }
        Domain::Integer { least, most } | Domain::Decimal { least, most } => {
            out.array(2)?.i64(*least)?.i64(*most)?;
        }
        Domain::Text { values, open } => {
            out.array(2)?.bool(*open)?;
            write_texts(out, values)?;
        }
        Domain::Set { members } => write_texts(out, members)?,
    }
    match &column.default {
        None => {
            out.null()?;
        }
        Some(Held::Bool(value)) => {
            out.bool(*value)?;
        }
        Some(Held::Number(value)) => {
            out.i64(*value)?;
        }
        Some(Held::Text(index)) => {
            out.u32(*index)?;
        }
        Some(Held::Members(list)) => write_indexes(out, list)?,
    }
    Ok(())
}

fn write_cell(out: &mut Encoder<&mut Vec<u8>>, cell: &Cell) -> Written {
    match cell {
        Cell::Any => {
            out.null()?;
        }
        Cell::Bool(value) => {
            out.bool(*value)?;
        }
        Cell::OneOf(list) => write_indexes(out, list)?,
        Cell::Within(ranges) => {
            out.array(ranges.len() as u64 * 2)?;
            for (from, to) in ranges {
                out.i64(*from)?.i64(*to)?;
            }
        }
        Cell::Members { has, lacks } => {
            out.array(2)?;
            write_indexes(out, has)?;
            write_indexes(out, lacks)?;
        }
    }
    Ok(())
}

fn write_indexes(out: &mut Encoder<&mut Vec<u8>>, list: &[u32]) -> Written {
    out.array(list.len() as u64)?;
    for index in list {
        out.u32(*index)?;
    }
    Ok(())
}

fn write_texts(out: &mut Encoder<&mut Vec<u8>>, list: &[String]) -> Written {
    out.array(list.len() as u64)?;
    for text in list {
        out.str(text)?;
    }
    Ok(())
}

fn refused<T>(what: &str) -> Read<T> {
    Err(minicbor::decode::Error::message(what))
}

fn of<T: Copy>(number: u8, all: &[(T, u8, &str)]) -> Read<T> {
    all.iter()
        .find(|row| row.1 == number)
        .map_or_else(|| refused("an unknown choice"), |row| Ok(row.0))
}

/// The length of an array; no array of a table is longer than the largest of its lists.
fn length(input: &mut Decoder<'_>) -> Read<usize> {
    match input.array()? {
        Some(length) if length <= 2 * RULE_ROWS_MAX as u64 => {
            Ok(usize::try_from(length).unwrap_or(usize::MAX))
        }
        _ => refused("an array of no or too great length"),
    }
}

fn fixed(input: &mut Decoder<'_>, expected: usize) -> Read<()> {
    if length(input)? == expected { Ok(()) } else { refused("an array of the wrong length") }
}

fn list<T>(
    input: &mut Decoder<'_>,
    mut item: impl FnMut(&mut Decoder<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    (0..length(input)?).map(|_| item(input)).collect()
}

fn is_null(input: &mut Decoder<'_>) -> Read<bool> {
    let is_null = input.datatype()? == Type::Null;
    if is_null {
        input.null()?;
    }
    Ok(is_null)
}

fn text(input: &mut Decoder<'_>) -> Read<String> {
    input.str().map(str::to_owned)
}

fn texts(input: &mut Decoder<'_>) -> Read<Vec<String>> {
    list(input, text)
}

fn read(input: &mut Decoder<'_>) -> Read<Parts> {
    fixed(input, 8)?;
    if input.u8()? != TABLE_VERSION {
        return refused("a version that is unknown");
    }
    let name = text(input)?;
    let hit = of(input.u8()?, HitPolicy::ALL)?;
    let binding = match input.u8()? {
        0 => None,
        number => Some(of(number, Binding::ALL)?),
    };
    let gaps_allowed = input.bool()?;
    let columns = list(input, read_column)?;
    let results = list(input, |input| {
        fixed(input, 3)?;
        let name = text(input)?;
        let kind = input.u8()?;
        let values = if is_null(input)? { None } else { Some(texts(input)?) };
        let outcome = match (kind, values) {
            (1, None) => Outcome::Bool,
            (2, None) => Outcome::Integer,
            (4, values) => Outcome::Text { values },
            _ => return refused("a result of an unknown type"),
        };
        Ok(ResultColumn { name, outcome })
    })?;
    let rows = list(input, |input| {
        fixed(input, 3)?;
        let id = text(input)?;
        fixed(input, columns.len())?;
        let when = columns.iter().map(|column| read_cell(input, &column.domain));
        let when = when.collect::<Read<_>>()?;
        fixed(input, results.len())?;
        let then = results.iter().map(|result| {
            Ok(match result.outcome {
                Outcome::Bool => Scalar::Bool(input.bool()?),
                Outcome::Integer => Scalar::Integer(input.i64()?),
                Outcome::Text { .. } => Scalar::Text(text(input)?),
            })
        });
        Ok(Row { id, when, then: then.collect::<Read<_>>()? })
    })?;
    Ok(Parts { name, hit, binding, gaps_allowed, columns, results, rows })
}

fn read_column(input: &mut Decoder<'_>) -> Read<Column> {
    fixed(input, 4)?;
    let name = text(input)?;
    let kind = input.u8()?;
    let domain = match kind {
        1 => {
            input.null()?;
            Domain::Bool
        }
        2 | 3 => {
            fixed(input, 2)?;
            let (least, most) = (input.i64()?, input.i64()?);
            if kind == 2 {
                Domain::Integer { least, most }
            } else {
                Domain::Decimal { least, most }
            }
        }
        4 => {
            fixed(input, 2)?;
            let open = input.bool()?;
            Domain::Text { open, values: texts(input)? }
        }
        5 => Domain::Set { members: texts(input)? },
        _ => return refused("a column of an unknown type"),
    };
    let default = if is_null(input)? {
        None
    } else {
        Some(match domain {
            Domain::Bool => Held::Bool(input.bool()?),
            Domain::Integer { .. } | Domain::Decimal { .. } => Held::Number(input.i64()?),
            Domain::Text { .. } => Held::Text(input.u32()?),
            Domain::Set { .. } => Held::Members(list(input, |input| input.u32())?),
        })
    };
    Ok(Column { name, domain, default })
}

fn read_cell(input: &mut Decoder<'_>, domain: &Domain) -> Read<Cell> {
    if is_null(input)? {
        return Ok(Cell::Any);
    }
    Ok(match domain {
        Domain::Bool => Cell::Bool(input.bool()?),
        Domain::Integer { .. } | Domain::Decimal { .. } => {
            let ends = list(input, |input| input.i64())?;
            if !ends.len().is_multiple_of(2) {
                return refused("a range without an end");
            }
            Cell::Within(ends.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
        }
        Domain::Text { .. } => Cell::OneOf(list(input, |input| input.u32())?),
        Domain::Set { .. } => {
            fixed(input, 2)?;
            let has = list(input, |input| input.u32())?;
            Cell::Members { has, lacks: list(input, |input| input.u32())? }
        }
    })
}
