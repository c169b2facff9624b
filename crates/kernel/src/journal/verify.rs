//! The audit: every byte, every link, every number, without the terminal's lock.
//!
//! Each segment begins with a checkpoint and can be folded by itself, so segments are checked side
//! by side on all cores. What ties them together is compared afterwards: the chain, the sequence,
//! and that the fold of one segment ends in exactly the checkpoint that the next begins with. A
//! checkpoint is therefore never believed; it is proved.

use super::checkpoint::{restore, snapshot, snapshot_since};
use super::fact::RecordKind;
use super::returned::{self, Part};
use super::signed::{Proofs, SigningReport, Trust};
use crate::archive;
use crate::code::Code;
use crate::error::Result;
use crate::signing::Archived;
use crate::terminal::History;
use crate::terminal::{fold_record, known_kind};
use crate::till::Till;
use pos_kernel_wal::{
    Frame, Link, Problem, ProblemKind, Reader, SegmentEnds, SegmentScan, SegmentTail,
};
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Problems listed for one terminal; the count goes on.
const PROBLEMS_MAX: usize = 1000;

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyProblem {
    /// Segment.
    pub segment: u32,
    /// Byte offset in it.
    pub offset: u32,
    /// Sequence there; 0 when none can be named.
    pub sequence: u64,
    /// What kind of thing.
    pub code: Code,
    /// A sentence about it.
    pub message: String,
}

/// The audit of one terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalReport {
    /// Good records.
    pub records: u64,
    /// Segments.
    pub segments: u64,
    /// Link of the last good frame.
    pub head: Link,
    /// Sequence of the last good record.
    pub last_sequence: u64,
    /// Receipts given.
    pub receipts: u64,
    /// Bytes behind the last frame that were never durable: torn, or still being written.
    pub torn_bytes: u32,
    /// Sequence of the first record that was read; 0 when none was.
    pub first_sequence: u64,
    /// What the signatures vouch for; `None` when there was never a signer.
    pub signing: Option<SigningReport>,
    /// What was archived, as the journal says.
    pub archived: Option<Archived>,
    /// Segments that were read from an archive.
    pub archive_segments: u64,
    /// All that is wrong, in order, up to a thousand.
    pub problems: Vec<VerifyProblem>,
    /// How many things are wrong in all.
    pub problem_count: u64,
}

/// Told as segments are done: how many of how many.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

type Snapshot = Vec<(RecordKind, Vec<u8>)>;

struct Checked {
    ends: Option<SegmentEnds>,
    begins_with: Option<Snapshot>,
    ends_with: Option<Snapshot>,
    receipts: u64,
    records: u64,
    torn_bytes: u32,
    anchors: Vec<Link>,
    proofs: Proofs,
    archived: Option<Archived>,
    terminal: String,
    parts: Vec<Part>,
    problems: Vec<VerifyProblem>,
}

/// What a journal must agree with beside itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct VerifyOptions<'a> {
    /// Links that were noted elsewhere: each must still be one of the journal's.
    pub anchors: &'a [Link],
    /// Public keys that are trusted to sign; with none, those are taken that the journal names.
    pub trusted_keys: &'a [Vec<u8>],
}

/// Verifies a terminal's journal; with `anchor`, also that a hash printed or noted earlier is still
/// one of its links.
///
/// # Errors
/// `PK_E_NOT_FOUND` when there is no journal; `PK_E_IO`, `PK_E_VERSION`. Damage is in the report.
pub fn verify_terminal(
    history: &History,
    anchor: Option<&Link>,
    progress: Progress<'_>,
) -> Result<TerminalReport> {
    let anchors = anchor.map(std::slice::from_ref).unwrap_or_default();
    verify_journal(history, VerifyOptions { anchors, trusted_keys: &[] }, progress)
}

