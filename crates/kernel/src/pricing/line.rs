//! A line: quantity times price, then its discounts and surcharges, then the taxes it has by itself.

use super::adjustment::{Adjustment, Direction, Worth};
use super::allocation::{Share, allocate};
use super::ledger::{Contribution, Parts, TaxSet, Taxes, narrow};
use super::tax::{PPM, TaxComponent};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::limits::{ADJUSTMENTS_MAX, TAX_COMPONENTS_MAX};
use crate::money::{Decimal, Rounding, divide, extend_per, in_range, power_of_ten};
use crate::policy::{GrossSplit, Policy, TaxScope};

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineKind {
    /// Goods or a service; the only kind that takes part in a discount on the sale.
    Item,
    /// A charge of its own, such as for service or delivery, with its own taxes.
    Surcharge,
    /// A deposit on a container, taken or given back.
    Deposit,
    /// A tip that is turnover; one that is not stands in its tender.
    Tip,
}

impl LineKind {
    /// The number that stands in the journal; it never changes.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Item => 1,
            Self::Surcharge => 2,
            Self::Deposit => 3,
            Self::Tip => 4,
        }
    }

    /// The kind with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Item, Self::Surcharge, Self::Deposit, Self::Tip]
            .into_iter()
            .find(|kind| kind.number() == number)
    }

    /// The name that hosts use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Surcharge => "surcharge",
            Self::Deposit => "deposit",
            Self::Tip => "tip",
        }
    }
}

/// A line to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewLine<'a> {
    /// What it is.
    pub kind: LineKind,
    /// Quantity, not zero, at most six decimal places; negative for a return without its receipt.
    pub quantity: Decimal,
    /// Price of `per` units in minor units, zero or more, at most six decimal places.
    pub unit_price: Decimal,
    /// How many units the price is for, more than zero; usually one.
    pub per: Decimal,
    /// Its taxes, none twice, in the order in which they are shown.
    pub taxes: &'a [TaxComponent],
}

impl<'a> NewLine<'a> {
    /// An item at a price for one.
    #[must_use]
    pub fn item(quantity: Decimal, unit_price: Decimal, taxes: &'a [TaxComponent]) -> Self {
        Self { kind: LineKind::Item, quantity, unit_price, per: Decimal::whole(1), taxes }
    }
}

/// A discount or surcharge on a line, with what it comes to there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Its number in the sale, from 1 in the order of adding, never used again.
    pub number: u32,
    /// What was asked for.
    pub adjustment: Adjustment,
    /// It is the line's share of one on the whole sale.
    pub of_sale: bool,
    /// What it adds to the line's amount: negative for a discount on a sold line.
    pub amount: i64,
}

/// A line in a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) kind: LineKind,
    pub(super) quantity: Decimal,
    pub(super) unit_price: Decimal,
    pub(super) per: Decimal,
    pub(super) set: usize,
    pub(super) listed: i64,
    pub(super) amount: i64,
    pub(super) is_voided: bool,
    pub(super) adjustments: Vec<Applied>,
    /// Taxes of a bound return: given, not worked out.
    pub(super) settled: Option<Box<[i64]>>,
}

impl Line {
    /// Checks and prices a new line; its set is not known yet.
    pub(super) fn new(policy: &Policy, input: &NewLine<'_>) -> Result<Self> {
        if input.quantity.mantissa() == 0 {
            return Err(bad_quantity(input.quantity, "is zero; void the line instead"));
        }
        if input.per.mantissa() <= 0 {
            return Err(bad_quantity(input.per, "units for a price must be more than zero"));
        }
        check_price(input.unit_price)?;
        let mut line = Self {
            kind: input.kind,
            quantity: input.quantity,
            unit_price: input.unit_price,
            per: input.per,
            set: usize::MAX,
            listed: 0,
            amount: 0,
            is_voided: false,
            adjustments: Vec::new(),
            settled: None,
        };
        line.price(policy)?;
        Ok(line)
    }

    /// Works out the amount again: quantity times price, then each discount and surcharge in the
    /// order in which they were given. A percentage follows the amount; an amount, and a share of an
    /// amount off the sale, stays what it is.
    pub(super) fn price(&mut self, policy: &Policy) -> Result<()> {
        let rounding = policy.terms().amount_rounding;
        self.listed = extend_per(self.quantity, self.unit_price, self.per, rounding)?;
        self.adjust_from(0, rounding)
    }

    /// Works out the discounts and surcharges from a position on; those before it stay.
    pub(super) fn adjust_from(&mut self, position: usize, rounding: Rounding) -> Result<()> {
        let sign = if self.is_return() { -1 } else { 1 };
        let (before, after) = self.adjustments.split_at_mut(position);
        self.amount = self.listed + before.iter().map(|applied| applied.amount).sum::<i64>();
        for applied in after {
            let of = i128::from(self.amount.abs());
            let adjustment = match applied.adjustment.worth {
                Worth::Amount(_) if applied.of_sale && applied.amount == 0 => continue,
                // What was allocated to the line stays with it.
                Worth::Amount(_) if applied.of_sale => {
                    Adjustment { worth: Worth::Amount(applied.amount.abs()), ..applied.adjustment }
                }
                _ => applied.adjustment,
            };
            let magnitude = adjustment.magnitude(of, rounding)?;
            applied.amount = sign * adjustment.sign() * magnitude;
            self.amount = in_range(i128::from(self.amount) + i128::from(applied.amount))?;
        }
        Ok(())
    }

