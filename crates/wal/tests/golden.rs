//! A journal of format version 1 that must be readable for ever, and must still be what is written.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use pos_kernel_wal::format::{FLAG_CHECKPOINT, FLAG_OWNER_ENDS};
use pos_kernel_wal::sim::SimStorage;
use pos_kernel_wal::{
    FlushCause, Options, OsStorage, Reader, Record, SegmentTail, Stamp, Wal, WalError,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const FILES: [&str; 3] = ["manifest", "segment-000001.wal", "segment-000002.wal"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/format-1")
}

fn fact(body: &[u8]) -> Record<'_> {
    Record { kind: 16, flags: 0, body }
}

fn state(body: &[u8]) -> Record<'_> {
    Record { kind: 17, flags: 1, body }
}

/// 2026-01-02T03:04:05Z and so many seconds.
fn stamp(second: u64) -> Stamp {
    let wall_ms = 1_767_323_045_000 + second * 1000;
    let wall_ns = i64::try_from(wall_ms * 1_000_000).unwrap();
    Stamp { wall_ns, mono_ns: 7_000_000_000 + second, hlc: wall_ms << 16 | second }
}

fn options() -> Options {
    Options { segment_bytes: 64 << 10, background: false, entropy: 42, ..Options::new("TILL_01") }
}

/// Two owners, two segments, gaps, a mark, frames of several records.
fn write(sim: &SimStorage, dir: &Path) -> Result<(), WalError> {
    let storage = Arc::new(sim.clone());
    let mut wal = Wal::open(storage.clone(), dir, options())?.wal;
    wal.start(stamp(0), &[state(b"nothing yet")], &[fact(b"first owner")])?;
    for second in 1..=3 {
        let long = vec![b'a'; 1400];
        let at = wal.append(stamp(second), 0, &[fact(b"coffee"), fact(b""), fact(&long)])?;
        wal.wait_durable(at.last_sequence, FlushCause::Sale)?;
    }
    wal.mark()?;
    let at = wal.append(stamp(4), FLAG_OWNER_ENDS, &[fact(b"good night")])?;
    wal.wait_durable(at.last_sequence, FlushCause::Close)?;
    drop(wal);
    let mut wal = Wal::open(storage, dir, options())?.wal;
    wal.start(stamp(100), &[state(b"unused")], &[fact(b"second owner")])?;
    wal.roll(stamp(101), &[state(b"three coffees")])?;
    let at = wal.append(stamp(102), 0, &[fact(b"tea")])?;
    wal.wait_durable(at.last_sequence, FlushCause::Sale)?;
    wal.append(stamp(103), FLAG_CHECKPOINT, &[state(b"three coffees, one tea")])?;
    let at = wal.append(stamp(104), 0, &[fact(b"cake")])?;
    wal.wait_durable(at.last_sequence, FlushCause::Sale)?;
    wal.mark()
}

#[test]
fn the_bytes_written_today_are_those_of_format_1() {
    let (sim, dir) = (SimStorage::new(1), Path::new("/golden"));
    write(&sim, dir).unwrap();
    for file in FILES {
        let written = sim.peek(&dir.join(file)).unwrap();
        // To make the files of a new format version: run once with PK_WRITE_GOLDEN set.
        if std::env::var_os("PK_WRITE_GOLDEN").is_some() {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(folder().join(file), &written).unwrap();
        }
        let kept = std::fs::read(folder().join(file)).unwrap();
        assert!(written == kept, "{file} is written with other bytes than before");
    }
}

#[test]
fn a_journal_of_format_1_is_read_verified_and_continued() {
    let reader = Reader::open(Arc::new(OsStorage), &folder()).unwrap().unwrap();
    assert_eq!(reader.segments().collect::<Vec<_>>(), [1, 2]);
    let scans = [1, 2].map(|segment| reader.scan(segment, true).unwrap().unwrap());
    assert_eq!(scans[1].ends().follows(&scans[0].ends()), None);
    assert_eq!(
        scans.each_ref().map(|scan| scan.tail),
        [SegmentTail::Sealed, SegmentTail::Open { torn_bytes: 0 }]
    );
    for scan in &scans {
        assert_eq!(scan.problems, []);
        assert_eq!(scan.header().name, "TILL_01");
    }
    let bodies: Vec<_> = scans[1]
        .frames()
        .flat_map(|frame| frame.records())
        .map(|record| (record.sequence, String::from_utf8_lossy(record.body).into_owned()))
        .collect();
    assert_eq!(
        bodies,
        [
            (15, "three coffees".to_owned()),
            (16, "tea".to_owned()),
            (17, "three coffees, one tea".to_owned()),
            (18, "cake".to_owned()),
        ]
    );
    assert_eq!(scans[1].durable_sequence(), 18);

    let dir = tempfile::tempdir().unwrap();
    for file in FILES {
        std::fs::copy(folder().join(file), dir.path().join(file)).unwrap();
    }
    let opened = Wal::open(Arc::new(OsStorage), dir.path(), options()).unwrap();
    assert_eq!((opened.replay.epoch, opened.replay.last_sequence), (2, 18));
    assert!(!opened.replay.clean);
    let mut wal = opened.wal;
    let at = wal.start(stamp(200), &[state(b"unused")], &[fact(b"third owner")]).unwrap();
    assert_eq!((at.last_sequence, wal.position().epoch), (19, 3));
}
