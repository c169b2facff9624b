//! Segment files: their names, their preparation ahead of use, and reading one whole.

use crate::error::WalError;
use crate::format::{
    BLOCK_BYTES, HeaderFault, Links, MARK_OFFSETS, Mark, SegmentHeader, is_blank, used_bytes,
};
use crate::storage::{Access, Storage, StorageFile};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Written at a time when a segment is prepared: large enough for the disk, small enough for memory.
const FILL_BYTES: usize = 64 * 1024;
/// Read at a time: small enough to stay in the processor's cache.
const READ_BYTES: usize = 64 * 1024;
/// The largest page that a system caches at once.
const PAGE_BYTES_MAX: usize = 64 * 1024;
static ZEROS: [u8; FILL_BYTES] = [0; FILL_BYTES];
const _: () = assert!(FILL_BYTES.is_multiple_of(BLOCK_BYTES));

/// The file of a segment of the journal in `dir`.
#[must_use]
pub fn path(dir: &Path, segment: u32) -> PathBuf {
    dir.join(format!("segment-{segment:06}.wal"))
}

/// The number in a segment's file name; `None` for any other name.
#[must_use]
pub fn number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("segment-")?.strip_suffix(".wal")?;
    let number = digits.parse().ok()?;
    (number >= 1 && digits.len() >= 6 && format!("{number:06}") == digits).then_some(number)
}

