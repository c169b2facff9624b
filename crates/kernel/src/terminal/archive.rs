//! Moving sealed segments into an archive.
//!
//! ```text
//! check -> copy, sync, rename -> read back -> manifest, sync -> SegmentsArchived, durable
//!       -> the journal's manifest names the new oldest segment, durable -> remove
//! ```
//! A crash at any arrow leaves every segment in the journal, in the archive, or in both, and the next
//! call goes on: copies that stand already are compared and not made again, a journaled archive is
//! compared with its manifest before anything is removed.
//!
//! Only the segment in use stays. What the till still needs of older ones (the answer of a remembered
//! key, a receipt for a return, one that awaits its signature) is read from the archive; while that
//! is not at hand, such a call is refused and nothing is guessed.

use super::Terminal;
use crate::archive::{ArchivedSegment, Manifest, ManifestSignature, check};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{Fact, Hash, SegmentsArchived, restore};
use crate::signing::statement;
use pos_kernel_wal::archive::{copy_segment, make_folder};
use pos_kernel_wal::storage::replace;
use pos_kernel_wal::{FlushCause, Reader, SegmentTail};
use std::path::PathBuf;
use std::sync::PoisonError;

/// What was archived.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchiveReport {
    /// The folder.
    pub folder: PathBuf,
    /// What was moved by this call; `None` when it only finished an earlier one.
    pub manifest: Option<Manifest>,
    /// Segments that left the journal's folder.
    pub removed: u32,
    /// The oldest segment that the journal still has.
    pub oldest_segment: u32,
}

impl Terminal {
    /// Moves sealed segments into the archive: all of them, or those up to `upto_segment`. Sales go on meanwhile.
    ///
    /// Durable when it returns: copies, manifest, and the fact that says so.
    ///
    /// # Errors
    /// `PK_E_NOTHING_TO_ARCHIVE`; `PK_E_CORRUPT` and `PK_E_CHAIN_BROKEN` when a segment is damaged
    /// (nothing was moved); `PK_E_ARCHIVE` when an earlier archive is not what was archived;
    /// `PK_E_IO`, `PK_E_NO_SPACE`, and those of any call.
    pub fn archive(&self, upto_segment: Option<u32>) -> Result<ArchiveReport> {
        let _one_at_a_time = self.archiving.lock().unwrap_or_else(PoisonError::into_inner);
        let mut removed = self.finish_archive()?;
        let archived = self.lock()?.till.archived;
        let reader = self.history.reader()?;
        let (_, current) = self.wal.extent();
        let first = archived.map_or(1, |archived| archived.segment + 1);
        let last = upto_segment.map_or(current - 1, |upto| upto.min(current - 1));
        let mut manifest = None;
        if last >= first {
            let made = self.copy_out(&reader, first, last)?;
            self.journal_archive(&made)?;
            removed += self.wal.retire(last + 1)?;
            manifest = Some(made);
        } else if removed == 0 {
            let message = format!(
                "there is no sealed segment to archive: segment {first} is not sealed yet, or not \
                 asked for"
            );
            return Err(Error::new(Code::NothingToArchive, message).with("segment", first));
        }
        let oldest_segment = self.wal.extent().0;
        Ok(ArchiveReport { folder: self.archive.clone(), manifest, removed, oldest_segment })
    }

    /// Removes what an earlier call has archived and journaled and not removed, once its copies have
    /// been compared.
    fn finish_archive(&self) -> Result<u32> {
        let archived = self.lock()?.till.archived;
        let Some(archived) = archived else { return Ok(0) };
        let storage = &**self.history.storage();
        let numbers = pos_kernel_wal::archive::segments_in(storage, self.history.dir())?;
        let left: Vec<u32> = numbers.into_iter().filter(|it| *it <= archived.segment).collect();
        if left.is_empty() {
            return Ok(0);
        }
        let (manifests, faults) = check(storage, &self.archive, self.id.as_str())?;
        let copies = || manifests.iter().flat_map(|manifest| &manifest.segments);
        for segment in left {
            let is_hurt = faults.iter().any(|fault| fault.segment == segment);
            let copy = copies().find(|copy| copy.segment == segment).filter(|_| !is_hurt);
            let stands = copy.is_some_and(|copy| {
                pos_kernel_wal::archive::hash_segment(storage, &self.archive, segment)
                    .is_ok_and(|found| found.hash == copy.hash)
            });
            if !stands {
                let message = format!(
                    "segment {segment} was archived, and {} does not hold it as it was; nothing is \
                     removed",
                    self.archive.display()
                );
                return Err(Error::new(Code::Archive, message).with("segment", segment));
            }
        }
        Ok(self.wal.retire(archived.segment + 1)?)
    }

