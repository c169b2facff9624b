//! Bodies for fuzzing: any bytes in place of a segment or a manifest are refused, recovered or
//! reported, and nothing panics. Plain functions, so that a fuzzer and the tests share them.

use pos_kernel_wal::format::{
    BLOCK_BYTES, FRAME_MIN_BYTES, FRAMES_START, LINK_BYTES, MARK_OFFSETS,
};
use pos_kernel_wal::sim::SimStorage;
use pos_kernel_wal::{FlushCause, Options, Reader, Record, Stamp, Wal, WalError};
use std::path::Path;
use std::sync::Arc;

const FOLDER: &str = "/fuzz";

/// What became of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Refused,
    Opened,
    New,
}

/// Reads the bytes as the first segment of a journal, opens it, goes on in it and opens it again.
pub(crate) fn fuzz_segment(bytes: &[u8]) -> Outcome {
    let sim = SimStorage::new(1);
    sim.poke(&Path::new(FOLDER).join("segment-000001.wal"), bytes);
    let unnamed = fuzz_journal(&sim.kill());
    let manifest = "pos-kernel journal 1\noldest 1\ncurrent 1\n";
    let sum = crc32c::crc32c(manifest.as_bytes());
    let manifest = format!("{manifest}crc32c {sum:08x}\n");
    sim.poke(&Path::new(FOLDER).join("manifest"), manifest.as_bytes());
    let named = fuzz_journal(&sim);
    assert_ne!(named, Outcome::New, "a manifest names the segment");
    assert!(unnamed == named || unnamed == Outcome::New);
    named
}

/// The same with every checksum mended, so that the bytes behind them are looked at too.
pub(crate) fn fuzz_mended_segment(bytes: &[u8]) -> Outcome {
    let mut bytes = bytes.to_vec();
    mend(&mut bytes, false);
    fuzz_segment(&bytes)
}

/// The same with the chain mended as well: what somebody could forge who knows the format.
pub(crate) fn fuzz_forged_segment(bytes: &[u8]) -> Outcome {
    let mut bytes = bytes.to_vec();
    mend(&mut bytes, true);
    fuzz_segment(&bytes)
}

/// Reads the bytes as a manifest beside two segments.
pub(crate) fn fuzz_manifest(bytes: &[u8]) -> Outcome {
    let sim = SimStorage::new(1);
    let storage = Arc::new(sim.clone());
    let Ok(opened) = Wal::open(storage, Path::new(FOLDER), options()) else {
        return Outcome::Refused;
    };
    let mut wal = opened.wal;
    let record = Record { kind: 16, flags: 0, body: b"fact" };
    wal.start(Stamp::default(), &[record], &[record]).expect("the disk is in order");
    wal.roll(Stamp::default(), &[record]).expect("the disk is in order");
    drop(wal);
    sim.poke(&Path::new(FOLDER).join("manifest"), bytes);
    fuzz_journal(&sim)
}

fn options() -> Options {
    Options { segment_bytes: 64 << 10, background: false, ..Options::new("FUZZ") }
}

fn fuzz_journal(sim: &SimStorage) -> Outcome {
    let dir = Path::new(FOLDER);
    if let Ok(Some(reader)) = Reader::open(Arc::new(sim.kill()), dir) {
        let oldest = reader.segments().next().unwrap_or(1);
        for segment in reader.segments().take(4) {
            let _ = reader.header(segment);
            let _ = reader.first_frame(segment);
            let Ok(Ok(scan)) = reader.scan(segment, true) else { continue };
            assert!(scan.frames().flat_map(|frame| frame.records()).count() < 1 << 20);
            let _ = (scan.ends(), scan.durable_sequence());
        }
        let _ = reader.segment_of(u64::from(oldest));
    }
    let opened = match Wal::open(Arc::new(sim.clone()), dir, options()) {
        Ok(opened) => opened,
        Err(
            WalError::Damaged(_)
            | WalError::Version { .. }
            | WalError::Option { .. }
            | WalError::Io { .. },
        ) => return Outcome::Refused,
        Err(error) => panic!("opening fails with {error}"),
    };
    let is_new = opened.replay.is_new();
    let records = opened.replay.records().count();
    let mut wal = opened.wal;
    let record = Record { kind: 16, flags: 0, body: b"fact" };
    let at = wal.start(Stamp::default(), &[record], &[record]).expect("the disk is in order");
    wal.wait_durable(at.last_sequence, FlushCause::Sale).expect("the disk is in order");
    drop(wal);
    let again = Wal::open(Arc::new(sim.crash(0)), dir, options()).expect("just written");
    assert!(again.replay.records().count() > usize::from(records == 0));
    assert_eq!(again.replay.last_sequence, at.last_sequence);
    if is_new { Outcome::New } else { Outcome::Opened }
}

/// Writes the checksums that the bytes should have: of the header, of the marks, and of whatever
/// stands where a frame could; with `links`, the chain too.
pub(crate) fn mend(image: &mut [u8], links: bool) {
    if image.len() < BLOCK_BYTES {
        return;
    }
    let sum = crc32c::crc32c(&image[..BLOCK_BYTES - 4]);
    image[BLOCK_BYTES - 4..BLOCK_BYTES].copy_from_slice(&sum.to_le_bytes());
    let mut link = *blake3::hash(&image[..BLOCK_BYTES - 4]).as_bytes();
    let mut salt = [0; 8];
    salt.copy_from_slice(&image[24..32]);
    let salted = |bytes: &[u8]| crc32c::crc32c_append(crc32c::crc32c(&salt), bytes);
    for at in MARK_OFFSETS {
        let Some(block) = image.get_mut(at..at + BLOCK_BYTES) else { return };
        if block.iter().any(|byte| *byte != 0) {
            let sum = salted(&block[..BLOCK_BYTES - 4]);
            block[BLOCK_BYTES - 4..].copy_from_slice(&sum.to_le_bytes());
        }
    }
    let mut at = FRAMES_START;
    while at + FRAME_MIN_BYTES <= image.len() {
        let mut length = [0; 4];
        length.copy_from_slice(&image[at + 4..at + 8]);
        let length = u32::from_le_bytes(length) as usize;
        if length < FRAME_MIN_BYTES || length > image.len() - at {
            at = (at + 1).next_multiple_of(if length == 0 { BLOCK_BYTES } else { 8 });
            continue;
        }
        if links {
            let body = at + 4..at + length - LINK_BYTES;
            link = *blake3::keyed_hash(&link, &image[body.clone()]).as_bytes();
            image[body.end..at + length].copy_from_slice(&link);
        }
        let sum = salted(&image[at + 4..at + length]);
        image[at..at + 4].copy_from_slice(&sum.to_le_bytes());
        at = (at + length).next_multiple_of(8);
    }
}
