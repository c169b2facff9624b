//! What each mode spends, in one table. All figures count work, none counts time, so that an answer
//! does not depend on the machine.

use crate::all_primes::Caps;
use crate::covering::{Effort, Keep};
use crate::gasp::Reach;
use crate::minimizer::Mode;
use crate::pool::Rounds;

/// The way one mode goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) reach: Reach,
    pub(crate) rounds: Rounds,
    /// Caps and effort of the choice from all primes.
    pub(crate) caps: Caps,
    pub(crate) effort: Effort,
    /// Whether a prime table takes the place of the loop, or comes on top of it.
    pub(crate) table_alone: bool,
}

impl Plan {
    /// The plan of a mode; the fast one has none.
    pub(crate) fn new(mode: Mode, has_valued: bool) -> Option<Plan> {
        let effort = Effort { keep: Keep::Count, search_per_column: 2_800, bound: 0, branch: 0 };
        match mode {
            Mode::Fast => None,
            Mode::Normal => Some(Plan {
                reach: Reach::Pairs,
                rounds: Rounds { most: 3, most_listed: 90, pairs: 4_000_000, batch: 6 },
                caps: Caps {
                    table_entries: 600_000,
                    primes: 60_000,
                    row_entries: 3_000_000,
                    rows: 60_000,
                    // Functions of multi-valued inputs tend to have few primes.
                    wide_work: if has_valued { 4_000_000 } else { 0 },
                },
                effort,
                table_alone: true,
            }),
            Mode::Strong => Some(Plan {
                reach: Reach::Directions,
                rounds: Rounds { most: 150, most_listed: 450, pairs: 100_000_000, batch: 15 },
                caps: Caps {
                    table_entries: 5_000_000,
                    primes: 200_000,
                    row_entries: 40_000_000,
                    rows: 400_000,
                    wide_work: 200_000_000,
                },
                effort: Effort { search_per_column: 60_000, bound: 300, ..effort },
                table_alone: false,
            }),
            Mode::Exact => Some(Plan {
                reach: Reach::Pairs,
                rounds: Rounds { most: 60, most_listed: 180, pairs: 20_000_000, batch: 15 },
                caps: Caps {
                    table_entries: 5_000_000,
                    primes: 400_000,
                    row_entries: 60_000_000,
                    rows: 2_000_000,
                    wide_work: 4_000_000_000,
                },
                effort: Effort {
                    search_per_column: 60_000,
                    bound: 1_000,
                    branch: 2_000_000,
                    ..effort
                },
                table_alone: true,
            }),
        }
    }
}
