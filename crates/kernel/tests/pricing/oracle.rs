//! The slow oracle: a sale from the definitions alone, in exact rationals, worked out anew each time.
//!
//! It shares nothing with the code that it checks but the types that carry values in and out: no
//! rounding, no allocation, no sum. Where the engine moves a running sum, this adds up all lines.

use num_bigint::BigInt;
use num_rational::BigRational;
use pos_kernel_core::Code;
use pos_kernel_core::money::{Decimal, Rounding};
use pos_kernel_core::policy::{GrossSplit, PolicyTerms, TaxScope};
use pos_kernel_core::pricing::{
    Adjustment, Change, Direction, GivenBack, LineKind, SoldLine, TaxComponent, Totals, Worth,
};

type Rational = BigRational;

#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) number: u32,
    adjustment: Adjustment,
    of_sale: bool,
    amount: i128,
}

#[derive(Clone)]
pub(crate) struct Line {
    kind: LineKind,
    quantity: Decimal,
    price: Decimal,
    per: Decimal,
    pub(crate) taxes: Vec<TaxComponent>,
    listed: i128,
    given: Vec<Given>,
    is_voided: bool,
    settled: Option<Vec<i128>>,
}

pub(crate) struct Oracle {
    terms: PolicyTerms,
    pub(crate) lines: Vec<Line>,
    /// Lists of taxes in the order of first use.
    sets: Vec<Vec<TaxComponent>>,
    numbers: u32,
    /// A fault put in on purpose, to see that the comparison finds it.
    ties_to_even: bool,
}

/// Everything that a sale comes to.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Worked {
    pub(crate) totals: Totals,
    /// Component, net, tax.
    pub(crate) rows: Vec<(TaxComponent, i128, i128)>,
    pub(crate) untaxed: i128,
    /// Line number, net, taxes.
    pub(crate) splits: Vec<(u32, i128, Vec<i128>)>,
}

impl Oracle {
    pub(crate) fn new(terms: &PolicyTerms, ties_to_even: bool) -> Self {
        Self { terms: *terms, lines: vec![], sets: vec![], numbers: 0, ties_to_even }
    }

    /// Quantity, amount and taxes of a line.
    pub(crate) fn line(&self, number: u32) -> (Decimal, i128, Vec<TaxComponent>) {
        let line = &self.lines[number as usize - 1];
        (line.quantity, line.amount(), line.taxes.clone())
    }

