//! What can go wrong between a call and its worker, as values.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use pos_kernel_espresso::Error;
use thiserror::Error as ThisError;

/// Why an isolated call has no answer. The pool goes on; the next call gets a worker.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum IsolateError {
    /// The minimiser's own refusal, as without isolation.
    #[error(transparent)]
    Engine(#[from] Error),
    /// There is no worker program where one was looked for.
    #[error("there is no worker program at {}; give the path of {program}", path.display())]
    NotFound {
        /// Where it was looked for.
        path: PathBuf,
        /// The name of the program.
        program: &'static str,
    },
    /// The system did not start the worker program.
    #[error("the worker program {} cannot be started: {reason}", path.display())]
    Spawn {
        /// The program.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The program runs and is not a worker of this version.
    #[error("{} is no worker of this version: {reason}", path.display())]
    NotAWorker {
        /// The program.
        path: PathBuf,
        /// What it did.
        reason: String,
    },
    /// All workers are busy, and the queue is full or the wait was too long.
    #[error("all {workers} workers are busy and {waiting} calls wait; try again later")]
    Busy {
        /// Workers of the pool.
        workers: usize,
        /// Calls that wait for one.
        waiting: usize,
    },
    /// The job ran longer than its wall limit; its worker was killed and replaced.
    #[error("the job ran longer than its wall limit of {limit:?}; its worker was replaced")]
    WallLimit {
        /// The limit.
        limit: Duration,
    },
    /// The job used more CPU than its limit; its worker was replaced.
    #[error("the job used more CPU than its limit of {limit:?}; its worker was replaced")]
    CpuLimit {
        /// The limit.
        limit: Duration,
    },
    /// The worker aborted under a memory limit, which is what it does when the system refuses memory.
    #[error(
        "the worker aborted, as it does when it is refused memory; the limit was {limit_bytes} \
         bytes; it was replaced"
    )]
    MemoryLimit {
        /// The limit.
        limit_bytes: u64,
    },
    /// The worker ended in the middle of the job and was replaced.
    #[error("the worker ended in the middle of the job: {ending}; it was replaced")]
    Died {
        /// How it ended.
        ending: Ending,
    },
    /// The minimiser panicked inside the worker, which was replaced.
    #[error("the minimiser failed inside the worker, which was replaced: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// A message was not what it should be; the worker was replaced.
    #[error("a message of the worker cannot be read: {reason}; the worker was replaced")]
    Protocol {
        /// What is wrong with it.
        reason: String,
    },
    /// The caller ended the job; its worker was killed and replaced.
    #[error("the job was ended by its caller; its worker was replaced")]
    Ended,
    /// A limit that this system cannot enforce.
    #[error("this system cannot enforce a limit on {what}; leave it out")]
    Unsupported {
        /// `memory` or `CPU`.
        what: &'static str,
    },
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Its exit code, when it had one.
    pub code: Option<i32>,
    /// The signal that ended it, when one did.
    pub signal: Option<i32>,
}

impl From<ExitStatus> for Ending {
    fn from(status: ExitStatus) -> Ending {
        #[cfg(unix)]
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        #[cfg(not(unix))]
        let signal = None;
        Ending { code: status.code(), signal }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (_, Some(signal)) => write!(f, "signal {signal}"),
            (Some(code), _) => write!(f, "exit code {code}"),
            _ => f.write_str("nobody knows how"),
        }
    }
}
