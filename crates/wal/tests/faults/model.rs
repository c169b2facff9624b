//! Any history: whatever is appended, committed, rolled, killed and cut, the journal replays to a
//! prefix of the model that holds everything acknowledged. And any bytes: nothing panics.

use crate::fuzz::{Outcome, fuzz_forged_segment, fuzz_manifest, fuzz_mended_segment, fuzz_segment};
use crate::long;
use crate::till::{DIR, Model, Op, Till, Trouble, audit, day, run};
use pos_kernel_wal::sim::{Call, Fault, LostPages, SimStorage};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Debug, Clone)]
enum Event {
    Does(Op),
    /// The power fails.
    Crash(u64),
    /// The power fails so many calls after the next opening began.
    CrashLater(u64, u64),
    /// The next sync but so many fails, with these pages lost; then the process ends.
    SyncFails(u64, LostPages),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let size = prop_oneof![8 => 0_usize..600, 3 => 0_usize..5000, 1 => 5000_usize..30_000];
    let op = prop_oneof![
        12 => size.prop_map(Op::Append),
        8 => Just(Op::Commit),
        3 => Just(Op::WriteOut),
        2 => Just(Op::Mark),
        1 => Just(Op::Checkpoint),
        1 => Just(Op::Roll),
        1 => Just(Op::Reserve),
        1 => Just(Op::Reopen),
        1 => Just(Op::Kill),
    ];
    let lost =
        prop_oneof![Just(LostPages::Kept), Just(LostPages::Dropped), Just(LostPages::HalfKept)];
    let event = prop_oneof![
        30 => op.prop_map(Event::Does),
        2 => any::<u64>().prop_map(Event::Crash),
        1 => (1_u64..40, any::<u64>()).prop_map(|(calls, seed)| Event::CrashLater(calls, seed)),
        1 => (1_u64..6, lost).prop_map(|(after, lost)| Event::SyncFails(after, lost)),
    ];
    prop::collection::vec(event, 1..120)
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..Default::default() })
}

fn open(sim: &SimStorage, model: Model) -> Result<Till, TestCaseError> {
    Till::open(sim, model).map_err(|(trouble, _)| TestCaseError::fail(format!("{trouble:?}")))
}

/// Lives through a history; after each mishap the journal is opened and compared with the model.
fn live(history: &[Event]) -> Result<(u64, u64), TestCaseError> {
    let mut till = open(&SimStorage::new(1), Model::default())?;
    let (mut crashes, mut unknown) = (0, 0);
    for event in history {
        match event {
            Event::Does(op) => match till.step(*op) {
                Ok(()) => continue,
                // Only a fault that was asked for may end a run.
                Err(Trouble::Refused(_)) if till.sim.count_since_fault(Call::Sync).is_some() => {
                    unknown += 1;
                    let sim = till.sim.kill();
                    till = open(&sim, till.model)?;
                }
                Err(trouble) => return Err(TestCaseError::fail(format!("{trouble:?}"))),
            },
            Event::Crash(seed) => {
                let sim = till.sim.crash(*seed);
                till = open(&sim, till.model)?;
            }
            Event::CrashLater(calls, seed) => {
                let sim = till.sim.kill();
                sim.stop_at(*calls);
                let model = match Till::open(&sim, till.model) {
                    Ok(till) => till.model,
                    Err((Trouble::Refused(_), model)) => model,
                    Err((trouble, _)) => return Err(TestCaseError::fail(format!("{trouble:?}"))),
                };
                till = open(&sim.crash(*seed), model)?;
            }
            Event::SyncFails(after, lost) => {
                till.sim.set_lost_pages(*lost);
                let at = till.sim.count(Call::Sync) + after;
                till.sim.fail(Some(Fault { only: Some(Call::Sync), ..Fault::once(at) }));
                continue;
            }
        }
        crashes += 1;
    }
    let read = audit(&till.sim.kill()).map_err(TestCaseError::fail)?;
    prop_assert!(read.len() >= till.model.acked);
    prop_assert_eq!(&read[..], &till.model.log[..read.len()]);
    Ok((crashes, unknown))
}