    /// Makes a change, or says by which code it is refused.
    pub(crate) fn apply(&mut self, change: &Change<'_>) -> Result<(), Code> {
        let mut lines = self.lines.clone();
        let mut used: Option<Vec<TaxComponent>> = None;
        let mut numbers = self.numbers;
        match *change {
            Change::AddLine(new) => {
                if new.quantity.mantissa() == 0 || new.per.mantissa() <= 0 {
                    return Err(Code::BadQuantity);
                }
                if new.unit_price.mantissa() < 0 {
                    return Err(Code::BadPrice);
                }
                self.check_taxes(new.taxes)?;
                let mut line = Line {
                    kind: new.kind,
                    quantity: new.quantity,
                    price: new.unit_price,
                    per: new.per,
                    taxes: new.taxes.to_vec(),
                    listed: 0,
                    given: vec![],
                    is_voided: false,
                    settled: None,
                };
                self.price(&mut line)?;
                used = Some(line.taxes.clone());
                lines.push(line);
            }
            Change::AddReturn(part) => {
                let line = Line {
                    kind: part.kind(),
                    quantity: part.quantity(),
                    price: Decimal::whole(0),
                    per: Decimal::whole(1),
                    taxes: part.components().to_vec(),
                    listed: part.amount().into(),
                    given: vec![],
                    is_voided: false,
                    settled: Some(part.taxes().iter().map(|tax| i128::from(*tax)).collect()),
                };
                used = Some(line.taxes.clone());
                lines.push(line);
            }
            Change::VoidLine { line } => find(&mut lines, line)?.is_voided = true,
            Change::SetQuantity { line, quantity } => {
                let line = not_settled(find(&mut lines, line)?)?;
                let same_sign = (quantity.mantissa() < 0) == (line.quantity.mantissa() < 0);
                if quantity.mantissa() == 0 || !same_sign {
                    return Err(Code::BadQuantity);
                }
                line.quantity = quantity;
                self.price(line)?;
            }
            Change::SetPrice { line, unit_price, per } => {
                let line = not_settled(find(&mut lines, line)?)?;
                if unit_price.mantissa() < 0 {
                    return Err(Code::BadPrice);
                }
                if per.mantissa() <= 0 {
                    return Err(Code::BadQuantity);
                }
                (line.price, line.per) = (unit_price, per);
                self.price(line)?;
            }
            Change::SetTaxes { line, taxes } => {
                let line = not_settled(find(&mut lines, line)?)?;
                self.check_taxes(taxes)?;
                line.taxes = taxes.to_vec();
                used = Some(taxes.to_vec());
            }
            Change::AdjustLine { line, adjustment } => {
                numbers += 1;
                let line = not_settled(find(&mut lines, line)?)?;
                let amount = self.worth(&adjustment, line.amount(), line.quantity)?;
                line.given.push(Given { number: numbers, adjustment, of_sale: false, amount });
            }
            Change::AdjustSale { adjustment } => {
                numbers += 1;
                self.adjust_sale(&mut lines, numbers, adjustment)?;
            }
            Change::Retract { number } => {
                let mut found = false;
                for line in lines.iter_mut().filter(|line| !line.is_voided) {
                    if let Some(at) = line.given.iter().position(|g| g.number == number) {
                        found = true;
                        let later = line.given.split_off(at);
                        for given in later.into_iter().skip(1) {
                            self.give_again(line, given)?;
                        }
                    }
                }
                if !found {
                    return Err(Code::NotFound);
                }
            }
        }
        let live = |is_return: bool| {
            lines.iter().any(|l| !l.is_voided && (l.quantity.mantissa() < 0) == is_return)
        };
        if !self.terms.mixed_returns && live(true) && live(false) {
            return Err(Code::MixedReturns);
        }
        if let Some(used) = used.filter(|used| !self.sets.contains(used)) {
            self.sets.push(used);
        }
        (self.lines, self.numbers) = (lines, numbers);
        Ok(())
    }

    fn check_taxes(&self, taxes: &[TaxComponent]) -> Result<(), Code> {
        let twice = (1..taxes.len()).any(|index| taxes[..index].contains(&taxes[index]));
        let high = taxes.iter().any(|tax| tax.rate_ppm > 10_000_000);
        if twice || high { Err(Code::BadRate) } else { Ok(()) }
    }

    fn price(&self, line: &mut Line) -> Result<(), Code> {
        let exact = value(line.quantity) * value(line.price) / value(line.per);
        line.listed = round(&exact, self.terms.amount_rounding);
        for given in std::mem::take(&mut line.given) {
            self.give_again(line, given)?;
        }
        Ok(())
    }

    /// A percentage follows the line, and so does a line's own amount; a share of an amount stays.
    fn give_again(&self, line: &mut Line, mut given: Given) -> Result<(), Code> {
        let mut adjustment = given.adjustment;
        if let (Worth::Amount(_), true) = (adjustment.worth, given.of_sale) {
            if given.amount == 0 {
                line.given.push(given);
                return Ok(());
            }
            adjustment.worth = Worth::Amount(i64::try_from(given.amount.abs()).unwrap());
        }
        given.amount = self.worth(&adjustment, line.amount(), line.quantity)?;
        line.given.push(given);
        Ok(())
    }

    /// What an adjustment adds to an amount that belongs to a quantity of this sign.
    fn worth(
        &self,
        adjustment: &Adjustment,
        amount: i128,
        quantity: Decimal,
    ) -> Result<i128, Code> {
        let of = amount.abs();
        let magnitude = match adjustment.worth {
            Worth::Amount(amount) if amount <= 0 => return Err(Code::BadAmount),
            Worth::Amount(amount) => i128::from(amount),
            Worth::Percent(ppm) => {
                let most = if adjustment.direction == Direction::Discount {
                    1_000_000
                } else {
                    10_000_000
                };
                if ppm == 0 || ppm > most {
                    return Err(Code::BadRate);
                }
                round(&(whole(of) * ratio(ppm.into(), 1_000_000)), self.terms.amount_rounding)
            }
        };
        let side = if quantity.mantissa() < 0 { -1 } else { 1 };
        match adjustment.direction {
            Direction::Discount if magnitude > of => Err(Code::BadAmount),
            Direction::Discount => Ok(-side * magnitude),
            Direction::Surcharge => Ok(side * magnitude),
        }
    }

