//! Journals: verifying, decoding, listing. Those in a folder are read without their lock.

use crate::guard::guard;
use crate::json;
use crate::memory::{self, Answer, Buffer};
use crate::seat;
use crate::terminal::path;
use crate::types::{PkResult, PkText, PkVerifyOptions, PkVerifyReport};
use pos_kernel_core::archive::unhex;
use pos_kernel_core::journal::{Hash, TerminalReport, VerifyOptions, show, verify_journal};
use pos_kernel_core::terminal::{History, TerminalId, terminal_dir};
use pos_kernel_core::{Code, Error, OpenOptions, Result};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Records in one answer.
const RECORDS_MAX: u64 = 100_000;

/// Verifies a journal: checksums, chain, sequence, invariants and counters, and that an anchor is
/// still in it.
///
/// `out_report` may be null. It is written when the journal could be read, whether or not something
/// is wrong with it: then the code is 6 and `detail` that of the first problem.
///
/// Codes: 1 (no journal); 3; 6 (damaged, changed, or an anchor is missing); 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_verify_wal_integrity_ex(
    options: *const PkVerifyOptions,
    out_report: *mut PkVerifyReport,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_report", out_report) }?;
        // SAFETY: the caller promises the structure and its texts.
        let (_, report) = unsafe { verify_options(options) }?;
        let found = PkVerifyReport {
            struct_size: 0,
            torn_bytes: report.torn_bytes,
            records: report.records,
            segments: report.segments,
            last_sequence: report.last_sequence,
            receipts: report.receipts,
            problems: report.problem_count,
            head: report.head,
        };
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&found) };
        judge(&report)
    })
}

/// As pk_verify_wal_integrity_ex, with every problem, as JSON: `id`, `ok`, `records`, `segments`,
/// `head`, `lastSequence`, `receipts`, `tornBytes`, `problems`, `problemCount`. The code is 0 even
/// when `ok` is false.
///
/// Codes: 1; 3; 4; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_verify_report_json(
    options: *const PkVerifyOptions,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure and its texts.
        let (id, report) = unsafe { verify_options(options) }?;
        let text = json::report(&id, &report).to_string();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}

/// Records of a journal, decoded, as JSON: `records`, `nextSequence`, `end`.
///
/// `root` and `id`: as in PkVerifyOptions. `from_sequence`: the first, from 1. `limit`: at most so
/// many, 1 to 100,000.
///
/// Codes: 1; 3; 4; 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_inspect_json(
    root: PkText,
    id: PkText,
    from_sequence: u64,
    limit: u64,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the texts.
        let (_, history) = unsafe { history_of(root, id) }?;
        let text = inspect(&history, from_sequence.max(1), limit)?.to_string();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}

/// Every receipt of a journal from a number on, at most `limit` (1 to 100,000), as a JSON array.
///
/// Codes: 1; 3; 4; 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_list_receipts_json(
    root: PkText,
    id: PkText,
    from_receipt: u64,
    limit: u64,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the texts.
        let (_, history) = unsafe { history_of(root, id) }?;
        let limit = limit.clamp(1, RECORDS_MAX);
        let mut receipts = Vec::new();
        history.each_receipt(|receipt| {
            if receipt.number >= from_receipt && (receipts.len() as u64) < limit {
                receipts.push(json::receipt(&receipt));
            }
        })?;
        let text = Value::Array(receipts).to_string();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}

/// Ids of the terminals under a root that have a folder, in order, as a JSON array.
///
/// Codes: 3; 4; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_list_terminals_json(
    root: PkText,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the text.
        let root = unsafe { root_of(root) }?;
        let text = Value::from(terminals(&root)?).to_string();
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&text) }
    })
}

/// Turns what was found into a code.
pub(crate) fn judge(report: &TerminalReport) -> Result<()> {
    let Some(first) = report.problems.first() else { return Ok(()) };
    let message = format!(
        "{} problems, the first in segment {} at byte {}: {}",
        report.problem_count, first.segment, first.offset, first.message
    );
    Err(Error::new(first.code, message)
        .with("problems", report.problem_count)
        .with("segment", first.segment)
        .with("offset", first.offset)
        .with("sequence", first.sequence))
}

/// Verifies the journal of an open terminal.
pub(crate) fn verify_open(
    seat: &seat::TerminalSeat,
    anchor: Option<&[u8; 32]>,
) -> Result<TerminalReport> {
    // What is still in memory is written out first: the audit reads the files.
    seat.sync()?;
    verify_with(seat.terminal.history(), anchor, &[])
}

