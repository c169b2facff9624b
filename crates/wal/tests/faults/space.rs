//! A disk that runs full: refused at `reserve`, never in the middle of a sale, and the log goes on
//! when there is room again.

use crate::long;
use crate::till::{DIR, Model, Op, SEGMENT_BYTES, Till, Trouble, audit, run};
use pos_kernel_wal::sim::{Call, SimStorage};
use pos_kernel_wal::{Space, WalError};
use std::path::Path;

/// Records of one sale and the bytes of each: less than the quarter segment that `reserve` promises.
const SALE: [usize; 6] = [900, 200, 1500, 60, 2000, 400];

/// Sells until `reserve` refuses. Returns the number of sales.
fn sell_until_refused(till: &mut Till, sales_max: usize, place: &str) -> usize {
    for sale in 0..sales_max {
        match till.wal().reserve() {
            Ok(()) => {}
            Err(WalError::NoSpace { segment_bytes }) => {
                assert_eq!(segment_bytes, SEGMENT_BYTES);
                assert_eq!(till.wal().space(), Space::Full, "{place}");
                assert_eq!(till.wal().poison(), None, "{place}");
                return sale;
            }
            Err(error) => panic!("{place}: sale {sale}: {error}"),
        }
        for size in SALE {
            till.append(size).unwrap_or_else(|error| panic!("{place}: sale {sale}: {error}"));
        }
        till.commit().unwrap_or_else(|error| panic!("{place}: sale {sale}: {error}"));
    }
    sales_max
}

#[test]
fn a_sale_that_was_let_in_never_meets_a_full_disk() {
    let stride = if long() { 64 } else { 2048 };
    let (mut budgets, mut sales, mut refusals) = (0, 0, 0);
    for free in (0..2 * SEGMENT_BYTES as usize + 8192).step_by(stride) {
        let place = format!("{free} bytes free");
        let sim = SimStorage::new(free as u64);
        let mut till = Till::open(&sim, Model::default()).unwrap();
        sim.set_budget(Some(sim.bytes_used() + free as u64));
        budgets += 1;
        for round in 0..3 {
            sales += sell_until_refused(&mut till, 100, &place);
            assert!(till.wal().reserve().is_err(), "{place}: the disk is full");
            refusals += 1;
            // What is open can still be finished.
            till.append(700).unwrap();
            till.commit().unwrap();
            // Somebody frees room for one more segment and its manifest; the same log goes on.
            let room = u64::from(SEGMENT_BYTES) + 4096;
            sim.set_budget(Some(sim.bytes_used() + room));
            let sold = sell_until_refused(&mut till, 1, &place);
            assert_eq!(sold, 1, "{place}: round {round}");
            sim.set_budget(Some(sim.bytes_used()));
        }
        sales += sell_until_refused(&mut till, 100, &place);
        sim.set_budget(None);
        assert_eq!(sell_until_refused(&mut till, 20, &place), 20, "{place}");
        assert_eq!(audit(&sim).unwrap(), till.model.log, "{place}");
    }
    println!(
        "full disks: budgets={budgets} sales={sales} refusals_at_reserve={refusals} \
         commits_hit_by_no_space=0 resumed_without_restart=100%"
    );
    assert!(sales > budgets);
}

#[test]
fn a_full_disk_does_not_keep_a_till_from_opening_again() {
    let mut cases = 0;
    for sales in 0..12 {
        let place = format!("after {sales} sales");
        let sim = SimStorage::new(sales as u64);
        let mut till = Till::open(&sim, Model::default()).unwrap();
        sell_until_refused(&mut till, sales, &place);
        sim.set_budget(Some(sim.bytes_used()));
        sell_until_refused(&mut till, 100, &place);
        for op in [Op::Reopen, Op::Kill, Op::Append(300), Op::Commit, Op::Reopen] {
            if let Err(trouble) = till.step(op) {
                panic!("{place}: {op:?}: {trouble:?}");
            }
            cases += 1;
        }
        assert_eq!(audit(&sim).unwrap(), till.model.log);
    }
    println!("opened on a full disk: cases={cases} refused=0");
}

#[test]
fn the_next_owner_takes_the_prepared_segment_over() {
    let sim = SimStorage::new(3);
    let mut till = Till::open(&sim, Model::default()).unwrap();
    till.wal().reserve().unwrap();
    let next = Path::new(DIR).join("segment-000002.wal");
    for blank in [true, false] {
        sim.set_budget(Some(sim.bytes_used()));
        till.step(Op::Kill).unwrap();
        let reads = sim.count(Call::Read);
        assert_eq!(till.wal().space(), Space::Ok);
        till.wal().reserve().unwrap();
        assert_eq!(sim.count(Call::Read), reads, "nobody waits until it was looked through");
        if !blank {
            // What a torn roll leaves: its space is kept, and zeros go over it.
            let mut torn = sim.peek(&next).unwrap();
            torn[20_000] = 7;
            sim.poke(&next, &torn);
        }
    }
    let segment = till.wal().position().segment;
    assert!(sell_until_refused(&mut till, 100, "a full disk") > 0);
    assert_eq!(till.wal().position().segment, segment + 1);
    assert_eq!(audit(&sim).unwrap(), till.model.log);
}

#[test]
fn a_torn_tail_that_cannot_be_kept_aside_is_not_cut() {
    // Without room for the copy the journal is refused as it stands; with room it opens.
    let sim = SimStorage::new(5);
    let mut till = Till::open(&sim, Model::default()).unwrap();
    till.run(&[Op::Append(300), Op::Commit, Op::Append(3000), Op::WriteOut]).ok().unwrap();
    let model = till.model.clone();
    let mut refused = 0;
    for seed in 2..40 {
        let torn = sim.crash(seed);
        let before: Vec<_> = torn.files().iter().map(|path| torn.peek(path)).collect();
        torn.set_budget(Some(torn.bytes_used()));
        match Till::open(&torn, model.clone()) {
            Ok(till) => {
                assert_eq!(audit(&torn).unwrap(), till.model.log);
            }
            Err((Trouble::Refused(WalError::Io { source, .. }), same)) => {
                assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
                let after: Vec<_> = torn.files().iter().map(|path| torn.peek(path)).collect();
                assert_eq!(before[..], after[after.len() - before.len()..]);
                torn.set_budget(None);
                let (_, trouble) = run(&torn, same, &[Op::Append(9), Op::Commit]);
                assert!(trouble.is_none(), "{trouble:?}");
                let kept = torn.files().into_iter().filter(|path| {
                    path.starts_with(DIR) && path.extension() == Some("bin".as_ref())
                });
                assert_eq!(kept.count(), 1);
                refused += 1;
            }
            Err((trouble, _)) => panic!("{trouble:?}"),
        }
    }
    println!("torn tails on a full disk: refused until there was room={refused}");
    assert!(refused > 0);
}

#[test]
fn a_file_that_could_not_be_filled_does_not_stay() {
    let sim = SimStorage::new(1);
    let mut till = Till::open(&sim, Model::default()).unwrap();
    sim.set_budget(Some(sim.bytes_used() + 5000));
    assert!(matches!(till.roll(), Err(WalError::NoSpace { .. })));
    assert!(sim.peek(&Path::new(DIR).join("segment-000002.wal")).is_none());
    assert!(till.step(Op::Append(100)).is_ok());
    assert!(till.step(Op::Commit).is_ok());
}