    fn adjust_sale(
        &self,
        lines: &mut [Line],
        number: u32,
        adjustment: Adjustment,
    ) -> Result<(), Code> {
        let items = |is_return: bool, lines: &[Line]| -> Vec<usize> {
            let takes = |line: &Line| {
                !line.is_voided
                    && line.kind == LineKind::Item
                    && line.settled.is_none()
                    && line.amount() != 0
                    && (line.quantity.mantissa() < 0) == is_return
            };
            (0..lines.len()).filter(|index| takes(&lines[*index])).collect()
        };
        let mut chosen = items(false, lines);
        if chosen.is_empty() {
            chosen = items(true, lines);
        }
        let Some(first) = chosen.first() else { return Err(Code::EmptySale) };
        let quantity = lines[*first].quantity;
        let sum: i128 = chosen.iter().map(|index| lines[*index].amount()).sum();
        let total = self.worth(&adjustment, sum, quantity)?;
        let shares: Vec<Rational> =
            chosen.iter().map(|i| whole(total * lines[*i].amount()) / whole(sum)).collect();
        for (index, amount) in chosen.into_iter().zip(hand_out(total, &shares)) {
            lines[index].given.push(Given { number, adjustment, of_sale: true, amount });
        }
        Ok(())
    }

    /// What the sale comes to.
    pub(crate) fn work_out(&self) -> Worked {
        let mut taxes: Vec<Vec<i128>> =
            self.lines.iter().map(|line| self.by_itself(line)).collect();
        let mut components: Vec<TaxComponent> = Vec::new();
        for component in self.sets.iter().flatten() {
            if !components.contains(component) {
                components.push(*component);
            }
        }
        if self.terms.tax_scope == TaxScope::PerRate {
            for component in &components {
                self.per_rate(component, &mut taxes);
            }
        }
        let mut worked = Worked::default();
        let mut sums = Totals::default();
        for (index, line) in self.lines.iter().enumerate().filter(|(_, line)| !line.is_voided) {
            let sum = |inclusive: bool| -> i128 {
                let of = line.taxes.iter().zip(&taxes[index]);
                of.filter(|(tax, _)| tax.inclusive == inclusive).map(|(_, amount)| *amount).sum()
            };
            let net = line.amount() - sum(true);
            sums.lines += 1;
            sums.listed += small(line.listed);
            for given in &line.given {
                match given.adjustment.direction {
                    Direction::Discount => sums.discounts -= small(given.amount),
                    Direction::Surcharge => sums.surcharges += small(given.amount),
                }
            }
            match line.kind {
                LineKind::Deposit => sums.deposits += small(line.amount()),
                LineKind::Tip => sums.tips += small(line.amount()),
                LineKind::Item | LineKind::Surcharge => {}
            }
            sums.net += small(net);
            sums.tax += small(sum(true) + sum(false));
            sums.gross += small(line.amount() + sum(false));
            if line.taxes.is_empty() {
                worked.untaxed += net;
            }
            worked.splits.push((u32::try_from(index + 1).unwrap(), net, taxes[index].clone()));
        }
        for component in components {
            let mut row = (component, 0, 0);
            let mut is_live = false;
            for (number, net, amounts) in &worked.splits {
                let line = &self.lines[*number as usize - 1];
                if let Some(at) = line.taxes.iter().position(|tax| *tax == component) {
                    is_live = true;
                    row.1 += net;
                    row.2 += amounts[at];
                }
            }
            if is_live {
                worked.rows.push(row);
            }
        }
        worked.totals = sums;
        worked
    }

