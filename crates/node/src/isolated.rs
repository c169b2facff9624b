//! The minimiser in worker processes: one pool for the whole process, started by its first isolated
//! run. A worker is the same program as this process, loading the same binding.

use crate::fault::argument;
use crate::value::{small, whole};
use napi_derive::napi;
use pos_kernel_core::{Code, Error, Result};
use pos_kernel_isolate::{IsolateError, Limits, Pool, PoolOptions, Program, worker_main};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How a run is isolated.
#[napi(object)]
#[derive(Clone)]
pub struct NativeIsolation {
    /// The program that becomes a worker.
    pub program: String,
    /// What leads it to `isolatedWorker`.
    pub arguments: Vec<String>,
    /// Worker processes.
    pub workers: f64,
    /// Milliseconds after which the worker is killed.
    pub wall_limit_ms: Option<f64>,
    /// Milliseconds of CPU after which the system ends the worker.
    pub cpu_limit_ms: Option<f64>,
    /// Bytes beyond which the system refuses memory to the worker.
    pub memory_limit_bytes: Option<f64>,
}

/// Works for the pool that has started this process, until that is gone; the exit code.
#[napi(catch_unwind)]
#[must_use]
pub fn isolated_worker() -> u32 {
    worker_main().into()
}

static POOL: Mutex<Option<Arc<Pool>>> = Mutex::new(None);

impl NativeIsolation {
    /// The pool of this process.
    pub(crate) fn pool(&self) -> std::result::Result<Arc<Pool>, IsolateError> {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = &*pool {
            return Ok(pool.clone());
        }
        let arguments = self.arguments.iter().map(Into::into).collect();
        let program = Program { path: self.program.clone().into(), arguments };
        let workers = small("workers", self.workers).map_or(1, |count: u32| count as usize);
        let options = PoolOptions { program: Some(program), workers, ..PoolOptions::default() };
        let made = Arc::new(Pool::new(options)?);
        *pool = Some(made.clone());
        Ok(made)
    }

    /// The hard limits; what is not said is as the pool's defaults say.
    pub(crate) fn limits(&self) -> Result<Limits> {
        let mut limits = Limits::default();
        if let Some(limit) = self.wall_limit_ms {
            limits.wall = Duration::from_millis(whole("wallLimitMs", limit)?);
        }
        if let Some(limit) = self.cpu_limit_ms {
            limits.cpu = Some(Duration::from_millis(whole("cpuLimitMs", limit)?));
        }
        if let Some(limit) = self.memory_limit_bytes {
            limits.memory_bytes = Some(whole("memoryLimitBytes", limit)?);
        }
        Ok(limits)
    }
}

/// Why an isolated run has no answer, besides what the minimiser itself refuses.
pub(crate) fn lost(error: &IsolateError) -> Error {
    let unanswered = |what: &str| Error::new(Code::NoAnswer, error.to_string()).with("what", what);
    let milliseconds = |limit: &Duration| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    match error {
        IsolateError::Ended => unanswered("signal"),
        IsolateError::Busy { .. } => unanswered("workers"),
        IsolateError::WallLimit { limit } => {
            unanswered("wallTime").with("limit", milliseconds(limit))
        }
        IsolateError::CpuLimit { limit } => {
            unanswered("cpuTime").with("limit", milliseconds(limit))
        }
        IsolateError::MemoryLimit { limit_bytes } => {
            unanswered("workerMemory").with("limit", *limit_bytes)
        }
        IsolateError::Unsupported { what } => {
            argument("isolated", format!("isolated: {error}")).with("value", *what)
        }
        IsolateError::NotFound { .. }
        | IsolateError::Spawn { .. }
        | IsolateError::NotAWorker { .. } => Error::new(Code::Io, error.to_string())
            .with("operation", "start a worker")
            .with("cause", error.to_string()),
        _ => unanswered("worker").with("cause", error.to_string()),
    }
}