    /// Checks and copies segments, and writes their manifest.
    fn copy_out(&self, reader: &Reader, first: u32, last: u32) -> Result<Manifest> {
        let storage = &**self.history.storage();
        make_folder(storage, &self.archive)?;
        let mut segments: Vec<ArchivedSegment> = Vec::new();
        let mut link_in = [0; 32];
        let mut ends = None;
        for segment in first..=last {
            let scan = reader.scan(segment, true)?.map_err(|problem| refused(segment, &problem))?;
            if let Some(problem) = scan.problems.first() {
                return Err(refused(segment, problem));
            }
            assert_eq!(scan.tail, SegmentTail::Sealed, "only the segment in use is not sealed");
            let here = scan.ends();
            if let Some(problem) = ends.as_ref().and_then(|before| here.follows(before)) {
                return Err(refused(segment, &problem));
            }
            if segment == first {
                link_in = here.previous_link;
            }
            ends = Some(here);
            let copied = copy_segment(storage, self.history.dir(), &self.archive, segment)?;
            let receipts = (next_receipt(reader, segment)?, next_receipt(reader, segment + 1)? - 1);
            segments.push(ArchivedSegment {
                segment,
                bytes: copied.bytes,
                sequences: (here.first_sequence, here.last_sequence),
                receipts,
                link: here.last_link,
                hash: copied.hash,
            });
        }
        let mut core = self.lock()?;
        let made_ns = core.hlc.stamp(&*self.clock).wall_ns;
        let is_up = core.till.signing.as_ref().is_some_and(|signing| signing.up);
        let signer = core.signer.clone().filter(|_| is_up);
        drop(core);
        let terminal = self.id.as_str().to_owned();
        let mut manifest = Manifest { terminal, made_ns, link_in, segments, signature: None };
        let words = statement::manifest(&manifest.terminal, &manifest.hash());
        manifest.signature = signer.and_then(|it| it.sign(&words)).map(|(info, signature)| {
            ManifestSignature { algorithm: info.algorithm, key: info.key, signature }
        });
        let path = self.archive.join(manifest.file_name());
        replace(storage, &path, manifest.to_text().as_bytes())
            .map_err(|error| Error::io("write", &path, &error))?;
        Ok(manifest)
    }

    fn journal_archive(&self, manifest: &Manifest) -> Result<()> {
        let (first, last) = manifest.ends();
        let fact = Fact::from(SegmentsArchived {
            from_segment: first.segment,
            to_segment: last.segment,
            last_sequence: last.sequences.1,
            link: Hash(last.link),
            manifest: Hash(manifest.hash()),
            place: shown(&self.archive),
        });
        let mut core = self.lock()?;
        self.wal.reserve()?;
        let sequence = self.append(&mut core, &[fact], 0)?.last_sequence;
        drop(core);
        Ok(self.wal.wait_durable(sequence, FlushCause::Record)?)
    }
}

/// A path as a record holds it.
fn shown(path: &std::path::Path) -> String {
    let text: String = path.display().to_string().chars().filter(|it| !it.is_control()).collect();
    let most = crate::limits::SIGNER_TEXT_BYTES_MAX;
    let start = text.char_indices().map(|(at, _)| at).find(|at| text.len() - at <= most);
    text[start.unwrap_or(text.len())..].to_owned()
}

fn next_receipt(reader: &Reader, segment: u32) -> Result<u64> {
    let damaged = || {
        let message = format!("the first frame of segment {segment} is damaged; run verify");
        Error::new(Code::Corrupt, message).with("segment", segment)
    };
    let records = reader.first_frame(segment)?.ok_or_else(damaged)?;
    let records = records.iter().map(|(kind, body)| (*kind, &body[..]));
    Ok(restore(records).map_err(|_| damaged())?.next_receipt)
}

fn refused(segment: u32, problem: &pos_kernel_wal::Problem) -> Error {
    let code = match problem.kind {
        pos_kernel_wal::ProblemKind::ChainBroken => Code::ChainBroken,
        _ => Code::Corrupt,
    };
    let message = format!(
        "segment {segment} is damaged at byte {}: {}; it is not archived, run verify",
        problem.offset, problem.message
    );
    Error::new(code, message).with("segment", segment).with("offset", problem.offset)
}
