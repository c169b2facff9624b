//! Damage behind the log's back: cut files, flipped bits, zeroed, swapped, misplaced and stale
//! blocks. Each is refused at the right place, or recovered to a prefix that holds every marked
//! record, or changes nothing that anybody could read.

use crate::long;
use crate::till::{DIR, Model, Op, SEGMENT_BYTES, Trouble, audit, run, same, survey};
use pos_kernel_wal::format::{BLOCK_BYTES, FRAMES_START, MARK_OFFSETS, is_blank};
use pos_kernel_wal::sim::{Random, SECTOR_BYTES, SimStorage};
use pos_kernel_wal::{Damage, Reader, WalError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn segment(number: u32) -> PathBuf {
    Path::new(DIR).join(format!("segment-{number:06}.wal"))
}

/// A journal with its model, and what it looked like after each step.
struct Specimen {
    sim: SimStorage,
    ids: Vec<u64>,
    /// So many ids are below a durable mark.
    marked: usize,
    image: Vec<u8>,
    /// Start and end of each frame.
    frames: Vec<(usize, usize)>,
    /// Older images of the segment.
    past: Vec<Vec<u8>>,
}

impl Specimen {
    /// Twenty frames in one segment, the last two of them in a batch that no mark covers.
    fn new(unmarked: bool) -> Self {
        let sim = SimStorage::new(3);
        let mut ops = Vec::new();
        for size in [300, 90, 700, 24, 510, 1300, 60, 60, 250, 900, 40, 330, 120] {
            ops.extend([Op::Append(size), Op::Commit]);
        }
        ops.insert(12, Op::Mark);
        ops.extend([Op::Checkpoint, Op::Append(200), Op::Append(70), Op::Commit, Op::Mark]);
        let marked_ops = ops.len();
        if unmarked {
            ops.extend([Op::Append(150), Op::Append(380), Op::Commit]);
        }
        let mut past = Vec::new();
        let mut model = Model::default();
        for end in 0..=ops.len() {
            let sim = SimStorage::new(3);
            let (after, trouble) = run(&sim, Model::default(), &ops[..end]);
            assert!(trouble.is_none());
            if end == marked_ops {
                model = after;
            }
            past.push(sim.peek(&segment(1)).unwrap());
        }
        let marked = model.log.len();
        let (model, trouble) = run(&sim, Model::default(), &ops);
        assert!(trouble.is_none());
        let image = sim.peek(&segment(1)).unwrap();
        let frames = frames_of(&sim);
        assert_eq!(frames.len(), if unmarked { 20 } else { 18 });
        past.dedup();
        Self { sim, ids: model.log, marked, image, frames, past }
    }

    fn end(&self) -> usize {
        self.frames.last().unwrap().1
    }

    /// Where a refusal may point: the start of the frame that holds the first wrong byte, or the gap
    /// before it. A frame whose bytes became zeros up to the end of their block reads like a gap; then
    /// the next block is where another frame stands than the expected one.
    fn right_offset(&self, image: &[u8], offset: usize) -> bool {
        let wrong = |at: &usize| image[*at] != self.image[*at];
        if (0..BLOCK_BYTES).any(|at| wrong(&at)) {
            return offset == 0;
        }
        let at = (FRAMES_START..image.len()).find(wrong).expect("marks alone refuse nothing");
        let before = self.frames.iter().rfind(|(_, end)| *end <= at);
        let start =
            self.frames.iter().rfind(|(start, _)| *start <= at).map_or(FRAMES_START, |f| f.0);
        let end_before = before.map_or(FRAMES_START, |(_, end)| *end);
        let boundary = (at + 1).next_multiple_of(BLOCK_BYTES);
        if offset == boundary && is_blank(&image[start.max(end_before)..boundary]) {
            return true;
        }
        (start.min(end_before)..=start.max(end_before)).contains(&offset)
    }
}

fn frames_of(sim: &SimStorage) -> Vec<(usize, usize)> {
    let reader = Reader::open(Arc::new(sim.clone()), Path::new(DIR)).unwrap().unwrap();
    let scan = reader.scan(1, true).unwrap().unwrap();
    scan.frames().map(|frame| (frame.header.offset as usize, frame.end())).collect()
}

/// What became of one injury.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    cases: u64,
    /// The bytes were what they had been.
    unchanged: u64,
    refused: u64,
    /// Recovered to a prefix: something of the unmarked last batch was cut.
    ambiguous: u64,
    /// Everything is there, and opening or the reader says that bytes are wrong.
    reported: u64,
    /// Everything is there and nobody noticed: the injury equals a write that never happened.
    unnoticed: u64,
    /// Marked records were cut, because the same injury broke the mark that vouched for them. The cut
    /// and the broken mark are both reported. Only a swap can do this.
    mark_broken_too: u64,
    /// A marked record is missing or wrong, and nobody says so.
    silent: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.unchanged += other.unchanged;
        self.refused += other.refused;
        self.ambiguous += other.ambiguous;
        self.reported += other.reported;
        self.unnoticed += other.unnoticed;
        self.mark_broken_too += other.mark_broken_too;
        self.silent += other.silent;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { cases, unchanged, refused, ambiguous, reported, unnoticed, .. } = self;
        let Self { mark_broken_too, silent, .. } = self;
        write!(
            f,
            "cases={cases} unchanged={unchanged} refused={refused} whole-and-reported={reported} "
        )?;
        write!(f, "whole-unnoticed={unnoticed} last-unmarked-batch={ambiguous} ")?;
        write!(f, "mark-broken-too={mark_broken_too} silent={silent}")
    }
}

