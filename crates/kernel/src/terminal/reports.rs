//! Reports and closings.
//!
//! An X report looks, and is journaled. A Z report closes the period and seals the segment: what
//! comes after it stands in the next one. Longer periods are closed by number and never by clock.

use super::Terminal;
use super::commit::{Answer, Inputs, Urgency};
use super::history::Recorded;
use super::people::OPENS;
use crate::code::Code;
use crate::error::Result;
use crate::journal::{Fact, PeriodClosed, PeriodKind, Takings, XReported, ZReported};
use crate::till::{Tally, Till};

impl Terminal {
    /// What the till took since the last Z report. Changes nothing, and is journaled.
    ///
    /// # Errors
    /// `PK_E_NOT_SIGNED_ON` where an operator is needed, `PK_E_NO_SPACE`, and those of any call.
    pub fn x_report(&self, key: Option<&str>) -> Result<Answer<XReported>> {
        self.command(
            key.map(|key| (key, Inputs::of("xReport"))),
            OPENS,
            |till, key| {
                self.attended(till)?;
                Ok(till.x_report(self.brought(till)?, key).into())
            },
            |recorded| match &recorded.fact {
                Fact::XReported(fact) => Some(fact.clone()),
                _ => None,
            },
        )
    }

    /// Closes the period: the report has the next number, the sums begin again, and the segment is
    /// sealed behind it.
    ///
    /// # Errors
    /// `PK_E_OPEN_SALES` with their numbers, `PK_E_NOT_SIGNED_ON` where an operator is needed,
    /// `PK_E_NO_SPACE`, `PK_E_OUTCOME_UNKNOWN`, and those of any call.
    pub fn z_report(&self, key: Option<&str>) -> Result<Answer<ZReported>> {
        let key = key.map(|key| Inputs::of("zReport").under(key)).transpose()?;
        let answer = |recorded: &Recorded| match &recorded.fact {
            Fact::ZReported(fact) => Some(fact.clone()),
            _ => None,
        };
        let mut core = self.lock()?;
        if let Some(recorded) = self.seen(&core, key.as_ref())? {
            return self.replayed(&recorded, answer);
        }
        self.attended(&core.till)?;
        core.till.may_close()?;
        self.reserve(&core.till)?;
        let brought = self.brought(&core.till)?;
        let mut fact = Fact::from(core.till.z_report(brought, key)?);
        core.till.people.sign(&mut fact)?;
        let appended = self.append(&mut core, std::slice::from_ref(&fact), 0)?;
        let at_ns = self.last_wall_ns(&core);
        let stamp = core.hlc.stamp(&*self.clock);
        match self.roll(&mut core, stamp) {
            // The report stands. Without space for a segment the log goes on in this one.
            Err(error) if !matches!(error.code(), Code::NoSpace | Code::Limit) => {
                return Err(error);
            }
            _ => {}
        }
        drop(core);
        let sequence = appended.last_sequence;
        let recorded = Recorded { fact, sequence, at_ns, hash: appended.link };
        let value = answer(&recorded).expect("a command answers its own fact");
        let wait = self.promise(Urgency::Now)?;
        Ok(Answer { value, sequence, wait, replayed: false })
    }

    /// Closes a longer period: a day over all Z reports since the last day, a month over days, a
    /// year over months.
    ///
    /// # Errors
    /// `PK_E_NOTHING_TO_CLOSE`, `PK_E_NOT_SIGNED_ON` where an operator is needed,
    /// `PK_E_NO_SPACE`, and those of any call.
    pub fn period_close(
        &self,
        kind: PeriodKind,
        key: Option<&str>,
    ) -> Result<Answer<PeriodClosed>> {
        self.command(
            key.map(|key| (key, Inputs::of("periodClose").text(kind.name()))),
            OPENS,
            |till, key| {
                self.attended(till)?;
                Ok(till.close_period(kind, key)?.into())
            },
            |recorded| match &recorded.fact {
                Fact::PeriodClosed(fact) => Some(fact.clone()),
                _ => None,
            },
        )
    }

    /// Takings of the running period's receipts that were given before the till began to add up.
    fn brought(&self, till: &Till) -> Result<Vec<Takings>> {
        let Some((first, known)) = till.untold_receipts() else { return Ok(Vec::new()) };
        self.wal.write_out()?;
        let mut tally = Tally::from(first);
        self.history.each(1, u64::MAX, |recorded| {
            if let Fact::SaleCompleted(fact) = &recorded.fact
                && (first..known).contains(&fact.receipt)
                && fact.circle.is_none()
            {
                tally.take(fact);
            }
        })?;
        Ok(tally.takings.into_values().collect())
    }
}
