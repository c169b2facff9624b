//! Reading journals without their lock: verify, inspect, list.

use crate::fault::{Cross, argument, thrown};
use crate::proof::{bytes_of, shown_archived, shown_report};
use crate::value::{number, whole};
use napi::bindgen_prelude::{AsyncTask, FnArgs, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, Task};
use napi_derive::napi;
use pos_kernel_core::audit::terminal_ids;
use pos_kernel_core::journal::{Fact, Hash, TerminalReport, VerifyOptions, show, verify_journal};
use pos_kernel_core::terminal::{History, TerminalId, terminal_dir};
use pos_kernel_core::{Code, Error, Result};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

type ProgressArgs = FnArgs<(String, i64, i64)>;
type ProgressCallback<'a> = Function<'a, ProgressArgs, ()>;
type Listener = ThreadsafeFunction<ProgressArgs, (), ProgressArgs, Status, false, true>;

/// Versions.
#[napi(object)]
pub struct NativeVersion {
    /// The kernel's.
    pub kernel: String,
    /// Of the journal's layout.
    pub journal_format: u32,
}

/// One thing that is wrong with a journal.
#[napi(object)]
pub struct NativeProblem {
    /// Segment.
    pub segment: u32,
    /// Byte offset in it.
    pub offset: u32,
    /// Sequence there; 0 when none can be named.
    pub sequence: i64,
    /// `PK_E_...`.
    pub code: String,
    /// A sentence.
    pub message: String,
}

/// The audit of one terminal.
#[napi(object)]
pub struct NativeTerminalReport {
    /// Terminal id.
    pub id: String,
    /// Good records.
    pub records: i64,
    /// Segments.
    pub segments: i64,
    /// Chain link of the last good frame.
    pub head: String,
    /// Sequence of the last good record.
    pub last_sequence: i64,
    /// Receipts given.
    pub receipts: i64,
    /// Bytes behind the last frame that were never durable.
    pub torn_bytes: u32,
    /// Sequence of the first record that was read; 0 when none was.
    pub first_sequence: i64,
    /// What the signatures vouch for; absent when there was never a signer.
    #[napi(ts_type = "Record<string, unknown>")]
    pub signing: Option<Value>,
    /// What was archived, as the journal says.
    #[napi(ts_type = "Record<string, unknown>")]
    pub archived: Option<Value>,
    /// Segments that were read from an archive.
    pub archive_segments: i64,
    /// What is wrong, in order, up to a thousand.
    pub problems: Vec<NativeProblem>,
    /// How many things are wrong in all.
    pub problem_count: i64,
}

/// The audit of a store.
#[napi(object)]
pub struct NativeVerifyReport {
    /// Nothing is wrong.
    pub ok: bool,
    /// By terminal.
    pub terminals: Vec<NativeTerminalReport>,
}

/// A completed sale as it stands in a journal.
#[napi(object)]
pub struct NativeListedSale {
    /// The host's own number for it.
    pub reference: Option<String>,
    /// Receipt number.
    pub receipt_number: i64,
    /// ISO 4217 letters.
    pub currency: String,
    /// Total.
    pub gross: i64,
    /// Sequence of the completion.
    pub sequence: i64,
    /// Lines, voided ones included.
    pub lines: u32,
}

/// Decoded records.
#[napi(object)]
pub struct NativeInspection {
    /// The records.
    #[napi(ts_type = "Record<string, unknown>[]")]
    pub records: Vec<Value>,
    /// Where to go on.
    pub next_sequence: i64,
    /// Nothing more is there now.
    pub end: bool,
}

/// Versions of what is loaded.
#[napi(catch_unwind)]
#[must_use]
pub fn version() -> NativeVersion {
    NativeVersion {
        kernel: pos_kernel_core::VERSION.to_owned(),
        journal_format: pos_kernel_core::JOURNAL_FORMAT,
    }
}

/// Ids of the terminals under a root that have a folder, in order.
#[napi(catch_unwind)]
pub fn list_terminals(env: &Env, root: String) -> napi::Result<Vec<String>> {
    terminal_ids(Path::new(&root)).cross(env)
}

