//! Folding a fact into a sale, with the invariants checked each time.
//!
//! A fact from the journal is not trusted: what it says of amounts, totals and numbers is worked out
//! again and compared, so that replay and the verifier find a record that contradicts the others.

use super::machine::{after, completed_sums, content, taken};
use super::{End, Line, Sale, Tender};
use crate::journal::{
    Circle, Fact, Hash, LineAdded, LineReturned, RecordKind, SaleBegun, SaleCompleted, Sums,
    TenderAdded, TenderKind, TenderState, body_of,
};
use crate::money::{Decimal, in_range};
use crate::policy::Policy;
use crate::pricing::{
    Cart, Change, ExchangeRate, GivenBack, LineKind, NewLine, Outcome, Plan, SoldLine, settle,
};
use std::fmt;

/// A fact that cannot follow from what came before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction(pub String);

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<crate::Error> for Contradiction {
    fn from(error: crate::Error) -> Self {
        Self(error.to_string())
    }
}

macro_rules! hold {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(Contradiction(format!($($message)+)));
        }
    };
}

/// Bytes that a line with a text usually has in the journal.
const USUAL_FACT_BYTES: usize = 96;

/// What a fact says that a sale comes to after it.
struct Claim<'a> {
    gross: i64,
    sums: Option<&'a Sums>,
}

impl Sale {
    pub(crate) fn begun(
        fact: &SaleBegun,
        first_sequence: u64,
        began_ns: i64,
    ) -> Result<Self, Contradiction> {
        let policy = match &fact.policy {
            None => Policy::of(fact.currency),
            Some(bytes) => Policy::decode(&bytes.0)?,
        };
        let currency = policy.terms().currency;
        hold!(currency == fact.currency, "the policy of sale {} is for {currency}", fact.sale);
        Ok(Self {
            number: fact.sale,
            store: fact.store.clone(),
            currency: fact.currency,
            reference: fact.reference.clone(),
            lines: Vec::new(),
            tenders: Vec::new(),
            first_sequence,
            began_ns,
            recovered: false,
            returns: fact.returns.clone(),
            takes: fact.takes.clone(),
            ticket: None,
            suspensions: 0,
            has_policy: fact.policy.is_some(),
            cart: Cart::new(&policy),
            settlement: settle(&policy, 0, [])?,
            training: fact.training.unwrap_or(false),
            end: None,
            log: Vec::new(),
        })
    }

    /// Makes room for so many lines, rung up at once.
    pub(crate) fn expect_lines(&mut self, count: usize) {
        self.lines.reserve_exact(count);
        self.cart.expect_lines(count);
        self.log.reserve((count + 2) * USUAL_FACT_BYTES);
    }

    /// Keeps a fact's bytes: a checkpoint carries them on as they are.
    pub(crate) fn remember(&mut self, kind: RecordKind, body: &[u8]) {
        let size = u32::try_from(body.len()).expect("a record is smaller than a segment");
        self.log.extend_from_slice(&(kind as u16).to_le_bytes());
        self.log.extend_from_slice(&size.to_le_bytes());
        self.log.extend_from_slice(body);
    }

    /// Keeps a fact as this version writes it.
    pub(crate) fn remember_fact(&mut self, fact: &Fact) {
        self.remember(fact.kind(), &body_of(fact));
    }

