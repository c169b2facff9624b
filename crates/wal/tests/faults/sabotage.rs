//! The tests of the tests: a storage that only pretends a durability step must be found out.

use crate::till::{Model, Op, Till, Trouble, day, run};
use pos_kernel_wal::sim::{Call, Fault, LostPages, Sabotage, SimStorage};

/// Runs the day on a lying storage, cuts the power at each call and opens the journal. Returns how
/// many images broke the promise.
fn violations(sabotage: Option<Sabotage>) -> (u64, u64) {
    let (mut images, mut violations) = (0, 0);
    for call in (1..).step_by(3) {
        let sim = SimStorage::new(call);
        sim.set_sabotage(sabotage);
        sim.stop_at(call);
        let (model, trouble) = run(&sim, Model::default(), &day());
        if trouble.is_none() {
            break;
        }
        for seed in [0, 3, 4] {
            images += 1;
            let opened = run(&sim.crash(seed), model.clone(), &[Op::Append(90), Op::Commit]);
            violations += u64::from(opened.1.is_some());
        }
    }
    (images, violations)
}

#[test]
fn an_honest_storage_is_not_accused() {
    let (images, found) = violations(None);
    println!("sabotage: none, images={images} violations={found}");
    assert_eq!(found, 0);
}

#[test]
fn a_storage_that_only_pretends_is_found_out() {
    for sabotage in [Sabotage::IgnoreSync, Sabotage::IgnoreSyncDir, Sabotage::WriteBehindSync] {
        let (images, found) = violations(Some(sabotage));
        println!("sabotage: {sabotage:?}, images={images} violations={found}");
        assert!(found > 0, "{sabotage:?} was not noticed");
    }
}

#[test]
fn a_cache_that_does_not_forget_is_found_out() {
    // After a failed sync whose pages stay in the cache, only the device may be believed.
    let mut found = [0_u64; 2];
    for (index, sabotage) in [None, Some(Sabotage::IgnoreForget)].into_iter().enumerate() {
        for at in 1.. {
            let sim = SimStorage::new(at);
            sim.set_lost_pages(LostPages::Kept);
            sim.fail(Some(Fault { only: Some(Call::Sync), ..Fault::once(at) }));
            let (model, trouble) = run(&sim, Model::default(), &day());
            if trouble.is_none() && sim.count_since_fault(Call::Sync).is_none() {
                break;
            }
            let next = sim.kill();
            next.set_sabotage(sabotage);
            if let Ok(till) = Till::open(&next, model) {
                let after = run(&next.crash(0), till.model.clone(), &[]).1;
                found[index] += u64::from(after.is_some());
            }
        }
    }
    println!("sabotage: IgnoreForget, violations={} without it={}", found[1], found[0]);
    assert_eq!(found[0], 0);
    assert!(found[1] > 0);
}

#[test]
fn a_flush_left_out_before_the_answer_is_found_out() {
    // The till says "sold" and has only handed the bytes to the operating system.
    let sim = SimStorage::new(1);
    let mut till = Till::open(&sim, Model::default()).unwrap();
    till.run(&[Op::Append(200), Op::WriteOut]).ok().unwrap();
    till.model.acked = till.model.log.len();
    let after = run(&sim.crash(0), till.model.clone(), &[]).1;
    assert!(matches!(after, Some(Trouble::Violation(_))));
    assert!(run(&sim.kill(), till.model.clone(), &[]).1.is_none(), "the process may die");
}
