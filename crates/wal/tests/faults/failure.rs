//! Calls that fail: each call of a day in turn, once and for ever; syncs that fail and lose pages.

use crate::long;
use crate::till::{Model, Op, Till, Trouble, body, day, run};
use pos_kernel_wal::sim::{Call, Fault, LostPages, SimStorage};
use pos_kernel_wal::{FlushCause, Record, Stamp, WalError};
use std::io::ErrorKind;

/// What failing calls led to.
#[derive(Debug, Default)]
struct Tally {
    runs: u64,
    /// The log absorbed the fault and went on.
    absorbed: u64,
    /// Opening or beginning failed before anything was written.
    refused: u64,
    poisoned: u64,
    /// Records whose outcome was unknown: how many were in, and how many were not.
    unknown_in: u64,
    unknown_out: u64,
}

/// A poisoned log takes nothing, promises nothing and touches the disk no more.
fn must_be_poisoned(till: &Till) {
    let wal = till.wal();
    let fault = wal.poison().expect("an unknown outcome poisons the log");
    let fact = body(u64::MAX - 1, 30);
    let record = Record { kind: 16, flags: 0, body: &fact };
    let calls = till.sim.calls();
    let refused = wal.append(Stamp::default(), 0, &[record]);
    assert!(matches!(refused, Err(WalError::Poisoned(found)) if found == fault));
    assert!(matches!(wal.reserve(), Err(WalError::Poisoned(_))));
    assert!(matches!(wal.roll(Stamp::default(), &[record]), Err(WalError::Poisoned(_))));
    assert!(matches!(wal.write_out(), Err(WalError::OutcomeUnknown(_))));
    let position = wal.position();
    if position.sequence > position.durable_sequence {
        let answer = wal.wait_durable(position.sequence, FlushCause::Sale);
        assert!(matches!(answer, Err(WalError::OutcomeUnknown(found)) if found == fault));
    }
    assert!(wal.wait_durable(position.durable_sequence, FlushCause::Sale).is_ok());
    let _ = wal.mark();
    assert_eq!(till.sim.calls(), calls, "a poisoned log leaves the disk alone");
}

/// Opens the journal, twice if the first time fails, and lives through the day. Returns what must
/// be found afterwards.
fn live_through(sim: &SimStorage, ops: &[Op], tally: &mut Tally, place: &str) -> Model {
    let violation = |trouble: Trouble| match trouble {
        Trouble::Violation(found) => panic!("{place}: {found}"),
        Trouble::Refused(error) => error,
    };
    tally.runs += 1;
    let touched = |call| sim.count_since_fault(call).unwrap_or(0);
    let changes = || [Call::Sync, Call::Write, Call::SyncDir, Call::Rename].map(touched);
    let mut till = match Till::open(sim, Model::default()) {
        Ok(till) => till,
        Err((trouble, model)) => {
            let error = violation(trouble);
            assert!(!matches!(error, WalError::Damaged(_)), "{place}: {error}");
            tally.refused += 1;
            return model;
        }
    };
    for op in ops {
        // A refusal for want of room has changed nothing: the same can be asked again.
        for again in [true, false] {
            let faulty = sim.count_since_fault(Call::Sync).is_some();
            let Err(trouble) = till.step(*op) else { break };
            let error = violation(trouble);
            if till.wal.is_none() {
                assert!(!matches!(error, WalError::Damaged(_)), "{place}: {op:?}: {error}");
                tally.refused += 1;
                return till.model;
            }
            match error {
                WalError::NoSpace { .. } if again => assert_eq!(till.wal().poison(), None),
                WalError::NoSpace { .. } => {
                    assert_eq!(till.wal().poison(), None);
                    return till.model;
                }
                WalError::OutcomeUnknown(_) => {
                    must_be_poisoned(&till);
                    // The step that met its first fault here has not touched the disk after it.
                    assert!(faulty || changes() == [0; 4], "{place}: {op:?}: {:?}", changes());
                    tally.poisoned += 1;
                    return till.model;
                }
                error => panic!("{place}: {op:?}: {error}"),
            }
        }
    }
    tally.absorbed += 1;
    till.model
}