    /// Adds a discount or surcharge of its own, or its share of one on the sale.
    pub(super) fn push(&mut self, applied: Applied) -> Result<()> {
        let count = self.adjustments.len() + 1;
        if count > ADJUSTMENTS_MAX {
            return Err(Error::limit("discounts and surcharges of a line", count, ADJUSTMENTS_MAX));
        }
        self.adjustments.push(applied);
        Ok(())
    }

    pub(super) fn is_return(&self) -> bool {
        self.quantity.mantissa() < 0
    }

    /// What it adds to the sums.
    pub(super) fn contribution(&self, policy: &Policy, set: &TaxSet) -> Result<Contribution> {
        if self.is_voided {
            return Ok(Contribution::NOTHING);
        }
        let taxes = Taxes::of(set.components().len());
        let mut given = Contribution { taxes, ..Contribution::NOTHING };
        match &self.settled {
            Some(taxes) => {
                given.settled = self.amount;
                given.taxes[..taxes.len()].copy_from_slice(taxes);
            }
            None => self.own_taxes(policy, set, &mut given.taxes)?,
        }
        let of_kind = |kind| if self.kind == kind { self.amount } else { 0 };
        let sum = |direction| {
            let of = self.adjustments.iter().filter(|a| a.adjustment.direction == direction);
            of.map(|applied| applied.amount).sum::<i64>()
        };
        given.parts = Parts {
            sales: i64::from(!self.is_return()),
            returns: i64::from(self.is_return()),
            listed: self.listed,
            discounts: -sum(Direction::Discount),
            surcharges: sum(Direction::Surcharge),
            deposits: of_kind(LineKind::Deposit),
            tips: of_kind(LineKind::Tip),
            amount: self.amount,
        };
        Ok(given)
    }

    /// Taxes that are worked out of this line alone: all with tax per line or unit, none per rate.
    pub(super) fn own_taxes(&self, policy: &Policy, set: &TaxSet, out: &mut [i64]) -> Result<()> {
        let terms = policy.terms();
        let of = match terms.tax_scope {
            TaxScope::PerRate => return Ok(()),
            TaxScope::PerLine => Of { amount: self.amount.into(), times: 1, over: 1 },
            TaxScope::PerUnit => {
                // The amount of one unit is amount * 10^scale / mantissa. A return has both signs
                // negative, so its unit is worth what that of its sale was.
                let sign = i128::from(self.quantity.mantissa().signum());
                Of {
                    amount: i128::from(self.amount) * sign,
                    times: i128::from(self.quantity.mantissa()),
                    over: power_of_ten(self.quantity.scale()),
                }
            }
        };
        let rounding = terms.tax_rounding;
        let components = set.components();
        let net_first = terms.gross_split == GrossSplit::NetFirst;
        for (tax, component) in out.iter_mut().zip(components) {
            if !(net_first && component.inclusive) {
                *tax = in_range(of.part(component.rate(), set.price_parts(), rounding))?;
            }
        }
        if net_first {
            let net = of.part(PPM, set.price_parts(), rounding);
            split_by_rate(in_range(i128::from(self.amount) - net)?, components, out);
        }
        Ok(())
    }
}

/// What a rate is applied to: an amount as a whole, or per unit and then times the units.
#[derive(Debug, Clone, Copy)]
struct Of {
    /// The amount, with the sign of one unit.
    amount: i128,
    /// The quantity is `times / over`.
    times: i128,
    over: i128,
}

impl Of {
    /// `rate / parts` of the amount of one unit, rounded; times the quantity, rounded.
    fn part(self, rate: i128, parts: i128, rounding: Rounding) -> i128 {
        if (self.times, self.over) == (1, 1) {
            return divide(self.amount * rate, parts, rounding);
        }
        let unit = divide(self.amount * rate * self.over, parts * self.times.abs(), rounding);
        divide(unit * self.times, self.over, rounding)
    }
}

/// Splits the inclusive tax of a line by the rates of its inclusive components.
fn split_by_rate(tax: i64, components: &[TaxComponent], out: &mut [i64]) {
    let rates: i128 = components.iter().filter(|c| c.inclusive).map(TaxComponent::rate).sum();
    if rates == 0 {
        return;
    }
    let tax = i128::from(tax);
    let mut shares = [Share::new(0, 1); TAX_COMPONENTS_MAX];
    let mut positions = [0; TAX_COMPONENTS_MAX];
    let mut count = 0;
    for (position, component) in components.iter().enumerate().filter(|(_, c)| c.inclusive) {
        shares[count] = Share::new(tax * component.rate(), rates);
        positions[count] = position;
        count += 1;
    }
    let mut order = [0; TAX_COMPONENTS_MAX];
    allocate(tax, &shares[..count], &mut order[..count], |index, part| {
        out[positions[index]] = narrow(part);
    });
}

pub(super) fn check_price(price: Decimal) -> Result<()> {
    if price.mantissa() >= 0 {
        return Ok(());
    }
    let message =
        format!("unitPrice {price} is negative; a return has a negative quantity instead");
    Err(Error::new(Code::BadPrice, message).with("value", price.to_string()))
}

pub(super) fn bad_quantity(quantity: Decimal, fault: &str) -> Error {
    Error::new(Code::BadQuantity, format!("quantity {quantity} {fault}"))
        .with("value", quantity.to_string())
}