    /// The taxes that a line has by itself.
    fn by_itself(&self, line: &Line) -> Vec<i128> {
        if let Some(taxes) = &line.settled {
            return taxes.clone();
        }
        let mut taxes = vec![0; line.taxes.len()];
        let units = match self.terms.tax_scope {
            TaxScope::PerRate => return taxes,
            TaxScope::PerLine => None,
            TaxScope::PerUnit => Some(value(line.quantity)),
        };
        let part = |rate: i128| {
            let exact = whole(line.amount()) * ratio(rate, price_parts(&line.taxes));
            match &units {
                None => self.tax_round(&exact),
                Some(units) => self.tax_round(&(whole(self.tax_round(&(exact / units))) * units)),
            }
        };
        let net_first = self.terms.gross_split == GrossSplit::NetFirst;
        for (amount, tax) in taxes.iter_mut().zip(&line.taxes) {
            if !(net_first && tax.inclusive) {
                *amount = part(tax.rate_ppm.into());
            }
        }
        let rates = price_parts(&line.taxes) - 1_000_000;
        if net_first && rates > 0 {
            let total = line.amount() - part(1_000_000);
            let inclusive: Vec<usize> =
                (0..taxes.len()).filter(|at| line.taxes[*at].inclusive).collect();
            let shares: Vec<Rational> = inclusive
                .iter()
                .map(|at| whole(total) * ratio(line.taxes[*at].rate_ppm.into(), rates))
                .collect();
            for (at, amount) in inclusive.into_iter().zip(hand_out(total, &shares)) {
                taxes[at] = amount;
            }
        }
        taxes
    }

    /// One tax over all lines, rounded once, handed to the lists of taxes and then to their lines.
    fn per_rate(&self, component: &TaxComponent, taxes: &mut [Vec<i128>]) {
        let sets: Vec<&Vec<TaxComponent>> =
            self.sets.iter().filter(|set| set.contains(component)).collect();
        let of_set = |set: &[TaxComponent]| -> Vec<usize> {
            let open = |line: &Line| !line.is_voided && line.settled.is_none() && line.taxes == set;
            (0..self.lines.len()).filter(|index| open(&self.lines[*index])).collect()
        };
        let exact = |lines: &[usize], rate: u32, set: &[TaxComponent]| {
            let sum: i128 = lines.iter().map(|index| self.lines[*index].amount()).sum();
            whole(sum) * ratio(rate.into(), price_parts(set))
        };
        let shares: Vec<Rational> =
            sets.iter().map(|set| exact(&of_set(set), component.rate_ppm, set)).collect();
        let amounts = if component.inclusive && self.terms.gross_split == GrossSplit::NetFirst {
            let tax_of = |set: &&Vec<TaxComponent>| {
                let lines = of_set(set);
                let gross: i128 = lines.iter().map(|index| self.lines[*index].amount()).sum();
                let net = self.tax_round(&(whole(gross) * ratio(1_000_000, price_parts(set))));
                let inclusive: Vec<&TaxComponent> = set.iter().filter(|t| t.inclusive).collect();
                let shares: Vec<Rational> =
                    inclusive.iter().map(|tax| exact(&lines, tax.rate_ppm, set)).collect();
                let at = inclusive.iter().position(|tax| *tax == component).unwrap();
                hand_out(gross - net, &shares)[at]
            };
            sets.iter().map(tax_of).collect()
        } else {
            let sum = shares.iter().fold(whole(0), |sum, share| sum + share);
            hand_out(self.tax_round(&sum), &shares)
        };
        for (set, amount) in sets.into_iter().zip(amounts) {
            let lines = of_set(set);
            let at = set.iter().position(|tax| tax == component).unwrap();
            let shares: Vec<Rational> =
                lines.iter().map(|index| exact(&[*index], component.rate_ppm, set)).collect();
            for (index, part) in lines.into_iter().zip(hand_out(amount, &shares)) {
                taxes[index][at] = part;
            }
        }
    }

    fn tax_round(&self, exact: &Rational) -> i128 {
        match self.terms.tax_rounding {
            Rounding::HalfUp if self.ties_to_even => round(exact, Rounding::HalfEven),
            rule => round(exact, rule),
        }
    }
}

impl Line {
    fn amount(&self) -> i128 {
        self.listed + self.given.iter().map(|given| given.amount).sum::<i128>()
    }
}

