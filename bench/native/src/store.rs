//! What a store must be able to do to be measured: the interface between workloads and peers.
//!
//! A [`Peer`] is a kind of store; it has a name and opens stores in folders. A [`Store`] belongs to
//! one thread. A [`SharedStore`] is used by many threads at once, each through its own [`Seller`].
//! To measure another store, add a module to `peers/` that implements these and one line to
//! [`crate::peers::PEERS`].

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use crate::sale::Sale;

pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A kind of store that is measured.
pub trait Peer: Sync {
    /// The name in the results, for example `sqlite-rows`.
    fn name(&self) -> &'static str;

    /// Opens the store in `dir`, an existing folder: a new store if it is empty, otherwise whatever
    /// is there, after any recovery the store does. Everything must be set here that makes a sale
    /// durable when `sell` returns; nothing is remembered from an earlier open.
    fn open(&self, dir: &Path) -> Outcome<Box<dyn Store>>;

    /// Opens the store for many threads of this process at once.
    fn open_shared(&self, dir: &Path) -> Outcome<Box<dyn SharedStore>>;

    /// The workloads that make sense for this store. The raw disk, for one, recovers nothing.
    fn takes_part_in(&self, _workload: Kind) -> bool {
        true
    }

    /// True if the store stamps times itself. Sales are then compared with all times set to zero,
    /// and `read_every` must hand them over in that form ([`Sale::without_times`]).
    fn stamps_own_times(&self) -> bool {
        false
    }

    /// True for files whose content every open throws away (locks, shared-memory indexes). Damage
    /// there says nothing, so it is not done there.
    fn is_rebuilt_at_open(&self, _file_name: &str) -> bool {
        false
    }
}

/// A store that one thread uses.
pub trait Store {
    /// Writes one sale as this store's users would ring it up. Durable when it returns.
    fn sell(&mut self, sale: &Sale) -> Outcome<()>;

    /// Writes sales that wait together, handed over by one thread. All durable when it returns.
    fn sell_together(&mut self, sales: &[Sale]) -> Outcome<()>;

    /// Finds the last sale and reads it: its number.
    fn last(&mut self) -> Outcome<Option<u32>>;

    /// Reads every sale in the order of numbers and hands each to `visit` with its canonical bytes.
    fn read_every(&mut self, visit: &mut dyn FnMut(u32, &[u8])) -> Outcome<()>;

    /// Checks all that the store can check of itself, where it can: the time for checksums and chain,
    /// and the time for those and every rule of its content.
    fn audit(&mut self) -> Outcome<Option<Audit>> {
        Ok(None)
    }

    /// What the store itself says it cut off or gave up when it was opened. `None` means that it
    /// claims to be whole.
    fn admits(&self) -> Option<String> {
        None
    }

    /// Closes in order. Everything sold is durable already.
    fn close(self: Box<Self>) -> Outcome<()>;
}

/// How long a store takes to check itself.
pub struct Audit {
    pub chain: Duration,
    pub full: Duration,
}

/// A store that many threads use at once.
pub trait SharedStore: Sync {
    /// Called once on each selling thread.
    fn seller(&self) -> Outcome<Box<dyn Seller + '_>>;

    fn close(self: Box<Self>) -> Outcome<()>;
}

/// One thread's way into a [`SharedStore`].
pub trait Seller {
    /// Writes one sale. Durable when it returns, whoever did the flush.
    fn sell(&mut self, sale: &Sale) -> Outcome<()>;
}

/// The kinds of work. See `bench/README.md` for what each measures.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// One thread, each sale durable before the next begins.
    One,
    /// Many threads, each like `One`.
    Threads(usize),
    /// One thread that always has this many sales waiting together.
    InFlight(usize),
    /// The processor's work for a sale when no flush reaches the device.
    Cpu,
    /// Memory of the process after a number of durable sales.
    Memory,
    /// A killed process: how soon the next one sells, how fast it reads, what the disk holds.
    Recovery,
    /// Flipped bits and zeroed blocks under sales that were acknowledged.
    Damage,
}

impl Kind {
    pub const USUAL: &'static str =
        "one,threads-16,threads-64,in-flight-64,cpu,memory,recovery,damage";

    pub fn parse(text: &str) -> Option<Kind> {
        let count = |rest: &str| rest.parse().ok().filter(|count| (1..=4_096).contains(count));
        match text {
            "one" => Some(Kind::One),
            "cpu" => Some(Kind::Cpu),
            "memory" => Some(Kind::Memory),
            "recovery" => Some(Kind::Recovery),
            "damage" => Some(Kind::Damage),
            _ => {
                let threads = text.strip_prefix("threads-").and_then(count).map(Kind::Threads);
                threads
                    .or_else(|| text.strip_prefix("in-flight-").and_then(count).map(Kind::InFlight))
            }
        }
    }

    pub fn name(self) -> String {
        match self {
            Kind::One => "one".into(),
            Kind::Threads(count) => format!("threads-{count}"),
            Kind::InFlight(count) => format!("in-flight-{count}"),
            Kind::Cpu => "cpu".into(),
            Kind::Memory => "memory".into(),
            Kind::Recovery => "recovery".into(),
            Kind::Damage => "damage".into(),
        }
    }
}
