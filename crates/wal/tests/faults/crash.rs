//! Power cuts at every call, and again during the recovery from them.

use crate::long;
use crate::till::{DIR, Model, Op, Till, Trouble, day, run};
use pos_kernel_wal::sim::SimStorage;
use pos_kernel_wal::{Reader, SegmentTail};
use std::path::Path;
use std::sync::Arc;

/// Work that follows a recovery: whatever was left behind must not disturb it.
const MORE: [Op; 6] =
    [Op::Append(900), Op::Commit, Op::Append(200), Op::Mark, Op::Append(40), Op::Commit];

fn must_hold(sim: &SimStorage, model: Model, ops: &[Op], place: &str) -> Model {
    let (model, trouble) = run(sim, model, ops);
    if let Some(trouble) = trouble {
        panic!("{place}: {trouble:?}");
    }
    model
}

/// Runs the day until the machine stops at a call.
fn day_until(call: u64) -> (SimStorage, Model, bool) {
    let sim = SimStorage::new(call);
    sim.stop_at(call);
    let (model, trouble) = run(&sim, Model::default(), &day());
    if let Some(Trouble::Violation(found)) = &trouble {
        panic!("stopped at call {call}: {found}");
    }
    (sim, model, trouble.is_some())
}

#[test]
fn a_power_cut_at_any_call_loses_nothing_acknowledged() {
    let seeds = if long() { 64 } else { 6 };
    let (mut points, mut images) = (0_u64, 0_u64);
    for call in 1.. {
        let (sim, model, was_cut) = day_until(call);
        if !was_cut {
            break;
        }
        points += 1;
        for seed in 0..seeds {
            let after = sim.crash(seed);
            let place = format!("cut at call {call}, seed {seed}");
            let model = must_hold(&after, model.clone(), &MORE, &place);
            must_hold(&after.kill(), model, &[], &place);
            images += 1;
        }
    }
    println!("power cuts: points={points} images={images} violations=0");
    assert!(points > 100);
}

#[test]
fn a_power_cut_during_recovery_loses_nothing_acknowledged() {
    let (stride, seeds) = if long() { (1, 8) } else { (11, 2) };
    let (mut points, mut images) = (0_u64, 0_u64);
    for call in (1..).step_by(stride) {
        let (sim, model, was_cut) = day_until(call);
        if !was_cut {
            break;
        }
        for seed in 2..2 + seeds {
            let torn = sim.crash(seed);
            for again in 1.. {
                let second = torn.kill();
                second.stop_at(again);
                let (model, trouble) = match Till::open(&second, model.clone()) {
                    Ok(till) => (till.model, None),
                    Err((trouble, model)) => (model, Some(trouble)),
                };
                let place = format!("cut at call {call}, seed {seed}, then at {again}");
                if let Some(Trouble::Violation(found)) = &trouble {
                    panic!("{place}: {found}");
                }
                points += 1;
                for seed in [0, 1, seed + 7, seed + 8] {
                    let third = second.crash(seed);
                    let place = format!("{place}, seed {seed}");
                    let model = must_hold(&third, model.clone(), &MORE, &place);
                    must_hold(&third.kill(), model, &[], &place);
                    images += 1;
                }
                if trouble.is_none() {
                    break;
                }
            }
        }
    }
    println!("power cuts during recovery: points={points} images={images} violations=0");
    assert!(points > 100);
}

#[test]
fn a_power_cut_while_a_recovery_seals_a_full_segment_leaves_nothing_behind_the_seal() {
    // The segment is nearly full, its tail is torn, and the owner's first record does not fit: the
    // recovery writes a seal with zeros over the torn tail, and that write is torn as well.
    let mut ops = vec![Op::Append(20_000), Op::Append(20_000), Op::Append(9000), Op::Commit];
    ops.extend([Op::Append(1400), Op::Append(1400), Op::Append(200), Op::WriteOut]);
    let (mut images, mut torn_seals) = (0_u64, 0_u64);
    for seed in 0..if long() { 400 } else { 12 } {
        let sim = SimStorage::new(seed);
        let (mut model, trouble) = run(&sim, Model::default(), &ops);
        assert!(trouble.is_none());
        model.owner_bytes = 5000;
        let torn = sim.crash(seed);
        for call in 1.. {
            let second = torn.kill();
            second.stop_at(call);
            let (model, trouble) = run(&second, model.clone(), &[]);
            for seed in [3, 4, seed + 5] {
                let third = second.crash(seed);
                torn_seals += u64::from(stands_behind_a_seal(&third));
                let model =
                    must_hold(&third, model.clone(), &MORE, &format!("call {call}, seed {seed}"));
                must_hold(&third.kill(), model, &[], &format!("call {call}, seed {seed}"));
                images += 1;
            }
            if trouble.is_none() {
                break;
            }
        }
    }
    println!(
        "power cuts while a recovery seals: images={images} torn_seals={torn_seals} violations=0"
    );
    assert!(torn_seals > 0);
}

fn stands_behind_a_seal(sim: &SimStorage) -> bool {
    let reader = Reader::open(Arc::new(sim.kill()), Path::new(DIR)).unwrap().unwrap();
    let scan = reader.scan(1, false).unwrap().unwrap();
    scan.tail != SegmentTail::Sealed && scan.frames().any(|frame| frame.is_seal())
}
