//! Sales that nobody goes on with: voided after a time by the monotonic clock, which no one can set.
//!
//! Idle time is counted while the terminal is open: a sale that came back begins anew with it. A sale
//! for which money was taken, or may have been, never expires, nor does a suspended one.

use super::Terminal;
use super::commit::{Answer, Urgency};
use crate::error::Result;
use crate::journal::{Fact, SaleVoided};
use crate::sale::{State, machine};
use std::time::Duration;

impl Terminal {
    /// Voids the sales to which nothing has happened for so long. Gives their numbers.
    ///
    /// # Errors
    /// Those of any call.
    pub fn expire(&self, idle: Duration, reason: &str) -> Result<Answer<Vec<u64>>> {
        let mut core = self.lock()?;
        let now = self.clock.mono_ns();
        let most = u64::try_from(idle.as_nanos()).unwrap_or(u64::MAX);
        let mut sales = Vec::new();
        let mut facts = Vec::new();
        let mut voids = std::collections::BTreeMap::new();
        for (number, sale) in &core.till.open {
            let touched = core.touched.get(number).copied().unwrap_or(core.opened_mono_ns);
            let idle_ns = now.saturating_sub(touched);
            if sale.state() != State::Building || idle_ns < most {
                continue;
            }
            let before = core.till.totals_of(sale.currency).voids;
            let more = voids.entry(sale.currency).or_insert(0);
            let fact = machine::void(sale, reason, before + *more, None)?;
            *more += u64::from(!sale.training);
            let mut fact = Fact::from(SaleVoided { idle_ns: Some(idle_ns), ..fact });
            core.till.people.sign(&mut fact)?;
            facts.push(fact);
            sales.push(*number);
        }
        let sequence = match facts.is_empty() {
            true => self.wal.position().sequence,
            false => self.append(&mut core, &facts, 0)?.last_sequence,
        };
        drop(core);
        let wait = !sales.is_empty() && self.promise(Urgency::Now)?;
        Ok(Answer { value: sales, sequence, wait, replayed: false })
    }
}
