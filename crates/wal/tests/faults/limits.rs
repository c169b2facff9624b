//! The edges of a segment: frames that just fit, frames that never will.

use crate::till::{DIR, Model, Op, SEGMENT_BYTES, Till, audit, options};
use pos_kernel_wal::format::{FRAMES_START, frame_bytes};
use pos_kernel_wal::sim::SimStorage;
use pos_kernel_wal::{Options, Record, Stamp, Wal, WalError};
use std::path::Path;
use std::sync::Arc;

#[test]
fn a_seal_always_fits_whatever_the_frames_before_it_left() {
    // Committed one by one, frames move to the next block when they would straddle two; the seal may
    // not, since the room kept for it is directly behind the last frame.
    let mut rolls = 0;
    for size in (8..2400).step_by(if crate::long() { 8 } else { 40 }) {
        let sim = SimStorage::new(1);
        let mut till = Till::open(&sim, Model::default()).unwrap();
        while till.wal().position().segment < 3 {
            till.run(&[Op::Append(size), Op::Commit]).unwrap_or_else(|_| panic!("{size} bytes"));
        }
        for segment in 1..=3 {
            let path = Path::new(DIR).join(format!("segment-{segment:06}.wal"));
            assert_eq!(sim.peek(&path).unwrap().len(), SEGMENT_BYTES as usize, "{size} bytes");
            rolls += 1;
        }
        assert_eq!(audit(&sim).unwrap(), till.model.log, "{size} bytes");
    }
    println!("seals at the end of a segment: segments={rolls} frames beyond the end=0");
}

#[test]
fn a_frame_that_no_segment_can_hold_is_refused_before_anything_is_written() {
    let sim = SimStorage::new(1);
    let mut wal = Wal::open(Arc::new(sim.clone()), Path::new(DIR), options()).unwrap().wal;
    let small = Record { kind: 16, flags: 0, body: b"small" };
    let bytes = vec![1; SEGMENT_BYTES as usize];
    let sized = |size: usize| Record { kind: 16, flags: 0, body: &bytes[..size] };
    let whole = SEGMENT_BYTES as usize - FRAMES_START;
    let too_large = |refused: WalError| matches!(refused, WalError::TooLarge { .. });
    assert!(too_large(wal.start(Stamp::default(), &[small], &[sized(whole)]).unwrap_err()));
    assert!(too_large(wal.start(Stamp::default(), &[sized(whole)], &[small]).unwrap_err()));
    assert_eq!(sim.files(), Vec::<std::path::PathBuf>::new());
    wal.start(Stamp::default(), &[small], &[small]).unwrap();
    let written = sim.calls();
    assert!(too_large(wal.append(Stamp::default(), 0, &[sized(whole)]).unwrap_err()));
    assert!(too_large(wal.roll(Stamp::default(), &[sized(whole)]).unwrap_err()));
    assert_eq!(sim.calls(), written);

    // The largest that is let in can be appended after a roll at the latest, and read back.
    let Err(WalError::TooLarge { limit, .. }) = wal.append(Stamp::default(), 0, &[sized(whole)])
    else {
        panic!("too large");
    };
    let fitting = usize::try_from(limit).unwrap() - frame_bytes([0]);
    let record = sized(fitting);
    let at = match wal.append(Stamp::default(), 0, &[record]) {
        Err(WalError::SegmentFull) => {
            wal.roll(Stamp::default(), &[small]).unwrap();
            wal.append(Stamp::default(), 0, &[record]).unwrap()
        }
        appended => appended.unwrap(),
    };
    wal.wait_durable(at.last_sequence, pos_kernel_wal::FlushCause::Sale).unwrap();
    drop(wal);
    let opened = Wal::open(Arc::new(sim.crash(0)), Path::new(DIR), options()).unwrap();
    assert_eq!(opened.replay.records().last().unwrap().body.len(), fitting);
}

#[test]
fn options_out_of_range_are_refused() {
    let open = |options| Wal::open(Arc::new(SimStorage::new(1)), Path::new(DIR), options);
    for segment_bytes in [0, 4096, (64 << 10) - 4096, (64 << 10) + 1, (1 << 30) + 4096] {
        let refused = open(Options { segment_bytes, ..options() }).unwrap_err();
        assert!(matches!(refused, WalError::Option { name: "segment_bytes", .. }));
    }
    for name in ["", "a-name-of-more-than-thirty-two-bytes"] {
        let refused = open(Options { name: name.to_owned(), ..options() }).unwrap_err();
        assert!(matches!(refused, WalError::Option { name: "name bytes", .. }));
    }
}
