//! People, drawer, reports and copies in a checkpoint: to its map and back, everything checked.

use super::checkpoint::{NUMBER_MAX, is_number, restore_totals, totals_records};
use super::codec::DecodeError;
use super::people::DrawerSum;
use super::report::{
    CheckpointApproval, CheckpointCopies, CheckpointPeriod, CheckpointShift, CheckpointTally,
    CheckpointTill, CheckpointTransit, Takings,
};
use crate::limits::{AMOUNT_MAX, APPROVALS_MAX, COPIES_MAX, CURRENCIES_MAX, TRANSITS_MAX};
use crate::till::{
    Approval, Cash, Copied, Drawer, People, Period, Periods, Shift, Tally, Till, Totals, Transit,
};

use std::collections::BTreeMap;

/// The map of a till that had a fact of people, drawer or reports.
pub(super) fn carried(till: &Till) -> Option<CheckpointTill> {
    let tally = till.tally.as_ref()?;
    let people = &till.people;
    let approvals = people.approvals.iter().map(|approval| {
        let Approval { number, approver, what } = approval.clone();
        CheckpointApproval { number, approver, what }
    });
    let shift = till.drawer.shift.as_ref().map(|shift| CheckpointShift {
        number: shift.number,
        owner: shift.owner.clone(),
        drawer: shift.sums(),
    });
    let periods = till.periods.0.iter().map(|period| CheckpointPeriod {
        next: period.next,
        first: period.first,
        base: totals_records(&period.base.currencies, &period.base.taxes),
    });
    let copies = till.copies.newest.iter().map(|copied| {
        let Copied { receipt, circle, copies, sequence } = *copied;
        CheckpointCopies { receipt, circle, copies, sequence }
    });
    let transit = till.drawer.transit.iter().map(|(sent, transit)| {
        let Transit { terminal, currency, amount } = transit.clone();
        CheckpointTransit { sent: *sent, terminal, currency, amount }
    });
    Some(CheckpointTill {
        operator: people.operator.clone(),
        training: people.training,
        next_training: till.next_training,
        next_approval: people.next_approval,
        approvals: approvals.collect(),
        next_shift: till.drawer.next_shift,
        shift,
        periods: periods.collect(),
        tally: CheckpointTally {
            first_receipt: tally.first_receipt,
            takings: tally.takings.values().cloned().collect(),
            no_sales: tally.no_sales,
            reprints: tally.reprints,
            training_receipts: tally.training_receipts,
        },
        copies: copies.collect(),
        copies_forgotten: till.copies.forgotten,
        transit: transit.collect(),
    })
}

/// Puts back what a checkpoint carried, its numbers and totals being there already.
pub(super) fn put_back(till: &mut Till, carried: CheckpointTill) -> Result<(), DecodeError> {
    let numbers = [carried.next_training, carried.next_approval, carried.next_shift];
    let counts = [
        carried.copies_forgotten,
        carried.tally.no_sales,
        carried.tally.reprints,
        carried.tally.training_receipts,
    ];
    let in_range = numbers.into_iter().all(is_number) && counts.iter().all(|n| *n < NUMBER_MAX);
    hold(in_range, "the numbers of people and drawer")?;
    till.next_training = carried.next_training;
    till.people = people(&carried)?;
    till.drawer = drawer(carried.next_shift, carried.shift)?;
    till.drawer.transit = transit(carried.transit)?;
    till.periods = periods(till, carried.periods)?;
    till.tally = Some(tally(till, carried.tally)?);
    hold(carried.copies.len() <= COPIES_MAX, "the number of receipts with copies")?;
    let mut before = carried.copies_forgotten;
    for copies in carried.copies {
        let CheckpointCopies { receipt, circle, copies, sequence } = copies;
        let given = (1..till.next_receipt_in(circle)).contains(&receipt);
        let possible = given && is_number(copies) && sequence > before && sequence < NUMBER_MAX;
        let known = till.copies.of(circle, receipt, 0).is_some();
        hold(possible && !known, "the copies of a receipt")?;
        before = sequence;
        till.copies.newest.push_back(Copied { receipt, circle, copies, sequence });
    }
    till.copies.forgotten = carried.copies_forgotten;
    Ok(())
}

fn people(carried: &CheckpointTill) -> Result<People, DecodeError> {
    let approvals = &carried.approvals;
    let ascending = approvals.is_sorted_by(|one, next| one.number < next.number);
    let given = approvals.iter().all(|a| (1..carried.next_approval).contains(&a.number));
    let few = approvals.len() <= APPROVALS_MAX;
    hold(ascending && given && few, "the approvals")?;
    let approvals = approvals.iter().cloned().map(|approval| {
        let CheckpointApproval { number, approver, what } = approval;
        Approval { number, approver, what }
    });
    Ok(People {
        operator: carried.operator.clone(),
        training: carried.training,
        next_approval: carried.next_approval,
        approvals: approvals.collect(),
    })
}

