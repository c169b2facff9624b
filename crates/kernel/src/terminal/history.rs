//! Reading facts back from the journal: stored answers, receipts, references.
//!
//! Segments are found by a binary search, over the sequence in their headers or the receipt number
//! in the checkpoint that each begins with; one segment is then read. Nothing is kept in memory.

use super::open::{decode, inconsistent};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{Checkpoint, Circle, Fact, RecordKind, SaleCompleted, head_of};
use crate::sale::{Receipt, ReceiptMeta, Sale};
use crate::signing::ReceiptSignature;
use crate::store;
use pos_kernel_wal::storage::Storage;
use pos_kernel_wal::{Frame, Link, OsStorage, Problem, ProblemKind, Reader, SegmentScan};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A fact as it stands in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The fact.
    pub fact: Fact,
    /// Its sequence.
    pub sequence: u64,
    /// Wall time of its frame.
    pub at_ns: i64,
    /// Chain link of its frame.
    pub hash: Link,
}

/// A journal, for reading. Takes no lock and writes nothing.
#[derive(Debug, Clone)]
pub struct History {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    archives: Vec<PathBuf>,
}

impl History {
    /// The journal whose segments lie in `dir` of a storage.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, dir: PathBuf) -> Self {
        Self { storage, dir, archives: Vec::new() }
    }

    /// The journal of the terminal in `dir`, on the operating system's disk, with its archive in the
    /// store.
    #[must_use]
    pub fn of_terminal(dir: &Path) -> Self {
        let history = Self::new(Arc::new(OsStorage), super::open::journal_dir(dir));
        history.with_archives(crate::archive::folder_beside(dir))
    }

    /// The same journal, with segments that are looked for in further folders too.
    #[must_use]
    pub fn with_archives(mut self, archives: impl IntoIterator<Item = PathBuf>) -> Self {
        self.archives.extend(archives);
        self
    }

    /// The folders in which archived segments are looked for.
    #[must_use]
    pub fn archives(&self) -> &[PathBuf] {
        &self.archives
    }

    pub(crate) fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The log's own reader.
    ///
    /// # Errors
    /// `PK_E_NOT_FOUND` when there is no journal; `PK_E_IO`, `PK_E_VERSION`.
    pub fn reader(&self) -> Result<Reader> {
        let storage = self.storage.clone();
        Reader::with_archives(storage, &self.dir, &self.archives)?.ok_or_else(|| {
            let message = format!("there is no journal in {}", self.dir.display());
            Error::new(Code::NotFound, message).with("path", self.dir.display().to_string())
        })
    }

    /// One fact.
    ///
    /// # Errors
    /// `PK_E_NOT_FOUND`, `PK_E_CORRUPT`, `PK_E_IO`.
    pub fn record(&self, sequence: u64) -> Result<Recorded> {
        let mut found = None;
        self.each(sequence, sequence, |recorded| found = Some(recorded))?;
        found.ok_or_else(|| missing("record", sequence))
    }

    /// The receipt whose completion has this sequence.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn receipt_at(&self, sequence: u64) -> Result<Receipt> {
        self.receipt_of(&self.record(sequence)?)
    }

    /// The receipt of a completion.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn receipt_of(&self, completion: &Recorded) -> Result<Receipt> {
        self.receipt_from(completion, |from, to, take| self.each(from, to, take))
    }

    fn receipt_from(
        &self,
        completion: &Recorded,
        read: impl FnOnce(u64, u64, &mut dyn FnMut(Recorded)) -> Result<()>,
    ) -> Result<Receipt> {
        let Fact::SaleCompleted(completed) = &completion.fact else {
            return Err(missing("receipt", completion.sequence));
        };
        let span = (completed.first_sequence, completion.sequence);
        let sale = folded(completed.sale, span, read)?;
        let meta = ReceiptMeta {
            sequence: completion.sequence,
            at_ns: completion.at_ns,
            hash: completion.hash,
        };
        Receipt::of(sale, meta).ok_or_else(|| {
            inconsistent(completion.sequence, "the sale's records are not before it")
        })
    }

    /// A sale as it was after a record, from the sequence of its first one.
    ///
    /// # Errors
    /// As [`Self::record`]; `PK_E_INCONSISTENT`.
    pub(super) fn sale_at(&self, sale: u64, first_sequence: u64, sequence: u64) -> Result<Sale> {
        folded(sale, (first_sequence, sequence), |from, to, take| self.each(from, to, take))
    }

    /// A receipt by its number.
    ///
    /// # Errors
    /// `PK_E_NOT_FOUND` when no such receipt was given; otherwise as [`Self::record`].
    pub fn receipt(&self, number: u64) -> Result<Receipt> {
        self.receipt_in(Circle::Sale, number)
    }

    /// A receipt of a circle by its number.
    ///
    /// # Errors
    /// As [`Self::receipt`].
    pub fn receipt_in(&self, circle: Circle, number: u64) -> Result<Receipt> {
        let (completion, scan) = self.completion_in(circle, number)?;
        self.receipt_from(&completion, |from, to, take| {
            if scan.header().first_sequence <= from {
                return each_in(&scan, from, to, take);
            }
            self.each(from, to, take)
        })
    }

    /// The completion of a receipt, by its number.
    ///
    /// # Errors
    /// As [`Self::receipt`].
    pub fn completion(&self, number: u64) -> Result<Recorded> {
        self.completion_in(Circle::Sale, number).map(|(completion, _)| completion)
    }

    /// The completion of a receipt, and the segment that holds it: a binary search over the first
    /// checkpoints of the segments.
    fn completion_in(&self, circle: Circle, number: u64) -> Result<(Recorded, SegmentScan)> {
        let reader = self.reader()?;
        let given_later = |head: &Checkpoint| next_in(circle, head) <= number;
        let Some(segment) = self.last_segment(&reader, given_later)? else {
            return Err(missing("receipt", number));
        };
        let scan = scan(&reader, segment)?;
        let mut found = None;
        'frames: for frame in scan.frames() {
            for recorded in facts(&frame, Some(RecordKind::SaleCompleted)) {
                let recorded = recorded?;
                let wanted = matches!(&recorded.fact, Fact::SaleCompleted(fact)
                    if fact.receipt == number && circle_of(fact) == circle);
                if wanted {
                    found = Some(recorded);
                    break 'frames;
                }
            }
        }
        match found {
            Some(completion) => Ok((completion, scan)),
            None => {
                whole(&scan)?;
                let oldest = reader.segments().next().unwrap_or(segment);
                if next_in(circle, &self.head(&reader, oldest)?) > number {
                    let message = format!(
                        "receipt {number} stands before segment {oldest}: bring its archive back, \
                         or name the folder where it is"
                    );
                    return Err(Error::new(Code::NotFound, message).with("receipt", number));
                }
                Err(missing("receipt", number))
            }
        }
    }

    /// Visits completions from a receipt on, with their numbers, while `visit` says true.
    pub(crate) fn each_completion(
        &self,
        from: u64,
        mut visit: impl FnMut(u64, &Recorded) -> bool,
    ) -> Result<()> {
        let reader = self.reader()?;
        let given_later = |head: &Checkpoint| head.next_receipt <= from;
        let Some(first) = self.last_segment(&reader, given_later)? else { return Ok(()) };
        for segment in reader.segments().filter(|segment| *segment >= first) {
            let scan = scan(&reader, segment)?;
            for frame in scan.frames() {
                for recorded in facts(&frame, Some(RecordKind::SaleCompleted)) {
                    let recorded = recorded?;
                    if let Fact::SaleCompleted(fact) = &recorded.fact
                        && fact.receipt >= from
                        && circle_of(fact) == Circle::Sale
                        && !visit(fact.receipt, &recorded)
                    {
                        return Ok(());
                    }
                }
            }
            whole(&scan)?;
        }
        Ok(())
    }

    /// The signature of a receipt; `None` when it has none. It may stand in any later segment: the
    /// checkpoints say in which one the receipt was signed.
    ///
    /// # Errors
    /// As [`Self::record`].
    pub fn signature(&self, number: u64) -> Result<Option<ReceiptSignature>> {
        let reader = self.reader()?;
        let signed_later = |head: &Checkpoint| {
            let unsigned = head.signing.as_ref().is_none_or(|signing| {
                signing
                    .unsigned
                    .chunks(2)
                    .any(|run| run[0] <= number && number <= run[run.len() - 1])
            });
            unsigned || head.next_receipt <= number
        };
        let Some(segment) = self.last_segment(&reader, signed_later)? else { return Ok(None) };
        let scan = scan(&reader, segment)?;
        for frame in scan.frames() {
            for recorded in facts(&frame, Some(RecordKind::SignatureAttached)) {
                if let Fact::SignatureAttached(fact) = recorded?.fact
                    && fact.receipt == number
                {
                    return Ok(Some(ReceiptSignature {
                        receipt: fact.receipt,
                        sequence: fact.sequence,
                        link: fact.link.0,
                        signature: fact.signature.0,
                        key_id: fact.key_id.0,
                        late: fact.late,
                    }));
                }
            }
        }
        whole(&scan)?;
        Ok(None)
    }

    /// The last segment whose first checkpoint satisfies `before`, which holds up to some segment and
    /// never behind it; the first one when none does.
    fn last_segment(
        &self,
        reader: &Reader,
        before: impl Fn(&Checkpoint) -> bool,
    ) -> Result<Option<u32>> {
        let segments: Vec<u32> = reader.segments().collect();
        let (mut low, mut high) = (0, segments.len());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if before(&self.head(reader, segments[middle])?) { low = middle } else { high = middle }
        }
        Ok(segments.get(low).copied())
    }

    /// Visits every receipt of a sale that counts, in the order of their numbers. Reads the journal
    /// once.
    ///
    /// # Errors
    /// `PK_E_CORRUPT` once it comes to damage, `PK_E_INCONSISTENT`, `PK_E_IO`, `PK_E_VERSION`.
    pub fn each_receipt(&self, mut visit: impl FnMut(Receipt)) -> Result<()> {
        let mut open: BTreeMap<u64, Sale> = BTreeMap::new();
        let mut contradiction = None;
        self.each(1, u64::MAX, |recorded| {
            let Recorded { fact, sequence, at_ns, hash } = recorded;
            let Some(number) = fact.sale() else { return };
            if let Fact::SaleBegun(begun) = &fact {
                match Sale::begun(begun, sequence, at_ns) {
                    Ok(sale) => drop(open.insert(number, sale)),
                    Err(error) => drop(contradiction.get_or_insert((sequence, error.0))),
                }
                return;
            }
            // A sale that began before the oldest segment kept cannot be told whole.
            let Some(sale) = open.get_mut(&number) else { return };
            if let Err(error) = sale.apply(&fact) {
                contradiction.get_or_insert((sequence, error.0));
            }
            let ended = matches!(
                fact,
                Fact::SaleCompleted(_) | Fact::SaleVoided(_) | Fact::SaleTransferred(_)
            );
            if let Some(sale) = ended.then(|| open.remove(&number)).flatten()
                && let Some(receipt) = Receipt::of(sale, ReceiptMeta { sequence, at_ns, hash })
                && receipt.circle == Circle::Sale
            {
                visit(receipt);
            }
        })?;
        contradiction.map_or(Ok(()), |(sequence, found)| Err(inconsistent(sequence, &found)))
    }

    /// Visits the facts from one sequence to another.
    ///
    /// # Errors
    /// `PK_E_CORRUPT`, `PK_E_IO`, `PK_E_VERSION`.
    pub fn each(&self, from: u64, to: u64, mut visit: impl FnMut(Recorded)) -> Result<()> {
        let reader = self.reader()?;
        // Without one, the number is below the oldest, or a header on the way to it is damaged.
        let first = reader.segment_of(from)?.unwrap_or(0);
        for segment in reader.segments().filter(|segment| *segment >= first) {
            let scan = scan(&reader, segment).map_err(|error| self.unless_unsettled(error))?;
            if scan.header().first_sequence > to {
                break;
            }
            each_in(&scan, from, to, &mut visit)?;
            if scan.last_sequence >= to {
                break;
            }
            whole(&scan).map_err(|error| self.unless_unsettled(error))?;
        }
        Ok(())
    }

    /// How many writes for this journal stand in the log of a store process that is gone, and not in
    /// the journal yet; `None` when there are none, and when the store's locks may not be taken for the
    /// moment that it needs to tell.
    #[must_use]
    pub fn writes_left(&self) -> Option<u64> {
        store::writes_left(&self.storage, self.dir.parent()?).ok()?
    }

    /// What is wrong with the journal, unless it only lacks what a store process that is gone has left
    /// in its log.
    fn unless_unsettled(&self, error: Error) -> Error {
        let Some(writes) = self.writes_left() else { return error };
        let message = format!(
            "the log of the store holds {writes} writes that are not in the journal in {} yet; open \
             the store, or one of its terminals, and read again",
            self.dir.display()
        );
        Error::new(Code::StoreUnsettled, message).with("writes", writes)
    }

    /// Visits the facts of the wanted kinds from a sequence on. Gives the last sequence that is there.
    pub(super) fn each_where(
        &self,
        from: u64,
        wanted: impl Fn(u16) -> bool,
        mut visit: impl FnMut(Recorded),
    ) -> Result<u64> {
        let reader = self.reader()?;
        let first = reader.segment_of(from)?.unwrap_or(0);
        let mut last = 0;
        for segment in reader.segments().filter(|segment| *segment >= first) {
            let scan = scan(&reader, segment)?;
            let facts = |frame: &Frame<'_>| !frame.is_checkpoint() && frame.last_sequence() >= from;
            for frame in scan.frames().filter(facts) {
                for record in frame.records().filter(|record| record.sequence >= from) {
                    if !wanted(record.kind) {
                        continue;
                    }
                    let Some(fact) = decode(record)? else { continue };
                    let (at_ns, hash) = (frame.header.stamp.wall_ns, frame.link());
                    visit(Recorded { fact, sequence: record.sequence, at_ns, hash });
                }
            }
            last = scan.last_sequence;
            whole(&scan)?;
        }
        Ok(last)
    }

    /// The head of a segment's first checkpoint.
    fn head(&self, reader: &Reader, segment: u32) -> Result<Checkpoint> {
        let Some(records) = reader.first_frame(segment)? else {
            // The scan knows what is wrong with it.
            whole(&scan(reader, segment)?)?;
            return Err(missing("segment", segment.into()));
        };
        let bodies = records.iter().map(|(kind, body)| (*kind, &body[..]));
        head_of(&mut { bodies }).map_err(|error| inconsistent(0, &error.0))
    }
}

