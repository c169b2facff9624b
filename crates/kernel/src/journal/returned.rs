//! What the audit knows of returns with their receipt (I12): parts of one sold line never overlap, and
//! what a part says of the sale is what the receipt says.

use super::verify::VerifyProblem;
use crate::code::Code;
use crate::limits::SCALE_MAX;
use crate::money::{Currency, Decimal, power_of_ten};
use crate::sale::{Line, Receipt, Sale};
use crate::terminal::History;
use std::collections::BTreeMap;

/// A part of a sold line that came back with a completed sale, and where that stands.
pub(super) struct Part {
    pub(super) segment: u32,
    pub(super) offset: u32,
    pub(super) sequence: u64,
    /// Number of the receipt that it came back with.
    receipt: u64,
    line: Line,
    currency: Currency,
}

impl Part {
    /// The parts in a sale that was completed in a frame; none in one of training.
    pub(super) fn of(
        sale: &Sale,
        (segment, offset): (u32, u32),
        sequence: u64,
    ) -> impl Iterator<Item = Self> + use<'_> {
        let returned = sale.live_lines().filter(|line| line.of.is_some() && !sale.training);
        let currency = sale.currency;
        let receipt = sale.completion().map_or(0, |fact| fact.receipt);
        returned.map(move |line| {
            let line = line.clone();
            Self { segment, offset, sequence, receipt, line, currency }
        })
    }

    /// The interval of the sold quantity that it is, in units of the sixth decimal place.
    fn interval(&self) -> (i128, i128) {
        let micro = |quantity: Decimal| {
            i128::from(quantity.mantissa()) * power_of_ten(SCALE_MAX - quantity.scale())
        };
        let before = self.line.sold.as_ref().map_or(Decimal::whole(0), |sold| sold.before);
        let from = micro(before);
        (from, from - micro(self.line.quantity))
    }

    fn problem(&self, message: String) -> VerifyProblem {
        let Self { segment, offset, sequence, .. } = *self;
        VerifyProblem { segment, offset, sequence, code: Code::Inconsistent, message }
    }
}

/// What contradicts itself in the parts of a whole journal, in the order of the journal.
pub(super) fn problems(parts: &[Part], terminal: &str, history: &History) -> Vec<VerifyProblem> {
    let mut found = Vec::new();
    let mut standing: BTreeMap<(&str, u64, u32), Vec<(i128, i128)>> = BTreeMap::new();
    let mut ours: BTreeMap<u64, Vec<&Part>> = BTreeMap::new();
    for part in parts {
        let Some(of) = &part.line.of else { continue };
        let taken = standing.entry((&of.terminal, of.receipt, of.line)).or_default();
        let (from, to) = part.interval();
        if taken.iter().any(|(other, end)| *other < to && from < *end) {
            let message = format!("line {} of receipt {} comes back twice", of.line, of.receipt);
            found.push(part.problem(message));
        }
        taken.push((from, to));
        if of.terminal == terminal && !(1..part.receipt).contains(&of.receipt) {
            let message =
                format!("receipt {} had not been given when a line of it came back", of.receipt);
            found.push(part.problem(message));
        } else if of.terminal == terminal {
            ours.entry(of.receipt).or_default().push(part);
        }
    }
    if ours.is_empty() {
        return found;
    }
    // Damage on the way is a problem of its own, and hides receipts from this comparison.
    let _ = history.each_receipt(|receipt| {
        for part in ours.get(&receipt.number).into_iter().flatten() {
            found.extend(differs(part, &receipt).map(|message| part.problem(message)));
        }
    });
    found
}

fn differs(part: &Part, receipt: &Receipt) -> Option<String> {
    let of = part.line.of.as_ref()?;
    let sold = part.line.sold.as_ref()?;
    let item = receipt.sold_item(&of.terminal, of.line, sold.before);
    let same = item.is_ok_and(|item| {
        item.line.quantity == sold.quantity
            && item.line.amount == sold.amount
            && item.line.taxes == sold.taxes
            && item.line.components == part.line.taxes
            && part.currency == receipt.currency
    });
    let message =
        || format!("line {} of receipt {} was not sold as it comes back", of.line, of.receipt);
    (!same).then(message)
}
