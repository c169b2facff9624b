//! Folding a fact into a sale, with the invariants checked each time.
//!
//! A fact from the journal is not trusted: what it says of amounts, totals and numbers is worked out
//! again and compared, so that replay and the verifier find a record that contradicts the others.

use super::machine::{LINE_ROUNDING, after, content};
use super::{End, Line, Sale, Tender};
use crate::journal::{Fact, RecordKind, SaleBegun, SaleCompleted, TenderKind, TenderState};
use crate::money::{Decimal, extend, in_range};
use std::fmt;

/// A fact that cannot follow from what came before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction(pub String);

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! hold {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(Contradiction(format!($($message)+)));
        }
    };
}

impl Sale {
    pub(crate) fn begun(fact: &SaleBegun, first_sequence: u64, began_ns: i64) -> Self {
        Self {
            number: fact.sale,
            store: fact.store.clone(),
            currency: fact.currency,
            reference: fact.reference.clone(),
            lines: Vec::new(),
            tenders: Vec::new(),
            first_sequence,
            began_ns,
            recovered: false,
            gross: 0,
            end: None,
            log: Vec::new(),
        }
    }

    /// Keeps a fact's bytes: a checkpoint carries them on as they are.
    pub(crate) fn remember(&mut self, kind: RecordKind, body: &[u8]) {
        let size = u32::try_from(body.len()).expect("a record is smaller than a segment");
        self.log.extend_from_slice(&(kind as u16).to_le_bytes());
        self.log.extend_from_slice(&size.to_le_bytes());
        self.log.extend_from_slice(body);
    }

