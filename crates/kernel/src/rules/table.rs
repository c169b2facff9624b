//! A decision table: condition columns, result columns, rows, and which of the rows that apply
//! answers.
//!
//! ```text
//!   first     the first row that applies
//!   unique    the one row that applies; two are a contradiction
//!   any       whichever row applies; two with different results are a contradiction
//!   priority  of the rows that apply, the one whose results are listed first; of equals the first
//!   collect   the results of all rows that apply
//! ```

use super::cell::Cell;
use super::column::{Column, Domain, Outcome, ResultColumn, Scalar, name};
use super::fault::Fault;
use crate::limits::{
    RULE_ANSWERS_MAX, RULE_COLUMNS_MAX, RULE_CUTS_MAX, RULE_RESULTS_MAX, RULE_ROWS_MAX,
    RULE_TEXT_BYTES_MAX, RULE_VARIABLES_MAX,
};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Which of the rows that apply answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HitPolicy {
    /// The first.
    First,
    /// The only one.
    Unique,
    /// Any of them, since they agree.
    Any,
    /// The one with the most important results.
    Priority,
    /// All of them.
    Collect,
}

/// What a till asks a table about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// A line that is to be added or changed.
    Line,
    /// A tender that is to be taken.
    Tender,
    /// A sale that is to be completed.
    Sale,
}

impl HitPolicy {
    /// Every policy with its number in the table's bytes and its name.
    pub const ALL: &'static [(Self, u8, &'static str)] = &[
        (Self::First, 1, "first"),
        (Self::Unique, 2, "unique"),
        (Self::Any, 3, "any"),
        (Self::Priority, 4, "priority"),
        (Self::Collect, 5, "collect"),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|row| row.0 == self).expect("every policy is listed").2
    }
}

impl Binding {
    /// Every binding with its number in the table's bytes and its name.
    pub const ALL: &'static [(Self, u8, &'static str)] =
        &[(Self::Line, 1, "line"), (Self::Tender, 2, "tender"), (Self::Sale, 3, "sale")];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|row| row.0 == self).expect("every binding is listed").2
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What answers, refusals and the journal call it.
    pub id: String,
    /// One condition for each condition column.
    pub when: Vec<Cell>,
    /// One value for each result column.
    pub then: Vec<Scalar>,
}

/// A valid table. [`Table::read`] makes one from a file, [`Table::decode`] from the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub(super) parts: Parts,
}

/// What a table is made of, before it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) name: String,
    pub(super) hit: HitPolicy,
    pub(super) binding: Option<Binding>,
    pub(super) gaps_allowed: bool,
    pub(super) columns: Vec<Column>,
    pub(super) results: Vec<ResultColumn>,
    pub(super) rows: Vec<Row>,
}

impl Table {
    pub(super) fn new(parts: Parts) -> Result<Table, Fault> {
        parts.check()?;
        Ok(Table { parts })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// Which of the rows that apply answers.
    #[must_use]
    pub fn hit(&self) -> HitPolicy {
        self.parts.hit
    }

    /// What a till asks it about.
    #[must_use]
    pub fn binding(&self) -> Option<Binding> {
        self.parts.binding
    }

    /// Whether an input that no row speaks of is meant to have no answer.
    #[must_use]
    pub fn gaps_allowed(&self) -> bool {
        self.parts.gaps_allowed
    }

    /// Condition columns.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.parts.columns
    }

    /// Result columns.
    #[must_use]
    pub fn results(&self) -> &[ResultColumn] {
        &self.parts.results
    }

    /// Rows, in the order of the source.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.parts.rows
    }

    /// The different answers in the order in which rows give them, and which of them each row gives.
    pub(super) fn answers(&self) -> (Vec<Vec<Scalar>>, Vec<u32>) {
        let mut numbers: HashMap<&[Scalar], u32> = HashMap::new();
        let mut answers = Vec::new();
        let mut of_rows = Vec::with_capacity(self.rows().len());
        for row in self.rows() {
            let next = u32::try_from(answers.len()).expect("rows are limited");
            let number = *numbers.entry(&row.then).or_insert(next);
            if number == next {
                answers.push(row.then.clone());
            }
            of_rows.push(number);
        }
        (answers, of_rows)
    }

    /// The rows in the order in which they decide: where several apply, the first of these answers.
    pub(super) fn order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0_u32..).take(self.rows().len()).collect();
        if self.hit() == HitPolicy::Priority {
            order.sort_by_cached_key(|&row| {
                let values = &self.rows()[row as usize].then;
                let ranks = self.results().iter().zip(values);
                ranks.map(|(result, value)| result.outcome.rank(value)).collect::<Vec<_>>()
            });
        }
        order
    }
}