/// Verifies a terminal's journal, with the segments that stand in its archives, its signatures, and
/// what was noted elsewhere.
///
/// # Errors
/// As [`verify_terminal`].
pub fn verify_journal(
    history: &History,
    options: VerifyOptions<'_>,
    progress: Progress<'_>,
) -> Result<TerminalReport> {
    let reader = history.reader()?;
    let segments: Vec<u32> = reader.segments().collect();
    let mut checked = check_all(&reader, &segments, options.anchors, progress)?;
    let mut problems = Vec::new();
    problems.extend(unsettled(history));
    let archived = checked.last().and_then(|checked| checked.archived);
    if let (Some(archived), Some(first)) = (archived, checked.first()) {
        problems.extend(behind_archive(&archived, segments[0], first));
    }
    problems.extend(archive_problems(history, &checked)?);
    let mut before: Option<&Checked> = None;
    for (segment, checked) in segments.iter().zip(&checked) {
        problems.extend(checked.problems.iter().cloned());
        problems.extend(between(*segment, before, checked));
        before = Some(checked);
    }
    let parts: Vec<Part> =
        checked.iter_mut().flat_map(|checked| std::mem::take(&mut checked.parts)).collect();
    let terminal = checked.first().map_or("", |checked| &checked.terminal);
    problems.extend(returned::problems(&parts, terminal, history));
    for anchor in options.anchors {
        if checked.iter().any(|checked| checked.anchors.contains(anchor)) {
            continue;
        }
        problems.push(VerifyProblem {
            segment: 0,
            offset: 0,
            sequence: 0,
            code: Code::AnchorMissing,
            message: "the anchor is not a link of this journal: it was cut or replaced".to_owned(),
        });
    }
    let trust = Trust::new(options.trusted_keys);
    let is_lost = |it: &VerifyProblem| matches!(it.code, Code::Corrupt | Code::MissingSegment);
    let whole = |it: &Checked| it.ends_with.is_some() && !it.problems.iter().any(is_lost);
    let known_from = checked.first().and_then(|first| first.proofs.first_receipt());
    let proofs = checked.iter().map(|checked| (&checked.proofs, whole(checked)));
    let (signing, faults) = trust.judge(proofs, known_from);
    problems.extend(faults);
    let last = checked.iter().rev().find_map(|checked| checked.ends.as_ref());
    let problem_count = problems.len() as u64;
    problems.truncate(PROBLEMS_MAX);
    Ok(TerminalReport {
        records: checked.iter().map(|checked| checked.records).sum(),
        segments: segments.len() as u64,
        head: last.map_or([0; 32], |ends| ends.last_link),
        last_sequence: last.map_or(0, |ends| ends.last_sequence),
        receipts: checked.iter().map(|checked| checked.receipts).sum(),
        torn_bytes: checked.last().map_or(0, |checked| checked.torn_bytes),
        first_sequence: checked
            .iter()
            .find_map(|it| it.ends.as_ref())
            .map_or(0, |ends| ends.first_sequence),
        signing,
        archived,
        archive_segments: segments.iter().filter(|it| **it < reader.oldest()).count() as u64,
        problems,
        problem_count,
    })
}

/// Says that the journal lacks what a store process that is gone has left in its log. What else is
/// wrong may be only that.
fn unsettled(history: &History) -> Option<VerifyProblem> {
    // A reader that may not take the store's locks cannot tell; the journal speaks for itself.
    let writes = history.writes_left()?;
    let message = format!(
        "the log of the store holds {writes} writes that are not in this journal yet, so whatever \
         else is found may be only that; open the store, or one of its terminals, and verify again"
    );
    let (segment, offset, sequence, code) = (0, 0, 0, Code::StoreUnsettled);
    Some(VerifyProblem { segment, offset, sequence, code, message })
}

fn check_all(
    reader: &Reader,
    segments: &[u32],
    anchors: &[Link],
    progress: Progress<'_>,
) -> Result<Vec<Checked>> {
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Result<Checked>>>> =
        segments.iter().map(|_| Mutex::new(None)).collect();
    let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(segments.len());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(segment) = segments.get(index) else { break };
                    let checked = check(reader, *segment, anchors);
                    *results[index].lock().expect("no checker panics while it holds it") =
                        Some(checked);
                    progress(
                        done.fetch_add(1, Ordering::Relaxed) as u64 + 1,
                        segments.len() as u64,
                    );
                }
            });
        }
    });
    let settled = results.into_iter().map(|result| {
        let result = result.into_inner().expect("the checkers have ended");
        result.expect("every segment was taken by a checker")
    });
    settled.collect()
}