/// Folds the facts of one sale from one sequence to another.
fn folded(
    number: u64,
    (from, to): (u64, u64),
    read: impl FnOnce(u64, u64, &mut dyn FnMut(Recorded)) -> Result<()>,
) -> Result<Sale> {
    let mut sale: Option<Sale> = None;
    let mut contradiction = None;
    read(from, to, &mut |recorded| {
        if recorded.fact.sale() != Some(number) {
            return;
        }
        let folded = match (&mut sale, &recorded.fact) {
            (None, Fact::SaleBegun(begun)) => Sale::begun(begun, recorded.sequence, recorded.at_ns)
                .map(|begun| {
                    sale = Some(begun);
                }),
            (Some(sale), fact) => sale.apply(fact),
            (None, _) => Ok(()),
        };
        if let Err(error) = folded {
            contradiction.get_or_insert((recorded.sequence, error.0));
        }
    })?;
    if let Some((sequence, found)) = contradiction {
        return Err(inconsistent(sequence, &found));
    }
    sale.ok_or_else(|| inconsistent(to, "the sale's records are not before it"))
}

fn scan(reader: &Reader, segment: u32) -> Result<SegmentScan> {
    reader.scan(segment, false)?.map_err(|problem| damaged(&problem))
}

/// Refuses to read on behind damage. An unreadable mark hides no record.
fn whole(scan: &SegmentScan) -> Result<()> {
    let lost = scan.problems.iter().find(|problem| problem.kind != ProblemKind::Mark);
    lost.map_or(Ok(()), |problem| Err(damaged(problem)))
}

