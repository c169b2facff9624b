//! Rings at a moment that is put off again and again, and wakes who waits for it at that moment alone: a watch over
//! something that is well costs no thread a turn.

use std::io;
use std::time::Duration;

#[cfg(not(target_os = "linux"))]
pub(crate) use of_a_lock::Alarm;
#[cfg(target_os = "linux")]
pub(crate) use of_the_system::Alarm;

/// A timer of the system: putting it off is one call, and no thread is woken by it.
#[cfg(target_os = "linux")]
mod of_the_system {
    use super::{Duration, io};
    use rustix::io::Errno;
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_gettime, timerfd_settime,
    };
    use std::os::fd::OwnedFd;

    #[derive(Debug)]
    pub(crate) struct Alarm(OwnedFd);

    impl Alarm {
        /// It does not ring before it is put.
        pub(crate) fn new() -> io::Result<Self> {
            // The clock stands while the machine sleeps.
            Ok(Self(timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?))
        }

        /// It rings once, so long from now, and not when it was to ring before.
        pub(crate) fn put(&self, after: Duration) {
            let after = after.max(Duration::from_nanos(1));
            let it_value = Timespec {
                tv_sec: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(after.subsec_nanos()),
            };
            let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
            let once = Itimerspec { it_interval, it_value };
            // It fails for what is no timer and for what is no time.
            let _ = timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once);
        }

        /// True when it is still to ring.
        pub(crate) fn is_put(&self) -> bool {
            timerfd_gettime(&self.0)
                .is_ok_and(|left| left.it_value.tv_sec > 0 || left.it_value.tv_nsec > 0)
        }

        /// Waits until it rings.
        pub(crate) fn wait(&self) {
            let mut rung = [0; 8];
            while rustix::io::read(&self.0, &mut rung) == Err(Errno::INTR) {}
        }
    }
}

/// Where the system has no such timer: who waits looks when it was to ring, and waits on where it was put off.
#[cfg(any(test, not(target_os = "linux")))]
mod of_a_lock {
    use super::{Duration, io};
    use std::sync::{Condvar, Mutex, PoisonError};
    use std::time::Instant;

    #[derive(Debug, Default)]
    pub(crate) struct Alarm {
        due: Mutex<Option<Instant>>,
        sooner: Condvar,
    }

    impl Alarm {
        /// It does not ring before it is put.
        #[allow(clippy::unnecessary_wraps, reason = "a timer of the system may not be had")]
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self::default())
        }

        /// It rings once, so long from now, and not when it was to ring before.
        pub(crate) fn put(&self, after: Duration) {
            let at = Instant::now().checked_add(after);
            let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
            let before = std::mem::replace(&mut *due, at);
            if before.is_none_or(|before| at.is_some_and(|at| at < before)) {
                self.sooner.notify_all();
            }
        }

        /// True when it is still to ring.
        pub(crate) fn is_put(&self) -> bool {
            self.due.lock().unwrap_or_else(PoisonError::into_inner).is_some()
        }

        /// Waits until it rings.
        pub(crate) fn wait(&self) {
            let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                let left = due.map(|due| due.saturating_duration_since(Instant::now()));
                due = match left {
                    Some(left) if left.is_zero() => {
                        *due = None;
                        return;
                    }
                    Some(left) => {
                        self.sooner
                            .wait_timeout(due, left)
                            .unwrap_or_else(PoisonError::into_inner)
                            .0
                    }
                    None => self.sooner.wait(due).unwrap_or_else(PoisonError::into_inner),
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, of_a_lock};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    const NEVER: Duration = Duration::from_secs(3600);
    const SOON: Duration = Duration::from_millis(1);

    macro_rules! rings {
        ($name:ident, $alarm:ty) => {
            #[test]
            fn $name() {
                let alarm = Arc::new(<$alarm>::new().expect("an alarm"));
                let rung = Arc::new(AtomicU32::new(0));
                let waits = thread::spawn({
                    let (alarm, rung) = (alarm.clone(), rung.clone());
                    move || {
                        for _ in 0..2 {
                            alarm.wait();
                            rung.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
                alarm.put(NEVER);
                for _ in 0..100 {
                    alarm.put(NEVER);
                }
                assert_eq!(rung.load(Ordering::Relaxed), 0, "it was put off");
                assert!(alarm.is_put());
                alarm.put(SOON);
                while rung.load(Ordering::Relaxed) < 1 {
                    thread::sleep(SOON);
                }
                alarm.put(NEVER);
                alarm.put(Duration::ZERO);
                waits.join().expect("it rang twice");
                assert!(!alarm.is_put());
            }
        };
    }

    #[cfg(target_os = "linux")]
    rings!(one_of_the_system_rings_when_it_was_put_last, super::Alarm);
    rings!(one_of_a_lock_rings_when_it_was_put_last, of_a_lock::Alarm);
}
