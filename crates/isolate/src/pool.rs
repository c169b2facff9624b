//! The pool: which worker runs which call, who waits, who is replaced.
//!
//! ```text
//!            ┌── idle ◄──────────────────────────────┐
//!   call ──► │   └► busy ── answer or refusal ───────┤
//!            │        └─── lost, or had its jobs ──► ended, a new one started
//!            └── none idle: wait in a queue of bounded length, or PoolOptions::wait passes: Busy
//! ```

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pos_kernel_espresso::Solution;

use crate::ender::Ender;
use crate::error::IsolateError;
use crate::job::Job;
use crate::process::{Program, Transport, Worker, deadline};

/// Workers unless told otherwise: as many as the machine runs at once, and no more than this.
const WORKERS_MAX_DEFAULT: usize = 4;

/// How a pool works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolOptions {
    /// The worker program; the one beside the program that runs when it is `None`.
    pub program: Option<Program>,
    /// Worker processes, at least one.
    pub workers: usize,
    /// Calls that may wait for a worker; one more is refused at once.
    pub queue: usize,
    /// How long a call waits for a worker before it is refused.
    pub wait: Duration,
    /// Jobs after which a worker is replaced by a new one.
    pub jobs_per_worker: u64,
    /// How long a worker has to say that it is one.
    pub start_timeout: Duration,
    /// How messages reach the workers.
    pub transport: Transport,
}

impl Default for PoolOptions {
    /// At most four workers, 64 waiting calls that wait a minute, 10,000 jobs a worker.
    fn default() -> PoolOptions {
        let machine = std::thread::available_parallelism().map_or(1, usize::from);
        PoolOptions {
            program: None,
            workers: machine.min(WORKERS_MAX_DEFAULT),
            queue: 64,
            wait: Duration::from_secs(60),
            jobs_per_worker: 10_000,
            start_timeout: Duration::from_secs(10),
            transport: Transport::default(),
        }
    }
}

/// What a pool is doing and has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolStats {
    /// Process ids of its workers, the busy ones included.
    pub pids: Vec<u32>,
    /// Workers that have a job.
    pub busy: usize,
    /// Calls that wait for a worker.
    pub waiting: usize,
    /// Workers started so far.
    pub started: u64,
    /// Workers that were lost and replaced.
    pub lost: u64,
    /// Workers that had done their jobs and were replaced.
    pub recycled: u64,
}

/// Worker processes that minimise. One value serves any number of threads.
///
/// ```no_run
/// use std::sync::Arc;
/// use pos_kernel_espresso::{Cover, Layout};
/// use pos_kernel_isolate::{Job, Pool, PoolOptions};
///
/// let pool = Pool::new(PoolOptions::default())?;
/// let layout = Arc::new(Layout::new(2, &[], 1)?);
/// let mut on = Cover::empty(&layout);
/// on.push_fields(&[&[0], &[0, 1], &[0]])?;
/// let solution = pool.minimize(&Job::new(on))?;
/// assert_eq!(solution.cost.products, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pool {
    options: PoolOptions,
    program: Program,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Worker>,
    busy: Vec<u32>,
    waiting: usize,
    started: u64,
    lost: u64,
    recycled: u64,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} idle, {} busy, {} waiting", self.idle.len(), self.busy.len(), self.waiting)
    }
}

impl Pool {
    /// Starts the workers and waits until each has said that it is one.
    ///
    /// # Errors
    /// [`IsolateError::NotFound`], [`IsolateError::Spawn`], [`IsolateError::NotAWorker`].
    pub fn new(options: PoolOptions) -> Result<Pool, IsolateError> {
        let program = options.program.clone().map_or_else(Program::beside, Ok)?;
        let options = PoolOptions { workers: options.workers.max(1), ..options };
        let pool = Pool { options, program, state: Mutex::default(), freed: Condvar::new() };
        // All are started before the first is waited for.
        let mut idle = (0..pool.options.workers)
            .map(|_| pool.start())
            .collect::<Result<Vec<Worker>, IsolateError>>()?;
        idle.iter_mut().try_for_each(Worker::greet)?;
        pool.lock().idle = idle;
        Ok(pool)
    }