fn drawer(next_shift: u64, shift: Option<CheckpointShift>) -> Result<Drawer, DecodeError> {
    let Some(CheckpointShift { number, owner, drawer }) = shift else {
        return Ok(Drawer { next_shift, ..Drawer::default() });
    };
    hold(number.checked_add(1) == Some(next_shift), "the number of the shift")?;
    let ascending = drawer.is_sorted_by(|one, next| one.currency < next.currency);
    hold(ascending, "the currencies of the shift")?;
    let cash = drawer.iter().map(|sum| {
        let DrawerSum { currency, float, sales, paid_in, paid_out, over_short, .. } = *sum;
        (currency, Cash { float, sales, paid_in, paid_out, over_short })
    });
    let shift = Shift { number, owner, cash: cash.collect() };
    let counted = shift.cash.values().all(|cash| {
        (0..=AMOUNT_MAX).contains(&cash.float) && cash.paid_in >= 0 && cash.paid_out >= 0
    });
    hold(counted && shift.sums() == drawer, "the cash of the shift")?;
    Ok(Drawer { next_shift, shift: Some(shift), ..Drawer::default() })
}

fn transit(carried: Vec<CheckpointTransit>) -> Result<BTreeMap<u64, Transit>, DecodeError> {
    let ascending = carried.is_sorted_by(|one, next| one.sent < next.sent);
    let possible =
        |it: &CheckpointTransit| is_number(it.sent) && (1..=AMOUNT_MAX).contains(&it.amount);
    let few = carried.len() <= TRANSITS_MAX;
    hold(ascending && few && carried.iter().all(possible), "the cash in transit")?;
    let transit = carried.into_iter().map(|it| {
        let CheckpointTransit { sent, terminal, currency, amount } = it;
        (sent, Transit { terminal, currency, amount })
    });
    Ok(transit.collect())
}

fn periods(till: &Till, carried: Vec<CheckpointPeriod>) -> Result<Periods, DecodeError> {
    let mut periods = Vec::new();
    let mut next_below = till.next_receipt;
    let now = Totals { currencies: till.totals.clone(), taxes: till.taxes.clone() };
    let mut bases: Vec<Totals> = Vec::new();
    for CheckpointPeriod { next, first, base } in &carried {
        hold(is_number(*next) && is_number(*first) && *first <= next_below, "a period's numbers")?;
        let mut totals = Totals::default();
        for record in base {
            restore_totals((&mut totals.currencies, &mut totals.taxes), record)?;
        }
        hold(has_grown(&totals, bases.last().unwrap_or(&now)), "a period's totals")?;
        next_below = *next;
        bases.push(totals);
    }
    for (period, base) in carried.into_iter().zip(bases) {
        periods.push(Period { next: period.next, first: period.first, base });
    }
    let periods = periods.try_into().map_err(|_| wrong("the number of its kinds of period"))?;
    Ok(Periods(periods))
}

/// Nothing was unsold between two moments. Sums of taxes and nets may fall, see `restore_totals`.
fn has_grown(before: &Totals, after: &Totals) -> bool {
    let grown = before.currencies.iter().all(|(currency, before)| {
        after.currencies.get(currency).is_some_and(|after| {
            let amounts = before.sales <= after.sales && before.returns <= after.returns;
            amounts && before.receipts <= after.receipts && before.voids <= after.voids
        })
    });
    let known =
        |currency, tax| after.taxes.get(currency).is_some_and(|book| book.contains_key(tax));
    let mut books = before.taxes.iter();
    grown && books.all(|(currency, book)| book.keys().all(|tax| known(currency, tax)))
}

fn tally(till: &Till, carried: CheckpointTally) -> Result<Tally, DecodeError> {
    let CheckpointTally { first_receipt, takings, no_sales, reprints, training_receipts } = carried;
    let known = (till.periods.z().first..=till.next_receipt).contains(&first_receipt);
    let ascending = takings.is_sorted_by(|one, next| one.currency < next.currency);
    let few = takings.len() <= CURRENCIES_MAX;
    hold(known && ascending && few && takings.iter().all(is_possible), "the running period")?;
    let takings = takings.into_iter().map(|takings| (takings.currency, takings)).collect();
    Ok(Tally { first_receipt, takings, no_sales, reprints, training_receipts })
}

/// Kinds in order, nothing counted below zero, no count near its end.
pub(crate) fn is_possible(takings: &Takings) -> bool {
    let ascending = takings.tenders.is_sorted_by(|one, next| one.kind < next.kind);
    let sums = [takings.change, takings.paid_in, takings.paid_out];
    let counts = [takings.paid_in_count, takings.paid_out_count];
    let tenders = takings.tenders.iter().map(|sum| sum.count);
    let counted = counts.into_iter().chain(tenders).all(|count| count < NUMBER_MAX);
    ascending && counted && sums.into_iter().all(|sum| sum >= 0)
}

fn hold(holds: bool, what: &str) -> Result<(), DecodeError> {
    if holds { Ok(()) } else { Err(wrong(what)) }
}

fn wrong(what: &str) -> DecodeError {
    DecodeError(format!("{what} in a checkpoint cannot be"))
}
