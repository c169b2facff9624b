//! Damage behind the log's back: cut files, flipped bits, zeroed, swapped, misplaced and stale
//! blocks. Each is refused at the right place, or recovered to a prefix that holds every marked
//! record, or changes nothing that anybody could read.

use crate::long;
use crate::specimen::{Specimen, Tally, frames_of, in_parallel, injure, refusal, segment};
use crate::till::{DIR, Model, Op, SEGMENT_BYTES, Trouble, audit, run, same, survey};
use pos_kernel_wal::Reader;
use pos_kernel_wal::format::{BLOCK_BYTES, FRAMES_START, MARK_OFFSETS, is_blank};
use pos_kernel_wal::sim::{Random, SECTOR_BYTES, SimStorage};
use std::path::Path;
use std::sync::Arc;

#[test]
fn a_segment_cut_at_every_byte_of_its_last_five_frames_is_refused_or_recovered() {
    for unmarked in [true, false] {
        let specimen = Specimen::new(unmarked);
        let from = specimen.frames[specimen.frames.len() - 5].0;
        let cuts = specimen.end() - from + 1;
        let truncated = in_parallel(cuts, &|index| {
            injure(&specimen, &specimen.image[..from + index], &|| {
                format!("cut at {}", from + index)
            })
        });
        let zeroed = in_parallel(cuts, &|index| {
            let mut image = specimen.image.clone();
            image[from + index..].fill(0);
            injure(&specimen, &image, &|| format!("zeros from {}", from + index))
        });
        println!("cut at every byte of the last 5 frames, truncated: {truncated}");
        println!("cut at every byte of the last 5 frames, zeroed tail: {zeroed}");
        assert_eq!(truncated.refused, truncated.cases, "a segment never gets shorter");
        assert_eq!(zeroed.silent + zeroed.unnoticed + zeroed.reported, 0);
        assert_eq!(zeroed.refused + zeroed.ambiguous + zeroed.unchanged, zeroed.cases);
        assert_eq!(zeroed.ambiguous > 0, unmarked);
    }
}

/// The bytes whose bits are flipped: everything in use, and a sample of the blank rest.
fn flip_places(specimen: &Specimen) -> Vec<usize> {
    let used = specimen.end().next_multiple_of(8);
    let mut random = Random::new(11);
    let sample = if long() { 4000 } else { 60 };
    let rest = (0..sample).map(|_| used + random.below(SEGMENT_BYTES as usize - used));
    (0..used).chain(rest).collect()
}

#[test]
fn every_flipped_bit_is_refused_recovered_or_reported() {
    let specimen = Specimen::new(true);
    let places = flip_places(&specimen);
    // Each byte has one of its bits flipped in the short form, all eight in the long one. Header and
    // mark blocks hold mostly zeros; the short form takes every third byte of those zeros.
    let bits = if long() { 8 } else { 1 };
    let thin = |at: usize| {
        !long() && at < FRAMES_START && specimen.image[at] == 0 && !at.is_multiple_of(3)
    };
    let flip = |index: usize| {
        let (at, bit) = (places[index / bits], index % bits);
        if thin(at) {
            return Tally::default();
        }
        let bit = if long() { bit } else { (at * 5 + at / 7) % 8 };
        let mut image = specimen.image.clone();
        image[at] ^= 1 << bit;
        let tally = injure(&specimen, &image, &|| format!("bit {bit} of byte {at}"));
        let in_last_batch = at >= specimen.frames[18].0;
        if tally.ambiguous > 0 {
            assert!(in_last_batch, "bit {bit} of byte {at}: outside the last batch");
        }
        if at < BLOCK_BYTES {
            assert_eq!(tally.refused, 1, "bit {bit} of header byte {at}");
        } else if at < FRAMES_START {
            assert_eq!(tally.reported, 1, "bit {bit} of mark byte {at}");
        } else if at < specimen.frames[18].0 {
            assert_eq!(tally.refused, 1, "bit {bit} of byte {at}");
        }
        tally
    };
    let tally = in_parallel(places.len() * bits, &flip);
    println!("flipped bits: {tally}");
    assert_eq!(tally.silent + tally.mark_broken_too + tally.unnoticed, 0);
    assert_eq!(tally.unchanged, 0);
}

