//! CPU held by stopping and continuing a tree: the means where there is no control group.
//!
//! An account in nanoseconds: time brings the share, running takes what was used. Below zero the tree is stopped
//! until the share has made up for it, so what one step uses too much the next one waits for, and the average is
//! the share whatever the machine does between two looks.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::{os, tree};

/// Shortest step.
const STEP: Duration = Duration::from_millis(10);
/// What an idle tree may have saved up: so long at its share.
const SAVED: Duration = Duration::from_millis(100);
/// The tree is listed again so often.
const LIST_EVERY: Duration = Duration::from_millis(100);

/// The account of one app.
#[derive(Debug)]
pub(crate) struct Pace {
    app: i32,
    share_ppm: u64,
    cores: u64,
    credit_nanos: i128,
    at: Instant,
    listed_at: Option<Instant>,
    used: HashMap<i32, u64>,
    is_stopped: bool,
}

impl Pace {
    /// An account for `app` and what descends from it: `share_ppm` millionths of one core.
    pub(crate) fn new(app: i32, share_ppm: u64, now: Instant) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            app,
            share_ppm,
            cores: u64::try_from(cores).unwrap_or(1),
            credit_nanos: 0,
            at: now,
            listed_at: None,
            used: HashMap::from([(app, 0)]),
            is_stopped: false,
        }
    }

    /// Looks, stops or continues, and says when to look again.
    pub(crate) fn step(&mut self, now: Instant) -> Duration {
        if self.listed_at.is_none_or(|at| now - at >= LIST_EVERY) {
            self.list();
            self.listed_at = Some(now);
        }
        let mut spent = 0;
        for (pid, before) in &mut self.used {
            let Some(nanos) = os::cpu_nanos(*pid) else { continue };
            spent += nanos.saturating_sub(*before);
            *before = nanos;
        }
        self.credit_nanos = balance(self.credit_nanos, now - self.at, self.share_ppm, spent);
        self.at = now;
        if self.credit_nanos < 0 {
            // Sent again with each step: whoever was forked meanwhile is stopped too.
            self.tell(Signal::STOP);
            self.is_stopped = true;
        } else if self.is_stopped {
            self.tell(Signal::CONT);
            self.is_stopped = false;
        }
        next_step(self.credit_nanos, self.share_ppm, self.cores)
    }

    /// Lets the tree run, so that it can hear what it is told.
    pub(crate) fn release(&mut self) {
        if self.is_stopped {
            self.list();
            self.tell(Signal::CONT);
            self.is_stopped = false;
        }
    }

    fn list(&mut self) {
        let mut now = HashMap::from([(self.app, self.used.get(&self.app).copied().unwrap_or(0))]);
        for pid in tree::descendants(self.app) {
            now.insert(pid, self.used.get(&pid).copied().unwrap_or(0));
        }
        self.used = now;
    }

    fn tell(&self, signal: Signal) {
        for pid in self.used.keys() {
            tree::send(*pid, signal);
        }
    }
}

fn share(elapsed: Duration, share_ppm: u64) -> i128 {
    i128::try_from(elapsed.as_nanos()).unwrap_or(i128::MAX / 2_000_000) * i128::from(share_ppm)
        / 1_000_000
}

fn balance(credit: i128, elapsed: Duration, share_ppm: u64, spent: u64) -> i128 {
    let most = share(SAVED, share_ppm);
    (credit + share(elapsed, share_ppm)).min(most) - i128::from(spent)
}

/// With credit: when it could be used up at the earliest. Without: when the share will have made up for it.
fn next_step(credit: i128, share_ppm: u64, cores: u64) -> Duration {
    let nanos = if credit < 0 {
        -credit * 1_000_000 / i128::from(share_ppm)
    } else {
        credit / i128::from(cores)
    };
    let wait = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
    if credit < 0 { wait.clamp(Duration::from_millis(1), SAVED) } else { wait.clamp(STEP, SAVED) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree that burns one core whenever it may, played against the account.
    fn used_ppm(share_ppm: u64, lateness: Duration) -> u64 {
        let (mut credit, mut stopped, mut used, mut passed) = (0, false, 0, Duration::ZERO);
        let mut wait = STEP;
        while passed < Duration::from_secs(10) {
            let step = wait + lateness;
            let spent = if stopped { 0 } else { u64::try_from(step.as_nanos()).expect("small") };
            used += spent;
            passed += step;
            credit = balance(credit, step, share_ppm, spent);
            stopped = credit < 0;
            wait = next_step(credit, share_ppm, 2);
        }
        used * 1_000_000 / u64::try_from(passed.as_nanos()).expect("small")
    }

    #[test]
    fn the_average_is_the_share_even_when_every_step_is_late() {
        for share_ppm in [10_000, 100_000, 250_000, 500_000, 900_000] {
            for lateness in [Duration::ZERO, Duration::from_millis(3), Duration::from_millis(12)] {
                let used = used_ppm(share_ppm, lateness);
                assert!(used.abs_diff(share_ppm) <= 5000, "{share_ppm} {lateness:?}: {used}");
            }
        }
    }

    #[test]
    fn an_idle_tree_saves_no_more_than_a_tenth_of_a_second() {
        let credit = balance(0, Duration::from_secs(60), 250_000, 0);
        assert_eq!(credit, 25_000_000);
    }
}
