//! The columns of a table: conditions, each with the values that an input may have, and results.

use super::fault::{Fault, shortened};
use crate::limits::{AMOUNT_MAX, RULE_NAME_BYTES_MAX, RULE_VALUES_MAX, SCALE_MAX};
use crate::money::Decimal;

/// Decimals are compared as millionths, the finest that a quantity or a unit price can be.
const UNITS: i64 = 10_i64.pow(SCALE_MAX as u32);

/// The values that an input may have in a condition column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domain {
    /// True or false.
    Bool,
    /// Whole numbers, both ends included: an age, an amount in minor units.
    Integer {
        /// Least value.
        least: i64,
        /// Largest value.
        most: i64,
    },
    /// Decimals of up to six places, in millionths.
    Decimal {
        /// Least value.
        least: i64,
        /// Largest value.
        most: i64,
    },
    /// One of a list of texts; with `open`, any other text too.
    Text {
        /// The texts that rows may tell apart.
        values: Vec<String>,
        /// Any other text is an input too.
        open: bool,
    },
    /// Any set of these texts.
    Set {
        /// The texts that may be in the set.
        members: Vec<String>,
    },
}

/// A condition column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name, as inputs call it.
    pub name: String,
    /// What an input may be.
    pub domain: Domain,
    /// What an input is when it is not given.
    pub default: Option<Held>,
}

/// One value of a condition column, as a table holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// Of a boolean.
    Bool(bool),
    /// Of an integer, or millionths of a decimal.
    Number(i64),
    /// Index of a text.
    Text(u32),
    /// Indexes of the members that are in the set, ascending.
    Members(Vec<u32>),
}

/// What a result column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// True or false.
    Bool,
    /// A whole number.
    Integer,
    /// A text; one of these where they are listed, the more important first.
    Text {
        /// The texts that there are; `None` for any.
        values: Option<Vec<String>>,
    },
}

/// A result column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultColumn {
    /// Name.
    pub name: String,
    /// What it holds.
    pub outcome: Outcome,
}

/// One value of a result column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
}

impl Domain {
    /// All integers that can cross every door.
    pub(super) const ALL: (i64, i64) = (-AMOUNT_MAX, AMOUNT_MAX);

    /// The name of the type, and its number in the table's bytes.
    pub(super) fn kind(&self) -> (&'static str, u8) {
        match self {
            Self::Bool => ("bool", 1),
            Self::Integer { .. } => ("integer", 2),
            Self::Decimal { .. } => ("decimal", 3),
            Self::Text { .. } => ("text", 4),
            Self::Set { .. } => ("set", 5),
        }
    }

    /// The ends of a domain of numbers.
    pub(super) fn ends(&self) -> Option<(i64, i64)> {
        match self {
            Self::Integer { least, most } | Self::Decimal { least, most } => Some((*least, *most)),
            _ => None,
        }
    }

    /// A number as the table holds it: itself, or its millionths.
    pub(super) fn units(&self, value: Decimal) -> Option<i64> {
        let divisor = 10_i64.pow(u32::from(value.scale()));
        match self {
            Self::Integer { .. } => {
                (value.mantissa() % divisor == 0).then(|| value.mantissa() / divisor)
            }
            Self::Decimal { .. } => {
                let units = i128::from(value.mantissa()) * i128::from(UNITS / divisor);
                let saturated = if units < 0 { i64::MIN } else { i64::MAX };
                Some(i64::try_from(units).unwrap_or(saturated))
            }
            _ => None,
        }
    }

    /// Reads a number of this domain.
    pub(super) fn number(&self, text: &str) -> Result<i64, Fault> {
        let units = Decimal::parse(text).and_then(|value| self.units(value));
        let Some(units) = units else {
            let kind = self.kind().0;
            let wanted =
                if kind == "integer" { "a whole number" } else { "a decimal of up to six places" };
            return Err(Fault::new(format!("{:?} is not {wanted}", shortened(text))));
        };
        self.within(units)
    }

    /// Checks that a number lies between the ends.
    pub(super) fn within(&self, units: i64) -> Result<i64, Fault> {
        let (least, most) = self.ends().unwrap_or(Self::ALL);
        if (least..=most).contains(&units) {
            return Ok(units);
        }
        let (least, most) = (self.digits(least), self.digits(most));
        Err(Fault::new(format!("{} is outside {least} to {most}", self.digits(units))))
    }

