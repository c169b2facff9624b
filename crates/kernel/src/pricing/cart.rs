//! A sale as its changes: each is decided by `preview`, which changes nothing, and folded by `apply`.
//!
//! A [`Change`] is small and made of integers, so a journal can carry it; given the policy, the
//! changes in their order are the sale, to the last minor unit. Both calls do the same work, and the
//! work for a line does not grow with the number of lines. Only a discount or surcharge on the sale,
//! and taking one back, visit every line.

use super::adjustment::Adjustment;
use super::allocation::{Share, allocate};
use super::change::{Change, Outcome};
use super::ledger::{Contribution, Ledger, Moved, Parts, narrow};
use super::line::{Applied, Line, LineKind, bad_quantity, check_price};
use super::split::{self, Splits};
use super::table::{self, TaxTable};
use super::tax::TaxComponent;
use super::turnover::Turnover;
use super::{Totals, work};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::money::{Decimal, add, in_range};
use crate::policy::Policy;

/// A line as a cart knows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineView<'a> {
    /// Number, from 1.
    pub number: u32,
    /// What it is.
    pub kind: LineKind,
    /// Quantity; negative on a return.
    pub quantity: Decimal,
    /// Price of `per` units.
    pub unit_price: Decimal,
    /// Units that the price is for.
    pub per: Decimal,
    /// Quantity times price.
    pub listed: i64,
    /// Amount after discounts and surcharges.
    pub amount: i64,
    /// It is worth nothing any more; the other values are what they were.
    pub is_voided: bool,
    /// It is a return with its receipt, whose amounts are given.
    pub is_settled: bool,
    /// Its taxes.
    pub taxes: &'a [TaxComponent],
    /// Its discounts and surcharges.
    pub adjustments: &'a [Applied],
}

/// The lines of a sale and what they come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Cart {
    policy: Policy,
    lines: Vec<Line>,
    ledger: Ledger,
    totals: Totals,
    adjustments: u32,
}

/// A change that has been worked out, and is good as long as the cart stays as it is.
pub(crate) struct Plan {
    touched: Touched,
    next: Next,
    outcome: Outcome,
}

enum Touched {
    One(usize, Line),
    Many(Vec<(usize, Line)>),
}

#[allow(
    clippy::large_enum_variant,
    reason = "the large one is the usual one, and a box would allocate"
)]
enum Next {
    Moved(Moved),
    Replaced(Ledger),
}

impl Plan {
    /// What the change comes to.
    pub(crate) fn outcome(&self) -> &Outcome {
        &self.outcome
    }
}

