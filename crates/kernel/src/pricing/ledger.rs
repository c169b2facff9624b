//! The running sums of a sale: one entry for each list of tax components, one row for each tax.
//!
//! A sale has few lists of components however many lines it has, so a line that comes, goes or
//! changes moves one entry and the rows of its taxes, and nothing else: the work does not grow with
//! the number of lines.
//!
//! ```text
//!   lines 1..n --> sets (lists of components, in order of first use) --> rows (taxes, likewise)
//!   each amount    base: amounts that tax is worked out of              tax: rounded by the policy
//!                  settled: amounts whose tax is given (bound returns)
//!                  own: tax of settled lines; with tax per line or unit, that of all lines
//! ```
//!
//! Invariants: net = all amounts less the inclusive rows, gross = all amounts plus the exclusive
//! ones, so gross = net + tax whatever is rounded; every number is in the range of amounts.

use super::allocation::{Share, allocate};
use super::fraction::Fraction;
use super::tax::{self, PPM, TaxComponent};
use super::{Totals, work};
use crate::error::{Error, Result};
use crate::limits::{TAX_COMPONENTS_MAX, TAX_ROWS_MAX, TAX_SETS_MAX};
use crate::money::{divide, in_range};
use crate::policy::{GrossSplit, Policy, TaxScope};
use std::ops::{Deref, DerefMut};

/// So many taxes of a list lie in place.
const TAXES_IN_PLACE: usize = 2;

/// Taxes of one list of components, by position. A list is nearly always short, and a plan of a change
/// is moved about: only a long one lies elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taxes {
    few: [i64; TAXES_IN_PLACE],
    many: Vec<i64>,
}

impl Taxes {
    /// None at all: zero at every position.
    pub(super) const NONE: Self = Self { few: [0; TAXES_IN_PLACE], many: Vec::new() };

    /// Zeros for so many components.
    pub(super) fn of(count: usize) -> Self {
        let many = if count > TAXES_IN_PLACE { vec![0; count] } else { Vec::new() };
        Self { few: [0; TAXES_IN_PLACE], many }
    }

    pub(super) fn at(&self, position: usize) -> i64 {
        self.get(position).copied().unwrap_or(0)
    }
}

impl Deref for Taxes {
    type Target = [i64];

    fn deref(&self) -> &[i64] {
        if self.many.is_empty() { &self.few } else { &self.many }
    }
}

impl DerefMut for Taxes {
    fn deref_mut(&mut self) -> &mut [i64] {
        if self.many.is_empty() { &mut self.few } else { &mut self.many }
    }
}

/// What one line adds to the sums; all zero for a voided one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contribution {
    pub(super) parts: Parts,
    /// Of `parts.amount`, what has its taxes given.
    pub(super) settled: i64,
    /// Taxes that the line has by itself.
    pub(super) taxes: Taxes,
}

impl Contribution {
    pub(super) const NOTHING: Self = Self { parts: Parts::NOTHING, settled: 0, taxes: Taxes::NONE };
}

/// Sums that no tax has a part in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) sales: i64,
    pub(super) returns: i64,
    pub(super) listed: i64,
    pub(super) discounts: i64,
    pub(super) surcharges: i64,
    pub(super) deposits: i64,
    pub(super) tips: i64,
    pub(super) amount: i64,
}

impl Parts {
    const NOTHING: Self = Self {
        sales: 0,
        returns: 0,
        listed: 0,
        discounts: 0,
        surcharges: 0,
        deposits: 0,
        tips: 0,
        amount: 0,
    };

    fn moved(&self, old: &Self, new: &Self) -> Result<Self> {
        Ok(Self {
            sales: moved(self.sales, old.sales, new.sales)?,
            returns: moved(self.returns, old.returns, new.returns)?,
            listed: moved(self.listed, old.listed, new.listed)?,
            discounts: moved(self.discounts, old.discounts, new.discounts)?,
            surcharges: moved(self.surcharges, old.surcharges, new.surcharges)?,
            deposits: moved(self.deposits, old.deposits, new.deposits)?,
            tips: moved(self.tips, old.tips, new.tips)?,
            amount: moved(self.amount, old.amount, new.amount)?,
        })
    }
}

