//! Facts of reports and closings, and the till's own state in a checkpoint.
//!
//! A report is complete in its record: what it says is worked out again when it is folded.

use super::checkpoint::CheckpointTotals;
use super::codec::{map_struct, number_enum};
use super::fact::{Key, TenderKind};
use super::people::{Circle, DrawerSum};
use super::priced::TaxTotals;
use crate::money::Currency;

map_struct! {
    /// Confirmed tenders of one kind.
    TenderSum {
        /// Kind.
        0 kind: TenderKind,
        /// How many.
        1 count: u64,
        /// Their amounts together, in minor units.
        2 amount: i64,
    }
}

map_struct! {
    /// What came into the till and went out of it in one currency, in minor units.
    Takings {
        /// Currency.
        0 currency: Currency,
        /// Tenders of completed sales by kind, in the order of the kinds' numbers.
        1 tenders: Vec<TenderSum>,
        /// Change given.
        2 change: i64,
        /// Paid in.
        3 paid_in: i64,
        /// How often.
        4 paid_in_count: u64,
        /// Paid out, counted upwards.
        5 paid_out: i64,
        /// How often.
        6 paid_out_count: u64,
        /// What counts found over (positive) or short (negative), together.
        7 over_short: i64,
        /// Tips in tenders; apart from turnover.
        8 tips: i64,
    }
}

map_struct! {
    /// Counters of one currency, amounts in minor units.
    Counters {
        /// Sold, taxes included.
        0 sales: i64,
        /// Returned, taxes included, counted upwards.
        1 returns: i64,
        /// Taxes on what was sold.
        2 sales_tax: i64,
        /// Taxes on what was returned, counted upwards.
        3 returns_tax: i64,
        /// What cash rounding added; apart from turnover.
        4 rounding: i64,
        /// Completed sales.
        5 receipts: u64,
        /// Voided sales.
        6 voids: u64,
    }
}

map_struct! {
    /// Turnover of a period in one currency, and the perpetual totals at its end.
    Turnover {
        /// Currency.
        0 currency: Currency,
        /// Of the period.
        1 period: Counters,
        /// Perpetual.
        2 total: Counters,
        /// Of the period, for each tax that moved.
        3 taxes: Vec<TaxTotals>,
    }
}

map_struct! {
    /// What a till took since the last Z report.
    Report {
        /// First receipt of the period.
        0 first_receipt: u64,
        /// Last receipt; one less than the first when there was none.
        1 last_receipt: u64,
        /// Turnover, by currency in the order of the letters.
        2 turnover: Vec<Turnover>,
        /// What came in and went out, by currency in the order of the letters.
        3 takings: Vec<Takings>,
        /// How often the drawer was opened without a sale.
        4 no_sales: u64,
        /// Copies of receipts.
        5 reprints: u64,
        /// Training sales completed; no other number here knows of them.
        6 training_receipts: u64,
        /// The part of `takings` that was read back from the journal: receipts given before the
        /// first fact of people, drawer or reports, from which on takings are added up.
        7 brought: Vec<Takings>,
    }
}

map_struct! {
    /// The period was looked at.
    XReported {
        /// Number that the next Z report will have.
        0 number: u64,
        /// What it said.
        1 report: Report,
        /// The operator signed on.
        13 operator: Option<String>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// The period was closed; the next one began.
    ZReported {
        /// Number, from 1 without a gap.
        0 number: u64,
        /// What it said.
        1 report: Report,
        /// The operator signed on.
        13 operator: Option<String>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

number_enum! {
    /// A longer period.
    PeriodKind {
        /// All Z reports since the last day.
        Day = 1, "day";
        /// All days since the last month.
        Month = 2, "month";
        /// All months since the last year.
        Year = 3, "year";
    }
}

map_struct! {
    /// A longer period was closed.
    PeriodClosed {
        /// Kind.
        0 kind: PeriodKind,
        /// Number among its kind, from 1 without a gap.
        1 number: u64,
        /// Number of the first Z report, day or month in it.
        2 first: u64,
        /// Number of the last one.
        3 last: u64,
        /// Turnover up to the end of that one, by currency in the order of the letters.
        4 turnover: Vec<Turnover>,
        /// The operator signed on.
        13 operator: Option<String>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// An approval that was given and not used yet, in a checkpoint.
    CheckpointApproval {
        /// Number.
        0 number: u64,
        /// Who allowed it.
        1 approver: String,
        /// What was allowed.
        2 what: String,
    }
}

map_struct! {
    /// The shift under way, in a checkpoint.
    CheckpointShift {
        /// Number.
        0 number: u64,
        /// Whose it is.
        1 owner: Option<String>,
        /// The drawer, by currency.
        2 drawer: Vec<DrawerSum>,
    }
}

map_struct! {
    /// How often a receipt was printed again, in a checkpoint.
    CheckpointCopies {
        /// Receipt number.
        0 receipt: u64,
        /// Its circle.
        1 circle: Circle,
        /// Copies so far.
        2 copies: u64,
        /// Sequence of the last one.
        3 sequence: u64,
    }
}

map_struct! {
    /// Closings of one kind, in a checkpoint.
    CheckpointPeriod {
        /// Number of the next one.
        0 next: u64,
        /// First receipt, Z report, day or month that it will hold.
        1 first: u64,
        /// Perpetual totals at the last one.
        2 base: Vec<CheckpointTotals>,
    }
}

map_struct! {
    /// What has been added up since the last Z report, in a checkpoint.
    CheckpointTally {
        /// First receipt that it knows of.
        0 first_receipt: u64,
        /// Takings, by currency.
        1 takings: Vec<Takings>,
        /// Drawer openings without a sale.
        2 no_sales: u64,
        /// Copies of receipts.
        3 reprints: u64,
        /// Training sales completed.
        4 training_receipts: u64,
    }
}

map_struct! {
    /// Cash in transit in a checkpoint.
    CheckpointTransit {
        /// Sequence of the record by which it left.
        0 sent: u64,
        /// The terminal that it goes to.
        1 terminal: String,
        /// Currency.
        2 currency: Currency,
        /// Amount in minor units.
        3 amount: i64,
    }
}

map_struct! {
    /// People, drawer, reports and copies in a checkpoint: there from the first fact of them on.
    CheckpointTill {
        /// The operator signed on.
        0 operator: Option<String>,
        /// Training is on.
        1 training: bool,
        /// Number of the next training receipt.
        2 next_training: u64,
        /// Number of the next approval.
        3 next_approval: u64,
        /// Approvals not used yet.
        4 approvals: Vec<CheckpointApproval>,
        /// Number of the next shift.
        5 next_shift: u64,
        /// The shift under way.
        6 shift: Option<CheckpointShift>,
        /// Z reports, days, months and years.
        7 periods: Vec<CheckpointPeriod>,
        /// The running period.
        8 tally: CheckpointTally,
        /// Receipts printed again, the one longest ago first.
        9 copies: Vec<CheckpointCopies>,
        /// Sequence up to which copies may have been forgotten.
        10 copies_forgotten: u64,
        /// Cash that left for other drawers and is not known to have arrived, the oldest first.
        11 transit: Vec<CheckpointTransit>,
    }
}