#[test]
fn without_any_mark_each_frame_is_vouched_for_by_the_one_after_it() {
    let sim = SimStorage::new(3);
    let ops: Vec<Op> = [300, 90, 700, 24, 510, 1300, 60, 60, 250, 900]
        .iter()
        .flat_map(|size| [Op::Append(*size), Op::Commit])
        .collect();
    let (model, trouble) = run(&sim, Model::default(), &ops);
    assert!(trouble.is_none());
    let image = sim.peek(&segment(1)).unwrap();
    assert!(is_blank(&image[BLOCK_BYTES..FRAMES_START]), "no mark was written");
    let frames = frames_of(&sim);
    let marked = model.log.len() - 1;
    let specimen = Specimen { sim, ids: model.log, marked, past: Vec::new(), image, frames };
    let last = specimen.frames[specimen.frames.len() - 1].0;
    let tally = in_parallel(specimen.end() - FRAMES_START, &|index| {
        let at = FRAMES_START + index;
        let mut image = specimen.image.clone();
        image[at] ^= 1 << (at % 8);
        let tally = injure(&specimen, &image, &|| format!("byte {at}"));
        assert_eq!(tally.refused, u64::from(at < last), "byte {at}");
        tally
    });
    println!("flipped bits of a journal without marks: {tally}");
    assert_eq!(tally.silent + tally.unnoticed, 0);
}

#[test]
fn a_frame_of_an_earlier_owner_behind_the_new_owners_is_cut_and_not_believed() {
    // Two frames wait unsynced when the power fails: the first is torn, the second lands. The next
    // owner's first frame is as long as the torn one; the zeros behind it are lost to a second cut.
    let sim = SimStorage::new(3);
    let ops = [Op::Append(300), Op::Commit, Op::Append(40), Op::Append(60), Op::WriteOut];
    let (mut model, trouble) = run(&sim, Model::default(), &ops);
    assert!(trouble.is_none());
    let frames = frames_of(&sim);
    let (torn, stale) = (frames[frames.len() - 2], frames[frames.len() - 1]);
    let landed = sim.peek(&segment(1)).unwrap();
    let mut image = landed.clone();
    image[torn.0 + 20] ^= 1;
    sim.poke(&segment(1), &image);
    model.acked = model.log.len() - 2;
    model.owner_bytes = 40;
    let (model, trouble) = run(&sim, model, &[]);
    assert!(trouble.is_none(), "{trouble:?}");
    assert_eq!(
        frames_of(&sim).last(),
        Some(&torn),
        "the new frame stands where the torn one stood"
    );
    let mut image = sim.peek(&segment(1)).unwrap();
    image[stale.0..stale.1].copy_from_slice(&landed[stale.0..stale.1]);
    sim.poke(&segment(1), &image);
    let found = survey(&sim).unwrap();
    assert!(found.cut);
    assert_eq!(found.ids, model.log);
    assert_eq!(audit(&sim).unwrap(), model.log);
}

#[test]
fn a_flipped_bit_in_a_journal_just_begun_is_refused_or_reported() {
    let sim = SimStorage::new(3);
    let (model, trouble) = run(&sim, Model::default(), &[]);
    assert!(trouble.is_none());
    let image = sim.peek(&segment(1)).unwrap();
    let frames = frames_of(&sim);
    assert_eq!(frames.len(), 2, "a checkpoint and the owner's begin");
    let specimen =
        Specimen { sim, ids: model.log, marked: 0, past: vec![image.clone()], image, frames };
    let tally = in_parallel(specimen.end() - FRAMES_START, &|index| {
        let at = FRAMES_START + index;
        let mut image = specimen.image.clone();
        image[at] ^= 1 << (at % 8);
        let tally = injure(&specimen, &image, &|| format!("byte {at}"));
        let in_checkpoint = at < specimen.frames[0].1;
        assert_eq!(tally.refused, u64::from(in_checkpoint), "byte {at}");
        tally
    });
    println!("flipped bits of a journal just begun: {tally}");
    assert_eq!(tally.silent + tally.unnoticed, 0);
}

#[test]
fn a_damaged_checkpoint_of_a_segment_just_begun_is_refused_and_reported() {
    let sim = SimStorage::new(3);
    let (_, trouble) = run(&sim, Model::default(), &[Op::Append(100), Op::Commit, Op::Roll]);
    assert!(trouble.is_none());
    let image = sim.peek(&segment(2)).unwrap();
    let end = image.iter().rposition(|byte| *byte != 0).unwrap();
    for at in FRAMES_START..=end {
        let sim = sim.kill();
        let mut image = image.clone();
        image[at] ^= 1 << (at % 8);
        sim.poke(&segment(2), &image);
        let error = survey(&sim).map(|found| found.ids).unwrap_err();
        let damage = refusal(&error).unwrap_or_else(|| panic!("byte {at}: {error}"));
        assert_eq!((damage.segment, damage.offset as usize), (2, FRAMES_START));
        assert!(audit(&sim).is_err(), "byte {at}: the reader sees nothing");
    }
    println!("flipped bits of a lone checkpoint: cases={} refused=all", end + 1 - FRAMES_START);
}