fn find(lines: &mut [Line], number: u32) -> Result<&mut Line, Code> {
    let index = (number as usize).checked_sub(1).ok_or(Code::NotFound)?;
    let line = lines.get_mut(index).ok_or(Code::NotFound)?;
    if line.is_voided { Err(Code::LineVoided) } else { Ok(line) }
}

fn not_settled(line: &mut Line) -> Result<&mut Line, Code> {
    if line.settled.is_some() { Err(Code::BadArgument) } else { Ok(line) }
}

/// The part of a line that comes back, from running values: the amount by quantity, taxes by amount.
pub(crate) fn come_back(sold: &SoldLine, before: Decimal, now: Decimal) -> (i128, Vec<i128>) {
    let amount_at = |returned: Rational| {
        round(&(whole(sold.amount.into()) * returned / value(sold.quantity)), Rounding::HalfUp)
    };
    let from = amount_at(value(before));
    let to = amount_at(value(before) + value(now));
    let tax_at = |tax: i64, amount: i128| match sold.amount {
        0 => 0,
        of => round(&(whole(tax.into()) * whole(amount) / whole(of.into())), Rounding::HalfUp),
    };
    (from - to, sold.taxes.iter().map(|tax| tax_at(*tax, from) - tax_at(*tax, to)).collect())
}

/// A part as the engine gives it, as wide numbers.
pub(crate) fn widened(part: &GivenBack) -> (i128, Vec<i128>) {
    (part.amount().into(), part.taxes().iter().map(|tax| i128::from(*tax)).collect())
}

/// Largest remainder: floors first, then one each to the largest remainders, the first of equals.
fn hand_out(total: i128, shares: &[Rational]) -> Vec<i128> {
    let zero = whole(0);
    let is_negative = match total {
        0 => shares.iter().find(|share| **share != zero).is_some_and(|share| *share < zero),
        total => total < 0,
    };
    if is_negative {
        let turned: Vec<Rational> = shares.iter().map(|share| -share).collect();
        return hand_out_forward(-total, &turned).into_iter().map(|part| -part).collect();
    }
    hand_out_forward(total, shares)
}

fn hand_out_forward(total: i128, shares: &[Rational]) -> Vec<i128> {
    let mut parts: Vec<i128> = shares.iter().map(|share| integer(&share.floor())).collect();
    let mut ranked: Vec<(Rational, usize)> =
        shares.iter().enumerate().map(|(index, share)| (share - share.floor(), index)).collect();
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let missing = usize::try_from(total - parts.iter().sum::<i128>()).unwrap();
    for (_, index) in &ranked[..missing] {
        parts[*index] += 1;
    }
    parts
}

pub(crate) fn round(exact: &Rational, rule: Rounding) -> i128 {
    let zero = whole(0);
    if *exact < zero {
        return -round(&-exact, rule);
    }
    let (down, up) = (exact.floor(), exact.ceil());
    let (below, above) = (exact - &down, &up - exact);
    let chosen = match rule {
        Rounding::Down => down,
        Rounding::Up => up,
        Rounding::HalfUp if below >= above => up,
        Rounding::HalfEven if below == above && integer(&down) % 2 == 0 => down,
        Rounding::HalfEven if below >= above => up,
        Rounding::HalfUp | Rounding::HalfEven => down,
    };
    integer(&chosen)
}

fn price_parts(taxes: &[TaxComponent]) -> i128 {
    taxes.iter().filter(|t| t.inclusive).fold(1_000_000, |sum, t| sum + i128::from(t.rate_ppm))
}

pub(crate) fn value(decimal: Decimal) -> Rational {
    ratio(decimal.mantissa().into(), 10_i128.pow(decimal.scale().into()))
}

pub(crate) fn whole(value: i128) -> Rational {
    Rational::from_integer(BigInt::from(value))
}

pub(crate) fn ratio(numerator: i128, denominator: i128) -> Rational {
    Rational::new(BigInt::from(numerator), BigInt::from(denominator))
}

fn integer(value: &Rational) -> i128 {
    i128::try_from(value.to_integer()).unwrap()
}

fn small(value: i128) -> i64 {
    i64::try_from(value).unwrap()
}