impl Parts {
    fn check(&self) -> Result<(), Fault> {
        name("the name of the table", &self.name)?;
        self.check_columns()?;
        if self.rows.is_empty() {
            return Err(Fault::new("it has no row"));
        }
        within("rows", self.rows.len(), RULE_ROWS_MAX)?;
        let mut ids = HashSet::new();
        let mut answers = HashSet::new();
        for (index, row) in self.rows.iter().enumerate() {
            self.check_row(row).map_err(|fault| fault.at_row(index))?;
            if !ids.insert(&row.id) {
                let text = format!("the row id {:?} stands twice", row.id);
                return Err(Fault::new(text).at_row(index));
            }
            answers.insert(&row.then);
            if answers.len() > RULE_ANSWERS_MAX {
                let fault = Fault::limit("different answers", answers.len(), RULE_ANSWERS_MAX);
                return Err(fault.at_row(index));
            }
        }
        self.check_cuts()
    }

    fn check_columns(&self) -> Result<(), Fault> {
        if self.columns.is_empty() {
            return Err(Fault::new("it has no condition column"));
        }
        if self.results.is_empty() {
            return Err(Fault::new("it has no result column"));
        }
        within("condition columns", self.columns.len(), RULE_COLUMNS_MAX)?;
        within("result columns", self.results.len(), RULE_RESULTS_MAX)?;
        let names = self.columns.iter().map(|column| &column.name);
        let mut seen = HashSet::new();
        for column in names.chain(self.results.iter().map(|result| &result.name)) {
            name("the name of a column", column).map_err(|fault| fault.at_column(column))?;
            if !seen.insert(column) {
                return Err(Fault::new("the column stands twice").at_column(column));
            }
        }
        let mut variables = 0;
        for Column { name, domain, default } in &self.columns {
            domain.check().map_err(|fault| fault.at_column(name))?;
            if default.as_ref().is_some_and(|default| !domain.holds(default)) {
                return Err(Fault::new("the default does not fit the column").at_column(name));
            }
            variables += if let Domain::Set { members } = domain { members.len() } else { 1 };
        }
        within("condition columns and members of sets", variables, RULE_VARIABLES_MAX)?;
        for ResultColumn { name, outcome } in &self.results {
            outcome.check().map_err(|fault| fault.at_column(name))?;
        }
        let ranked =
            |result: &ResultColumn| matches!(result.outcome, Outcome::Text { values: Some(_) });
        if self.hit == HitPolicy::Priority && !self.results.iter().any(ranked) {
            return Err(Fault::new(
                "the hit policy is priority, and no result column lists its values; list those of \
                 a text column, the more important first",
            ));
        }
        Ok(())
    }

    fn check_row(&self, row: &Row) -> Result<(), Fault> {
        name("the row id", &row.id)?;
        if row.when.len() != self.columns.len() || row.then.len() != self.results.len() {
            return Err(Fault::new("it has not one cell for each column"));
        }
        for (cell, column) in row.when.iter().zip(&self.columns) {
            cell.check(&column.domain).map_err(|fault| fault.at_column(&column.name))?;
        }
        for (value, result) in row.then.iter().zip(&self.results) {
            if let Scalar::Text(text) = value {
                if text.len() > RULE_TEXT_BYTES_MAX {
                    let fault = Fault::limit("bytes of a result", text.len(), RULE_TEXT_BYTES_MAX);
                    return Err(fault.at_column(&result.name));
                }
                if text.chars().any(char::is_control) {
                    let fault = Fault::new("the result holds a control character");
                    return Err(fault.at_column(&result.name));
                }
            }
            if !result.outcome.holds(value) {
                return Err(
                    Fault::new("the result does not fit the column").at_column(&result.name)
                );
            }
        }
        Ok(())
    }

    fn check_cuts(&self) -> Result<(), Fault> {
        for (index, column) in self.columns.iter().enumerate() {
            if column.domain.ends().is_none() {
                continue;
            }
            let mut cuts = BTreeSet::new();
            for row in &self.rows {
                if let Cell::Within(ranges) = &row.when[index] {
                    cuts.extend(ranges.iter().flat_map(|&(from, to)| [from, to + 1]));
                }
            }
            within("distinct ends of ranges", cuts.len(), RULE_CUTS_MAX)
                .map_err(|fault| fault.at_column(&column.name))?;
        }
        Ok(())
    }
}

fn within(what: &str, value: usize, limit: usize) -> Result<(), Fault> {
    if value > limit { Err(Fault::limit(what, value, limit)) } else { Ok(()) }
}
