//! How often receipts were printed again.
//!
//! The newest [`COPIES_MAX`] receipts with copies are remembered. Copies of another receipt can only
//! stand in the journal between its completion and `forgotten`; the terminal looks there.

use super::{hold, hold_number};
use crate::journal::{Circle, ReceiptReprinted};
use crate::limits::COPIES_MAX;
use crate::sale::Contradiction;
use std::collections::VecDeque;

/// No receipt has so many copies; one more than fewer never overflows.
const COPY_MAX: u64 = u64::MAX / 2;

/// Copies of one receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Receipt number.
    pub receipt: u64,
    /// Its circle.
    pub circle: Circle,
    /// Copies so far.
    pub copies: u64,
    /// Sequence of the last one.
    pub sequence: u64,
}

/// The receipts that were printed again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copies {
    /// The newest, the one whose last copy is oldest first.
    pub newest: VecDeque<Copied>,
    /// Sequence up to which others may have copies.
    pub forgotten: u64,
}

impl Copies {
    /// Copies of a receipt so far; `None` when the journal has to be asked.
    #[must_use]
    pub fn of(&self, circle: Circle, receipt: u64, completion: u64) -> Option<u64> {
        let found =
            self.newest.iter().find(|copied| (copied.circle, copied.receipt) == (circle, receipt));
        found.map(|copied| copied.copies).or((completion > self.forgotten).then_some(0))
    }

    pub(super) fn copied(
        &mut self,
        fact: &ReceiptReprinted,
        sequence: u64,
    ) -> std::result::Result<(), Contradiction> {
        let ReceiptReprinted { receipt, circle, copy, completion, .. } = *fact;
        hold(completion < sequence, || {
            format!("receipt {receipt} is printed before it was given")
        })?;
        match self.of(circle, receipt, completion) {
            Some(copies) => hold_number("copy", copy, copies + 1)?,
            None => hold((1..COPY_MAX).contains(&copy), || format!("copy {copy} of {receipt}"))?,
        }
        self.newest.retain(|copied| (copied.circle, copied.receipt) != (circle, receipt));
        if self.newest.len() == COPIES_MAX
            && let Some(oldest) = self.newest.pop_front()
        {
            self.forgotten = oldest.sequence;
        }
        self.newest.push_back(Copied { receipt, circle, copies: copy, sequence });
        Ok(())
    }
}
