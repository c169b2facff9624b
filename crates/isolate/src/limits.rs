//! The hard limits, as a worker asks the system for them before a job.
//!
//! CPU is counted from the start of the process, so the limit is what was used plus what the job may
//! use, rounded up to a second: the system ends the process with a signal of its own. Memory is counted
//! as private writable bytes (`RLIMIT_DATA`), so the limit is what the idle worker had plus what the
//! job may take: an allocation beyond it fails, and the worker aborts.

use crate::job::Limits;

#[cfg(unix)]
pub(crate) use unix::Enforcer;

/// What a limit on memory is rounded up to, so that it is rarely set anew.
#[cfg(unix)]
const MEMORY_STEP_BYTES: u64 = 1 << 20;

#[cfg(unix)]
mod unix {
    use super::{Limits, MEMORY_STEP_BYTES};
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use rustix::time::{ClockId, clock_gettime};
    use std::io;

    /// Sets limits, and remembers what is set.
    pub(crate) struct Enforcer {
        idle_bytes: u64,
        memory: Option<u64>,
        cpu: bool,
    }

    impl Enforcer {
        /// The state of a worker that has not yet had a job. It leaves no core files from now on.
        pub(crate) fn new() -> Enforcer {
            // What is not lowered is no worse than before.
            let _ = set(Resource::Core, Some(0));
            Enforcer { idle_bytes: data_bytes(), memory: None, cpu: false }
        }

        pub(crate) fn apply(&mut self, limits: &Limits) -> io::Result<()> {
            let memory = limits.memory_bytes.map(|bytes| {
                let bytes = self.idle_bytes.saturating_add(bytes);
                bytes.div_ceil(MEMORY_STEP_BYTES).saturating_mul(MEMORY_STEP_BYTES)
            });
            self.set_memory(memory)?;
            if let Some(cpu) = limits.cpu {
                let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec;
                let used = u64::try_from(used).unwrap_or(0);
                // Both are rounded up, so that no job has less than it may use.
                let more = cpu.as_millis().div_ceil(1000);
                set(Resource::Cpu, Some(used + 1 + u64::try_from(more).unwrap_or(u64::MAX / 2)))?;
                self.cpu = true;
            } else if self.cpu {
                set(Resource::Cpu, None)?;
                self.cpu = false;
            }
            Ok(())
        }

        /// Takes the limit on memory away until the next job sets one.
        pub(crate) fn lift_memory(&mut self) -> io::Result<()> {
            self.set_memory(None)
        }

        fn set_memory(&mut self, memory: Option<u64>) -> io::Result<()> {
            if memory != self.memory {
                set(Resource::Data, memory)?;
                self.memory = memory;
            }
            Ok(())
        }
    }

    /// Sets the soft limit; the hard one stays, so that the next job may have more.
    fn set(resource: Resource, current: Option<u64>) -> io::Result<()> {
        let maximum = getrlimit(resource).maximum;
        let current = match (current, maximum) {
            (Some(current), Some(maximum)) => Some(current.min(maximum)),
            (None, maximum) => maximum,
            (current, None) => current,
        };
        Ok(setrlimit(resource, Rlimit { current, maximum })?)
    }

    /// Private writable bytes of this process; 0 where nobody counts them.
    fn data_bytes() -> u64 {
        let Ok(text) = std::fs::read_to_string("/proc/self/statm") else { return 0 };
        let pages = text.split_whitespace().nth(5).and_then(|field| field.parse().ok());
        pages.unwrap_or(0u64).saturating_mul(rustix::param::page_size() as u64)
    }
}

/// Where there are no such limits there is nothing to set; a pool refuses jobs that ask for them.
#[cfg(not(unix))]
pub(crate) struct Enforcer;

#[cfg(not(unix))]
impl Enforcer {
    pub(crate) fn new() -> Enforcer {
        Enforcer
    }

    pub(crate) fn apply(&mut self, _: &Limits) -> std::io::Result<()> {
        Ok(())
    }

    pub(crate) fn lift_memory(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