#[test]
fn a_flipped_bit_in_the_manifest_changes_nothing() {
    let specimen = Specimen::new(true);
    let path = Path::new(DIR).join("manifest");
    let manifest = specimen.sim.peek(&path).unwrap();
    for at in 0..manifest.len() {
        for bit in 0..8 {
            let mut bytes = manifest.clone();
            bytes[at] ^= 1 << bit;
            let sim = specimen.sim.kill();
            sim.poke(&path, &bytes);
            assert!(same(&survey(&sim).unwrap().ids, &specimen.ids), "bit {bit} of byte {at}");
            assert_eq!(audit(&sim).unwrap(), specimen.ids);
        }
    }
    println!("flipped bits of the manifest: cases={} records lost=0", manifest.len() * 8);
}

fn blocks(size: usize, specimen: &Specimen) -> Vec<usize> {
    let used = specimen.end().next_multiple_of(size) + 2 * size;
    (0..used).step_by(size).collect()
}

/// What an injury to whole blocks may come to.
fn check_blocks(name: &str, tally: Tally) {
    println!("{name}: {tally}");
    assert_eq!(tally.silent, 0, "{name}");
    assert!(tally.mark_broken_too == 0 || name.starts_with("swapped"), "{name}");
    assert!(tally.refused > 0, "{name}");
}

#[test]
fn zeroed_blocks_are_refused_recovered_or_harmless() {
    let specimen = Specimen::new(true);
    for size in [BLOCK_BYTES, SECTOR_BYTES] {
        let blocks = blocks(size, &specimen);
        let tally = in_parallel(blocks.len(), &|index| {
            let at = blocks[index];
            let mut image = specimen.image.clone();
            image[at..at + size].fill(0);
            let tally = injure(&specimen, &image, &|| format!("zeros at {at}, {size} bytes"));
            // A blank mark slot looks as if it had not been written yet.
            let mark = MARK_OFFSETS.iter().any(|mark| (*mark..mark + BLOCK_BYTES).contains(&at));
            assert!(tally.unnoticed == 0 || mark, "zeros at {at}");
            tally
        });
        check_blocks(&format!("zeroed blocks of {size} bytes"), tally);
    }
}

#[test]
fn swapped_and_misdirected_blocks_are_refused_recovered_or_harmless() {
    let specimen = Specimen::new(true);
    for size in [BLOCK_BYTES, SECTOR_BYTES] {
        let blocks = blocks(size, &specimen);
        let stride = if long() || size == BLOCK_BYTES { 1 } else { 7 };
        let pairs: Vec<(usize, usize)> = blocks
            .iter()
            .flat_map(|from| blocks.iter().map(|to| (*from, *to)))
            .filter(|(from, to)| from != to)
            .step_by(stride)
            .collect();
        let swapped = in_parallel(pairs.len(), &|index| {
            let (from, to) = pairs[index];
            let mut image = specimen.image.clone();
            image[to..to + size].copy_from_slice(&specimen.image[from..from + size]);
            image[from..from + size].copy_from_slice(&specimen.image[to..to + size]);
            injure(&specimen, &image, &|| format!("{from} and {to} swapped, {size} bytes"))
        });
        // A whole mark that stands over frames still vouches for them; a torn one cannot.
        assert!(swapped.mark_broken_too == 0 || size < BLOCK_BYTES);
        check_blocks(&format!("swapped blocks of {size} bytes"), swapped);
        let doubled = in_parallel(pairs.len(), &|index| {
            let (from, to) = pairs[index];
            let mut image = specimen.image.clone();
            image[to..to + size].copy_from_slice(&specimen.image[from..from + size]);
            injure(&specimen, &image, &|| format!("{from} written over {to}, {size} bytes"))
        });
        check_blocks(&format!("misdirected blocks of {size} bytes"), doubled);
    }
}

#[test]
fn lost_writes_are_refused_recovered_or_harmless() {
    let specimen = Specimen::new(true);
    for size in [BLOCK_BYTES, SECTOR_BYTES] {
        let blocks = blocks(size, &specimen);
        let past = &specimen.past;
        let tally = in_parallel(past.len() * blocks.len(), &|index| {
            let (old, at) = (&past[index / blocks.len()], blocks[index % blocks.len()]);
            let mut image = specimen.image.clone();
            image[at..at + size].copy_from_slice(&old[at..at + size]);
            let tally = injure(&specimen, &image, &|| format!("stale {at}, {size} bytes"));
            let mark = MARK_OFFSETS.iter().any(|mark| (*mark..mark + BLOCK_BYTES).contains(&at));
            assert!(tally.unnoticed == 0 || mark, "stale block at {at}");
            tally
        });
        check_blocks(&format!("blocks of {size} bytes put back to an older version"), tally);
    }
    let whole = in_parallel(specimen.past.len(), &|index| {
        // A whole file put back is an old backup: it is valid as it stands, and only something kept
        // outside the journal can tell. What is checked: it opens as what it was, or is refused.
        let sim = specimen.sim.kill();
        sim.poke(&segment(1), &specimen.past[index]);
        let ids = survey(&sim).unwrap().ids;
        assert!(same(&ids, &specimen.ids[..ids.len()]));
        Tally { cases: 1, ..Tally::default() }
    });
    println!("whole file put back to an older version: cases={} (valid prefixes)", whole.cases);
}