    /// Folds a fact of this sale in.
    pub(crate) fn apply(&mut self, fact: &Fact) -> Result<(), Contradiction> {
        hold!(self.end.is_none(), "sale {} is over", self.number);
        let wakes = matches!(fact, Fact::SaleResumed(_) | Fact::SaleTransferred(_));
        hold!(self.ticket.is_some() == wakes, "sale {} is {}", self.number, self.state().name());
        match fact {
            Fact::LineAdded(fact) => self.take_line(fact.clone(), None),
            Fact::LineReturned(fact) => self.return_line(fact),
            Fact::LineVoided(fact) => {
                let is_parent = self.live_children(fact.line).next().is_some();
                hold!(!is_parent, "line {} is voided before its children", fact.line);
                self.live_line_mut(fact.line)?;
                let claim = Claim { gross: fact.gross, sums: fact.sums.as_ref() };
                self.change(&Change::VoidLine { line: fact.line }, &claim)?;
                self.live_line_mut(fact.line)?.voided = Some(fact.reason.clone());
                Ok(())
            }
            Fact::QuantitySet(fact) => {
                let change = Change::SetQuantity { line: fact.line, quantity: fact.quantity };
                let claim = Claim { gross: fact.gross, sums: fact.sums.as_ref() };
                let outcome = self.change_line(fact.line, &change, &claim)?;
                amount_is(fact.line, fact.amount, &outcome)
            }
            Fact::PriceOverridden(fact) => {
                let per = fact.per.unwrap_or(Decimal::whole(1));
                let change = Change::SetPrice { line: fact.line, unit_price: fact.unit_price, per };
                let claim = Claim { gross: fact.gross, sums: fact.sums.as_ref() };
                let outcome = self.change_line(fact.line, &change, &claim)?;
                amount_is(fact.line, fact.amount, &outcome)
            }
            Fact::TaxesOverridden(fact) => {
                let change = Change::SetTaxes { line: fact.line, taxes: &fact.taxes };
                let claim = Claim { gross: fact.gross, sums: fact.sums.as_ref() };
                let outcome = self.change_line(fact.line, &change, &claim)?;
                amount_is(fact.line, fact.amount, &outcome)
            }
            Fact::LineAdjusted(fact) => {
                let change = Change::AdjustLine { line: fact.line, adjustment: fact.adjustment };
                let claim = Claim { gross: fact.gross, sums: fact.sums.as_ref() };
                let outcome = self.change_line(fact.line, &change, &claim)?;
                adjustment_is((fact.number, fact.adjusted), &outcome)?;
                amount_is(fact.line, fact.amount, &outcome)
            }
            Fact::SaleAdjusted(fact) => {
                hold!(
                    fact.first_sequence == self.first_sequence,
                    "an adjustment says that sale {} begins at {}",
                    self.number,
                    fact.first_sequence
                );
                let change = Change::AdjustSale { adjustment: fact.adjustment };
                let claim = Claim { gross: fact.gross, sums: fact.sums.as_ref() };
                let outcome = self.change(&change, &claim)?;
                self.mirror_all();
                adjustment_is((fact.number, fact.adjusted), &outcome)
            }
            Fact::AdjustmentRetracted(fact) => {
                let claim = Claim { gross: fact.gross, sums: fact.sums.as_ref() };
                let outcome = self.change(&Change::Retract { number: fact.number }, &claim)?;
                self.mirror_all();
                adjustment_is((fact.number, fact.adjusted), &outcome)
            }
            Fact::TenderAdded(fact) => self.add_tender(fact),
            Fact::TenderConfirmed(fact) => {
                let from = [TenderState::Pending];
                let settled = (fact.due, fact.change, fact.rounding);
                self.tender_becomes(fact.tender, &from, TenderState::Confirmed, settled)?;
                self.tenders[fact.tender as usize - 1].auth.clone_from(&fact.auth);
                Ok(())
            }
            Fact::TenderDeclined(fact) => {
                let from = [TenderState::Pending];
                let settled = (fact.due, fact.change, fact.rounding);
                self.tender_becomes(fact.tender, &from, TenderState::Declined, settled)
            }
            Fact::TenderVoided(fact) => {
                let from = [TenderState::Pending, TenderState::Confirmed];
                let settled = (fact.due, fact.change, fact.rounding);
                self.tender_becomes(fact.tender, &from, TenderState::Voided, settled)
            }
            Fact::SaleCompleted(fact) => {
                self.check_completion(fact)?;
                self.end = Some(End::Completed(Box::new(fact.clone())));
                Ok(())
            }
            Fact::SaleVoided(fact) => {
                self.lines_may_change()?;
                let gross = self.cart.totals().gross;
                hold!(fact.gross == gross, "the void says {}, not {gross}", fact.gross);
                hold!(fact.currency == self.currency, "the void is in {}", fact.currency);
                self.end = Some(End::Voided);
                Ok(())
            }
            Fact::SaleSuspended(fact) => {
                self.lines_may_change()?;
                self.suspensions += 1;
                self.ticket = Some(fact.ticket.clone());
                Ok(())
            }
            Fact::SaleResumed(fact) => self.wake(&fact.ticket),
            Fact::SaleTransferred(fact) => {
                self.wake(&fact.ticket)?;
                self.end = Some(End::Transferred);
                Ok(())
            }
            _ => Err(Contradiction(format!("{:?} inside a sale", fact.kind()))),
        }
    }

    /// Checks that the completion's hash covers exactly the records of this sale.
    pub(crate) fn check_content(&self, fact: &SaleCompleted) -> Result<(), Contradiction> {
        hold!(
            fact.content == content(self),
            "the completion of sale {} was made from other records",
            self.number
        );
        Ok(())
    }