impl Cart {
    /// An empty sale under a policy.
    ///
    /// ```
    /// use pos_kernel_core::money::{Currency, Decimal};
    /// use pos_kernel_core::policy::{Policy, PolicyTerms, Prices};
    /// use pos_kernel_core::pricing::{Cart, Change, NewLine, TaxClass, TaxComponent, rate_ppm};
    /// let mut terms = PolicyTerms::of(Currency::parse("EUR")?);
    /// terms.prices = Prices::Gross;
    /// let policy = Policy::new(terms)?;
    /// let standard = TaxComponent {
    ///     class: TaxClass::parse("S")?,
    ///     rate_ppm: rate_ppm("19")?,
    ///     inclusive: policy.includes(None),
    /// };
    /// let mut cart = Cart::new(&policy);
    /// let taxes = [standard];
    /// let line = NewLine::item(Decimal::whole(2), Decimal::whole(500), &taxes);
    /// let added = cart.apply(&Change::AddLine(line))?;
    /// assert_eq!((added.totals.net, added.totals.tax, added.totals.gross), (840, 160, 1000));
    /// # Ok::<(), pos_kernel_core::Error>(())
    /// ```
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        let (lines, ledger) = (Vec::new(), Ledger::new());
        Self { policy: *policy, lines, ledger, totals: Totals::default(), adjustments: 0 }
    }

    /// Makes room for so many lines.
    pub(crate) fn expect_lines(&mut self, count: usize) {
        self.lines.reserve_exact(count);
    }

    /// The policy it is priced by.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What it comes to.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Net, tax and gross of each tax, in the order in which the sale first had them.
    ///
    /// # Errors
    /// `PK_E_OVERFLOW` when the lines of a tax come to more than an amount may be.
    pub fn tax_table(&self) -> Result<TaxTable> {
        table::of(&self.policy, &self.ledger)
    }

    /// No line has, or ever had, a tax: then amounts are net and gross, and there is no tax table.
    #[must_use]
    pub fn is_untaxed(&self) -> bool {
        self.ledger.rows.is_empty()
    }

    /// What was sold and what was returned, apart.
    ///
    /// # Errors
    /// `PK_E_OVERFLOW` when one side comes to more than an amount may be.
    pub fn turnover(&self) -> Result<Turnover> {
        if !self.is_untaxed() {
            return self.splits().turnover();
        }
        let mut turnover = Turnover::default();
        for line in self.lines.iter().filter(|line| !line.is_voided) {
            let sold = line.quantity.mantissa() > 0;
            let side = if sold { &mut turnover.sold } else { &mut turnover.returned };
            side.net = add(side.net, line.amount)?;
        }
        Ok(turnover)
    }

    /// Net, taxes and gross of each live line; they add up to the totals and to the tax table.
    #[must_use]
    pub fn splits(&self) -> Splits {
        split::of(&self.policy, &self.ledger, &self.lines)
    }

    /// Lines, voided ones included.
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// A line by its number.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<LineView<'_>> {
        let line = self.lines.get(usize::try_from(number).ok()?.checked_sub(1)?)?;
        Some(LineView {
            number,
            kind: line.kind,
            quantity: line.quantity,
            unit_price: line.unit_price,
            per: line.per,
            listed: line.listed,
            amount: line.amount,
            is_voided: line.is_voided,
            is_settled: line.settled.is_some(),
            taxes: self.ledger.sets[line.set].components(),
            adjustments: &line.adjustments,
        })
    }

    /// What a discount or surcharge on the sale gave to each live line: line and amount.
    pub fn shares(&self, number: u32) -> impl Iterator<Item = (u32, i64)> {
        let live = (1_u32..).zip(&self.lines).filter(|(_, line)| !line.is_voided);
        live.filter_map(move |(line, found)| {
            let applied = found.adjustments.iter().find(|applied| applied.number == number)?;
            Some((line, applied.amount))
        })
    }

    /// What a discount or surcharge on the sale would give to each line, in minor units and with the
    /// sign of its amount. Nothing is changed.
    ///
    /// # Errors
    /// As [`Cart::preview`] of [`Change::AdjustSale`].
    pub fn allocation(&self, adjustment: Adjustment) -> Result<Vec<(u32, i64)>> {
        let Touched::Many(lines) = self.plan_sale(adjustment)?.touched else {
            return Ok(Vec::new());
        };
        let share = |(index, line): &(usize, Line)| {
            let amount = line.adjustments.last().map_or(0, |applied| applied.amount);
            Ok((line_number(*index)?, amount))
        };
        lines.iter().map(share).collect()
    }

    /// What a change would come to. Nothing is changed.
    ///
    /// # Errors
    /// `PK_E_NOT_FOUND`, `PK_E_LINE_VOIDED`, `PK_E_BAD_QUANTITY`, `PK_E_BAD_PRICE`, `PK_E_BAD_RATE`,
    /// `PK_E_BAD_AMOUNT` for a discount that takes more than there is, `PK_E_BAD_ARGUMENT` for a
    /// change of a return's given amounts, `PK_E_MIXED_RETURNS`, `PK_E_LIMIT`, `PK_E_OVERFLOW`.
    pub fn preview(&self, change: &Change<'_>) -> Result<Outcome> {
        self.plan(change).map(|plan| plan.outcome)
    }

    /// Makes a change.
    ///
    /// # Errors
    /// As [`Cart::preview`]; nothing is changed then.
    pub fn apply(&mut self, change: &Change<'_>) -> Result<Outcome> {
        let plan = self.plan(change)?;
        let outcome = self.make(plan);
        if let (Some(number), false) = (outcome.number, matches!(change, Change::Retract { .. })) {
            self.adjustments = number;
        }
        Ok(outcome)
    }

    /// Makes a change of a line as it was planned a moment ago.
    pub(crate) fn make(&mut self, plan: Plan) -> Outcome {
        match plan.next {
            Next::Moved(moved) => self.ledger.commit(&moved),
            Next::Replaced(ledger) => self.ledger = ledger,
        }
        match plan.touched {
            Touched::One(index, line) => self.put(index, line),
            Touched::Many(lines) => {
                for (index, line) in lines {
                    self.put(index, line);
                }
            }
        }
        self.totals = plan.outcome.totals;
        plan.outcome
    }

    fn put(&mut self, index: usize, line: Line) {
        match self.lines.get_mut(index) {
            Some(slot) => *slot = line,
            None => self.lines.push(line),
        }
    }

    /// As [`Cart::preview`], kept for [`Cart::make`].
    pub(crate) fn plan(&self, change: &Change<'_>) -> Result<Plan> {
        work(1);
        match *change {
            Change::AddLine(input) => {
                let line = Line::new(&self.policy, &input)?;
                self.plan_line(self.lines.len(), line, input.taxes)
            }
            Change::AddReturn(part) => {
                self.plan_line(self.lines.len(), part.line(), part.components())
            }
            Change::VoidLine { line } => {
                let (index, mut line) = self.live(line)?;
                line.is_voided = true;
                self.plan_same_taxes(index, line, None)
            }
            Change::SetQuantity { line, quantity } => {
                let (index, mut line) = self.worked_out(line)?;
                if quantity.mantissa() == 0 {
                    return Err(bad_quantity(quantity, "is zero; void the line instead"));
                }
                if (quantity.mantissa() < 0) != line.is_return() {
                    let fault = "would turn the line into its opposite; void it and add another";
                    return Err(bad_quantity(quantity, fault));
                }
                line.quantity = quantity;
                line.price(&self.policy)?;
                self.plan_same_taxes(index, line, None)
            }
            Change::SetPrice { line, unit_price, per } => {
                let (index, mut line) = self.worked_out(line)?;
                check_price(unit_price)?;
                if per.mantissa() <= 0 {
                    return Err(bad_quantity(per, "units for a price must be more than zero"));
                }
                (line.unit_price, line.per) = (unit_price, per);
                line.price(&self.policy)?;
                self.plan_same_taxes(index, line, None)
            }
            Change::SetTaxes { line, taxes } => {
                let (index, line) = self.worked_out(line)?;
                self.plan_line(index, line, taxes)
            }
            Change::AdjustLine { line, adjustment } => {
                let (index, mut line) = self.worked_out(line)?;
                let number = self.next_adjustment()?;
                line.push(Applied { number, adjustment, of_sale: false, amount: 0 })?;
                let last = line.adjustments.len() - 1;
                line.adjust_from(last, self.policy.terms().amount_rounding)?;
                self.plan_same_taxes(index, line, Some(number))
            }
            Change::AdjustSale { adjustment } => self.plan_sale(adjustment),
            Change::Retract { number } => self.plan_retract(number),
        }
    }

    fn plan_same_taxes(&self, index: usize, line: Line, number: Option<u32>) -> Result<Plan> {
        let set = &self.ledger.sets[line.set];
        let old = self.lines[index].contribution(&self.policy, set)?;
        let new = line.contribution(&self.policy, set)?;
        let moved = self.ledger.preview(&self.policy, line.set, &old, &new)?;
        let totals = self.checked(moved.sums.totals()?, &moved.sums.parts)?;
        let adjusted = match line.adjustments.last() {
            Some(applied) if number == Some(applied.number) => applied.amount,
            _ => 0,
        };
        let outcome = Outcome {
            line: Some(line_number(index)?),
            amount: line.amount,
            number,
            adjusted,
            totals,
        };
        Ok(Plan { touched: Touched::One(index, line), next: Next::Moved(moved), outcome })
    }

    /// A new line, or a line that changes its taxes.
    fn plan_line(&self, index: usize, mut line: Line, taxes: &[TaxComponent]) -> Result<Plan> {
        let likely = self.lines.last().map_or(0, |last| last.set);
        let old = self.lines.get(index);
        let found = self.ledger.find(taxes, likely);
        let (next, sums) = match (found, old) {
            (Some(set), None) => {
                line.set = set;
                let new = line.contribution(&self.policy, &self.ledger.sets[set])?;
                let nothing = Contribution::NOTHING;
                let moved = self.ledger.preview(&self.policy, set, &nothing, &new)?;
                let sums = moved.sums;
                (Next::Moved(moved), sums)
            }
            _ => {
                let mut ledger = self.ledger.clone();
                let set = match found {
                    Some(set) => set,
                    None => ledger.admit(taxes)?,
                };
                if let Some(old) = old {
                    ledger.put(&self.policy, old.set, Some(old), None)?;
                }
                line.set = set;
                ledger.put(&self.policy, set, None, Some(&line))?;
                let sums = ledger.sums;
                (Next::Replaced(ledger), sums)
            }
        };
        let totals = self.checked(sums.totals()?, &sums.parts)?;
        let amount = line.amount;
        let outcome =
            Outcome { line: Some(line_number(index)?), amount, number: None, adjusted: 0, totals };
        Ok(Plan { touched: Touched::One(index, line), next, outcome })
    }

    /// A discount or surcharge on the sale: on its sold items, or, where there are none, on those
    /// that are returned without a receipt.
    fn plan_sale(&self, adjustment: Adjustment) -> Result<Plan> {
        let number = self.next_adjustment()?;
        let rounding = self.policy.terms().amount_rounding;
        let takes_part = |line: &Line, is_return: bool| {
            !line.is_voided
                && line.kind == LineKind::Item
                && line.settled.is_none()
                && line.amount != 0
                && line.is_return() == is_return
        };
        work(self.lines.len());
        let is_return = !self.lines.iter().any(|line| takes_part(line, false));
        let items: Vec<usize> =
            (0..self.lines.len()).filter(|i| takes_part(&self.lines[*i], is_return)).collect();
        let sum: i128 = items.iter().map(|i| i128::from(self.lines[*i].amount.abs())).sum();
        if sum == 0 {
            let message = "the sale has no item that a discount or surcharge could be given on";
            return Err(Error::new(Code::EmptySale, message));
        }
        let magnitude = i128::from(adjustment.magnitude(sum, rounding)?);
        let shares: Vec<Share> = items
            .iter()
            .map(|i| Share::new(magnitude * i128::from(self.lines[*i].amount.abs()), sum))
            .collect();
        let sign = if is_return { -adjustment.sign() } else { adjustment.sign() };
        let mut amounts = vec![0; items.len()];
        allocate(magnitude, &shares, &mut vec![0; items.len()], |index, part| {
            amounts[index] = sign * narrow(part);
        });
        let mut lines = Vec::with_capacity(items.len());
        for (index, amount) in items.into_iter().zip(amounts) {
            let mut line = self.lines[index].clone();
            line.push(Applied { number, adjustment, of_sale: true, amount })?;
            line.amount = in_range(i128::from(line.amount) + i128::from(amount))?;
            lines.push((index, line));
        }
        self.plan_many(lines, number, sign * narrow(magnitude))
    }

    fn plan_retract(&self, number: u32) -> Result<Plan> {
        work(self.lines.len());
        let rounding = self.policy.terms().amount_rounding;
        let mut lines = Vec::new();
        let mut adjusted = 0;
        for (index, line) in self.lines.iter().enumerate().filter(|(_, line)| !line.is_voided) {
            let Some(position) = line.adjustments.iter().position(|a| a.number == number) else {
                continue;
            };
            let mut line = line.clone();
            adjusted += i128::from(line.adjustments.remove(position).amount);
            line.adjust_from(position, rounding)?;
            lines.push((index, line));
        }
        if lines.is_empty() {
            let message = format!("no live line has a discount or surcharge {number}");
            return Err(Error::new(Code::NotFound, message).with("number", number));
        }
        self.plan_many(lines, number, in_range(-adjusted)?)
    }

    fn plan_many(&self, lines: Vec<(usize, Line)>, number: u32, adjusted: i64) -> Result<Plan> {
        let mut ledger = self.ledger.clone();
        for (index, line) in &lines {
            ledger.put(&self.policy, line.set, Some(&self.lines[*index]), Some(line))?;
        }
        let totals = self.checked(ledger.sums.totals()?, &ledger.sums.parts)?;
        let outcome = Outcome { line: None, amount: 0, number: Some(number), adjusted, totals };
        Ok(Plan { touched: Touched::Many(lines), next: Next::Replaced(ledger), outcome })
    }

    fn checked(&self, totals: Totals, parts: &Parts) -> Result<Totals> {
        if self.policy.terms().mixed_returns || parts.sales == 0 || parts.returns == 0 {
            return Ok(totals);
        }
        let message = "the policy keeps returns and sales apart; finish one, then begin the other";
        Err(Error::new(Code::MixedReturns, message))
    }

    fn live(&self, number: u32) -> Result<(usize, Line)> {
        let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let found = index.and_then(|index| Some((index, self.lines.get(index)?)));
        match found {
            Some((index, line)) if !line.is_voided => Ok((index, line.clone())),
            Some(_) => {
                let message = format!("line {number} is voided already");
                Err(Error::new(Code::LineVoided, message).with("line", number))
            }
            None => {
                let message = format!("there is no line {number}");
                Err(Error::new(Code::NotFound, message).with("line", number))
            }
        }
    }

    /// A live line whose amounts are worked out here.
    fn worked_out(&self, number: u32) -> Result<(usize, Line)> {
        let (index, line) = self.live(number)?;
        if line.settled.is_none() {
            return Ok((index, line));
        }
        let message = format!(
            "line {number} is a return with its receipt, whose amounts are those of its sale; void \
             it and return another part"
        );
        Err(Error::new(Code::BadArgument, message).with("line", number))
    }

    fn next_adjustment(&self) -> Result<u32> {
        self.adjustments.checked_add(1).ok_or_else(|| {
            let message = "the numbers of discounts and surcharges are used up";
            Error::new(Code::Limit, message).with("limit", u32::MAX)
        })
    }
}

