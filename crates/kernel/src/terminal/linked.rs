//! Lines that belong to another line: a line is voided with all that belongs to it.
//!
//! Children go before their parent, each by a record of its own, all in one frame: after a crash
//! either every one of them is voided or none is.

use super::Terminal;
use super::commands::{LineAnswer, line_answer};
use super::commit::{Answer, Inputs, Urgency};
use super::history::Recorded;
use crate::error::Result;
use crate::journal::Fact;
use crate::sale::{Sale, machine};

impl Terminal {
    /// Voids a line and every live line that belongs to it, near or far.
    ///
    /// The key stands in the record of the line itself, which is the last one of the frame.
    ///
    /// # Errors
    /// Those of [`machine::void_line`], `PK_E_NOT_FOUND`, and those of any call.
    pub fn void_linked(
        &self,
        sale: u64,
        line: u32,
        reason: &str,
        key: Option<&str>,
    ) -> Result<Answer<LineAnswer>> {
        let inputs = || Inputs::of("voidLinked").number(sale).number(line.into()).text(reason);
        let key = key.map(|key| inputs().under(key)).transpose()?;
        let mut core = self.lock()?;
        if let Some(recorded) = self.seen(&core, key.as_ref())? {
            return self.replayed(&recorded, line_answer);
        }
        self.reserve(&core.till)?;
        let mut after = core.till.open_sale(sale)?.clone();
        let mut facts = Vec::new();
        for child in descendants(&after, line) {
            let fact = Fact::from(machine::void_line(&after, child, reason, None)?);
            after.apply(&fact).expect("a decided fact contradicts nothing");
            facts.push(fact);
        }
        let last = Fact::from(machine::void_line(&after, line, reason, key)?);
        facts.push(last.clone());
        let appended = self.append(&mut core, &facts, 0)?;
        let at_ns = self.last_wall_ns(&core);
        drop(core);
        let sequence = appended.last_sequence;
        let recorded = Recorded { fact: last, sequence, at_ns, hash: appended.link };
        let value = line_answer(&recorded).expect("a voided line answers");
        let wait = self.promise(Urgency::Within)?;
        Ok(Answer { value, sequence, wait, replayed: false })
    }
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