fn verify_with(
    history: &History,
    anchor: Option<&[u8; 32]>,
    trusted_keys: &[Vec<u8>],
) -> Result<TerminalReport> {
    let anchors = anchor.map(std::slice::from_ref).unwrap_or_default();
    verify_journal(history, VerifyOptions { anchors, trusted_keys }, &|_, _| {})
}

/// Public keys in hexadecimal, with commas between.
fn parse_keys(text: &str) -> Result<Vec<Vec<u8>>> {
    let keys = text.split(',').map(|key| {
        unhex(key.trim()).filter(|key| !key.is_empty()).ok_or_else(|| {
            let message = "trusted_keys are public keys in hexadecimal, with commas between";
            Error::new(Code::BadArgument, message).with("argument", "trusted_keys")
        })
    });
    keys.collect()
}

/// # Safety
/// The structure and its texts can be read.
unsafe fn verify_options(options: *const PkVerifyOptions) -> Result<(String, TerminalReport)> {
    // SAFETY: the caller promises the structure.
    let given = unsafe { memory::structure("options", options) }?;
    // SAFETY: the caller promises the texts.
    let anchor = unsafe { memory::optional_field(memory::ANCHOR, given.anchor) }?;
    let anchor = anchor.map(parse_hash).transpose()?;
    // SAFETY: the caller promises the texts.
    let keys = unsafe { memory::optional_field(memory::KEYS, given.trusted_keys) }?;
    let keys = keys.map(parse_keys).transpose()?.unwrap_or_default();
    // SAFETY: the caller promises the texts.
    let archive = unsafe { memory::optional_field(memory::ARCHIVE, given.archive) }?;
    let archive = archive.map(path).transpose()?;
    let beside = |history: History, id: &str| {
        history.with_archives(archive.as_ref().map(|archive| archive.join(id)))
    };
    if given.terminal != 0 {
        let seat = seat::terminal(given.terminal)?;
        // What is still in memory is written out first: the audit reads the files.
        seat.sync()?;
        let id = seat.terminal.id().to_owned();
        let history = beside(seat.terminal.history().clone(), &id);
        return Ok((id, verify_with(&history, anchor.as_ref(), &keys)?));
    }
    // SAFETY: the caller promises the texts.
    let (id, history) = unsafe { history_of(given.root, given.id) }?;
    let history = beside(history, &id);
    Ok((id, verify_with(&history, anchor.as_ref(), &keys)?))
}

/// # Safety
/// The texts can be read.
unsafe fn history_of(root: PkText, id: PkText) -> Result<(String, History)> {
    // SAFETY: the caller promises the text.
    let root = unsafe { root_of(root) }?;
    // SAFETY: the caller promises the text.
    let id = TerminalId::parse(unsafe { memory::field(memory::ID, id) }?)?;
    Ok((id.to_string(), History::of_terminal(&terminal_dir(&root, &id))))
}

/// # Safety
/// The text can be read.
pub(crate) unsafe fn root_of(root: PkText) -> Result<PathBuf> {
    // SAFETY: the caller promises the text.
    let root = unsafe { memory::optional_field(memory::ROOT, root) }?;
    let options = OpenOptions { root: root.map(path).transpose()?, ..OpenOptions::default() };
    Ok(options.resolve_root())
}

fn terminals(root: &std::path::Path) -> Result<Vec<String>> {
    let dir = root.join("terminals");
    let entries = match std::fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && root.is_dir() => {
            return Ok(Vec::new());
        }
        Err(error) => {
            let message = format!("cannot read {}: {error}", dir.display());
            return Err(Error::new(Code::Io, message).with("path", dir.display().to_string()));
        }
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut ids: Vec<String> = names.filter(|name| TerminalId::parse(name).is_ok()).collect();
    ids.sort_unstable();
    Ok(ids)
}

fn inspect(history: &History, from: u64, limit: u64) -> Result<Value> {
    let reader = history.reader()?;
    let limit = limit.clamp(1, RECORDS_MAX);
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
            if records.len() as u64 == limit {
                return Ok(json!({ "records": records, "nextSequence": next, "end": false }));
            }
            next = shown.sequence + 1;
            records.push(shown.value);
        }
        for problem in &scan.problems {
            records.push(json!({
                "segment": segment,
                "offset": problem.offset,
                "problem": problem.message,
            }));
        }
    }
    Ok(json!({ "records": records, "nextSequence": next, "end": true }))
}

fn parse_hash(text: &str) -> Result<[u8; 32]> {
    let digit = |byte: u8| (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    let bytes: Option<Vec<u8>> =
        pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect();
    bytes.filter(|_| text.len() == 64).and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        let message = format!(
            "anchor {text:?} is not 64 hexadecimal digits, as a receipt's hash is: {}",
            Hash([0; 32])
        );
        Error::new(Code::BadArgument, message).with("argument", "anchor")
    })
}
