//! What a till knows when it asks: the facts of a line, a tender or a sale, by the names that
//! columns call them, and what the host says besides.
//!
//! | asked about | columns by name (type) |
//! | --- | --- |
//! | line | `sku` (text), `class` (text), `quantity` (decimal), `unitPrice` (decimal), `amount` (integer) |
//! | tender | `kind` (text), `amount` (integer), `due` (integer), `total` (integer) |
//! | sale | `total` (integer), `lines` (integer) |
//!
//! A column of any other name is an attribute that the host gives: the age that was checked, who is
//! signed on, what of the basket is food.

use super::column::{Column, Domain};
use super::fault::Fault;
use super::input::Given;
use super::table::{Binding, Table};
use crate::money::Decimal;

/// Something the host says of a line, a tender or a sale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attribute<'a> {
    /// The column that it is for.
    pub name: &'a str,
    /// What it is.
    pub value: Given<'a>,
}

/// The facts of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineFacts<'a> {
    /// Stock-keeping unit.
    pub sku: &'a str,
    /// Class of the goods, where the host has one.
    pub class: Option<&'a str>,
    /// Quantity; negative for a return.
    pub quantity: Decimal,
    /// Price of one in minor units.
    pub unit_price: Decimal,
    /// Amount in minor units.
    pub amount: i64,
    /// What the host says besides.
    pub attributes: &'a [Attribute<'a>],
}

/// The facts of a tender.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TenderFacts<'a> {
    /// What is tendered.
    pub kind: &'a str,
    /// Minor units.
    pub amount: i64,
    /// What is due before it.
    pub due: i64,
    /// What the sale comes to.
    pub total: i64,
    /// What the host says besides.
    pub attributes: &'a [Attribute<'a>],
}

/// The facts of a sale that is to be completed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SaleFacts<'a> {
    /// What it comes to, in minor units.
    pub total: i64,
    /// Live lines.
    pub lines: u32,
    /// What the host says besides.
    pub attributes: &'a [Attribute<'a>],
}

/// What a till asks about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fact<'a> {
    /// A line that is to be added or changed.
    Line(LineFacts<'a>),
    /// A tender that is to be taken.
    Tender(TenderFacts<'a>),
    /// A sale that is to be completed.
    Sale(SaleFacts<'a>),
}

/// Where the value of a column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Sku,
    Class,
    Quantity,
    UnitPrice,
    Amount,
    Kind,
    Due,
    Total,
    Lines,
    Attribute,
}

impl Fact<'_> {
    pub(super) fn binding(&self) -> Binding {
        match self {
            Self::Line(_) => Binding::Line,
            Self::Tender(_) => Binding::Tender,
            Self::Sale(_) => Binding::Sale,
        }
    }
}

impl<'a> Fact<'a> {
    /// The value of a column.
    #[inline]
    pub(super) fn value(&self, origin: Origin, column: &str) -> Option<Given<'a>> {
        let attributes = match self {
            Self::Line(line) => match origin {
                Origin::Sku => return Some(Given::Text(line.sku)),
                Origin::Class => return line.class.map(Given::Text),
                Origin::Quantity => return Some(Given::Decimal(line.quantity)),
                Origin::UnitPrice => return Some(Given::Decimal(line.unit_price)),
                Origin::Amount => return Some(Given::Integer(line.amount)),
                _ => line.attributes,
            },
            Self::Tender(tender) => match origin {
                Origin::Kind => return Some(Given::Text(tender.kind)),
                Origin::Amount => return Some(Given::Integer(tender.amount)),
                Origin::Due => return Some(Given::Integer(tender.due)),
                Origin::Total => return Some(Given::Integer(tender.total)),
                _ => tender.attributes,
            },
            Self::Sale(sale) => match origin {
                Origin::Total => return Some(Given::Integer(sale.total)),
                Origin::Lines => return Some(Given::Integer(sale.lines.into())),
                _ => sale.attributes,
            },
        };
        attributes.iter().find(|attribute| attribute.name == column).map(|found| found.value)
    }
}

/// Where each column of a table comes from; a column that has the name of a fact has its type.
pub(super) fn origins(table: &Table, binding: Binding) -> Result<Vec<Origin>, Fault> {
    let origin = |column: &Column| {
        let origin = match (binding, column.name.as_str()) {
            (Binding::Line, "sku") => Origin::Sku,
            (Binding::Line, "class") => Origin::Class,
            (Binding::Line, "quantity") => Origin::Quantity,
            (Binding::Line, "unitPrice") => Origin::UnitPrice,
            (Binding::Line | Binding::Tender, "amount") => Origin::Amount,
            (Binding::Tender, "kind") => Origin::Kind,
            (Binding::Tender, "due") => Origin::Due,
            (Binding::Tender | Binding::Sale, "total") => Origin::Total,
            (Binding::Sale, "lines") => Origin::Lines,
            _ => return Ok(Origin::Attribute),
        };
        let wanted = match origin {
            Origin::Sku | Origin::Class | Origin::Kind => "text",
            Origin::Quantity | Origin::UnitPrice => "decimal",
            _ => "integer",
        };
        // A fact comes as it is: a table that knows only some of its values would fail on the others.
        let holds_all = match &column.domain {
            Domain::Text { open, .. } => *open || origin != Origin::Sku,
            Domain::Integer { least, most } | Domain::Decimal { least, most } => {
                (*least, *most) == Domain::ALL
            }
            _ => true,
        };
        let binding = binding.name();
        if column.domain.kind().0 != wanted {
            let text = format!("at a {binding} this column has the type {wanted}");
            return Err(Fault::new(text).at_column(&column.name));
        }
        if !holds_all {
            let text = format!("at a {binding} this column has no list of values and no range");
            return Err(Fault::new(text).at_column(&column.name));
        }
        Ok(origin)
    };
    table.columns().iter().map(origin).collect()
}