fn check(reader: &Reader, segment: u32, anchors: &[Link]) -> Result<Checked> {
    let mut checked = Checked {
        ends: None,
        begins_with: None,
        ends_with: None,
        receipts: 0,
        records: 0,
        torn_bytes: 0,
        anchors: Vec::new(),
        proofs: Proofs::default(),
        archived: None,
        terminal: String::new(),
        parts: Vec::new(),
        problems: Vec::new(),
    };
    let scan = match reader.scan(segment, true)? {
        Ok(scan) => scan,
        Err(problem) => {
            checked.problems.push(translate(problem));
            return Ok(checked);
        }
    };
    checked.problems.extend(scan.problems.iter().cloned().map(translate));
    checked.ends = Some(scan.ends());
    checked.terminal.clone_from(&scan.header().name);
    if let SegmentTail::Open { torn_bytes } = scan.tail {
        checked.torn_bytes = torn_bytes;
    }
    if !anchors.is_empty() {
        let links = scan.frames().map(|frame| frame.link());
        checked.anchors = links.filter(|link| anchors.contains(link)).collect();
    }
    fold_segment(&scan, &mut checked);
    Ok(checked)
}

fn fold_segment(scan: &SegmentScan, checked: &mut Checked) {
    let mut till: Option<Till> = None;
    let folded = fold_frames(scan, &mut till, checked);
    if let Some(till) = &till {
        checked.proofs.end(till);
        checked.archived = till.archived;
    }
    match folded {
        Ok(()) => checked.ends_with = till.as_ref().map(snapshot),
        Err(problem) => checked.problems.push(problem),
    }
}

fn fold_frames(
    scan: &SegmentScan,
    till: &mut Option<Till>,
    checked: &mut Checked,
) -> std::result::Result<(), VerifyProblem> {
    let mut link = scan.header().link();
    for frame in scan.frames() {
        checked.records += u64::from(frame.header.count);
        fold_frame(&frame, &link, till, checked)
            .map_err(|(sequence, code, message)| problem_at(&frame, sequence, code, message))?;
        link = frame.link();
    }
    Ok(())
}

fn fold_frame(
    frame: &Frame<'_>,
    before: &Link,
    till: &mut Option<Till>,
    checked: &mut Checked,
) -> std::result::Result<(), (u64, Code, String)> {
    let sequence = frame.header.sequence;
    let inconsistent = |message: String| (sequence, Code::Inconsistent, message);
    if frame.is_checkpoint() {
        for record in frame.records() {
            known_kind(record).map_err(|e| (record.sequence, e.code(), e.message().to_owned()))?;
        }
        let records = frame.records().map(|record| (record.kind, record.body));
        let restored = restore(records).map_err(|error| inconsistent(error.to_string()))?;
        let snapshot_here = snapshot(&restored);
        match till {
            Some(till) => {
                if snapshot_since(till) != snapshot_here {
                    let message = "the checkpoint is not what the facts add up to";
                    return Err(inconsistent(message.to_owned()));
                }
                till.keys.saved();
            }
            None => {
                checked.begins_with = Some(snapshot_here);
                checked.proofs.begin(&restored, frame);
                *till = Some(restored);
            }
        }
        return Ok(());
    }
    let Some(till) = till else {
        return Err(inconsistent("the segment does not begin with a checkpoint".to_owned()));
    };
    let receipts = till.next_receipt;
    for record in frame.records() {
        fold_record(till, record, frame.header.stamp.wall_ns)
            .map_err(|e| (record.sequence, e.code(), e.message().to_owned()))?;
        if record.kind == RecordKind::SaleCompleted as u16
            && let Some(sale) = till.last_settled(|_| true)
        {
            let place = (frame.header.segment, frame.header.offset);
            checked.parts.extend(Part::of(sale, place, record.sequence));
        }
        if checked.proofs.concerns(record.kind, till) {
            checked.proofs.see(&checked.terminal, frame, before, record, till);
        }
    }
    checked.receipts += till.next_receipt - receipts;
    Ok(())
}