    pub(crate) fn completion(&self) -> Option<&SaleCompleted> {
        match &self.end {
            Some(End::Completed(fact)) => Some(fact),
            Some(End::Voided | End::Transferred) | None => None,
        }
    }

    /// Changes the lines and compares what that comes to with what the fact says.
    fn change(&mut self, change: &Change<'_>, claim: &Claim<'_>) -> Result<Outcome, Contradiction> {
        self.lines_may_change()?;
        let outcome = self.cart.apply(change)?;
        self.agrees(&outcome, claim)?;
        Ok(outcome)
    }

    /// Compares what a change has come to with what the fact says.
    fn agrees(&mut self, outcome: &Outcome, claim: &Claim<'_>) -> Result<(), Contradiction> {
        let totals = &outcome.totals;
        hold!(totals.gross == claim.gross, "the total is {}, not {}", totals.gross, claim.gross);
        self.settlement = settle(self.policy(), totals.gross, [])?;
        let sums = Sums::of(totals, self.settlement.cash_payable);
        hold!(
            sums.as_ref() == claim.sums,
            "the sums of sale {} are {sums:?}, not {:?}",
            self.number,
            claim.sums
        );
        Ok(())
    }

    fn change_line(
        &mut self,
        line: u32,
        change: &Change<'_>,
        claim: &Claim<'_>,
    ) -> Result<Outcome, Contradiction> {
        self.live_line_mut(line)?;
        let outcome = self.change(change, claim)?;
        self.mirror(line);
        Ok(outcome)
    }

    /// Folds a line in whose fact nobody needs any more; as it was planned, where it was decided a
    /// moment ago.
    pub(crate) fn take_line(
        &mut self,
        fact: LineAdded,
        plan: Option<Plan>,
    ) -> Result<(), Contradiction> {
        self.next_line(fact.line)?;
        if let Some(parent) = fact.parent {
            self.live_line_mut(parent)?;
        }
        let kind = fact.kind.unwrap_or(LineKind::Item);
        let per = fact.per.unwrap_or(Decimal::whole(1));
        let LineAdded { line: number, quantity, unit_price, amount, .. } = fact;
        let new = NewLine { kind, quantity, unit_price, per, taxes: &fact.taxes };
        let claim = Claim { gross: fact.gross, sums: fact.sums.as_ref() };
        let outcome = match plan {
            Some(plan) => {
                self.lines_may_change()?;
                let outcome = self.cart.make(plan);
                self.agrees(&outcome, &claim)?;
                outcome
            }
            None => self.change(&Change::AddLine(new), &claim)?,
        };
        self.lines.push(Line {
            number,
            kind,
            sku: fact.sku,
            text: fact.text,
            quantity,
            unit_price,
            per,
            taxes: fact.taxes,
            listed: outcome.amount,
            adjustments: Vec::new(),
            amount,
            voided: None,
            parent: fact.parent,
            of: None,
            sold: None,
            class: fact.class,
            attributes: fact.attributes,
        });
        amount_is(number, amount, &outcome)
    }

    fn return_line(&mut self, fact: &LineReturned) -> Result<(), Contradiction> {
        self.next_line(fact.line)?;
        let kind = fact.kind.unwrap_or(LineKind::Item);
        let sold = SoldLine {
            kind,
            quantity: fact.sold.quantity,
            amount: fact.sold.amount,
            components: fact.taxes.clone(),
            taxes: fact.sold.taxes.clone(),
        };
        hold!(sold.components.len() == sold.taxes.len(), "line {} lacks taxes", fact.line);
        let quantity = Decimal::new(
            fact.quantity.mantissa().checked_neg().unwrap_or(0),
            fact.quantity.scale(),
        )
        .unwrap_or(Decimal::whole(0));
        let expected = sold.give_back(fact.sold.before, quantity)?;
        let part = GivenBack::new(
            kind,
            fact.quantity,
            fact.amount,
            fact.taxes.clone(),
            fact.tax_amounts.clone(),
        )?;
        hold!(part == expected, "line {} gives back {part:?}, not {expected:?}", fact.line);
        let claim = Claim { gross: fact.gross, sums: fact.sums.as_ref() };
        let outcome = self.change(&Change::AddReturn(&part), &claim)?;
        self.lines.push(Line {
            number: fact.line,
            kind,
            sku: fact.sku.clone(),
            text: fact.text.clone(),
            quantity: fact.quantity,
            unit_price: fact.unit_price,
            per: fact.per.unwrap_or(Decimal::whole(1)),
            taxes: fact.taxes.clone(),
            listed: outcome.amount,
            adjustments: Vec::new(),
            amount: outcome.amount,
            voided: None,
            parent: None,
            of: Some(fact.of.clone()),
            sold: Some(fact.sold.clone()),
            class: None,
            attributes: Vec::new(),
        });
        amount_is(fact.line, fact.amount, &outcome)
    }