impl Ledger {
    /// Puts one line of a set in the place of another.
    fn put(
        &mut self,
        policy: &Policy,
        set: usize,
        old: Option<&Line>,
        new: Option<&Line>,
    ) -> Result<()> {
        let of = |line: Option<&Line>| {
            line.map_or(Ok(Contribution::NOTHING), |line| {
                line.contribution(policy, &self.sets[set])
            })
        };
        let moved = self.preview(policy, set, &of(old)?, &of(new)?)?;
        self.commit(&moved);
        Ok(())
    }
}

fn line_number(index: usize) -> Result<u32> {
    u32::try_from(index + 1)
        .map_err(|_| Error::limit("lines of a sale", index + 1, u32::MAX as usize))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::super::counted::steps_of;
    use super::super::line::NewLine;
    use super::super::tax::{TaxClass, TaxComponent};
    use super::*;
    use crate::money::Currency;
    use crate::policy::{GrossSplit, PolicyTerms, TaxScope};

    /// Steps of adding a line, changing one and reading totals and table, in a sale of this many
    /// lines, two rates and one untaxed.
    fn steps_at(lines: u32, scope: TaxScope, split: GrossSplit) -> [usize; 6] {
        let mut terms = PolicyTerms::of(Currency::parse("EUR").unwrap());
        (terms.tax_scope, terms.gross_split) = (scope, split);
        let mut cart = Cart::new(&Policy::new(terms).unwrap());
        let tax =
            |rate_ppm| [TaxComponent { class: TaxClass::default(), rate_ppm, inclusive: true }];
        let taxes: [&[TaxComponent]; 3] = [&tax(190_000), &tax(70_000), &[]];
        let line = |number: u32| {
            let price = Decimal::whole(i64::from(number % 900) + 1);
            Change::AddLine(NewLine::item(Decimal::whole(2), price, taxes[number as usize % 3]))
        };
        for number in 0..lines {
            cart.apply(&line(number)).unwrap();
        }
        let mut step = |change: &Change<'_>| {
            steps_of(|| {
                cart.apply(change).unwrap();
            })
        };
        let half = lines / 2;
        let quantity = Decimal::whole(7);
        let adjustment = Adjustment::discount_ppm(100_000);
        let changes = [
            step(&line(lines)),
            step(&Change::SetQuantity { line: half, quantity }),
            step(&Change::AdjustLine { line: half, adjustment }),
            step(&Change::VoidLine { line: half + 1 }),
        ];
        let table = steps_of(|| {
            cart.tax_table().unwrap();
        });
        let totals = steps_of(|| {
            assert!(cart.totals().gross > 0);
        });
        [changes[0], changes[1], changes[2], changes[3], table, totals]
    }

    #[test]
    fn the_cost_of_a_line_does_not_grow_with_the_sale() {
        for scope in [TaxScope::PerRate, TaxScope::PerLine, TaxScope::PerUnit] {
            for split in [GrossSplit::TaxFirst, GrossSplit::NetFirst] {
                // Sizes of one remainder, so that each next line has the same taxes.
                let counts = [10, 100, 1_000, 10_000].map(|lines| steps_at(lines, scope, split));
                println!("{scope:?} {split:?}: add, quantity, discount, void, table, totals");
                for (lines, steps) in [10, 100, 1_000, 10_000].into_iter().zip(&counts) {
                    println!("  {lines:6} lines: {steps:?} steps");
                }
                assert!(counts.windows(2).all(|pair| pair[0] == pair[1]), "{counts:?}");
                assert!(counts[0].iter().all(|steps| *steps < 40), "{counts:?}");
            }
        }
    }
}