fn damaged(problem: &Problem) -> Error {
    let Problem { segment, offset, message, .. } = problem;
    let text = format!("segment {segment} is damaged at byte {offset}: {message}; run verify");
    Error::new(Code::Corrupt, text).with("segment", *segment).with("offset", *offset)
}

/// Visits the facts of one segment from one sequence to another.
fn each_in(scan: &SegmentScan, from: u64, to: u64, visit: &mut dyn FnMut(Recorded)) -> Result<()> {
    let wanted = |frame: &Frame<'_>| frame.last_sequence() >= from && frame.header.sequence <= to;
    for frame in scan.frames().filter(wanted) {
        for recorded in facts(&frame, None) {
            let recorded = recorded?;
            if (from..=to).contains(&recorded.sequence) {
                visit(recorded);
            }
        }
    }
    Ok(())
}

/// The facts of a frame, or those of one kind; checkpoints left out.
fn facts<'a>(
    frame: &Frame<'a>,
    kind: Option<RecordKind>,
) -> impl Iterator<Item = Result<Recorded>> + use<'a> {
    let (checkpoint, at_ns, hash) =
        (frame.is_checkpoint(), frame.header.stamp.wall_ns, frame.link());
    let wanted = move |number| kind.is_none_or(|kind| number == kind as u16);
    let records = frame.records().filter(move |record| !checkpoint && wanted(record.kind));
    records.filter_map(move |record| {
        let sequence = record.sequence;
        decode(record)
            .map(|fact| fact.map(|fact| Recorded { fact, sequence, at_ns, hash }))
            .transpose()
    })
}

/// The circle in which a receipt has its number.
fn circle_of(fact: &SaleCompleted) -> Circle {
    fact.circle.unwrap_or(Circle::Sale)
}

/// The next receipt number of a circle.
fn next_in(circle: Circle, head: &Checkpoint) -> u64 {
    match circle {
        Circle::Sale => head.next_receipt,
        Circle::Training => head.till.as_ref().map_or(1, |till| till.next_training),
    }
}

fn missing(what: &str, number: u64) -> Error {
    let message = format!("there is no {what} {number} in this journal");
    Error::new(Code::NotFound, message).with(what, number)
}