/// Numbers of the segment files in a folder, ascending.
pub(crate) fn list(storage: &dyn Storage, dir: &Path) -> io::Result<Vec<u32>> {
    let mut numbers: Vec<u32> = storage.list(dir)?.iter().filter_map(|name| number(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads bytes after the system was asked to forget them. It drops whole pages only.
pub(crate) fn read_from_device(
    file: &dyn StorageFile,
    buffer: &mut [u8],
    offset: usize,
) -> io::Result<()> {
    let first = offset / PAGE_BYTES_MAX * PAGE_BYTES_MAX;
    let last = (offset + buffer.len()).next_multiple_of(PAGE_BYTES_MAX);
    file.forget_cached(first as u64..last as u64)?;
    if file.read_at(buffer, offset as u64)? < buffer.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// True when a segment's file has its full size.
pub(crate) fn stands(storage: &dyn Storage, dir: &Path, segment: u32, segment_bytes: u32) -> bool {
    let file = storage.open(&path(dir, segment), Access::Read);
    file.and_then(|file| file.size()).is_ok_and(|size| size == u64::from(segment_bytes))
}

/// Makes a segment file of zeros, durable in content and name. An append into it then never
/// allocates: one device flush, one block. A file that is already blank is only synced.
pub(crate) fn prepare(
    storage: &dyn Storage,
    dir: &Path,
    segment: u32,
    segment_bytes: u32,
) -> io::Result<Arc<dyn StorageFile>> {
    let path = path(dir, segment);
    let filled = blank_file(storage, &path, segment_bytes);
    let prepared = filled.and_then(|file| storage.sync_dir(dir).map(|()| file));
    if prepared.is_err() {
        // A half-filled file holds the space that the shop may need to free itself, and after a
        // failed sync nobody knows what it holds.
        let _ = storage.remove(&path);
    }
    prepared
}

fn blank_file(
    storage: &dyn Storage,
    path: &Path,
    segment_bytes: u32,
) -> io::Result<Arc<dyn StorageFile>> {
    if let Ok(file) = storage.open(path, Access::Write)
        && file.size()? == u64::from(segment_bytes)
    {
        file.sync()?;
        file.forget_cached(0..u64::from(segment_bytes))?;
        if is_blank_file(&*file)? {
            return Ok(file);
        }
    }
    // Space that a file of this size holds is not given back in between.
    let kept = storage.open(path, Access::Write).ok();
    let kept = kept.filter(|file| file.size().is_ok_and(|size| size == u64::from(segment_bytes)));
    let file = kept.map_or_else(|| storage.open(path, Access::Create), Ok)?;
    let mut offset = 0;
    while offset < segment_bytes as usize {
        let size = FILL_BYTES.min(segment_bytes as usize - offset);
        file.write_at(&ZEROS[..size], offset as u64)?;
        offset += size;
    }
    file.sync()?;
    Ok(file)
}

fn is_blank_file(file: &dyn StorageFile) -> io::Result<bool> {
    let mut buffer = vec![0; FILL_BYTES];
    let mut offset = 0;
    loop {
        let read = file.read_at(&mut buffer, offset)?;
        if read == 0 {
            return Ok(true);
        }
        if !is_blank(&buffer[..read]) {
            return Ok(false);
        }
        offset += read as u64;
    }
}

/// A whole segment in memory.
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
    /// No byte from here on is anything but zero.
    pub(crate) used: usize,
    pub(crate) header: SegmentHeader,
    /// The newer of the marks that can be believed.
    pub(crate) mark: Mark,
    /// Slots that cannot be believed: torn by a power cut, or damaged.
    pub(crate) broken_marks: Vec<usize>,
}

impl Image {
    /// The bytes from an offset on, without the blank end.
    pub(crate) fn used_from(&self, offset: usize) -> &[u8] {
        &self.bytes[offset..self.used.max(offset)]
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Image").field("segment", &self.header.segment).finish_non_exhaustive()
    }
}

/// What a segment file turned out to be.
pub(crate) enum Loaded {
    Live(Box<Image>),
    /// No header yet: prepared, or not even that.
    Blank,
    Broken {
        offset: u32,
        found: &'static str,
    },
}

pub(crate) fn load(
    storage: &dyn Storage,
    dir: &Path,
    (segment, links): (u32, Links),
    access: Access,
) -> Result<Option<(Arc<dyn StorageFile>, Loaded)>, WalError> {
    let path = path(dir, segment);
    let file = match storage.open(&path, access) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(WalError::io("open", &path)(error)),
    };
    let (bytes, used) = read_whole(&*file).map_err(WalError::io("read", &path))?;
    let loaded = interpret(bytes, used, (segment, links))?;
    Ok(Some((file, loaded)))
}

/// Reads a segment, and where it stops being used. Of a prepared one only the blank header, since
/// nothing stands behind it.
///
/// Blank pieces are not copied: memory that nobody has touched costs nothing, and most of a segment
/// in use can be that.
fn read_whole(file: &dyn StorageFile) -> io::Result<(Vec<u8>, usize)> {
    let mut piece = vec![0; READ_BYTES];
    let read = file.read_at(&mut piece[..BLOCK_BYTES], 0)?;
    if is_blank(&piece[..read]) {
        return Ok((Vec::new(), 0));
    }
    let mut bytes = vec![0; usize::try_from(file.size()?).map_err(io::Error::other)?];
    let (mut at, mut used) = (0, 0);
    while at < bytes.len() {
        let read = file.read_at(&mut piece, at as u64)?.min(bytes.len() - at);
        if read == 0 {
            bytes.truncate(at);
            break;
        }
        if !is_blank(&piece[..read]) {
            bytes[at..at + read].copy_from_slice(&piece[..read]);
            used = at + used_bytes(&piece[..read]);
        }
        at += read;
    }
    Ok((bytes, used))
}

/// Reads header and marks of an image. One whose links cover something else is of another version.
pub(crate) fn interpret(
    bytes: Vec<u8>,
    used: usize,
    (segment, links): (u32, Links),
) -> Result<Loaded, WalError> {
    let broken = |offset: usize, found| Ok(Loaded::Broken { offset: offset_u32(offset), found });
    if bytes.is_empty() {
        return Ok(Loaded::Blank);
    }
    let header = match header_of(&bytes, links)? {
        Ok(Some(header)) => header,
        Ok(None) => return Ok(Loaded::Blank),
        Err(found) => return broken(0, found),
    };
    if header.segment != segment {
        return broken(0, "segment header belongs to another segment");
    }
    if bytes.len() != header.segment_bytes as usize {
        return broken(bytes.len(), "segment file has lost its length");
    }
    let mut mark = Mark::default();
    let mut broken_marks = Vec::new();
    for offset in MARK_OFFSETS {
        match Mark::from_block(&bytes[offset..], header.salt) {
            Ok(Some(slot)) if slot.counter > mark.counter => mark = slot,
            Ok(_) => {}
            Err(_) => broken_marks.push(offset),
        }
    }
    Ok(Loaded::Live(Box::new(Image { bytes, used, header, mark, broken_marks })))
}

/// Reads the header of a segment whose links are to cover this; the inner error says what is wrong.
pub(crate) fn header_of(
    block: &[u8],
    links: Links,
) -> Result<Result<Option<SegmentHeader>, &'static str>, WalError> {
    let other = |found| WalError::Version { found, known: links.version() };
    match SegmentHeader::from_block(block) {
        Ok(Some(header)) if header.links != links => Err(other(header.links.version())),
        Ok(header) => Ok(Ok(header)),
        Err(HeaderFault::Version(found)) => Err(other(found)),
        Err(HeaderFault::Broken(found)) => Ok(Err(found)),
    }
}

pub(crate) fn offset_u32(offset: usize) -> u32 {
    u32::try_from(offset).expect("a segment is smaller than 4 GiB")
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_the_exact_file_name_is_a_segment() {
        assert_eq!(super::number("segment-000001.wal"), Some(1));
        assert_eq!(super::number("segment-1234567.wal"), Some(1_234_567));
        for name in ["segment-1.wal", "segment-000000.wal", "segment-000001.wal.tmp", "manifest"] {
            assert_eq!(super::number(name), None, "{name}");
        }
    }
}
