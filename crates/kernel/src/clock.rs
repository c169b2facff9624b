//! Time comes in through an interface, so that a test can own it.

use crate::limits::CLOCK_STEP_NS;
use pos_kernel_wal::Stamp;
use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const NS_PER_MS: i64 = 1_000_000;
const HLC_COUNTER_BITS: u32 = 16;

/// A wall clock, which may step, and a monotonic one, which may not.
pub trait Clock: Send + Sync + Debug {
    /// Nanoseconds since 1970-01-01 UTC.
    fn wall_ns(&self) -> i64;
    /// Nanoseconds since some moment before the process began.
    fn mono_ns(&self) -> u64;
}

/// The clock that goes on while the machine sleeps, where there is one: else every nap would look
/// like a step of the wall clock.
#[cfg(target_os = "linux")]
const MONOTONIC: rustix::time::ClockId = rustix::time::ClockId::Boottime;
#[cfg(all(unix, not(target_os = "linux")))]
const MONOTONIC: rustix::time::ClockId = rustix::time::ClockId::Monotonic;

/// The operating system's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn wall_ns(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
        }
    }

    #[cfg(unix)]
    fn mono_ns(&self) -> u64 {
        let time = rustix::time::clock_gettime(MONOTONIC);
        time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
    }

    #[cfg(not(unix))]
    fn mono_ns(&self) -> u64 {
        use std::sync::LazyLock;
        use std::time::Instant;
        static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
        u64::try_from(BEGUN.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A clock that a test sets. Each reading is one microsecond later than the last.
#[derive(Debug)]
pub struct TestClock {
    wall_ns: AtomicI64,
    mono_ns: AtomicU64,
}

impl TestClock {
    /// A clock that stands at this wall time.
    #[must_use]
    pub fn new(wall_ns: i64) -> Self {
        Self { wall_ns: AtomicI64::new(wall_ns), mono_ns: AtomicU64::new(0) }
    }

    /// Lets time pass on both clocks.
    pub fn pass(&self, ns: u64) {
        self.mono_ns.fetch_add(ns, Ordering::SeqCst);
        self.wall_ns.fetch_add(i64::try_from(ns).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// Steps the wall clock; the monotonic one goes on.
    pub fn set_wall(&self, wall_ns: i64) {
        self.wall_ns.store(wall_ns, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn wall_ns(&self) -> i64 {
        self.wall_ns.fetch_add(1_000, Ordering::SeqCst)
    }

    fn mono_ns(&self) -> u64 {
        self.mono_ns.fetch_add(1_000, Ordering::SeqCst)
    }
}

/// A hybrid logical clock: never goes back, and stays near the wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hlc {
    last: u64,
    wall_ns: i64,
}

impl Hlc {
    /// A clock that has already reached `last`.
    #[must_use]
    pub fn after(last: u64) -> Self {
        Self { last, wall_ns: 0 }
    }

    /// Wall time of the last stamp.
    #[must_use]
    pub fn last_wall_ns(&self) -> i64 {
        self.wall_ns
    }

    /// The next stamp of a clock.
    pub fn stamp(&mut self, clock: &dyn Clock) -> Stamp {
        let wall_ns = clock.wall_ns();
        let wall_ms = u64::try_from(wall_ns / NS_PER_MS).unwrap_or(0);
        self.last = self.last.saturating_add(1).max(wall_ms << HLC_COUNTER_BITS);
        self.wall_ns = wall_ns;
        Stamp { wall_ns, mono_ns: clock.mono_ns(), hlc: self.last }
    }
}

/// Compares the wall clock with the monotonic one from stamp to stamp.
///
/// Across a restart there is no monotonic time to compare with; then only a wall clock that is
/// behind the journal's last record is known to have stepped.
#[derive(Debug, Clone, Copy, Default)]
pub struct StepWatch {
    last: Option<(i64, Option<u64>)>,
    step: Option<(i64, i64)>,
}

impl StepWatch {
    /// A watch for an owner who follows a record of this wall time.
    #[must_use]
    pub fn after(wall_ns: Option<i64>) -> Self {
        Self { last: wall_ns.map(|wall_ns| (wall_ns, None)), step: None }
    }

    /// Looks at a stamp. A step is given until it was told: where the wall clock would be without
    /// it, and where it is.
    pub fn see(&mut self, stamp: Stamp) -> Option<(i64, i64)> {
        let to = stamp.wall_ns;
        if let Some((wall_ns, mono_ns)) = self.last {
            let passed = mono_ns.map(|mono_ns| stamp.mono_ns.saturating_sub(mono_ns));
            let passed = i64::try_from(passed.unwrap_or(0)).unwrap_or(i64::MAX);
            let expected = wall_ns.saturating_add(passed);
            let off = to.saturating_sub(expected);
            let stepped = off < -CLOCK_STEP_NS || (mono_ns.is_some() && off > CLOCK_STEP_NS);
            if stepped {
                let from = self.step.map_or(expected, |(from, _)| from);
                self.step = Some((from, to));
            }
        }
        self.last = Some((to, Some(stamp.mono_ns)));
        self.step
    }

    /// The step stands in the journal.
    pub fn told(&mut self) {
        self.step = None;
    }
}

/// A wall time as ISO 8601 with milliseconds, in UTC: `2026-11-21T06:13:00.000Z`.
#[must_use]
pub fn iso_utc(wall_ns: i64) -> String {
    let ms = wall_ns.div_euclid(NS_PER_MS);
    let (days, ms_of_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (year, month, day) = civil_from_days(days);
    let (second, milli) = (ms_of_day / 1000, ms_of_day % 1000);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// Reads what [`iso_utc`] writes, and nothing else.
#[must_use]
pub fn parse_iso_utc(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (23, b'Z')];
    if bytes.len() != 24 || marks.iter().any(|(at, mark)| bytes[*at] != *mark) {
        return None;
    }
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i64>().ok())?
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let days = days_from_civil(year, month, day);
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
    let wall_ns = (seconds * 1000 + number(20, 23)?).checked_mul(NS_PER_MS)?;
    // 30 February and 24:60:60 come out as another moment.
    (iso_utc(wall_ns) == text).then_some(wall_ns)
}

/// Howard Hinnant's `days_from_civil`, as below.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Howard Hinnant's `civil_from_days`, <https://howardhinnant.github.io/date_algorithms.html>.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{Hlc, TestClock, iso_utc, parse_iso_utc};

    #[test]
    fn known_moments_print_as_iso() {
        assert_eq!(iso_utc(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso_utc(951_782_400_123_000_000), "2000-02-29T00:00:00.123Z");
        assert_eq!(iso_utc(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn an_iso_moment_reads_as_it_is_written_and_nothing_else_reads() {
        for wall_ns in [0, 951_782_400_123_000_000, 1_764_170_061_000_000_000, -1_000_000] {
            assert_eq!(parse_iso_utc(&iso_utc(wall_ns)), Some(wall_ns));
        }
        let wrong = [
            "",
            "2026-02-30T00:00:00.000Z",
            "2026-11-26T24:00:00.000Z",
            "2026-11-26T12:00:00Z",
            "2026-11-26T12:00:00.000+",
            "2026-1\u{e4}-26T12:00:00.00Z",
            "+026-11-26T12:00:00.000Z",
            "9999-99-99T99:99:99.999Z",
        ];
        for text in wrong {
            assert_eq!(parse_iso_utc(text), None, "{text}");
        }
    }

    #[test]
    fn the_hybrid_clock_never_goes_back_when_the_wall_clock_does() {
        let clock = TestClock::new(1_000_000_000_000);
        let mut hlc = Hlc::default();
        let first = hlc.stamp(&clock);
        clock.set_wall(0);
        let second = hlc.stamp(&clock);
        assert!(second.wall_ns < first.wall_ns);
        assert_eq!(second.hlc, first.hlc + 1);
    }
}
