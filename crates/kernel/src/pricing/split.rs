//! From the sums back to the lines: net, taxes and gross of each line, adding up exactly.
//!
//! With tax per line or unit each line has its taxes anyway. With tax per rate the tax of a row is
//! first handed to its sets and then to their lines, each time by largest remainder of the exact
//! shares, so a line's tax is within one minor unit of its exact tax twice rounded, and the lines add
//! up to what the receipt says.

use super::allocation::{Share, allocate};
use super::ledger::{Ledger, narrow};
use super::line::{Line, LineKind};
use super::returns::SoldLine;
use super::tax::TaxComponent;
use crate::limits::{TAX_COMPONENTS_MAX, TAX_SETS_MAX};
use crate::money::Decimal;
use crate::policy::{Policy, TaxScope};

/// What each live line of a sale comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Splits {
    lines: Vec<Entry>,
    taxes: Vec<i64>,
    components: Vec<Box<[TaxComponent]>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    number: u32,
    kind: LineKind,
    quantity: Decimal,
    amount: i64,
    set: usize,
    first: usize,
}

/// One line of a split.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineSplit<'a> {
    /// Line number.
    pub line: u32,
    /// What it is.
    pub kind: LineKind,
    /// Quantity; negative on a return.
    pub quantity: Decimal,
    /// Amount after discounts and surcharges; inclusive taxes are inside.
    pub amount: i64,
    /// Without tax.
    pub net: i64,
    /// With all taxes.
    pub gross: i64,
    /// Its taxes.
    pub components: &'a [TaxComponent],
    /// What each comes to.
    pub taxes: &'a [i64],
}

impl LineSplit<'_> {
    /// The line as a later return needs it.
    #[must_use]
    pub fn sold(&self) -> SoldLine {
        SoldLine {
            kind: self.kind,
            quantity: self.quantity,
            amount: self.amount,
            components: self.components.to_vec(),
            taxes: self.taxes.to_vec(),
        }
    }
}

impl Splits {
    /// The live lines in their order.
    pub fn iter(&self) -> impl Iterator<Item = LineSplit<'_>> {
        self.lines.iter().map(|entry| self.view(entry))
    }

    /// A live line by its number.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<LineSplit<'_>> {
        let index = self.lines.binary_search_by_key(&number, |entry| entry.number).ok()?;
        Some(self.view(&self.lines[index]))
    }

    fn view(&self, entry: &Entry) -> LineSplit<'_> {
        let components = &self.components[entry.set];
        let taxes = &self.taxes[entry.first..entry.first + components.len()];
        let sum = |inclusive| {
            let of = components.iter().zip(taxes).filter(|(c, _)| c.inclusive == inclusive);
            of.map(|(_, tax)| *tax).sum::<i64>()
        };
        LineSplit {
            line: entry.number,
            kind: entry.kind,
            quantity: entry.quantity,
            amount: entry.amount,
            net: entry.amount - sum(true),
            gross: entry.amount + sum(false),
            components,
            taxes,
        }
    }
}

pub(super) fn of(policy: &Policy, ledger: &Ledger, lines: &[Line]) -> Splits {
    let components: Vec<Box<[TaxComponent]>> =
        ledger.sets.iter().map(|set| set.components().into()).collect();
    let mut splits =
        Splits { lines: Vec::with_capacity(lines.len()), taxes: Vec::new(), components };
    // The lines of each set whose tax is worked out per rate.
    let mut open: Vec<Vec<usize>> = vec![Vec::new(); ledger.sets.len()];
    for (number, line) in (1_u32..).zip(lines).filter(|(_, line)| !line.is_voided) {
        let first = splits.taxes.len();
        let count = splits.components[line.set].len();
        match &line.settled {
            Some(taxes) => splits.taxes.extend_from_slice(taxes),
            None => {
                let mut own = [0; TAX_COMPONENTS_MAX];
                line.own_taxes(policy, &ledger.sets[line.set], &mut own)
                    .expect("they were in range when the line was taken");
                splits.taxes.extend_from_slice(&own[..count]);
                open[line.set].push(splits.lines.len());
            }
        }
        let (kind, quantity, amount, set) = (line.kind, line.quantity, line.amount, line.set);
        splits.lines.push(Entry { number, kind, quantity, amount, set, first });
    }
    if policy.terms().tax_scope == TaxScope::PerRate {
        let mut members = [0; TAX_SETS_MAX];
        let (mut shares, mut order) = (Vec::new(), Vec::new());
        for row in &ledger.rows {
            ledger.member_taxes(policy, row, &mut members);
            for (tax, member) in members.iter().zip(&row.members) {
                let (set, position) = (usize::from(member.0), usize::from(member.1));
                let amount_of = |entry: &usize| splits.lines[*entry].amount;
                shares.clear();
                shares.extend(
                    open[set].iter().map(|entry| -> Share {
                        ledger.sets[set].share(position, amount_of(entry))
                    }),
                );
                order.clear();
                order.resize(shares.len(), 0);
                let worked_out = i128::from(*tax) - i128::from(ledger.own(*member));
                allocate(worked_out, &shares, &mut order, |index, part| {
                    let first = splits.lines[open[set][index]].first;
                    splits.taxes[first + position] = narrow(part);
                });
            }
        }
    }
    splits
}
