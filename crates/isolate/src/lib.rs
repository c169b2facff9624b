//! The minimiser in processes of its own: what a run takes of memory and time is contained, and a
//! worker that crashes, hangs or is killed is a typed error in the caller, whose next call is served.
//!
//! ```text
//!   caller ── Pool ── idle workers                      worker process: worker_main()
//!               │        socket on its stdin   ◄─────►    header, small covers
//!               │        file in memory, its stdout ◄──►  covers above 64 KiB
//!               └─ queue of bounded length                limits set before each job
//! ```
//!
//! Workers are started by spawning a program, never by `fork` alone, so the size of the caller's heap
//! does not matter and no thread of the caller is half-copied. They are warm: started before the first
//! job, replaced when lost, renewed after a number of jobs. Where there are no Unix sockets the same
//! messages go through pipes. What must not live here: any step of the minimiser, any knowledge of
//! sales.
//!
//! The promises guarded here: **a call ends within its wall limit with an answer or a typed error**,
//! and what a worker sends is checked before it is believed. There is no `unsafe`: memory is shared as
//! a file that both sides read and write, which no peer can turn into a fault.
//!
//! Read `message.rs` first (the bytes), then `pool.rs` (who runs what), `process.rs`, `worker.rs`.

#![forbid(unsafe_code)]

mod ender;
mod error;
mod job;
mod limits;
mod link;
mod message;
mod pool;
mod process;
mod worker;

pub use ender::Ender;
pub use error::{Ending, IsolateError};
pub use job::{Job, Limits};
pub use pool::{Pool, PoolOptions, PoolStats};
pub use process::{PROGRAM, Program, Transport};
pub use worker::{WORKER_VARIABLE, worker_main};