/// Verifies one terminal, or all of a store. `onProgress` hears terminal, segments done, segments.
#[napi(catch_unwind, ts_return_type = "Promise<NativeVerifyReport>")]
pub fn verify_store(
    env: &Env,
    root: String,
    terminal: Option<String>,
    anchor: Option<String>,
    #[napi(ts_arg_type = "((terminal: string, done: number, of: number) => void) | null")]
    on_progress: Option<ProgressCallback<'_>>,
    keys: Option<Vec<String>>,
    archive: Option<String>,
) -> napi::Result<AsyncTask<VerifyTask>> {
    let anchor = anchor.as_deref().map(parse_hash).transpose().cross(env)?;
    let listener = on_progress
        .map(|callback| {
            callback.build_threadsafe_function().callee_handled::<false>().weak::<true>().build()
        })
        .transpose()?;
    let keys = keys.unwrap_or_default();
    let keys: Result<Vec<_>> = keys.iter().map(|key| bytes_of("key", key)).collect();
    let (keys, listener) = (keys.cross(env)?, listener.map(Arc::new));
    Ok(AsyncTask::new(VerifyTask { root, terminal, anchor, keys, archive, listener }))
}

/// Decodes records from a sequence on, at most `limit` of them.
#[napi(catch_unwind)]
pub fn inspect_records(
    env: &Env,
    root: String,
    terminal: String,
    from_sequence: f64,
    limit: f64,
) -> napi::Result<NativeInspection> {
    let inspect = || {
        let history = history_of(Path::new(&root), &terminal, None)?;
        inspect(&history, whole("fromSequence", from_sequence)?.max(1), whole("limit", limit)?)
    };
    inspect().cross(env)
}

/// How many writes for a journal stand in the log of a store process that is gone, and not in the
/// journal yet.
#[napi(catch_unwind)]
pub fn unsettled_writes(env: &Env, root: String, terminal: String) -> napi::Result<i64> {
    let history = history_of(Path::new(&root), &terminal, None).cross(env)?;
    Ok(number(history.writes_left().unwrap_or(0)))
}

/// Every completed sale of a terminal, in the order of its receipts.
#[napi(catch_unwind, ts_return_type = "Promise<NativeListedSale[]>")]
#[must_use]
pub fn list_sales(root: String, terminal: String) -> AsyncTask<ListTask> {
    AsyncTask::new(ListTask { root, terminal })
}

/// The journal of a terminal, with its archive in the store and in another folder.
pub(crate) fn history_of(root: &Path, terminal: &str, archive: Option<&str>) -> Result<History> {
    let id = TerminalId::parse(terminal)?;
    let history = History::of_terminal(&terminal_dir(root, &id));
    Ok(history.with_archives(archive.map(|archive| Path::new(archive).join(id.as_str()))))
}

fn parse_hash(text: &str) -> Result<[u8; 32]> {
    let mut hash = [0; 32];
    let digits = text.as_bytes();
    let parsed = digits.len() == 64
        && digits.iter().all(u8::is_ascii_hexdigit)
        && hash.iter_mut().enumerate().all(|(index, byte)| {
            let pair = &text[index * 2..index * 2 + 2];
            u8::from_str_radix(pair, 16).is_ok_and(|value| {
                *byte = value;
                true
            })
        });
    if parsed {
        return Ok(hash);
    }
    let shown: String = text.chars().take(80).collect();
    let message = format!("anchor {shown:?} is not 64 hexadecimal digits, as a receipt's hash is");
    Err(argument("anchor", message))
}

fn inspect(history: &History, from: u64, limit: u64) -> Result<NativeInspection> {
    let reader = history.reader()?;
    let limit = usize::try_from(limit.clamp(1, 100_000)).unwrap_or(100_000);
    let mut records: Vec<Value> = Vec::new();
    let mut next = from;
    let first = reader.segment_of(from)?;
    for segment in reader.segments().filter(|segment| Some(*segment) >= first) {
        let scan = match reader.scan(segment, false)? {
            Ok(scan) => scan,
            Err(problem) => {
                records.push(json!({ "segment": segment, "problem": problem.message }));
                continue;
            }
        };
        let frames = scan.frames().filter(|frame| frame.last_sequence() >= from);
        for shown in frames.flat_map(|frame| show(&frame)).filter(|shown| shown.sequence >= from) {
            if records.len() == limit {
                return Ok(NativeInspection { records, next_sequence: number(next), end: false });
            }
            next = shown.sequence + 1;
            records.push(shown.value);
        }
        // What stands behind damage is not shown, and that is said.
        for problem in &scan.problems {
            records.push(json!({
                "segment": segment,
                "offset": problem.offset,
                "problem": problem.message,
            }));
        }
    }
    Ok(NativeInspection { records, next_sequence: number(next), end: true })
}