fn moved(sum: i64, old: i64, new: i64) -> Result<i64> {
    in_range(i128::from(sum) - i128::from(old) + i128::from(new))
}

/// All sums of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) parts: Parts,
    inclusive: i64,
    exclusive: i64,
}

impl Sums {
    pub(super) fn totals(&self) -> Result<Totals> {
        let amount = i128::from(self.parts.amount);
        Ok(Totals {
            lines: u32::try_from(self.parts.sales + self.parts.returns).unwrap_or(u32::MAX),
            listed: self.parts.listed,
            discounts: self.parts.discounts,
            surcharges: self.parts.surcharges,
            deposits: self.parts.deposits,
            tips: self.parts.tips,
            net: in_range(amount - i128::from(self.inclusive))?,
            tax: in_range(i128::from(self.inclusive) + i128::from(self.exclusive))?,
            gross: in_range(amount + i128::from(self.exclusive))?,
        })
    }
}

/// One list of components and the lines that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TaxSet {
    components: Box<[TaxComponent]>,
    /// Parts of a price that hold a million parts of net.
    price_parts: i128,
    /// Row of each component.
    rows: Box<[u16]>,
    live: i64,
    base: i64,
    settled: i64,
    own: Box<[i64]>,
}

/// One tax of the sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) component: TaxComponent,
    /// The sets that have it, and its position there.
    pub(super) members: Vec<(u16, u16)>,
    own: i64,
    tax: i64,
}

/// What a change makes of one set, of the rows of its taxes and of the sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moved {
    set: usize,
    live: i64,
    base: i64,
    settled: i64,
    own: Taxes,
    row_own: Taxes,
    row_tax: Taxes,
    pub(super) sums: Sums,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ledger {
    pub(super) sets: Vec<TaxSet>,
    pub(super) rows: Vec<Row>,
    pub(super) sums: Sums,
}

impl TaxSet {
    pub(super) fn components(&self) -> &[TaxComponent] {
        &self.components
    }

    pub(super) fn price_parts(&self) -> i128 {
        self.price_parts
    }

    /// The exact tax of a component on an amount.
    pub(super) fn share(&self, component: usize, amount: i64) -> Share {
        Share::new(i128::from(amount) * self.components[component].rate(), self.price_parts)
    }
}

impl Row {
    pub(super) fn tax(&self) -> i64 {
        self.tax
    }
}

impl Ledger {
    pub(super) fn new() -> Self {
        let sums = Sums { parts: Parts::NOTHING, inclusive: 0, exclusive: 0 };
        Self { sets: Vec::new(), rows: Vec::new(), sums }
    }

    /// The set with these components, looked for at `likely` first.
    pub(super) fn find(&self, components: &[TaxComponent], likely: usize) -> Option<usize> {
        work(1);
        if self.sets.get(likely).is_some_and(|set| *set.components == *components) {
            return Some(likely);
        }
        work(self.sets.len());
        self.sets.iter().position(|set| *set.components == *components)
    }

    /// Makes room for a list of components that the sale has not had yet.
    ///
    /// # Errors
    /// `PK_E_BAD_RATE`, `PK_E_LIMIT`.
    pub(super) fn admit(&mut self, components: &[TaxComponent]) -> Result<usize> {
        tax::check(components)?;
        let index = self.sets.len();
        if index >= TAX_SETS_MAX {
            return Err(Error::limit("lists of taxes in a sale", index + 1, TAX_SETS_MAX));
        }
        let mut rows = Vec::with_capacity(components.len());
        for (position, component) in (0_u16..).zip(components) {
            let row = match self.rows.iter().position(|row| row.component == *component) {
                Some(row) => row,
                None if self.rows.len() >= TAX_ROWS_MAX => {
                    return Err(Error::limit("taxes in a sale", self.rows.len() + 1, TAX_ROWS_MAX));
                }
                None => {
                    let members = Vec::new();
                    self.rows.push(Row { component: *component, members, own: 0, tax: 0 });
                    self.rows.len() - 1
                }
            };
            self.rows[row].members.push((small(index), position));
            rows.push(small(row));
        }
        self.sets.push(TaxSet {
            components: components.into(),
            price_parts: tax::price_parts(components),
            rows: rows.into(),
            live: 0,
            base: 0,
            settled: 0,
            own: vec![0; components.len()].into(),
        });
        Ok(index)
    }

