//! What is wrong with a table, and where. The reader of a format adds what it knows of the place.

use crate::code::Code;
use crate::error::Error;

/// A refusal that names its row and column.
#[derive(Debug)]
pub(super) struct Fault {
    /// Counted from 0.
    pub(super) row: Option<usize>,
    pub(super) column: Option<String>,
    text: String,
    limit: Option<(usize, usize)>,
}

impl Fault {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { row: None, column: None, text: text.into(), limit: None }
    }

    /// More than a limit of `limits.rs`.
    pub(super) fn limit(what: &str, value: usize, limit: usize) -> Self {
        let text = format!("{what}: {value} is over the limit of {limit}");
        Self { limit: Some((value, limit)), ..Self::new(text) }
    }

    pub(super) fn at_row(mut self, row: usize) -> Self {
        self.row = Some(row);
        self
    }

    pub(super) fn at_column(mut self, name: &str) -> Self {
        self.column = Some(name.to_owned());
        self
    }

    /// The error. `line` and `field`, counted from 1, are those of the file where it has them.
    pub(super) fn error(self, line: Option<usize>, field: Option<usize>) -> Error {
        let mut place = Vec::new();
        if let Some(line) = line {
            place.push(format!("line {line}"));
        }
        if let Some(row) = self.row {
            place.push(format!("row {}", row + 1));
        }
        if let Some(name) = &self.column {
            place.push(match field {
                Some(field) => format!("column {field} ({})", shortened(name)),
                None => format!("column {}", shortened(name)),
            });
        } else if let Some(field) = field {
            place.push(format!("column {field}"));
        }
        let place =
            if place.is_empty() { String::new() } else { format!("{}: ", place.join(", ")) };
        let code = if self.limit.is_some() { Code::Limit } else { Code::BadRules };
        let mut error =
            Error::new(code, format!("the rule table is refused: {place}{}", self.text));
        if let Some((value, limit)) = self.limit {
            error = error.with("what", self.text).with("value", value).with("limit", limit);
        }
        if let Some(line) = line {
            error = error.with("line", line);
        }
        if let Some(field) = field {
            error = error.with("field", field);
        }
        if let Some(row) = self.row {
            error = error.with("row", row + 1);
        }
        if let Some(name) = &self.column {
            error = error.with("column", shortened(name));
        }
        error
    }
}

/// A text of the host's as a message may show it.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
