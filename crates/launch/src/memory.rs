//! Resident memory held by looking: the last means, for machines that have no better one.
//!
//! How often it looks depends on how near the limit is, at the speed of a leak that touches 4 GiB a second.

use std::time::Duration;

/// Fastest growth that is reckoned with, bytes a second.
const GROWTH_BYTES_PER_SECOND: u64 = 4 << 30;
const LOOK_MIN: Duration = Duration::from_millis(2);
const LOOK_MAX: Duration = Duration::from_millis(100);

/// When to look again at a tree that holds `used` of `limit` bytes; `None` when it is over.
pub(crate) fn next_look(used: u64, limit: u64) -> Option<Duration> {
    let room = limit.checked_sub(used)?;
    let micros = u128::from(room) * 1_000_000 / u128::from(GROWTH_BYTES_PER_SECOND);
    let wait = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
    Some(wait.clamp(LOOK_MIN, LOOK_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_more_often_near_the_limit() {
        let limit = 128 << 20;
        assert_eq!(next_look(0, limit), Some(Duration::from_micros(31_250)));
        assert_eq!(next_look(limit - 1, limit), Some(LOOK_MIN));
        assert_eq!(next_look(limit + 1, limit), None);
        assert_eq!(next_look(0, 1 << 40), Some(LOOK_MAX));
    }
}