    /// What the sums become when a line of a set gives `new` instead of `old`. Nothing is changed.
    ///
    /// # Errors
    /// `PK_E_OVERFLOW`.
    pub(super) fn preview(
        &self,
        policy: &Policy,
        index: usize,
        old: &Contribution,
        new: &Contribution,
    ) -> Result<Moved> {
        let set = &self.sets[index];
        let unsettled = |from: &Contribution| from.parts.amount - from.settled;
        let mut next = Moved {
            set: index,
            live: set.live + new.live() - old.live(),
            base: moved(set.base, unsettled(old), unsettled(new))?,
            settled: moved(set.settled, old.settled, new.settled)?,
            own: Taxes::of(set.components.len()),
            row_own: Taxes::of(set.components.len()),
            row_tax: Taxes::of(set.components.len()),
            sums: Sums { parts: self.sums.parts.moved(&old.parts, &new.parts)?, ..self.sums },
        };
        let net_first = is_net_first(policy);
        let (mut before, mut after) = (Taxes::NONE, Taxes::NONE);
        if net_first {
            (before, after) = (next.own.clone(), next.own.clone());
            set.split_net_first(policy, set.base, &mut before);
            set.split_net_first(policy, next.base, &mut after);
        }
        for (position, component) in set.components.iter().enumerate() {
            work(1);
            let row = &self.rows[usize::from(set.rows[position])];
            let (from, to) = (old.taxes.at(position), new.taxes.at(position));
            next.own[position] = moved(set.own[position], from, to)?;
            let own = moved(row.own, from, to)?;
            let tax = if policy.terms().tax_scope != TaxScope::PerRate {
                own
            } else if net_first && component.inclusive {
                in_range(
                    i128::from(row.tax) + i128::from(to) - i128::from(from)
                        + i128::from(after[position])
                        - i128::from(before[position]),
                )?
            } else {
                let exact = self.exact(row, index, next.base)?;
                in_range(exact.round(policy.terms().tax_rounding) + i128::from(own))?
            };
            next.row_own[position] = own;
            next.row_tax[position] = tax;
            let sum = match component.inclusive {
                true => &mut next.sums.inclusive,
                false => &mut next.sums.exclusive,
            };
            *sum = moved(*sum, row.tax, tax)?;
        }
        Ok(next)
    }

    /// Takes over what a preview said.
    pub(super) fn commit(&mut self, next: &Moved) {
        let set = &mut self.sets[next.set];
        set.live = next.live;
        set.base = next.base;
        set.settled = next.settled;
        let count = set.components.len();
        set.own.copy_from_slice(&next.own[..count]);
        for (position, row) in set.rows.iter().enumerate() {
            let row = &mut self.rows[usize::from(*row)];
            row.own = next.row_own[position];
            row.tax = next.row_tax[position];
        }
        self.sums = next.sums;
    }

    /// The exact tax of a row, with another base for one of its sets.
    fn exact(&self, row: &Row, changed: usize, base: i64) -> Result<Fraction> {
        // Lines of one rate nearly always have one total of inclusive rates: one numerator then.
        let (mut sum, mut numerator, mut denominator) = (Fraction::ZERO, 0_i128, 0_i128);
        for (index, _) in &row.members {
            work(1);
            let index = usize::from(*index);
            let set = &self.sets[index];
            let base = if index == changed { base } else { set.base };
            if set.price_parts != denominator {
                if denominator > 0 {
                    sum = sum.plus(Fraction::new(numerator, denominator))?;
                }
                (numerator, denominator) = (0, set.price_parts);
            }
            numerator += i128::from(base) * row.component.rate();
        }
        let last = Fraction::new(numerator, denominator);
        if sum == Fraction::ZERO { Ok(last) } else { sum.plus(last) }
    }