    /// A number as people write it.
    pub(super) fn digits(&self, units: i64) -> String {
        if !matches!(self, Self::Decimal { .. }) {
            return units.to_string();
        }
        let text = Decimal::new(units, SCALE_MAX).expect("six places").to_string();
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Bool => Ok(()),
            Self::Integer { least, most } | Self::Decimal { least, most } => {
                if *least < -AMOUNT_MAX || *most > AMOUNT_MAX {
                    return Err(Fault::new(format!(
                        "an end of the range is outside {} to {}",
                        self.digits(-AMOUNT_MAX),
                        self.digits(AMOUNT_MAX)
                    )));
                }
                if least > most {
                    return Err(Fault::new(format!(
                        "the range {}..{} has no number in it",
                        self.digits(*least),
                        self.digits(*most)
                    )));
                }
                Ok(())
            }
            Self::Text { values, open } => {
                if values.is_empty() && !open {
                    return Err(Fault::new("the list of values is empty"));
                }
                if *open && !values.is_sorted() {
                    return Err(Fault::new("the texts of an open column are not sorted"));
                }
                texts(values)
            }
            Self::Set { members } => {
                if members.is_empty() {
                    return Err(Fault::new("the list of values is empty"));
                }
                if let Some(text) = members.iter().find(|text| text.contains('&')) {
                    return Err(Fault::new(format!(
                        "{:?} holds a &, which joins members",
                        shortened(text)
                    )));
                }
                texts(members)
            }
        }
    }

    pub(super) fn holds(&self, held: &Held) -> bool {
        match (self, held) {
            (Self::Bool, Held::Bool(_)) => true,
            (Self::Integer { .. } | Self::Decimal { .. }, Held::Number(units)) => {
                self.within(*units).is_ok()
            }
            (Self::Text { values, .. }, Held::Text(index)) => (*index as usize) < values.len(),
            (Self::Set { members }, Held::Members(held)) => {
                held.is_sorted_by(|a, b| a < b)
                    && held.iter().all(|index| (*index as usize) < members.len())
            }
            _ => false,
        }
    }
}

impl Outcome {
    /// The name of the type, and its number in the table's bytes.
    pub(super) fn kind(&self) -> (&'static str, u8) {
        match self {
            Self::Bool => ("bool", 1),
            Self::Integer => ("integer", 2),
            Self::Text { .. } => ("text", 4),
        }
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        let Self::Text { values: Some(values) } = self else { return Ok(()) };
        if values.is_empty() {
            return Err(Fault::new("the list of values is empty"));
        }
        texts(values)
    }

    /// Whether it may hold this.
    pub(super) fn holds(&self, value: &Scalar) -> bool {
        match (self, value) {
            (Self::Bool, Scalar::Bool(_)) => true,
            (Self::Integer, Scalar::Integer(value)) => value.abs() <= AMOUNT_MAX,
            (Self::Text { values }, Scalar::Text(text)) => {
                values.as_ref().is_none_or(|values| values.contains(text))
            }
            _ => false,
        }
    }

    /// The place of a value in the order of importance; 0 where there is no order.
    pub(super) fn rank(&self, value: &Scalar) -> usize {
        match (self, value) {
            (Self::Text { values: Some(values) }, Scalar::Text(text)) => {
                values.iter().position(|value| value == text).unwrap_or(values.len())
            }
            _ => 0,
        }
    }
}

/// Texts that rows tell apart: each once, and each such that a cell can name it.
fn texts(values: &[String]) -> Result<(), Fault> {
    if values.len() > RULE_VALUES_MAX {
        return Err(Fault::limit("values of a column", values.len(), RULE_VALUES_MAX));
    }
    let mut seen = std::collections::HashSet::with_capacity(values.len());
    for value in values {
        nameable(value)?;
        if !seen.insert(value) {
            return Err(Fault::new(format!("the value {:?} is listed twice", shortened(value))));
        }
    }
    Ok(())
}

/// A text that a cell can name, so one without the marks of cells.
pub(super) fn nameable(text: &str) -> Result<(), Fault> {
    name("a value", text)?;
    if text.contains('|') || text.starts_with('!') || matches!(text, "any" | "-") {
        return Err(Fault::new(format!(
            "{:?} cannot be a value: |, a leading !, \"any\" and \"-\" mean something in a cell",
            shortened(text)
        )));
    }
    Ok(())
}

/// A name: 1 to 64 bytes, no control characters, no blanks at its ends.
pub(super) fn name(what: &str, text: &str) -> Result<(), Fault> {
    if text.is_empty() {
        return Err(Fault::new(format!("{what} is empty")));
    }
    if text.len() > RULE_NAME_BYTES_MAX {
        return Err(Fault::limit(&format!("bytes of {what}"), text.len(), RULE_NAME_BYTES_MAX));
    }
    if text.chars().any(char::is_control) {
        return Err(Fault::new(format!("{what} holds a control character")));
    }
    if text.trim() != text {
        return Err(Fault::new(format!("{what} {:?} has a blank at an end", shortened(text))));
    }
    Ok(())
}