fn refusal(trouble: &WalError) -> Option<&Damage> {
    if let WalError::Damaged(damage) = trouble { Some(damage) } else { None }
}

/// Puts an image in place of the segment and opens the journal.
fn injure(specimen: &Specimen, image: &[u8], place: &dyn Fn() -> String) -> Tally {
    let mut tally = Tally { cases: 1, ..Tally::default() };
    let first_wrong = image.iter().zip(&specimen.image).position(|(a, b)| a != b);
    let first_wrong = match first_wrong {
        None if image.len() == specimen.image.len() => {
            tally.unchanged = 1;
            return tally;
        }
        None => image.len(),
        Some(at) => at,
    };
    let sim = specimen.sim.kill();
    sim.poke(&segment(1), image);
    let seen_by_reader = audit(&sim);
    match survey(&sim) {
        Err(error) => {
            let damage = refusal(&error).unwrap_or_else(|| panic!("{}: {error}", place()));
            assert_eq!(damage.segment, 1, "{}", place());
            let at = damage.offset as usize;
            let right = if image.len() < specimen.image.len() {
                at == image.len() || image.len() < BLOCK_BYTES && at == 0
            } else {
                specimen.right_offset(image, at)
            };
            assert!(right, "{}: refused at {at}, first wrong byte {first_wrong}", place());
            assert!(seen_by_reader.is_err(), "{}: refused and the reader sees nothing", place());
            tally.refused = 1;
        }
        Ok(found) => {
            let mut model = Model { log: specimen.ids.clone(), ..Model::default() };
            model.acked = specimen.marked;
            if model.settle(&found.ids).is_err() {
                model.acked = 0;
                let is_prefix = model.settle(&found.ids).is_ok();
                let reported = found.cut && found.problems > 0;
                tally.mark_broken_too = u64::from(is_prefix && reported);
                tally.silent = 1 - tally.mark_broken_too;
            } else if found.ids.len() < specimen.ids.len() {
                assert!(first_wrong < specimen.end());
                tally.ambiguous = 1;
            } else if found.cut || found.problems > 0 {
                tally.reported = 1;
            } else {
                tally.unnoticed = 1;
            }
            if !matches!(&seen_by_reader, Ok(ids) if same(&found.ids, ids)) {
                panic!(
                    "{}: open finds {}, the reader {seen_by_reader:?}",
                    place(),
                    found.ids.len()
                );
            }
        }
    }
    tally
}

/// Runs cases on two threads.
fn in_parallel(cases: usize, case: &(dyn Fn(usize) -> Tally + Sync)) -> Tally {
    let mut total = Tally::default();
    std::thread::scope(|scope| {
        let halves = [0, 1].map(|half| {
            scope.spawn(move || {
                let mut tally = Tally::default();
                (half..cases).step_by(2).for_each(|index| tally.add(case(index)));
                tally
            })
        });
        for half in halves {
            match half.join() {
                Ok(tally) => total.add(tally),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    total
}

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