    fn add_tender(&mut self, fact: &TenderAdded) -> Result<(), Contradiction> {
        let number = self.tenders.len() as u64 + 1;
        hold!(u64::from(fact.tender) == number, "tender {} follows {}", fact.tender, number - 1);
        let is_something = fact.amount != 0 || fact.kind == TenderKind::Cash;
        let possible = in_range(fact.amount.into()).is_ok() && is_something;
        hold!(possible, "tender {} is of {}", fact.tender, fact.amount);
        let live = matches!(fact.state, TenderState::Pending | TenderState::Confirmed);
        hold!(live, "tender {} begins {}", fact.tender, fact.state.name());
        let tip = fact.tip.unwrap_or(0);
        hold!((0..=fact.amount.max(0)).contains(&tip), "tender {} has a tip of {tip}", fact.tender);
        if let Some(foreign) = &fact.foreign {
            let per = foreign.per.unwrap_or(1);
            let rate = ExchangeRate::new(foreign.currency, foreign.rate, per)?;
            let worth = rate.convert(self.policy(), foreign.amount)?;
            hold!(worth == fact.amount, "tender {} is worth {worth}", fact.tender);
        }
        self.tenders.push(Tender {
            number: fact.tender,
            kind: fact.kind,
            amount: fact.amount,
            tip,
            foreign: fact.foreign.clone(),
            state: fact.state,
            reference: fact.reference.clone(),
            auth: None,
        });
        self.due_becomes(fact.tender, fact.state, (fact.due, fact.change, fact.rounding))
    }

    fn check_completion(&self, fact: &SaleCompleted) -> Result<(), Contradiction> {
        let totals = self.totals();
        hold!(
            fact.gross == totals.gross,
            "the completion says {}, not {}",
            fact.gross,
            totals.gross
        );
        hold!(
            fact.lines as usize == self.lines.len(),
            "the completion counts {} lines",
            fact.lines
        );
        hold!(self.live_lines().next().is_some(), "a sale without lines is completed");
        hold!(fact.first_sequence == self.first_sequence, "the completion begins elsewhere");
        hold!(fact.currency == self.currency, "the completion is in {}", fact.currency);
        let circle = fact.circle.unwrap_or(Circle::Sale);
        hold!(circle == self.circle(), "the receipt is of the circle {}", circle.name());
        hold!(fact.reference == self.reference, "the completion has another reference");
        let policy = self.has_policy.then(|| Hash(self.policy().hash()));
        hold!(fact.policy == policy, "the completion names another policy");
        self.check_sums()?;
        let sums = completed_sums(self)?;
        hold!(fact.sums == sums, "the completion says {:?}, not {sums:?}", fact.sums);
        let undecided = self.tenders.iter().any(|t| t.state == TenderState::Pending);
        hold!(!undecided, "a tender is pending at completion");
        hold!(totals.due == 0, "{} is due at completion", totals.due);
        hold!(fact.tendered == totals.tendered, "the completion says {} tendered", fact.tendered);
        hold!(fact.change == totals.change, "the completion says {} change", fact.change);
        let kept = i128::from(fact.tendered) - i128::from(fact.change);
        let asked = i128::from(fact.gross) + i128::from(totals.rounding) + i128::from(totals.tips);
        hold!(kept == asked, "tendered less change is {kept}, and {asked} was to be paid");
        let confirmed = self.tenders.iter().filter(|t| t.state == TenderState::Confirmed);
        let same = confirmed.clone().map(taken).eq(fact.tenders.iter().cloned());
        hold!(same, "the completion lists other tenders");
        let gives = self.policy().terms().change_from;
        let givers = confirmed.filter(|tender| gives.contains(tender.kind.means()));
        let most: i128 = givers.map(|t| i128::from(t.amount) - i128::from(t.tip)).sum();
        hold!(
            fact.change >= 0 && i128::from(fact.change) <= most.max(0),
            "change of {} is more than what gives change",
            fact.change
        );
        Ok(())
    }

