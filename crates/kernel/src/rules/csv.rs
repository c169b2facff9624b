//! A table from CSV (RFC 4180), as a spreadsheet saves it.
//!
//! ```text
//!   table,Age limits,hit,first,at,line          keys and their values: table, hit, at, gaps
//!   rule,class,age,decision                     names; the first column holds the ids of the rows
//!   ,when text wine|beer,when integer 0..120,then text refuse|allow = allow
//!   minor,wine|beer,..17,refuse                 one row a line; an empty condition is "any"
//! ```
//!
//! Strict: a quote that is never closed, or stands where it may not, and a row that is too short or
//! too long are errors with line and column. Lines without a field are skipped.

use super::draft::{Draft, DraftColumn, DraftRow, Raw};
use super::fault::{Fault, shortened};
use super::json::{choice, gaps};
use super::table::{Binding, HitPolicy, Table};
use crate::error::Result;

/// Fields of one record, and the line on which it begins.
struct Record {
    line: usize,
    fields: Vec<String>,
}

/// A fault at a line and a field, both counted from 1.
struct Placed {
    line: usize,
    field: Option<usize>,
    fault: Fault,
}

pub(super) fn read(text: &str) -> Result<Table> {
    let records = records(text).map_err(Placed::error)?;
    let (draft, places) = draft(&records).map_err(Placed::error)?;
    draft.table().map_err(|fault| {
        let field = fault.column.as_ref().and_then(|name| places.field(name));
        let line = match fault.row {
            Some(row) => places.rows.get(row).copied(),
            None => field.map(|_| places.types_line),
        };
        fault.error(line, field)
    })
}

impl Placed {
    fn error(self) -> crate::error::Error {
        self.fault.error(Some(self.line), self.field)
    }
}

/// Where the parts of the draft stand in the file.
struct Places {
    names: Vec<String>,
    types_line: usize,
    rows: Vec<usize>,
}

impl Places {
    fn field(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name).map(|index| index + 1)
    }
}

fn records(text: &str) -> std::result::Result<Vec<Record>, Placed> {
    let mut records = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    while !rest.is_empty() {
        let begin = line;
        let mut fields = Vec::new();
        loop {
            let at = |text: &str, fields: &Vec<String>| Placed {
                line: begin,
                field: Some(fields.len() + 1),
                fault: Fault::new(text),
            };
            let mut field = String::new();
            if let Some(mut quoted) = rest.strip_prefix('"') {
                loop {
                    let Some(end) = quoted.find('"') else {
                        return Err(at("the quote is never closed", &fields));
                    };
                    field.push_str(&quoted[..end]);
                    quoted = &quoted[end + 1..];
                    let Some(more) = quoted.strip_prefix('"') else { break };
                    field.push('"');
                    quoted = more;
                }
                line += field.matches('\n').count();
                rest = quoted;
                if !(rest.is_empty() || rest.starts_with([',', '\n', '\r'])) {
                    return Err(at("something stands behind the closing quote", &fields));
                }
            } else {
                let end = rest.find([',', '\n', '\r']).unwrap_or(rest.len());
                field.push_str(&rest[..end]);
                if field.contains('"') {
                    return Err(at(
                        "a quote stands inside a field that begins without one",
                        &fields,
                    ));
                }
                rest = &rest[end..];
            }
            fields.push(field);
            if let Some(more) = rest.strip_prefix(',') {
                rest = more;
                continue;
            }
            if let Some(more) = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')) {
                rest = more;
                line += 1;
            } else if !rest.is_empty() {
                return Err(at("a carriage return stands without a line feed", &fields));
            }
            break;
        }
        // A spreadsheet saves an empty row as commas alone.
        if fields.iter().any(|field| !field.trim().is_empty()) {
            records.push(Record { line: begin, fields });
        }
    }
    Ok(records)
}