#[test]
fn any_history_replays_to_a_prefix_that_holds_everything_acknowledged() {
    let cases = if long() { 4000 } else { 80 };
    let (mut mishaps, mut unknown, mut ops) = (0, 0, 0);
    let counts = std::cell::RefCell::new((&mut mishaps, &mut unknown, &mut ops));
    let outcome = runner(cases).run(&events(), |history| {
        let (crashes, failures) = live(&history)?;
        let mut counts = counts.borrow_mut();
        *counts.0 += crashes;
        *counts.1 += failures;
        *counts.2 += history.len();
        Ok(())
    });
    if let Err(found) = outcome {
        panic!("{found}");
    }
    println!(
        "histories: cases={cases} events={ops} mishaps={mishaps} failed_syncs={unknown} violations=0"
    );
}

fn segment_of_a_day() -> Vec<u8> {
    let sim = SimStorage::new(1);
    let (_, trouble) = run(&sim, Model::default(), &day()[..20]);
    assert!(trouble.is_none());
    sim.peek(&Path::new(DIR).join("segment-000001.wal")).unwrap()
}

/// Edits of a real segment: where, and the bytes put there.
fn edits() -> impl Strategy<Value = Vec<(usize, Vec<u8>)>> {
    let interesting = prop_oneof![
        Just(vec![0xff; 8]),
        Just(vec![0; 8]),
        Just(vec![0xff; 4]),
        Just(vec![0, 0, 1, 0]),
        prop::collection::vec(any::<u8>(), 1..24),
    ];
    // Header fields, mark fields, frame heads, anything.
    let place = prop_oneof![
        3 => 0_usize..130,
        2 => 4096_usize..4170,
        2 => 8192_usize..8260,
        5 => 12_288_usize..13_000,
        3 => 12_288_usize..28_000,
        1 => 0_usize..65_536,
    ];
    prop::collection::vec((place, interesting), 1..6)
}

#[test]
fn any_bytes_in_place_of_a_segment_are_refused_or_read_and_nothing_panics() {
    let cases = if long() { 20_000 } else { 400 };
    let real = segment_of_a_day();
    let counts = std::cell::RefCell::new(BTreeMap::new());
    let note = |name: &'static str, outcome: Outcome| {
        let key = (name, format!("{outcome:?}"));
        *counts.borrow_mut().entry(key).or_insert(0_u64) += 1;
    };
    let cut = prop_oneof![4 => Just(65_536_usize), 1 => 0_usize..70_000];
    let edited = (edits(), cut, any::<bool>()).prop_map(|(edits, size, own_size)| {
        let mut bytes = real.clone();
        bytes.resize(size, 0);
        for (at, edit) in edits {
            let end = (at + edit.len()).min(size);
            if at < end {
                bytes[at..end].copy_from_slice(&edit[..end - at]);
            }
        }
        if own_size && size >= 16 {
            // A header that tells the truth about a wrong size.
            bytes[12..16].copy_from_slice(&u32::try_from(size).unwrap().to_le_bytes());
        }
        bytes
    });
    let outcome = runner(cases).run(&edited, |bytes| {
        note("edited", fuzz_segment(&bytes));
        note("edited and mended", fuzz_mended_segment(&bytes));
        note("edited and forged", fuzz_forged_segment(&bytes));
        Ok(())
    });
    if let Err(found) = outcome {
        panic!("{found:.2000}");
    }
    let random = prop::collection::vec(any::<u8>(), 0..20_000);
    let outcome = runner(cases / 20).run(&random, |bytes| {
        note("random", fuzz_segment(&bytes));
        note("random and mended", fuzz_mended_segment(&bytes));
        note("random manifest", fuzz_manifest(&bytes[..bytes.len().min(300)]));
        Ok(())
    });
    if let Err(found) = outcome {
        panic!("{found:.2000}");
    }
    println!("any bytes: {:?} panics=0", counts.into_inner());
}
