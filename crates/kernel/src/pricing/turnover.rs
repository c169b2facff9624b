//! Turnover of a sale: what was sold and what was returned, apart, and for each tax.
//!
//! Perpetual totals count sales and returns by themselves, so that neither ever falls. Here the lines
//! of a finished sale are added up by their sign; the two sides together are its totals and the rows
//! of its tax table.

use super::split::Splits;
use super::tax::TaxComponent;
use crate::error::Result;
use crate::money::add;

/// One side of a sale: sold is positive or zero, returned negative or zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Side {
    /// Without tax.
    pub net: i64,
    /// Tax.
    pub tax: i64,
}

/// Both sides for one tax. A line with several taxes counts its net in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnoverRow {
    /// The tax.
    pub component: TaxComponent,
    /// Lines with a positive quantity.
    pub sold: Side,
    /// Lines with a negative quantity.
    pub returned: Side,
}

/// Both sides of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turnover {
    /// Lines with a positive quantity.
    pub sold: Side,
    /// Lines with a negative quantity.
    pub returned: Side,
    /// For each tax, in the order of the lines.
    pub rows: Vec<TurnoverRow>,
}

impl Side {
    /// Net and tax.
    #[must_use]
    pub fn gross(&self) -> i64 {
        self.net + self.tax
    }

    fn take(&mut self, net: i64, tax: i64) -> Result<()> {
        self.net = add(self.net, net)?;
        self.tax = add(self.tax, tax)?;
        Ok(())
    }
}

impl Splits {
    /// Adds up what was sold and what was returned.
    ///
    /// # Errors
    /// `PK_E_OVERFLOW` when one side comes to more than an amount may be.
    pub fn turnover(&self) -> Result<Turnover> {
        let mut turnover = Turnover::default();
        for line in self.iter() {
            let is_return = line.quantity.mantissa() < 0;
            let side = if is_return { &mut turnover.returned } else { &mut turnover.sold };
            side.take(line.net, line.gross - line.net)?;
            for (component, tax) in line.components.iter().zip(line.taxes) {
                let at = turnover.rows.iter().position(|row| row.component == *component);
                let at = at.unwrap_or_else(|| {
                    let (sold, returned) = (Side::default(), Side::default());
                    turnover.rows.push(TurnoverRow { component: *component, sold, returned });
                    turnover.rows.len() - 1
                });
                let row = &mut turnover.rows[at];
                let side = if is_return { &mut row.returned } else { &mut row.sold };
                side.take(line.net, *tax)?;
            }
        }
        Ok(turnover)
    }
}