fn draft(records: &[Record]) -> std::result::Result<(Draft, Places), Placed> {
    let [head, names, types, rows @ ..] = records else {
        let line = records.last().map_or(1, |record| record.line);
        let fault =
            Fault::new("a table has a line of keys, a line of names, a line of types and rows");
        return Err(Placed { line, field: None, fault });
    };
    let mut draft = self::head(head)?;
    let width = names.fields.len();
    let at = |record: &Record, field: usize, fault: Fault| Placed {
        line: record.line,
        field: Some(field + 1),
        fault,
    };
    if names.fields[0].trim() != "rule" {
        let fault = Fault::new("the first name is not \"rule\", the column of the row ids");
        return Err(at(names, 0, fault));
    }
    for record in std::iter::once(types).chain(rows) {
        if record.fields.len() != width {
            let text = format!("the line has {} fields, not {width}", record.fields.len());
            return Err(Placed { line: record.line, field: None, fault: Fault::new(text) });
        }
    }
    let mut is_condition = Vec::new();
    for index in 1..width {
        let (is_when, column) = declared(names.fields[index].trim(), types.fields[index].trim())
            .map_err(|fault| at(types, index, fault))?;
        is_condition.push(is_when);
        if is_when { draft.columns.push(column) } else { draft.results.push(column) }
    }
    for record in rows {
        let (mut when, mut then) = (Vec::new(), Vec::new());
        for (field, is_when) in record.fields[1..].iter().zip(&is_condition) {
            let raw = Raw::Text(field.trim().to_owned());
            if *is_when { when.push(raw) } else { then.push(raw) }
        }
        let id = record.fields[0].trim();
        draft.rows.push(DraftRow { id: (!id.is_empty()).then(|| id.to_owned()), when, then });
    }
    let places = Places {
        names: names.fields.iter().map(|name| name.trim().to_owned()).collect(),
        types_line: types.line,
        rows: rows.iter().map(|record| record.line).collect(),
    };
    Ok((draft, places))
}

fn head(record: &Record) -> std::result::Result<Draft, Placed> {
    let (mut name, mut hit, mut binding, mut gaps_allowed) = (None, None, None, None);
    for (index, pair) in record.fields.chunks(2).enumerate() {
        let key = pair[0].trim();
        let value = pair.get(1).map_or("", |value| value.trim());
        let at = |fault: Fault| Placed { line: record.line, field: Some(index * 2 + 1), fault };
        let twice = || at(Fault::new(format!("the key {key:?} stands twice")));
        let is_new = match key {
            "table" => name.replace(value.to_owned()).is_none(),
            "hit" => {
                let found = choice(value.to_owned(), "hit", HitPolicy::ALL).map_err(at)?;
                hit.replace(found).is_none()
            }
            "at" => {
                let found = choice(value.to_owned(), "at", Binding::ALL).map_err(at)?;
                binding.replace(found).is_none()
            }
            "gaps" => gaps_allowed.replace(gaps(value).map_err(at)?).is_none(),
            "" if value.is_empty() => true,
            other => {
                let shown = shortened(other);
                return Err(at(Fault::new(format!(
                    "the key {shown:?} is not one of table, hit, at, gaps"
                ))));
            }
        };
        if !is_new {
            return Err(twice());
        }
    }
    let missing = |key: &str| Placed {
        line: record.line,
        field: None,
        fault: Fault::new(format!("the key {key:?} is missing")),
    };
    Ok(Draft {
        name: name.ok_or_else(|| missing("table"))?,
        hit: hit.ok_or_else(|| missing("hit"))?,
        binding,
        gaps_allowed: gaps_allowed.unwrap_or(false),
        columns: Vec::new(),
        results: Vec::new(),
        rows: Vec::new(),
    })
}

/// `when integer 0..120 = 18`: side, type, list or range, default.
fn declared(name: &str, text: &str) -> std::result::Result<(bool, DraftColumn), Fault> {
    let (side, rest) = text.split_once(' ').unwrap_or((text, ""));
    let is_when = match side {
        "when" => true,
        "then" => false,
        other => {
            let shown = shortened(other);
            return Err(Fault::new(format!(
                "the type begins with {shown:?}, not with when or then"
            )));
        }
    };
    let rest = format!("{} ", rest.trim());
    let (rest, default) = match rest.rsplit_once(" = ") {
        Some((rest, default)) => (rest.trim(), Some(Raw::Text(default.trim().to_owned()))),
        None => (rest.trim(), None),
    };
    let (kind, list) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut column = DraftColumn {
        name: name.to_owned(),
        kind: kind.to_owned(),
        default,
        ..DraftColumn::default()
    };
    let list = list.trim();
    if list.is_empty() {
        return Ok((is_when, column));
    }
    if matches!(kind, "integer" | "decimal") {
        let Some((least, most)) = list.split_once("..") else {
            return Err(Fault::new(format!("the range {:?} is not like 0..120", shortened(list))));
        };
        let end = |text: &str| (!text.trim().is_empty()).then(|| Raw::Text(text.trim().to_owned()));
        (column.least, column.most) = (end(least), end(most));
    } else {
        column.values = Some(list.split('|').map(|value| value.trim().to_owned()).collect());
    }
    Ok((is_when, column))
}