/// After the failure the process ends; the next one gives a definite answer, and keeps to it.
fn settle(sim: &SimStorage, model: Model, tally: &mut Tally, place: &str) {
    let next = sim.kill();
    let unknown = model.log.len() - model.acked;
    let before = model.acked;
    match Till::open(&next, model) {
        Err((trouble, _)) => panic!("{place}, opened again: {trouble:?}"),
        Ok(mut till) => {
            let found = till.model.log.len() - 1 - before;
            tally.unknown_in += found as u64;
            tally.unknown_out += (unknown - found) as u64;
            // What was found is now promised: a power cut that keeps nothing else keeps it.
            let now = till.model.clone();
            must_open(&next.crash(0), now, place);
            let more = [Op::Append(500), Op::Commit, Op::Mark, Op::Append(70), Op::Commit];
            if let Err(trouble) = till.run(&more) {
                panic!("{place}, gone on: {trouble:?}");
            }
            let now = till.model.clone();
            must_open(&next.crash(0), now.clone(), place);
            must_open(&next.crash(5), now, place);
        }
    }
}

fn must_open(sim: &SimStorage, model: Model, place: &str) {
    let (_, trouble) = run(sim, model, &[Op::Append(40), Op::Commit]);
    if let Some(trouble) = trouble {
        panic!("{place}, after a power cut: {trouble:?}");
    }
}

#[test]
fn any_failing_call_is_absorbed_or_poisons_and_loses_nothing() {
    let kinds: &[(ErrorKind, bool)] = if long() {
        let all = [ErrorKind::Other, ErrorKind::StorageFull, ErrorKind::PermissionDenied];
        &[all.map(|kind| (kind, true)), all.map(|kind| (kind, false))].concat()
    } else {
        &[(ErrorKind::Other, true)]
    };
    let mut tally = Tally::default();
    let mut points = 0;
    for (kind, partial) in kinds {
        for forever in [false, true] {
            for at in 1.. {
                let sim = SimStorage::new(at);
                sim.fail(Some(Fault { at, forever, kind: *kind, partial: *partial, only: None }));
                let place =
                    format!("call {at} fails, forever {forever}, {kind}, partial {partial}");
                let model = live_through(&sim, &day(), &mut tally, &place);
                if sim.count_since_fault(Call::Sync).is_none() {
                    break;
                }
                points += 1;
                settle(&sim, model.clone(), &mut tally, &place);
                // The power may fail before anybody opens the journal again.
                for seed in 0..3 {
                    must_open(&sim.crash(seed), model.clone(), &place);
                }
            }
        }
    }
    println!(
        "failing calls: fault_points={points} {tally:?} acknowledged missing=0 retried flushes=0"
    );
    assert!(tally.poisoned > 50);
    assert!(tally.unknown_in > 0);
    assert!(tally.unknown_out > 0);
}

#[test]
fn a_failed_sync_loses_nothing_acknowledged_whatever_the_cache_does() {
    for lost in [LostPages::Kept, LostPages::Dropped, LostPages::HalfKept] {
        let mut tally = Tally::default();
        let seeds = if long() { 24 } else { 3 };
        for seed in 0..seeds {
            for at in 1.. {
                let sim = SimStorage::new(seed * 1000 + at);
                sim.set_lost_pages(lost);
                sim.fail(Some(Fault { only: Some(Call::Sync), ..Fault::once(at) }));
                let place = format!("sync {at} fails, pages {lost:?}, seed {seed}");
                let model = live_through(&sim, &day(), &mut tally, &place);
                if sim.count_since_fault(Call::Sync).is_none() {
                    break;
                }
                settle(&sim, model.clone(), &mut tally, &place);
                must_open(&sim.crash(seed), model, &place);
            }
        }
        println!(
            "failed syncs, pages {lost:?}: {tally:?} acknowledged missing=0 retried flushes=0"
        );
        assert!(tally.poisoned > 10);
    }
}
