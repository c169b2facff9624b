//! The aggregated audit of a store: merging, checking, adding up. All of it reads journals, so each
//! call has a form that runs on a pool thread and one that runs on the caller's.

use crate::fault::{Cross, argument, thrown};
use crate::proof::bytes_of;
use crate::value::number;
use napi::bindgen_prelude::{AsyncTask, FnArgs, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, Task};
use napi_derive::napi;
use pos_kernel_core::audit::{self, Merger, Report, check_store, sources};
use pos_kernel_core::{Code, Error, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

type ProgressArgs = FnArgs<(i64, i64)>;
type ProgressCallback<'a> = Function<'a, ProgressArgs, ()>;
type Listener = ThreadsafeFunction<ProgressArgs, (), ProgressArgs, Status, false, true>;

/// What a call of this room answers.
#[napi(object)]
pub struct NativeAuditAnswer {
    /// The answer.
    #[napi(ts_type = "unknown")]
    pub value: Value,
}

type Work = Box<dyn FnMut(&(dyn Fn(u64, u64) + Sync)) -> Result<Value> + Send>;

/// Such a call, on a pool thread.
pub struct AuditTask {
    work: Work,
    listener: Option<Listener>,
}

impl Task for AuditTask {
    type Output = std::result::Result<Value, Error>;
    type JsValue = NativeAuditAnswer;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let listener = &self.listener;
        let progress = |done, of| {
            if let Some(listener) = listener {
                let args = (number(done), number(of));
                listener.call(args.into(), ThreadsafeFunctionCallMode::NonBlocking);
            }
        };
        Ok((self.work)(&progress))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<NativeAuditAnswer> {
        output.map(|value| NativeAuditAnswer { value }).map_err(|error| thrown(&env, &error))
    }
}

fn task(
    on_progress: Option<ProgressCallback<'_>>,
    work: impl FnMut(&(dyn Fn(u64, u64) + Sync)) -> Result<Value> + Send + 'static,
) -> napi::Result<AsyncTask<AuditTask>> {
    let listener = on_progress
        .map(|callback| {
            callback.build_threadsafe_function().callee_handled::<false>().weak::<true>().build()
        })
        .transpose()?;
    Ok(AsyncTask::new(AuditTask { work: Box::new(work), listener }))
}

fn parse_anchor(text: &str) -> Result<[u8; 32]> {
    bytes_of("anchor", text)?.try_into().map_err(|_| {
        argument("anchor", "anchor is not 64 hexadecimal digits, as a line's hash is".to_owned())
    })
}

fn archive_of(archive: Option<&String>) -> Option<&Path> {
    archive.map(Path::new)
}

/// A store's log, open for merging: nobody else merges until it is closed.
#[napi]
pub struct NativeStoreAudit {
    root: PathBuf,
    archive: Option<String>,
    merger: Arc<Mutex<Option<Merger>>>,
}

fn merge(
    root: &Path,
    archive: Option<&Path>,
    merger: &Mutex<Option<Merger>>,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Value> {
    let mut merger = merger.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(merger) = merger.as_mut() else {
        let message = "the audit of the store is closed; open it again";
        return Err(Error::new(Code::Closed, message));
    };
    let merged = merger.merge(&sources(root, archive)?, progress)?;
    Ok(merged.to_json(merger.log().cut_bytes()))
}

#[napi]
impl NativeStoreAudit {
    /// Merges what is new in all journals. `onProgress` hears records done and about how many there
    /// are.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeAuditAnswer>")]
    pub fn merge(
        &self,
        #[napi(ts_arg_type = "((done: number, of: number) => void) | null")] on_progress: Option<
            ProgressCallback<'_>,
        >,
    ) -> napi::Result<AsyncTask<AuditTask>> {
        let (root, archive, merger) =
            (self.root.clone(), self.archive.clone(), self.merger.clone());
        task(on_progress, move |progress| {
            merge(&root, archive_of(archive.as_ref()), &merger, progress)
        })
    }

    /// As `merge`, on the calling thread.
    #[napi(catch_unwind)]
    pub fn merge_sync(&self, env: &Env) -> napi::Result<NativeAuditAnswer> {
        let archive = archive_of(self.archive.as_ref());
        let merged = merge(&self.root, archive, &self.merger, &|_, _| {});
        merged.map(|value| NativeAuditAnswer { value }).cross(env)
    }

    /// Frees the lock. What was merged is durable already.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.merger.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Takes the lock of a store's log and opens it. Reads the end of the log.
#[napi(catch_unwind)]
pub fn open_store_audit(
    env: &Env,
    root: String,
    archive: Option<String>,
) -> napi::Result<NativeStoreAudit> {
    let root = PathBuf::from(root);
    let merger = Merger::open(&root).cross(env)?;
    Ok(NativeStoreAudit { root, archive, merger: Arc::new(Mutex::new(Some(merger))) })
}

/// Checks a store's log by itself and against the journals. `onProgress` hears bytes done and bytes.
#[napi(catch_unwind, ts_return_type = "Promise<NativeAuditAnswer>")]
pub fn check_store_audit(
    env: &Env,
    root: String,
    archive: Option<String>,
    anchor: Option<String>,
    #[napi(ts_arg_type = "((done: number, of: number) => void) | null")] on_progress: Option<
        ProgressCallback<'_>,
    >,
) -> napi::Result<AsyncTask<AuditTask>> {
    let anchor = anchor.as_deref().map(parse_anchor).transpose().cross(env)?;
    task(on_progress, move |progress| {
        let archive = archive_of(archive.as_ref());
        Ok(check_store(Path::new(&root), archive, anchor.as_ref(), progress)?.to_json())
    })
}

/// As `checkStoreAudit`, on the calling thread.
#[napi(catch_unwind)]
pub fn check_store_audit_sync(
    env: &Env,
    root: String,
    archive: Option<String>,
    anchor: Option<String>,
) -> napi::Result<NativeAuditAnswer> {
    let check = || {
        let anchor = anchor.as_deref().map(parse_anchor).transpose()?;
        let archive = archive_of(archive.as_ref());
        check_store(Path::new(&root), archive, anchor.as_ref(), &|_, _| {})
    };
    check().map(|check| NativeAuditAnswer { value: check.to_json() }).cross(env)
}

/// Adds up what a store's log has merged.
#[napi(catch_unwind, ts_return_type = "Promise<NativeAuditAnswer>")]
pub fn report_store(
    env: &Env,
    root: String,
    archive: Option<String>,
    reports: Vec<String>,
) -> napi::Result<AsyncTask<AuditTask>> {
    let wanted = parse_reports(&reports).cross(env)?;
    task(None, move |_| {
        let archive = archive_of(archive.as_ref());
        Ok(audit::report_store(Path::new(&root), archive, &wanted)?.to_json())
    })
}

/// As `reportStore`, on the calling thread.
#[napi(catch_unwind)]
pub fn report_store_sync(
    env: &Env,
    root: String,
    archive: Option<String>,
    reports: Vec<String>,
) -> napi::Result<NativeAuditAnswer> {
    let report = || {
        let wanted = parse_reports(&reports)?;
        audit::report_store(Path::new(&root), archive_of(archive.as_ref()), &wanted)
    };
    report().map(|report| NativeAuditAnswer { value: report.to_json() }).cross(env)
}

fn parse_reports(names: &[String]) -> Result<Vec<Report>> {
    names.iter().map(|name| Report::parse(name)).collect()
}