    /// I1 and I2: the lines and the rows of the tax table add up to the totals.
    fn check_sums(&self) -> Result<(), Contradiction> {
        let totals = self.cart.totals();
        hold!(totals.gross == totals.net + totals.tax, "gross is not net and tax");
        if self.cart.is_untaxed() {
            let sum: i128 = self.live_lines().map(|line| i128::from(line.amount)).sum();
            hold!(sum == i128::from(totals.gross), "lines add up to {sum}, not {}", totals.gross);
            return Ok(());
        }
        let splits = self.cart.splits();
        let lines = splits.iter().fold((0_i128, 0_i128), |(net, gross), line| {
            (net + i128::from(line.net), gross + i128::from(line.gross))
        });
        hold!(
            lines == (totals.net.into(), totals.gross.into()),
            "lines add up to {lines:?}, not {totals:?}"
        );
        let rows = self.cart.tax_table()?;
        let tax: i128 = rows.rows().iter().map(|row| i128::from(row.tax)).sum();
        hold!(tax == i128::from(totals.tax), "the tax table adds up to {tax}");
        Ok(())
    }

    fn wake(&mut self, ticket: &str) -> Result<(), Contradiction> {
        let own = self.ticket.take();
        hold!(own.as_deref() == Some(ticket), "sale {} waits for {own:?}", self.number);
        Ok(())
    }

    fn lines_may_change(&self) -> Result<(), Contradiction> {
        let frozen = self.tenders.iter().any(Tender::is_live);
        hold!(!frozen, "sale {} changes under a live tender", self.number);
        Ok(())
    }

    fn next_line(&self, number: u32) -> Result<(), Contradiction> {
        let next = self.lines.len() as u64 + 1;
        hold!(u64::from(number) == next, "line {number} follows {}", next - 1);
        Ok(())
    }

    fn live_line_mut(&mut self, number: u32) -> Result<&mut Line, Contradiction> {
        let line = (number as usize).checked_sub(1).and_then(|index| self.lines.get_mut(index));
        match line {
            Some(line) if line.voided.is_none() => Ok(line),
            _ => Err(Contradiction(format!("there is no live line {number}"))),
        }
    }

    /// A line's numbers become those of the cart.
    fn mirror(&mut self, number: u32) {
        let index = (number as usize).checked_sub(1);
        let line = index.and_then(|index| self.lines.get_mut(index));
        let (Some(line), Some(view)) = (line, self.cart.line(number)) else { return };
        line.quantity = view.quantity;
        line.unit_price = view.unit_price;
        line.per = view.per;
        line.listed = view.listed;
        line.amount = view.amount;
        if line.taxes != view.taxes {
            line.taxes = view.taxes.to_vec();
        }
        if line.adjustments != view.adjustments {
            line.adjustments = view.adjustments.to_vec();
        }
    }

    fn mirror_all(&mut self) {
        for index in 0..self.lines.len() {
            self.mirror(self.lines[index].number);
        }
    }

    fn tender_becomes(
        &mut self,
        number: u32,
        from: &[TenderState],
        to: TenderState,
        settled: (i64, i64, Option<i64>),
    ) -> Result<(), Contradiction> {
        let tender = (number as usize).checked_sub(1).and_then(|index| self.tenders.get_mut(index));
        let Some(tender) = tender.filter(|tender| from.contains(&tender.state)) else {
            return Err(Contradiction(format!("tender {number} cannot become {}", to.name())));
        };
        tender.state = to;
        self.due_becomes(number, to, settled)
    }

    fn due_becomes(
        &mut self,
        tender: u32,
        state: TenderState,
        settled: (i64, i64, Option<i64>),
    ) -> Result<(), Contradiction> {
        self.settlement = after(self, tender, state)?;
        let paid = &self.settlement;
        let expected = (paid.due, paid.change, (paid.rounding != 0).then_some(paid.rounding));
        hold!(settled == expected, "due, change and rounding are {expected:?}, not {settled:?}");
        Ok(())
    }
}

fn amount_is(line: u32, claimed: i64, outcome: &Outcome) -> Result<(), Contradiction> {
    let amount = outcome.amount;
    hold!(amount == claimed, "line {line} is worth {amount}, not {claimed}");
    Ok(())
}

fn adjustment_is(claimed: (u32, i64), outcome: &Outcome) -> Result<(), Contradiction> {
    let found = (outcome.number.unwrap_or(0), outcome.adjusted);
    hold!(found == claimed, "adjustment {found:?} stands where {claimed:?} is written");
    Ok(())
}
