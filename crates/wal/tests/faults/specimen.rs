//! A journal to be injured, and the verdict on what became of each injury.

use crate::till::{DIR, Model, Op, audit, run, same, survey};
use pos_kernel_wal::format::{BLOCK_BYTES, FRAMES_START, is_blank};
use pos_kernel_wal::sim::SimStorage;
use pos_kernel_wal::{Damage, Reader, WalError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) fn segment(number: u32) -> PathBuf {
    Path::new(DIR).join(format!("segment-{number:06}.wal"))
}

/// A journal with its model, and what it looked like after each step.
pub(crate) struct Specimen {
    pub(crate) sim: SimStorage,
    pub(crate) ids: Vec<u64>,
    /// So many ids are below a durable mark.
    pub(crate) marked: usize,
    pub(crate) image: Vec<u8>,
    /// Start and end of each frame.
    pub(crate) frames: Vec<(usize, usize)>,
    /// Older images of the segment.
    pub(crate) past: Vec<Vec<u8>>,
}

impl Specimen {
    /// Twenty frames in one segment, the last two of them in a batch that no mark covers.
    pub(crate) fn new(unmarked: bool) -> Self {
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

    pub(crate) fn end(&self) -> usize {
        self.frames.last().unwrap().1
    }

    /// Where a refusal may point: the start of the frame that holds the first wrong byte, or the gap
    /// before it. A frame whose bytes became zeros up to the end of their block reads like a gap; then
    /// the next block is where another frame stands than the expected one.
    pub(crate) fn right_offset(&self, image: &[u8], offset: usize) -> bool {
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

pub(crate) fn frames_of(sim: &SimStorage) -> Vec<(usize, usize)> {
    let reader = Reader::open(Arc::new(sim.clone()), Path::new(DIR)).unwrap().unwrap();
    let scan = reader.scan(1, true).unwrap().unwrap();
    scan.frames().map(|frame| (frame.header.offset as usize, frame.end())).collect()
}

/// What became of one injury.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) cases: u64,
    /// The bytes were what they had been.
    pub(crate) unchanged: u64,
    pub(crate) refused: u64,
    /// Recovered to a prefix: something of the unmarked last batch was cut.
    pub(crate) ambiguous: u64,
    /// Everything is there, and opening or the reader says that bytes are wrong.
    pub(crate) reported: u64,
    /// Everything is there and nobody noticed: the injury equals a write that never happened.
    pub(crate) unnoticed: u64,
    /// Marked records were cut, because the same injury broke the mark that vouched for them. The cut
    /// and the broken mark are both reported. Only a swap can do this.
    pub(crate) mark_broken_too: u64,
    /// A marked record is missing or wrong, and nobody says so.
    pub(crate) silent: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
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

pub(crate) fn refusal(trouble: &WalError) -> Option<&Damage> {
    if let WalError::Damaged(damage) = trouble { Some(damage) } else { None }
}

/// Puts an image in place of the segment and opens the journal.
pub(crate) fn injure(specimen: &Specimen, image: &[u8], place: &dyn Fn() -> String) -> Tally {
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
pub(crate) fn in_parallel(cases: usize, case: &(dyn Fn(usize) -> Tally + Sync)) -> Tally {
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
