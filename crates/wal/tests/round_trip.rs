//! What was appended is read back, over rolls, restarts and many writers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use pos_kernel_wal::{
    FlushCause, Links, Options, OsStorage, Reader, Record, Stamp, Wal, WalError, format,
};
use std::path::Path;
use std::sync::Arc;

const KIND: u16 = 16;
const CHECKPOINT: u16 = 17;

fn options(background: bool) -> Options {
    Options { segment_bytes: 64 << 10, background, ..Options::new("TEST_01") }
}

fn stamp(wall_ns: i64) -> Stamp {
    Stamp { wall_ns, ..Stamp::default() }
}

fn record(body: &[u8]) -> Record<'_> {
    Record { kind: KIND, flags: 0, body }
}

fn open(dir: &Path, background: bool) -> (Wal, Vec<Vec<u8>>, bool) {
    let opened = Wal::open(Arc::new(OsStorage), dir, options(background)).unwrap();
    let bodies =
        opened.replay.records().filter(|r| r.kind == KIND).map(|r| r.body.to_vec()).collect();
    let clean = opened.replay.clean;
    let mut wal = opened.wal;
    let checkpoint = Record { kind: CHECKPOINT, flags: 0, body: b"state" };
    wal.start(stamp(1), &[checkpoint], &[record(b"owner")]).unwrap();
    (wal, bodies, clean)
}

