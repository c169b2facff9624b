//! Somebody changes the journal and mends the checksums: the chain shows it.

use crate::fuzz::mend;
use crate::specimen::segment;
use crate::till::{DIR, Model, Op, audit, run, survey};
use pos_kernel_wal::format::{BLOCK_BYTES, FRAMES_START};
use pos_kernel_wal::sim::{Random, SimStorage};
use pos_kernel_wal::{Reader, WalError};
use std::path::Path;
use std::sync::Arc;

fn journal(seed: u64) -> SimStorage {
    let sim = SimStorage::new(seed);
    let mut ops = Vec::new();
    for size in [300, 90, 700, 24, 510] {
        ops.extend([Op::Append(size), Op::Commit, Op::Append(size + 11), Op::Commit]);
    }
    ops.extend([Op::Roll, Op::Append(40), Op::Commit, Op::Append(40), Op::Commit, Op::Mark]);
    let (_, trouble) = run(&sim, Model::default(), &ops);
    assert!(trouble.is_none());
    sim
}

fn frames(sim: &SimStorage, number: u32) -> Vec<(usize, usize)> {
    let reader = Reader::open(Arc::new(sim.clone()), Path::new(DIR)).unwrap().unwrap();
    let scan = reader.scan(number, true).unwrap().unwrap();
    scan.frames().map(|frame| (frame.header.offset as usize, frame.end())).collect()
}

/// Places a changed segment with mended checksums; the reader must see it.
fn must_be_seen(sim: &SimStorage, number: u32, image: &[u8], what: &str) {
    let sim = sim.kill();
    let mut image = image.to_vec();
    mend(&mut image, false);
    assert_ne!(Some(&image), sim.peek(&segment(number)).as_ref(), "{what} changes nothing");
    sim.poke(&segment(number), &image);
    assert!(audit(&sim).is_err(), "{what} is not seen");
}

#[test]
fn an_edit_with_mended_checksums_breaks_the_chain() {
    let sim = journal(1);
    let mut random = Random::new(2);
    let mut attacks = 0;
    for number in [1, 2] {
        let image = sim.peek(&segment(number)).unwrap();
        for (start, end) in frames(&sim, number) {
            let stride = if crate::long() { 1 } else { 5 };
            for at in (start + 8..end).step_by(stride) {
                let mut changed = image.clone();
                changed[at] ^= 1 << random.below(8);
                must_be_seen(&sim, number, &changed, &format!("byte {at} of segment {number}"));
                attacks += 1;
            }
        }
        // The header: its checksum holds, and its hash is the key of the first link.
        for at in (8..BLOCK_BYTES - 4).filter(|at| *at < 140 || *at % 50 == 0) {
            let mut changed = image.clone();
            changed[at] ^= 1;
            must_be_seen(&sim, number, &changed, &format!("header byte {at} of segment {number}"));
            attacks += 1;
        }
    }
    println!("edits with mended checksums: attacks={attacks} undetected=0");
}

#[test]
fn an_owner_refuses_what_it_would_replay_from_a_broken_chain() {
    let sim = journal(1);
    let image = sim.peek(&segment(2)).unwrap();
    let mut refused = 0;
    for (start, end) in frames(&sim, 2) {
        // The clocks, and the link itself: nothing but the chain can tell.
        for at in [start + 24, start + 32, start + 40, end - 1] {
            let sim = sim.kill();
            let mut changed = image.clone();
            changed[at] ^= 1;
            mend(&mut changed, false);
            sim.poke(&segment(2), &changed);
            let Err(WalError::Damaged(damage)) = survey(&sim).map(|found| found.ids) else {
                panic!("byte {at} of the frame at {start} is replayed");
            };
            // A changed link shows at the frame after it, unless it is the last.
            let place = damage.offset as usize;
            assert!(place == start || place == end || place == end.next_multiple_of(BLOCK_BYTES));
            refused += 1;
        }
    }
    println!("replays of a broken chain: attacks={refused} refused=all");
}

#[test]
fn dropped_swapped_and_spliced_frames_are_seen() {
    let (sim, other) = (journal(1), journal(1));
    let image = sim.peek(&segment(1)).unwrap();
    let all = frames(&sim, 1);
    let mut attacks = 0;
    for (index, (start, end)) in all.iter().copied().enumerate().skip(1) {
        let mut dropped = image.clone();
        dropped.copy_within(end.., start);
        let rest = dropped.len() - (end - start);
        dropped[rest..].fill(0);
        must_be_seen(&sim, 1, &dropped, &format!("frame {index} dropped"));
        attacks += 1;
        if let Some((next_start, next_end)) = all.get(index + 1).copied() {
            let mut swapped = image[..start].to_vec();
            swapped.extend_from_slice(&image[next_start..next_end]);
            swapped.extend_from_slice(&image[end..next_start]);
            swapped.extend_from_slice(&image[start..end]);
            swapped.extend_from_slice(&image[next_end..]);
            must_be_seen(&sim, 1, &swapped, &format!("frames {index} and {} swapped", index + 1));
            attacks += 1;
        }
        let mut zeroed = image.clone();
        zeroed[start..end].fill(0);
        must_be_seen(&sim, 1, &zeroed, &format!("frame {index} wiped"));
        attacks += 1;
    }
    // A whole sealed segment from another journal, and one from another place of the same.
    let foreign = other.peek(&segment(2)).unwrap();
    must_be_seen(&sim, 1, &foreign, "another segment's bytes");
    let forged = {
        // Every checksum and every link mended, which takes no secret: the next segment's header
        // still names the old last link.
        let mut forged = image.clone();
        let (start, _) = all[3];
        forged[start + 24] ^= 1;
        mend(&mut forged, true);
        let sim = sim.kill();
        sim.poke(&segment(1), &forged);
        audit(&sim)
    };
    assert!(forged.unwrap_err().contains("chain"), "a sealed segment forged whole");
    attacks += 2;
    println!("dropped, swapped, wiped, spliced and forged frames: attacks={attacks} undetected=0");
}

#[test]
fn what_the_chain_alone_cannot_show_is_the_newest_segment_forged_whole() {
    // Nothing inside the files can: the last link must be known elsewhere (a receipt, a server).
    let sim = journal(1);
    let link_of = |sim: &SimStorage| {
        let reader = Reader::open(Arc::new(sim.clone()), Path::new(DIR)).unwrap().unwrap();
        reader.scan(2, true).unwrap().unwrap().last_link
    };
    let known = link_of(&sim);
    let mut image = sim.peek(&segment(2)).unwrap();
    let (start, _) = frames(&sim, 2)[1];
    assert!(start > FRAMES_START);
    // The clock of the second frame, one nanosecond off.
    image[start + 24] ^= 1;
    mend(&mut image, true);
    sim.poke(&segment(2), &image);
    let reader = Reader::open(Arc::new(sim.clone()), Path::new(DIR)).unwrap().unwrap();
    assert_eq!(reader.scan(2, true).unwrap().unwrap().problems, []);
    assert_ne!(link_of(&sim), known, "a link known elsewhere shows it");
    assert_eq!(survey(&sim).unwrap().problems, 0);
}
