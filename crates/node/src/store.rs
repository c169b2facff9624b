//! A store as a JavaScript class: one process, many terminals, one log.

use crate::ear::{Ear, Mailbox, ToldCallback};
use crate::fault::{Cross, thrown};
use crate::terminal::{NativeFault, NativeOpenOptions, NativeTerminal, OpenTask};
use crate::value::number;
use napi::bindgen_prelude::{AsyncTask, Float64Array};
use napi::{Env, Task};
use napi_derive::napi;
use pos_kernel_core::{Error, Result, Store, StoreOptions};
use std::path::PathBuf;
use std::sync::Arc;

/// How to open a store.
#[napi(object)]
pub struct NativeStoreOptions {
    /// Root folder; else `POS_KERNEL_ROOT`, else `./pos_kernel_data`.
    pub root: Option<String>,
    /// Size of a segment of the log, for a new log.
    pub log_segment_bytes: Option<u32>,
}

impl NativeStoreOptions {
    fn options(self) -> StoreOptions {
        StoreOptions {
            root: self.root.map(PathBuf::from),
            log_segment_bytes: self.log_segment_bytes,
            ..StoreOptions::default()
        }
    }
}

/// What was brought into a terminal's journal.
#[napi(object)]
pub struct NativeBroughtIn {
    /// Terminal id.
    pub terminal: String,
    /// Writes.
    pub writes: i64,
}

/// What was found when a store was opened.
#[napi(object)]
pub struct NativeStoreRecovery {
    /// The last owner had closed the store, or there was none.
    pub clean: bool,
    /// What its log still held.
    pub brought_in: Vec<NativeBroughtIn>,
}

/// What a store did since it was opened.
#[napi(object)]
pub struct NativeStoreStats {
    /// Flushes of the log that terminals waited for.
    pub log_flushes: i64,
    /// Flushes of the log of all kinds.
    pub log_flushes_total: i64,
    /// Writes of the log.
    pub log_writes: i64,
    /// Bytes of those writes.
    pub log_bytes: i64,
    /// Syncs of terminals that the log took.
    pub log_syncs: i64,
    /// Syncs of segment files themselves.
    pub file_syncs: i64,
    /// Oldest segment of the log.
    pub oldest_segment: u32,
    /// Segment of the log in use.
    pub segment: u32,
    /// Terminals that are open.
    pub terminals: u32,
    /// A disk failure has ended the store.
    pub poisoned: bool,
}

/// What the terminals of a store have to tell.
#[napi(object)]
pub struct NativeStoreTold {
    /// Number of a terminal and its newest durable sequence, in turns; -1 for a fault.
    pub durable: Float64Array,
    /// The fault.
    pub fault: Option<NativeFault>,
}

/// An open store.
#[napi]
pub struct NativeStore {
    store: Arc<Store>,
    mailbox: Arc<Mailbox>,
}

#[napi]
impl NativeStore {
    /// Opens a terminal of this store off the event loop. What it has to tell, it tells under
    /// this number.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeTerminal>")]
    pub fn open_terminal(
        &self,
        env: &Env,
        options: NativeOpenOptions,
        number: u32,
    ) -> napi::Result<AsyncTask<OpenTask>> {
        let options = options.options().cross(env)?;
        let store = self.store.clone();
        let open = Box::new(move || store.open_terminal(&options));
        Ok(AsyncTask::new(OpenTask::new(open, Ear::InStore(self.mailbox.clone(), number))))
    }

    /// Opens a terminal of this store on the calling thread, under a number.
    #[napi(catch_unwind)]
    pub fn open_terminal_sync(
        &self,
        env: &Env,
        options: NativeOpenOptions,
        number: u32,
    ) -> napi::Result<NativeTerminal> {
        let open = || self.store.open_terminal(&options.options()?);
        let terminal = open().cross(env)?;
        Ok(NativeTerminal::new(terminal, Ear::InStore(self.mailbox.clone(), number)))
    }

    /// Takes what the terminals have to tell: `onTold` has said that there is something.
    #[napi(catch_unwind)]
    pub fn told(&self) -> NativeStoreTold {
        let (durable, fault) = self.mailbox.take();
        NativeStoreTold { durable: durable.into(), fault }
    }

    /// What was found when the store was opened.
    #[napi(catch_unwind)]
    pub fn recovery(&self) -> NativeStoreRecovery {
        let recovery = self.store.recovery();
        let brought_in = |(terminal, writes): (&String, &u64)| NativeBroughtIn {
            terminal: terminal.clone(),
            writes: number(*writes),
        };
        NativeStoreRecovery {
            clean: recovery.clean,
            brought_in: recovery.terminals.iter().map(brought_in).collect(),
        }
    }

    /// What the store did since it was opened.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> NativeStoreStats {
        let stats = self.store.stats();
        NativeStoreStats {
            log_flushes: number(stats.log_flushes),
            log_flushes_total: number(stats.log_flushes_total),
            log_writes: number(stats.log_writes),
            log_bytes: number(stats.log_bytes),
            log_syncs: number(stats.log_syncs),
            file_syncs: number(stats.file_syncs),
            oldest_segment: stats.oldest_segment,
            segment: stats.segment,
            terminals: u32::try_from(stats.terminals).unwrap_or(u32::MAX),
            poisoned: stats.poisoned,
        }
    }

    /// Closes every terminal and the store on the calling thread. Closing twice does nothing.
    #[napi(catch_unwind)]
    pub fn close_sync(&self, env: &Env) -> napi::Result<()> {
        self.store.close().cross(env)
    }

    /// Closes every terminal and the store.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn close(&self) -> AsyncTask<CloseStoreTask> {
        AsyncTask::new(CloseStoreTask { store: self.store.clone() })
    }
}

/// Opens a store off the event loop. `onTold` is called when `told` has something.
#[napi(catch_unwind, ts_return_type = "Promise<NativeStore>")]
pub fn open_store(
    options: NativeStoreOptions,
    #[napi(ts_arg_type = "() => void")] on_told: ToldCallback<'_>,
) -> napi::Result<AsyncTask<OpenStoreTask>> {
    let mailbox = Some(Mailbox::new(&on_told)?);
    Ok(AsyncTask::new(OpenStoreTask { options: options.options(), mailbox }))
}

/// Opens a store on the calling thread.
#[napi(catch_unwind)]
pub fn open_store_sync(
    env: &Env,
    options: NativeStoreOptions,
    #[napi(ts_arg_type = "() => void")] on_told: ToldCallback<'_>,
) -> napi::Result<NativeStore> {
    let store = Store::open(&options.options()).cross(env)?;
    Ok(NativeStore { store: Arc::new(store), mailbox: Mailbox::new(&on_told)? })
}

/// Opening, on a pool thread.
pub struct OpenStoreTask {
    options: StoreOptions,
    mailbox: Option<Arc<Mailbox>>,
}

impl Task for OpenStoreTask {
    type Output = Result<Store>;
    type JsValue = NativeStore;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(Store::open(&self.options))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<NativeStore> {
        let store = output.map_err(|error: Error| thrown(&env, &error))?;
        let mailbox = self.mailbox.take().expect("a task resolves once");
        Ok(NativeStore { store: Arc::new(store), mailbox })
    }
}

/// Closing, on a pool thread.
pub struct CloseStoreTask {
    store: Arc<Store>,
}

impl Task for CloseStoreTask {
    type Output = Result<()>;
    type JsValue = ();

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(self.store.close())
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<()> {
        output.map_err(|error| thrown(&env, &error))
    }
}