/// What is wrong with the beginning of a journal whose older segments were archived.
fn behind_archive(archived: &Archived, oldest: u32, first: &Checked) -> Option<VerifyProblem> {
    let problem = |segment, code, message: &str| VerifyProblem {
        segment,
        offset: 0,
        sequence: first.ends.as_ref().map_or(0, |ends| ends.first_sequence),
        code,
        message: message.to_owned(),
    };
    let next = archived.segment.saturating_add(1);
    if oldest > next {
        let message = "the segment is missing: only those before it were archived";
        return Some(VerifyProblem { sequence: 0, ..problem(next, Code::MissingSegment, message) });
    }
    let ends = first.ends.as_ref().filter(|_| oldest == next)?;
    let continues = ends.previous_link == archived.link
        && archived.last_sequence.checked_add(1) == Some(ends.first_sequence);
    let message = "the chain does not lead from the archive into this segment";
    (!continues).then(|| problem(oldest, Code::ChainBroken, message))
}

/// What is wrong with the archives at hand.
fn archive_problems(history: &History, checked: &[Checked]) -> Result<Vec<VerifyProblem>> {
    let problem = |segment, message: String| VerifyProblem {
        segment,
        offset: 0,
        sequence: 0,
        code: Code::Archive,
        message,
    };
    let name = checked.iter().map(|checked| &*checked.terminal).find(|name| !name.is_empty());
    let mut problems = Vec::new();
    for folder in history.archives() {
        let storage = &**history.storage();
        let (manifests, faults) = archive::check(storage, folder, name.unwrap_or_default())?;
        problems.extend(faults.into_iter().map(|fault| problem(fault.segment, fault.message)));
        let moves = checked.iter().flat_map(|checked| checked.proofs.moves());
        for (segments, hash) in moves {
            let is_it =
                |it: &&archive::Manifest| (it.ends().0.segment, it.ends().1.segment) == *segments;
            let other = manifests.iter().find(is_it).filter(|it| it.hash() != *hash);
            problems.extend(other.map(|it| {
                let message = "the manifest is not the one that the journal names".to_owned();
                problem(it.ends().0.segment, message)
            }));
        }
    }
    Ok(problems)
}

/// What ties a segment to the one before it.
fn between(segment: u32, before: Option<&Checked>, after: &Checked) -> Option<VerifyProblem> {
    let begins = after.begins_with.as_ref()?;
    let differs = |message: &str| VerifyProblem {
        segment,
        offset: 0,
        sequence: after.ends.as_ref().map_or(0, |ends| ends.first_sequence),
        code: Code::Inconsistent,
        message: message.to_owned(),
    };
    let Some(before) = before else {
        if let Some(problem) = after.ends.filter(|_| segment == 1).and_then(|ends| ends.begins()) {
            return Some(translate(problem));
        }
        // The oldest segment kept may begin with any state; the very first with none.
        let keys_max = restore(begins.iter().map(|(kind, body)| (*kind as u16, &body[..])))
            .map_or(0, |till| till.keys.keys_max());
        let blank = segment != 1 || *begins == snapshot(&Till::new(keys_max));
        return (!blank).then(|| differs("the journal begins with a state that no fact made"));
    };
    let joint = match (&before.ends, &after.ends) {
        (Some(before), Some(after)) => after.follows(before),
        _ => None,
    };
    if let Some(problem) = joint {
        return Some(translate(problem));
    }
    let differ = before.ends_with.as_ref().is_some_and(|ends| ends != begins);
    differ.then(|| differs("the segment begins with a state that the facts before it do not make"))
}

fn problem_at(frame: &Frame<'_>, sequence: u64, code: Code, message: String) -> VerifyProblem {
    VerifyProblem {
        segment: frame.header.segment,
        offset: frame.header.offset,
        sequence,
        code,
        message,
    }
}

pub(crate) fn translate(problem: Problem) -> VerifyProblem {
    let Problem { kind, segment, offset, sequence, message } = problem;
    let code = match kind {
        ProblemKind::Damaged => Code::Corrupt,
        ProblemKind::ChainBroken => Code::ChainBroken,
        ProblemKind::Missing => Code::MissingSegment,
        ProblemKind::Mark => Code::Mark,
        ProblemKind::Rewritten => Code::AuditContradicted,
    };
    VerifyProblem { segment, offset, sequence, code, message }
}