    /// Folds a fact of this sale in.
    pub(crate) fn apply(&mut self, fact: &Fact) -> Result<(), Contradiction> {
        hold!(self.end.is_none(), "sale {} is over", self.number);
        match fact {
            Fact::LineAdded(fact) => {
                let number = self.lines.len() as u64 + 1;
                hold!(u64::from(fact.line) == number, "line {} follows {}", fact.line, number - 1);
                self.lines_may_change()?;
                hold!(fact.quantity.mantissa() != 0, "line {} has no quantity", fact.line);
                hold!(fact.unit_price.mantissa() >= 0, "line {} has a negative price", fact.line);
                check_amount(fact.line, fact.quantity, fact.unit_price, fact.amount)?;
                if let Some(parent) = fact.parent {
                    self.live_line_mut(parent)?;
                }
                self.gross_becomes(i128::from(fact.amount), fact.gross)?;
                self.lines.push(Line {
                    number: fact.line,
                    sku: fact.sku.clone(),
                    text: fact.text.clone(),
                    quantity: fact.quantity,
                    unit_price: fact.unit_price,
                    amount: fact.amount,
                    voided: None,
                    parent: fact.parent,
                });
            }
            Fact::LineVoided(fact) => {
                self.lines_may_change()?;
                let is_parent = self.live_children(fact.line).next().is_some();
                hold!(!is_parent, "line {} is voided before its children", fact.line);
                let line = self.live_line_mut(fact.line)?;
                line.voided = Some(fact.reason.clone());
                let amount = line.amount;
                self.gross_becomes(-i128::from(amount), fact.gross)?;
            }
            Fact::QuantitySet(fact) => {
                self.lines_may_change()?;
                let line = self.live_line_mut(fact.line)?;
                check_amount(fact.line, fact.quantity, line.unit_price, fact.amount)?;
                let change = i128::from(fact.amount) - i128::from(line.amount);
                line.quantity = fact.quantity;
                line.amount = fact.amount;
                self.gross_becomes(change, fact.gross)?;
            }
            Fact::TenderAdded(fact) => {
                let number = self.tenders.len() as u64 + 1;
                hold!(
                    u64::from(fact.tender) == number,
                    "tender {} follows {}",
                    fact.tender,
                    number - 1
                );
                let possible = in_range(fact.amount.into()).is_ok() && fact.amount != 0;
                hold!(possible, "tender {} is of {}", fact.tender, fact.amount);
                let live = matches!(fact.state, TenderState::Pending | TenderState::Confirmed);
                hold!(live, "tender {} begins {}", fact.tender, fact.state.name());
                self.tenders.push(Tender {
                    number: fact.tender,
                    kind: fact.kind,
                    amount: fact.amount,
                    state: fact.state,
                    reference: fact.reference.clone(),
                    auth: None,
                });
                self.due_becomes(fact.tender, fact.state, (fact.due, fact.change))?;
            }
            Fact::TenderConfirmed(fact) => {
                let from = [TenderState::Pending];
                let settled = (fact.due, fact.change);
                self.tender_becomes(fact.tender, &from, TenderState::Confirmed, settled)?;
                self.tenders[fact.tender as usize - 1].auth.clone_from(&fact.auth);
            }
            Fact::TenderDeclined(fact) => {
                let from = [TenderState::Pending];
                let settled = (fact.due, fact.change);
                self.tender_becomes(fact.tender, &from, TenderState::Declined, settled)?;
            }
            Fact::TenderVoided(fact) => {
                let from = [TenderState::Pending, TenderState::Confirmed];
                let settled = (fact.due, fact.change);
                self.tender_becomes(fact.tender, &from, TenderState::Voided, settled)?;
            }
            Fact::SaleCompleted(fact) => {
                self.check_completion(fact)?;
                self.end = Some(End::Completed(fact.clone()));
            }
            Fact::SaleVoided(fact) => {
                self.lines_may_change()?;
                hold!(fact.gross == self.gross, "the void says {}, not {}", fact.gross, self.gross);
                hold!(fact.currency == self.currency, "the void is in {}", fact.currency);
                self.end = Some(End::Voided);
            }
            Fact::SaleBegun(_) | Fact::TerminalOpened(_) | Fact::TerminalClosed(_) => {
                return Err(Contradiction(format!("{:?} inside a sale", fact.kind())));
            }
        }
        Ok(())
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
            Some(End::Voided) | None => None,
        }
    }

    fn check_completion(&self, fact: &SaleCompleted) -> Result<(), Contradiction> {
        let totals = self.totals();
        let sum: i128 = self.live_lines().map(|line| i128::from(line.amount)).sum();
        hold!(sum == i128::from(totals.gross), "lines add up to {sum}, not {}", totals.gross);
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
        hold!(fact.reference == self.reference, "the completion has another reference");
        hold!(totals.pending == 0, "a tender is pending at completion");
        let undecided = self.tenders.iter().any(|t| t.state == TenderState::Pending);
        hold!(!undecided, "a tender is pending at completion");
        hold!(totals.due == 0, "{} is due at completion", totals.due);
        hold!(fact.tendered == totals.tendered, "the completion says {} tendered", fact.tendered);
        hold!(fact.change == totals.change, "the completion says {} change", fact.change);
        hold!(
            i128::from(fact.tendered) - i128::from(fact.change) == i128::from(fact.gross),
            "tendered less change is not the total"
        );
        let mut confirmed = self.tenders.iter().filter(|t| t.state == TenderState::Confirmed);
        let same = fact.tenders.iter().all(|taken| {
            confirmed.next().is_some_and(|tender| {
                (tender.number, tender.kind, tender.amount)
                    == (taken.tender, taken.kind, taken.amount)
            })
        });
        hold!(same && confirmed.next().is_none(), "the completion lists other tenders");
        let cash = fact.tenders.iter().filter(|t| t.kind == TenderKind::Cash);
        let cash: i128 = cash.map(|t| i128::from(t.amount)).sum();
        hold!(
            fact.change >= 0 && i128::from(fact.change) <= cash.max(0),
            "change of {} is not from cash",
            fact.change
        );
        Ok(())
    }

    fn lines_may_change(&self) -> Result<(), Contradiction> {
        let frozen = self.tenders.iter().any(Tender::is_live);
        hold!(!frozen, "sale {} changes under a live tender", self.number);
        Ok(())
    }

    fn live_line_mut(&mut self, number: u32) -> Result<&mut Line, Contradiction> {
        let line = (number as usize).checked_sub(1).and_then(|index| self.lines.get_mut(index));
        match line {
            Some(line) if line.voided.is_none() => Ok(line),
            _ => Err(Contradiction(format!("there is no live line {number}"))),
        }
    }

    fn gross_becomes(&mut self, change: i128, claimed: i64) -> Result<(), Contradiction> {
        let gross = i128::from(self.gross) + change;
        hold!(gross == i128::from(claimed), "the total is {gross}, not {claimed}");
        hold!(in_range(gross).is_ok(), "the total is {gross}, out of range");
        self.gross = claimed;
        Ok(())
    }

    fn tender_becomes(
        &mut self,
        number: u32,
        from: &[TenderState],
        to: TenderState,
        settled: (i64, i64),
    ) -> Result<(), Contradiction> {
        let tender = (number as usize).checked_sub(1).and_then(|index| self.tenders.get_mut(index));
        let Some(tender) = tender.filter(|tender| from.contains(&tender.state)) else {
            return Err(Contradiction(format!("tender {number} cannot become {}", to.name())));
        };
        tender.state = to;
        self.due_becomes(number, to, settled)
    }

    fn due_becomes(
        &self,
        tender: u32,
        state: TenderState,
        settled: (i64, i64),
    ) -> Result<(), Contradiction> {
        let expected = after(self, tender, state);
        hold!(settled == expected, "due and change are {expected:?}, not {settled:?}");
        Ok(())
    }
}

fn check_amount(
    line: u32,
    quantity: Decimal,
    unit_price: Decimal,
    amount: i64,
) -> Result<(), Contradiction> {
    let expected = extend(quantity, unit_price, LINE_ROUNDING).ok();
    hold!(expected == Some(amount), "line {line}: {quantity} x {unit_price} is not {amount}");
    Ok(())
}
