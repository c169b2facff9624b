//! The tax table: net, tax and gross of each tax.

use super::ledger::Ledger;
use super::tax::{TaxClass, TaxComponent};
use crate::error::Result;
use crate::limits::TAX_ROWS_MAX;
use crate::money::in_range;
use crate::policy::Policy;

/// One tax and what it was worked out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaxRow {
    /// Class, rate and whether prices contain it.
    pub component: TaxComponent,
    /// Net of the lines that have it. A line with several taxes stands in the row of each.
    pub net: i64,
    /// Tax.
    pub tax: i64,
    /// Net and this tax.
    pub gross: i64,
}

/// The rows, without a heap: a total allocates nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaxTable {
    rows: [TaxRow; TAX_ROWS_MAX],
    count: usize,
    /// Net of the lines that have no tax at all.
    pub untaxed: i64,
}

impl TaxTable {
    /// The rows of live lines, in the order in which the sale first had their taxes.
    #[must_use]
    pub fn rows(&self) -> &[TaxRow] {
        &self.rows[..self.count]
    }
}

pub(super) fn of(policy: &Policy, ledger: &Ledger) -> Result<TaxTable> {
    let nets = ledger.nets(policy);
    let blank = TaxComponent { class: TaxClass::default(), rate_ppm: 0, inclusive: false };
    let blank = TaxRow { component: blank, net: 0, tax: 0, gross: 0 };
    let mut table = TaxTable { rows: [blank; TAX_ROWS_MAX], count: 0, untaxed: 0 };
    for row in &ledger.rows {
        if !row.members.iter().any(|(set, _)| ledger.is_live(*set)) {
            continue;
        }
        let net = row.members.iter().map(|(set, _)| i128::from(nets[usize::from(*set)])).sum();
        table.rows[table.count] = TaxRow {
            component: row.component,
            net: in_range(net)?,
            tax: row.tax(),
            gross: in_range(net + i128::from(row.tax()))?,
        };
        table.count += 1;
    }
    let untaxed = ledger.sets.iter().zip(nets).filter(|(set, _)| set.components().is_empty());
    table.untaxed = untaxed.map(|(_, net)| net).sum();
    Ok(table)
}
