//! How long an app may go on without a supervisor: after that it is asked to end, and after its grace it is ended.
//!
//! The time is counted in looks, each worth at most twice what lies between two of them: a machine that stood, or a
//! launcher that was stopped, makes no orphan.

use std::time::{Duration, Instant};

use crate::order::Orphan;

/// Between two looks at an app that is alone.
const LOOK: Duration = Duration::from_secs(1);

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    Go,
    /// Its time is over: it is asked to end. Said once.
    Ask,
    /// It did not end in its grace.
    End,
}

/// Counts the time alone.
#[derive(Debug)]
pub(crate) struct Clock {
    after: Duration,
    grace: Duration,
    alone: Duration,
    /// The last look; `None` while somebody is there.
    looked_at: Option<Instant>,
    is_asked: bool,
}

impl Clock {
    /// A clock for an app that is watched now.
    pub(crate) fn new(Orphan { after_ms, grace_ms }: Orphan) -> Self {
        Self {
            after: Duration::from_millis(after_ms),
            grace: Duration::from_millis(grace_ms),
            alone: Duration::ZERO,
            looked_at: None,
            is_asked: false,
        }
    }

    /// True once it was asked to end, until somebody is there.
    pub(crate) fn is_asked(&self) -> bool {
        self.is_asked
    }

    /// When to look again; `None` while somebody is there.
    pub(crate) fn due(&self) -> Option<Instant> {
        let patience = if self.is_asked { self.after + self.grace } else { self.after };
        let wait = patience.saturating_sub(self.alone).min(LOOK);
        self.looked_at.map(|at| at + wait)
    }

    /// Looks.
    pub(crate) fn look(&mut self, is_alone: bool, now: Instant) -> Verdict {
        if !is_alone {
            (self.alone, self.looked_at, self.is_asked) = (Duration::ZERO, None, false);
            return Verdict::Go;
        }
        let passed = self.looked_at.map_or(Duration::ZERO, |at| now - at);
        self.alone += passed.min(2 * LOOK);
        self.looked_at = Some(now);
        if self.is_asked {
            let is_over = self.alone >= self.after + self.grace;
            return if is_over { Verdict::End } else { Verdict::Go };
        }
        self.is_asked = self.alone >= self.after;
        if self.is_asked { Verdict::Ask } else { Verdict::Go }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_once_then_ended_and_who_comes_in_between_starts_it_anew() {
        let mut clock = Clock::new(Orphan { after_ms: 5000, grace_ms: 2000 });
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(clock.look(false, at(0)), Verdict::Go);
        assert_eq!(clock.due(), None);
        for second in 1..=5 {
            assert_eq!(clock.look(true, at(second)), Verdict::Go, "{second}");
            assert_eq!(clock.due(), Some(at(second + 1)));
        }
        assert_eq!(clock.look(true, at(6)), Verdict::Ask);
        assert_eq!(clock.look(true, at(7)), Verdict::Go);
        assert_eq!(clock.look(false, at(8)), Verdict::Go);
        for second in 9..=13 {
            assert_eq!(clock.look(true, at(second)), Verdict::Go, "{second}");
        }
        assert_eq!(clock.look(true, at(14)), Verdict::Ask);
        assert_eq!(clock.look(true, at(15)), Verdict::Go);
        assert_eq!(clock.look(true, at(16)), Verdict::End);
    }

    #[test]
    fn a_launcher_that_stood_for_an_hour_counts_two_looks() {
        let mut clock = Clock::new(Orphan { after_ms: 5000, grace_ms: 0 });
        let start = Instant::now();
        assert_eq!(clock.look(true, start), Verdict::Go);
        assert_eq!(clock.look(true, start + Duration::from_secs(3600)), Verdict::Go);
        assert_eq!(clock.alone, 2 * LOOK);
    }
}