fn append(wal: &Wal, body: &[u8]) -> u64 {
    loop {
        match wal.append(stamp(2), 0, &[record(body)]) {
            Ok(appended) => return appended.last_sequence,
            Err(WalError::SegmentFull) => wal
                .roll(stamp(3), &[Record { kind: CHECKPOINT, flags: 0, body: b"state" }])
                .unwrap(),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_lone_append_is_one_write_and_one_flush() {
    let dir = tempfile::tempdir().unwrap();
    let (wal, ..) = open(dir.path(), false);
    let before = wal.stats();
    for _ in 0..10 {
        let sequence = append(&wal, &[7; 900]);
        wal.wait_durable(sequence, FlushCause::Sale).unwrap();
    }
    let after = wal.stats();
    assert_eq!(after.writes - before.writes, 10);
    assert_eq!(after.flushes.sale - before.flushes.sale, 10);
    assert_eq!(after.flushes.total() - before.flushes.total(), 10);
}

#[test]
fn everything_comes_back_over_many_segments() {
    let dir = tempfile::tempdir().unwrap();
    let (wal, ..) = open(dir.path(), false);
    let mut last = 0;
    for index in 0..2000_u32 {
        last = append(&wal, &[&index.to_le_bytes()[..], &[1; 200]].concat());
    }
    wal.wait_durable(last, FlushCause::Record).unwrap();
    assert!(wal.position().segment > 5);
    drop(wal);

    let reader = Reader::open(Arc::new(OsStorage), dir.path()).unwrap().unwrap();
    let scans: Vec<_> =
        reader.segments().map(|segment| reader.scan(segment, true).unwrap().unwrap()).collect();
    let mut next = 0_u32;
    for pair in scans.windows(2) {
        assert_eq!(pair[1].ends().follows(&pair[0].ends()), None);
    }
    for scan in &scans {
        assert_eq!(scan.problems, []);
        for record in scan.frames().flat_map(|frame| frame.records()) {
            if record.kind == KIND && record.body.len() == 204 {
                assert_eq!(record.body[..4], next.to_le_bytes());
                next += 1;
            }
        }
    }
    assert_eq!(next, 2000);
    assert_eq!(reader.segment_of(last).unwrap(), reader.segments().next_back());
    assert_eq!(reader.segment_of(1).unwrap(), Some(1));
}

#[test]
fn a_log_of_linked_heads_is_chained_like_any_and_is_no_journal() {
    let dir = tempfile::tempdir().unwrap();
    let heads = || Options { links: Links::Heads, ..options(false) };
    let open = |options| Wal::open(Arc::new(OsStorage), dir.path(), options);
    let mut wal = open(heads()).unwrap().wal;
    let checkpoint = Record { kind: CHECKPOINT, flags: 0, body: b"state" };
    wal.start(stamp(1), &[checkpoint], &[record(b"owner")]).unwrap();
    let mut last = 0;
    for index in 0..1000_u32 {
        last = append(&wal, &[&index.to_le_bytes()[..], &[1; 200]].concat());
    }
    wal.wait_durable(last, FlushCause::Record).unwrap();
    let head = wal.position().head;
    drop(wal);
    // Where links of records are asked for it is of another version, and nothing is believed of it.
    let other = |outcome: Result<(), WalError>| match outcome {
        Err(WalError::Version { found, known }) => assert_eq!((found, known), (2, 1)),
        outcome => panic!("{outcome:?}"),
    };
    other(open(options(false)).map(drop));
    let journal = Reader::open(Arc::new(OsStorage), dir.path()).unwrap().unwrap();
    other(journal.scan(1, true).map(drop));
    other(journal.header(1).map(drop));
    let reader = || Reader::linked_by(Links::Heads, Arc::new(OsStorage), dir.path());
    let reader = || reader().unwrap().unwrap();
    let scan = |segment| reader().scan(segment, true).unwrap().unwrap();
    let scans: Vec<_> = reader().segments().map(scan).collect();
    assert!(scans.len() > 2);
    for pair in scans.windows(2) {
        assert_eq!(pair[1].ends().follows(&pair[0].ends()), None);
    }
    assert!(scans.iter().all(|scan| scan.problems.is_empty()));
    assert_eq!(scans.last().unwrap().last_link, head);
    // A frame follows the one before it and no other.
    let frames: Vec<_> = scans[0].frames().collect();
    assert!(frames[2].follows(&frames[1].link()));
    assert!(!frames[2].follows(&frames[0].link()));
    // A rotten byte of a record that was durable is found.
    let file = dir.path().join("segment-000001.wal");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[frames[5].header.offset as usize + format::FRAME_HEAD_BYTES + 30] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert!(!scan(1).problems.is_empty());
    // A journal is no such log either.
    let dir = tempfile::tempdir().unwrap();
    drop(begun(dir.path()));
    let refused = Wal::open(Arc::new(OsStorage), dir.path(), heads()).map(drop);
    assert!(matches!(refused, Err(WalError::Version { found: 1, known: 2 })));
}

fn begun(dir: &Path) -> Wal {
    open(dir, false).0
}

#[test]
fn threads_share_flushes_and_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let opened = Wal::open(
        Arc::new(OsStorage),
        dir.path(),
        Options { segment_bytes: 4 << 20, ..options(true) },
    )
    .unwrap();
    let mut wal = opened.wal;
    wal.start(stamp(1), &[record(b"c")], &[record(b"o")]).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let at = wal.append(stamp(2), 0, &[record(&[3; 300])]).unwrap();
                    wal.wait_durable(at.last_sequence, FlushCause::Sale).unwrap();
                }
            });
        }
    });
    let stats = wal.stats();
    assert_eq!(stats.frames, 802);
    assert!(stats.flushes.sale <= 800);
    assert_eq!(wal.durable_sequence(), wal.position().sequence);
}

#[test]
fn a_clean_end_is_told_from_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let (wal, _, clean) = open(dir.path(), true);
    assert!(clean, "a new journal has nothing to recover");
    append(&wal, b"one");
    wal.write_out().unwrap();
    drop(wal);
    let (wal, bodies, clean) = open(dir.path(), true);
    assert!(!clean);
    assert_eq!(bodies, [b"owner".to_vec(), b"one".to_vec()]);
    wal.append(stamp(4), format::FLAG_OWNER_ENDS, &[record(b"bye")]).unwrap();
    wal.write_out().unwrap();
    drop(wal);
    let (wal, _, clean) = open(dir.path(), true);
    assert!(clean);
    assert_eq!(wal.position().epoch, 3);
}