    /// Minimises in a worker, with the answer of [`pos_kernel_espresso::Minimizer::minimize`]. Blocks
    /// until there is a worker, and then until there is an answer or a limit strikes.
    ///
    /// # Errors
    /// [`IsolateError::Engine`] for what the minimiser refuses; [`IsolateError::Busy`];
    /// [`IsolateError::WallLimit`], [`IsolateError::CpuLimit`], [`IsolateError::MemoryLimit`],
    /// [`IsolateError::Died`], [`IsolateError::Panicked`], [`IsolateError::Protocol`] when the worker
    /// was lost, which replaces it; [`IsolateError::Ended`] when the caller ended the job; those of [`Pool::new`] when it cannot be replaced;
    /// [`IsolateError::Unsupported`].
    pub fn minimize(&self, job: &Job) -> Result<Solution, IsolateError> {
        job.check()?;
        if job.limits.memory_bytes.is_some() && !cfg!(target_os = "linux") {
            return Err(IsolateError::Unsupported { what: "memory" });
        }
        if job.limits.cpu.is_some() && !cfg!(unix) {
            return Err(IsolateError::Unsupported { what: "CPU" });
        }
        if job.ender.as_ref().is_some_and(Ender::is_ended) {
            return Err(IsolateError::Ended);
        }
        let head = job.head()?;
        self.with_worker(|worker| worker.run(job, &head))
    }

    /// Sends words through a worker and back, to see that the pool is well.
    ///
    /// # Errors
    /// As [`Pool::minimize`].
    pub fn echo(&self, words: &[u64], wall: Duration) -> Result<Vec<u64>, IsolateError> {
        self.with_worker(|worker| worker.echo(words, wall))
    }

    /// What the pool is doing and has done.
    pub fn stats(&self) -> PoolStats {
        let state = self.lock();
        let mut pids: Vec<u32> = state.idle.iter().map(|worker| worker.pid).collect();
        pids.extend(&state.busy);
        PoolStats {
            pids,
            busy: state.busy.len(),
            waiting: state.waiting,
            started: state.started,
            lost: state.lost,
            recycled: state.recycled,
        }
    }

    fn with_worker<T>(
        &self,
        ask: impl FnOnce(&mut Worker) -> Result<T, IsolateError>,
    ) -> Result<T, IsolateError> {
        let mut lease = self.lease()?;
        let Some(worker) = lease.worker.as_mut() else {
            unreachable!("a lease has a worker until it ends");
        };
        let answer = ask(worker);
        lease.is_well = matches!(answer, Ok(_) | Err(IsolateError::Engine(_)));
        answer
    }

    /// A worker that is nobody else's until the lease ends.
    fn lease(&self) -> Result<Lease<'_>, IsolateError> {
        let mut state = self.lock();
        let until = deadline(self.options.wait);
        let mut is_queued = false;
        loop {
            if let Some(worker) = state.idle.pop() {
                state.waiting -= usize::from(is_queued);
                // One that was killed while it was idle is nobody's error.
                let worker = if worker.is_gone() {
                    state.lost += 1;
                    drop(worker);
                    self.start_counted(&mut state)?
                } else {
                    worker
                };
                state.busy.push(worker.pid);
                return Ok(Lease { pool: self, worker: Some(worker), is_well: false });
            }
            if state.busy.len() < self.options.workers {
                // An earlier replacement could not be started.
                state.waiting -= usize::from(is_queued);
                let worker = self.start_counted(&mut state)?;
                state.busy.push(worker.pid);
                return Ok(Lease { pool: self, worker: Some(worker), is_well: false });
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || !is_queued && state.waiting >= self.options.queue {
                let waiting = state.waiting - usize::from(is_queued);
                state.waiting = waiting;
                return Err(IsolateError::Busy { workers: self.options.workers, waiting });
            }
            state.waiting += usize::from(!is_queued);
            is_queued = true;
            state = self
                .freed
                .wait_timeout(state, left)
                .map_or_else(|poison| poison.into_inner().0, |(guard, _)| guard);
        }
    }

    fn start(&self) -> Result<Worker, IsolateError> {
        self.start_counted(&mut self.lock())
    }

    fn start_counted(&self, state: &mut State) -> Result<Worker, IsolateError> {
        let PoolOptions { transport, start_timeout, .. } = self.options;
        let worker = Worker::start(&self.program, transport, start_timeout).inspect_err(|_| {
            // Whoever waits would wait for a worker that does not come, and is told why instead.
            self.freed.notify_one();
        })?;
        state.started += 1;
        Ok(worker)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker on loan. However the call ends, the pool has a worker again.
struct Lease<'p> {
    pool: &'p Pool,
    worker: Option<Worker>,
    is_well: bool,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(worker) = self.worker.take() else { return };
        let pool = self.pool;
        let is_spent = worker.jobs >= pool.options.jobs_per_worker;
        let pid = worker.pid;
        let next = if self.is_well && !is_spent {
            Some(worker)
        } else {
            drop(worker);
            // A worker that cannot be started now is tried again by the next call, which tells why.
            pool.start().ok()
        };
        let mut state = pool.lock();
        state.busy.retain(|&busy| busy != pid);
        if !self.is_well {
            state.lost += 1;
        } else if is_spent {
            state.recycled += 1;
        }
        state.idle.extend(next);
        drop(state);
        pool.freed.notify_one();
    }
}