impl From<(String, TerminalReport)> for NativeTerminalReport {
    fn from((id, report): (String, TerminalReport)) -> Self {
        let problems = report.problems.into_iter().map(|problem| NativeProblem {
            segment: problem.segment,
            offset: problem.offset,
            sequence: number(problem.sequence),
            code: problem.code.name().to_owned(),
            message: problem.message,
        });
        Self {
            id,
            records: number(report.records),
            segments: number(report.segments),
            head: Hash(report.head).to_string(),
            last_sequence: number(report.last_sequence),
            receipts: number(report.receipts),
            torn_bytes: report.torn_bytes,
            first_sequence: number(report.first_sequence),
            signing: report.signing.as_ref().map(shown_report),
            archived: report.archived.as_ref().map(shown_archived),
            archive_segments: number(report.archive_segments),
            problems: problems.collect(),
            problem_count: number(report.problem_count),
        }
    }
}

/// Verifying, on a pool thread.
pub struct VerifyTask {
    root: String,
    terminal: Option<String>,
    anchor: Option<[u8; 32]>,
    keys: Vec<Vec<u8>>,
    archive: Option<String>,
    listener: Option<Arc<Listener>>,
}

impl VerifyTask {
    fn verify(&self) -> Result<NativeVerifyReport> {
        let root = Path::new(&self.root);
        let ids = match &self.terminal {
            Some(id) => vec![id.clone()],
            None => terminal_ids(root)?,
        };
        let mut reports = Vec::new();
        for id in ids {
            let history = history_of(root, &id, self.archive.as_deref())?;
            let options =
                VerifyOptions { anchors: self.anchor.as_slice(), trusted_keys: &self.keys };
            let progress = |done, of| {
                if let Some(listener) = &self.listener {
                    let args = (id.clone(), number(done), number(of));
                    listener.call(args.into(), ThreadsafeFunctionCallMode::NonBlocking);
                }
            };
            match verify_journal(&history, options, &progress) {
                Ok(report) => reports.push((id, report)),
                // A folder that is just being made, or holds settings only, has nothing to check.
                Err(error) if self.terminal.is_none() && error.code() == Code::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        // In a whole store the anchor belongs to one terminal: found in any, it is missing in none.
        let anchored = |report: &TerminalReport| {
            !report.problems.iter().any(|problem| problem.code == Code::AnchorMissing)
        };
        if self.anchor.is_some() && reports.iter().any(|(_, report)| anchored(report)) {
            for (_, report) in &mut reports {
                let before = report.problems.len();
                report.problems.retain(|problem| problem.code != Code::AnchorMissing);
                report.problem_count -= (before - report.problems.len()) as u64;
            }
        }
        let ok = reports.iter().all(|(_, report)| report.problem_count == 0);
        Ok(NativeVerifyReport { ok, terminals: reports.into_iter().map(Into::into).collect() })
    }
}

impl Task for VerifyTask {
    type Output = std::result::Result<NativeVerifyReport, Error>;
    type JsValue = NativeVerifyReport;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(self.verify())
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<NativeVerifyReport> {
        output.map_err(|error| thrown(&env, &error))
    }
}

/// Listing, on a pool thread.
pub struct ListTask {
    root: String,
    terminal: String,
}

impl Task for ListTask {
    type Output = std::result::Result<Vec<NativeListedSale>, Error>;
    type JsValue = Vec<NativeListedSale>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let list = || {
            let history = history_of(Path::new(&self.root), &self.terminal, None)?;
            let mut sales = Vec::new();
            history.each(1, u64::MAX, |recorded| {
                // Training is told apart by its circle, and listed nowhere.
                if let Fact::SaleCompleted(fact) = recorded.fact
                    && fact.circle.is_none()
                {
                    sales.push(NativeListedSale {
                        reference: fact.reference,
                        receipt_number: number(fact.receipt),
                        currency: fact.currency.to_string(),
                        gross: fact.gross,
                        sequence: number(recorded.sequence),
                        lines: fact.lines,
                    });
                }
            })?;
            Ok(sales)
        };
        Ok(list())
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<Vec<NativeListedSale>> {
        output.map_err(|error| thrown(&env, &error))
    }
}