    /// The tax of a row in each of its sets; they add up to the row's tax.
    pub(super) fn member_taxes(&self, policy: &Policy, row: &Row, out: &mut [i64; TAX_SETS_MAX]) {
        let count = row.members.len();
        for (slot, (set, position)) in out.iter_mut().zip(&row.members) {
            *slot = self.sets[usize::from(*set)].own[usize::from(*position)];
        }
        if policy.terms().tax_scope != TaxScope::PerRate {
            return;
        }
        if is_net_first(policy) && row.component.inclusive {
            let mut split = [0; TAX_COMPONENTS_MAX];
            for (slot, (set, position)) in out.iter_mut().zip(&row.members) {
                let set = &self.sets[usize::from(*set)];
                set.split_net_first(policy, set.base, &mut split);
                *slot += split[usize::from(*position)];
            }
            return;
        }
        let mut shares = [Share::new(0, 1); TAX_SETS_MAX];
        for (slot, (set, position)) in shares.iter_mut().zip(&row.members) {
            let set = &self.sets[usize::from(*set)];
            *slot = set.share(usize::from(*position), set.base);
        }
        let worked_out = i128::from(row.tax) - i128::from(row.own);
        let mut order = [0; TAX_SETS_MAX];
        allocate(worked_out, &shares[..count], &mut order[..count], |member, part| {
            out[member] += narrow(part);
        });
    }

    /// Of a member's tax, what is given by its lines themselves.
    pub(super) fn own(&self, member: (u16, u16)) -> i64 {
        self.sets[usize::from(member.0)].own[usize::from(member.1)]
    }

    /// Net amount of each set: its amounts less its inclusive taxes.
    pub(super) fn nets(&self, policy: &Policy) -> [i64; TAX_SETS_MAX] {
        let mut nets = [0; TAX_SETS_MAX];
        for (slot, set) in nets.iter_mut().zip(&self.sets) {
            *slot = set.base + set.settled;
        }
        let mut taxes = [0; TAX_SETS_MAX];
        for row in self.rows.iter().filter(|row| row.component.inclusive) {
            self.member_taxes(policy, row, &mut taxes);
            for (tax, (set, _)) in taxes.iter().zip(&row.members) {
                nets[usize::from(*set)] -= tax;
            }
        }
        nets
    }

    pub(super) fn is_live(&self, set: u16) -> bool {
        self.sets[usize::from(set)].live > 0
    }
}

impl Contribution {
    fn live(&self) -> i64 {
        self.parts.sales + self.parts.returns
    }
}

impl TaxSet {
    /// The inclusive taxes of a base whose net is rounded; they are each within one of exact.
    fn split_net_first(&self, policy: &Policy, base: i64, out: &mut [i64]) {
        out.fill(0);
        let net = divide(i128::from(base) * PPM, self.price_parts, policy.terms().tax_rounding);
        let mut shares = [Share::new(0, 1); TAX_COMPONENTS_MAX];
        let mut positions = [0; TAX_COMPONENTS_MAX];
        let mut count = 0;
        for (position, component) in self.components.iter().enumerate() {
            if component.inclusive {
                shares[count] = self.share(position, base);
                positions[count] = position;
                count += 1;
            }
        }
        let mut order = [0; TAX_COMPONENTS_MAX];
        let tax = i128::from(base) - net;
        allocate(tax, &shares[..count], &mut order[..count], |index, part| {
            out[positions[index]] = narrow(part);
        });
    }
}

fn is_net_first(policy: &Policy) -> bool {
    let terms = policy.terms();
    terms.tax_scope == TaxScope::PerRate && terms.gross_split == GrossSplit::NetFirst
}

/// A part of something in range.
pub(super) fn narrow(part: i128) -> i64 {
    i64::try_from(part).expect("a part of an amount is in its range")
}

fn small(index: usize) -> u16 {
    u16::try_from(index).expect("sets, rows and components are limited")
}

const _: () = assert!(TAX_SETS_MAX <= u16::MAX as usize);
const _: () = assert!(TAX_ROWS_MAX <= u16::MAX as usize);
