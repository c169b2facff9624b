//! What can change in a sale, and what a change comes to.
//!
//! A change is small and made of integers and borrowed lists, so that a journal's fact maps to one
//! without a copy.

use super::Totals;
use super::adjustment::Adjustment;
use super::line::NewLine;
use super::returns::GivenBack;
use super::tax::TaxComponent;
use crate::money::Decimal;

/// One change of a sale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change<'a> {
    /// Adds a line; lines are numbered from 1 and never again.
    AddLine(NewLine<'a>),
    /// Adds a part of a sold line that comes back with its receipt.
    AddReturn(&'a GivenBack),
    /// Makes a line worth nothing. Its share of a discount on the sale goes with it.
    VoidLine {
        /// Line.
        line: u32,
    },
    /// Another quantity of the same sign.
    SetQuantity {
        /// Line.
        line: u32,
        /// Quantity.
        quantity: Decimal,
    },
    /// Another price.
    SetPrice {
        /// Line.
        line: u32,
        /// Price of `per` units.
        unit_price: Decimal,
        /// Units that the price is for.
        per: Decimal,
    },
    /// Other taxes.
    SetTaxes {
        /// Line.
        line: u32,
        /// Taxes.
        taxes: &'a [TaxComponent],
    },
    /// A discount or surcharge on a line.
    AdjustLine {
        /// Line.
        line: u32,
        /// Discount or surcharge.
        adjustment: Adjustment,
    },
    /// A discount or surcharge on the sale as it stands: allocated to its items by their amounts.
    /// Lines that come later have no share.
    AdjustSale {
        /// Discount or surcharge.
        adjustment: Adjustment,
    },
    /// Takes back a discount or surcharge, wherever it stands.
    Retract {
        /// Number of the discount or surcharge.
        number: u32,
    },
}

/// What a change comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The line that was added or changed.
    pub line: Option<u32>,
    /// Its amount afterwards.
    pub amount: i64,
    /// Number of the discount or surcharge that was given or taken back.
    pub number: Option<u32>,
    /// What that one adds to the sale: negative for a discount on a sale.
    pub adjusted: i64,
    /// The sale afterwards.
    pub totals: Totals,
}
