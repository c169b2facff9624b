//! Calls that make several facts: a line is voided with all that belongs to it, a sale with the cash
//! that was taken for it.
//!
//! Each fact is a record of its own, all in one frame: after a crash either every one of them stands
//! or none does. The key stands in the last one, which is the answer.

use super::Terminal;
use super::commands::{LINE, LineAnswer, VoidAnswer, line_answer, void_answer};
use super::commit::{Answer, Growth, Inputs, Urgency};
use super::history::Recorded;
use crate::error::Result;
use crate::journal::{Fact, Key, TenderKind};
use crate::sale::{LineInput, Reason, Sale, machine};
use crate::till::Till;

impl Terminal {
    /// Voids a line and every live line that belongs to it, near or far; children go first.
    ///
    /// # Errors
    /// Those of [`machine::void_line`], `PK_E_NOT_FOUND`, and those of any call.
    pub fn void_linked<'a>(
        &self,
        sale: u64,
        line: u32,
        reason: impl Into<Reason<'a>>,
        key: Option<&str>,
    ) -> Result<Answer<LineAnswer>> {
        let reason = reason.into();
        let inputs = || Inputs::of("voidLinked").number(sale).number(line.into()).reason(reason);
        let key = key.map(|key| inputs().under(key)).transpose()?;
        let decide = |till: &Till, key| {
            let mut after = till.open_sale(sale)?.clone();
            let mut facts = Vec::new();
            for child in descendants(&after, line) {
                let fact = Fact::from(machine::void_line(&after, child, reason.text, None)?);
                after.apply(&fact).expect("a decided fact contradicts nothing");
                facts.push(fact);
            }
            let last = machine::void_line(&after, line, reason.text, key)?;
            facts.push(Fact::from(last).under(reason.approval));
            Ok(facts)
        };
        self.together(key, LINE, decide, line_answer)
    }

    /// Voids a sale and the cash that was taken for it, which goes back to the customer. While a
    /// tender of another kind is live nothing is voided.
    ///
    /// # Errors
    /// Those of [`machine::void`], `PK_E_NOT_FOUND`, and those of any call.
    pub fn void_with_cash<'a>(
        &self,
        sale: u64,
        reason: impl Into<Reason<'a>>,
        key: Option<&str>,
    ) -> Result<Answer<VoidAnswer>> {
        let reason = reason.into();
        let inputs = || Inputs::of("voidWithCash").number(sale).reason(reason);
        let key = key.map(|key| inputs().under(key)).transpose()?;
        let decide = |till: &Till, key| {
            let mut after = till.open_sale(sale)?.clone();
            let mut facts = Vec::new();
            for tender in live_cash(&after) {
                let fact = Fact::from(machine::void_tender(&after, tender, reason.text, None)?);
                after.apply(&fact).expect("a decided fact contradicts nothing");
                facts.push(fact);
            }
            let voids = till.totals_of(after.currency).voids;
            let last = machine::void(&after, reason.text, voids, key)?;
            facts.push(Fact::from(last).under(reason.approval));
            Ok(facts)
        };
        self.together(key, (Growth::Finishes, Urgency::Now), decide, void_answer)
    }

    /// Adds a line and gives it the discounts and surcharges that it begins with.
    pub(super) fn add_adjusted_line(
        &self,
        sale: u64,
        line: &LineInput<'_>,
        key: Option<Key>,
    ) -> Result<Answer<LineAnswer>> {
        let decide = |till: &Till, mut key: Option<Key>| {
            let mut after = till.open_sale(sale)?.clone();
            let mut added = machine::add_line(&after, line, None)?;
            till.may_tax(&after, &added.taxes, self.taxes_max())?;
            added.is_judged(till.rules.judge_line(&after, line, added.amount)?);
            let (number, mut facts) = (added.line, vec![Fact::from(added)]);
            for (index, (adjustment, reason)) in line.adjustments.iter().enumerate() {
                after.apply(&facts[index]).expect("a decided fact contradicts nothing");
                let is_last = index + 1 == line.adjustments.len();
                let key = if is_last { key.take() } else { None };
                let reason = (*reason).into();
                facts.push(machine::adjust_line(&after, number, *adjustment, reason, key)?.into());
            }
            Ok(facts)
        };
        self.together(key, LINE, decide, line_answer)
    }

    /// Runs a command that makes several facts; the last one is the answer.
    pub(super) fn together<T>(
        &self,
        key: Option<Key>,
        (growth, urgency): (Growth, Urgency),
        decide: impl FnOnce(&Till, Option<Key>) -> Result<Vec<Fact>>,
        answer: impl FnOnce(&Recorded) -> Option<T>,
    ) -> Result<Answer<T>> {
        let mut core = self.lock()?;
        if let Some(recorded) = self.seen(&core, key.as_ref())? {
            return self.replayed(&recorded, answer);
        }
        if growth == Growth::Grows {
            self.reserve(&core.till)?;
        }
        let mut facts = decide(&core.till, key)?;
        for fact in &mut facts {
            core.till.people.sign(fact)?;
        }
        let appended = self.append(&mut core, &facts, 0)?;
        let at_ns = self.last_wall_ns(&core);
        drop(core);
        let sequence = appended.last_sequence;
        let fact = facts.pop().expect("a command makes a fact");
        let recorded = Recorded { fact, sequence, at_ns, hash: appended.link };
        let value = answer(&recorded).expect("a command answers its own fact");
        let wait = self.promise(urgency)?;
        Ok(Answer { value, sequence, wait, replayed: false })
    }
}

/// The numbers of the live cash tenders.
fn live_cash(sale: &Sale) -> Vec<u32> {
    let cash = |tender: &&crate::sale::Tender| tender.is_live() && tender.kind == TenderKind::Cash;
    sale.tenders.iter().filter(cash).map(|tender| tender.number).collect()
}

/// The live lines below a line, the newest first: a child always has a higher number than its parent.
fn descendants(sale: &Sale, line: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for candidate in sale.live_lines() {
        let is_below = candidate.parent.is_some_and(|p| p == line || found.contains(&p));
        if is_below {
            found.push(candidate.number);
        }
    }
    found.reverse();
    found
}