/// A journal of several segments.
fn long_journal() -> (SimStorage, Vec<u64>, Vec<Vec<u8>>) {
    let mut manifests = Vec::new();
    let sim = SimStorage::new(9);
    let mut ops = Vec::new();
    for _ in 0..4 {
        ops.extend([
            Op::Append(300),
            Op::Append(2000),
            Op::Commit,
            Op::Append(90),
            Op::Commit,
            Op::Roll,
        ]);
        let copy = SimStorage::new(9);
        let (_, trouble) = run(&copy, Model::default(), &ops);
        assert!(trouble.is_none());
        manifests.push(copy.peek(&Path::new(DIR).join("manifest")).unwrap());
    }
    ops.extend([Op::Append(500), Op::Commit, Op::Mark]);
    let (model, trouble) = run(&sim, Model::default(), &ops);
    assert!(trouble.is_none());
    (sim, model.log, manifests)
}

#[test]
fn a_stale_manifest_hides_no_segment() {
    let (sim, ids, manifests) = long_journal();
    for old in &manifests {
        let sim = sim.kill();
        sim.poke(&Path::new(DIR).join("manifest"), old);
        assert_eq!(survey(&sim).unwrap().ids.len(), ids.len(), "{}", String::from_utf8_lossy(old));
        assert_eq!(audit(&sim).unwrap(), ids);
    }
    println!("stale manifests: cases={} records lost=0", manifests.len());
}

#[test]
fn damage_in_a_sealed_segment_is_found_by_the_reader() {
    let (sim, ids, _) = long_journal();
    assert_eq!(audit(&sim).unwrap(), ids);
    let mut found = 0;
    let stride = if long() { 1 } else { 29 };
    for number in [1, 3] {
        let image = sim.peek(&segment(number)).unwrap();
        for at in (0..FRAMES_START + 6000).step_by(stride) {
            let sim = sim.kill();
            let mut bytes = image.clone();
            bytes[at] ^= 1 << (at % 8);
            sim.poke(&segment(number), &bytes);
            let reader = Reader::open(Arc::new(sim), Path::new(DIR)).unwrap().unwrap();
            let problems = reader.scan(number, true).unwrap().map_or(1, |scan| scan.problems.len());
            assert!(problems > 0, "byte {at} of segment {number}");
            found += 1;
        }
    }
    for number in 1..=4 {
        let sim = sim.kill();
        sim.lose(&segment(number));
        assert!(audit(&sim).is_err(), "segment {number} is gone");
        found += 1;
    }
    println!("damage in sealed segments: cases={found} unnoticed=0");
}

#[test]
fn a_segment_adopted_after_a_crash_is_never_given_up_again() {
    // The machine stops between the first sync of a new segment and the manifest that names it. The
    // next owner goes on in that segment; when its header is damaged later, the journal is refused.
    let mut cases = 0;
    for call in 1.. {
        let sim = SimStorage::new(call);
        sim.stop_at(call);
        let ops = [Op::Append(300), Op::Commit, Op::Roll, Op::Append(300), Op::Commit];
        let (model, trouble) = run(&sim, Model::default(), &ops);
        match trouble {
            None => break,
            Some(Trouble::Violation(found)) => panic!("stopped at call {call}: {found}"),
            Some(Trouble::Refused(_)) => {}
        }
        for seed in 0..8 {
            let sim = sim.crash(seed);
            let more = [Op::Append(100), Op::Commit, Op::Mark, Op::Append(90), Op::Commit];
            let (model, trouble) = run(&sim, model.clone(), &more);
            assert!(trouble.is_none(), "stopped at call {call}, seed {seed}: {trouble:?}");
            for number in 1..=2 {
                let Some(mut image) = sim.peek(&segment(number)) else { continue };
                if image.len() < BLOCK_BYTES {
                    continue;
                }
                image[70] ^= 4;
                let sim = sim.kill();
                sim.poke(&segment(number), &image);
                let place = format!("stopped at call {call}, seed {seed}, header {number} damaged");
                if let Ok(found) = survey(&sim) {
                    assert_eq!(found.ids.len(), model.log.len(), "{place}");
                }
                cases += 1;
            }
        }
    }
    println!("damaged headers after an adopted segment: cases={cases} silent=0");
}
