//! The pool and its workers, as processes of their own: answers, limits, losses, back-pressure.
//! What is marked long is longer with `POS_KERNEL_FAULT=long`.

#![cfg(unix)]

use std::sync::Arc;
use std::time::Duration;

use pos_kernel_espresso::{Cover, Error, Layout, Minimizer, Mode};
use pos_kernel_isolate::{Ender, IsolateError, Job, Limits, Pool, PoolOptions, Program, Transport};
use rustix::process::{Pid, Signal, kill_process};

fn program() -> Program {
    Program::at(env!("CARGO_BIN_EXE_pos-kernel-minimizer"))
}

fn pool(workers: usize) -> Pool {
    Pool::new(PoolOptions { program: Some(program()), workers, ..PoolOptions::default() })
        .expect("the worker program of this crate")
}

fn is_long() -> bool {
    std::env::var("POS_KERNEL_FAULT").is_ok_and(|value| value == "long")
}

fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    }
}

fn rows(layout: &Arc<Layout>, count: usize, seed: u64) -> Cover {
    let mut dice = dice(seed);
    let mut cover = Cover::empty(layout);
    for _ in 0..count {
        let fields: Vec<Vec<usize>> = layout
            .variables()
            .iter()
            .map(|variable| {
                let (one, all) = (dice(variable.parts), dice(3) == 0);
                (0..variable.parts).filter(|&value| all || value == one).collect()
            })
            .collect();
        let fields: Vec<&[usize]> = fields.iter().map(Vec::as_slice).collect();
        cover.push_fields(&fields).expect("in range");
    }
    cover
}

fn small(seed: usize) -> Job {
    let shapes: [(usize, &[usize], usize); 4] =
        [(4, &[], 1), (2, &[3], 2), (6, &[], 3), (0, &[70], 1)];
    let (binaries, valued, outputs) = shapes[seed % shapes.len()];
    let layout = Arc::new(Layout::new(binaries, valued, outputs).expect("small"));
    let seed = seed as u64;
    Job::new(rows(&layout, 6, seed)).dont_cares(rows(&layout, 2, seed + 1))
}

/// A job that takes minutes, and no limit of the minimiser's own.
fn endless() -> Job {
    let layout = Arc::new(Layout::new(18, &[], 6).expect("small"));
    Job::new(rows(&layout, 900, 7)).mode(Mode::Exact)
}

fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.cast_signed()).expect("a pid is not 0");
    kill_process(pid, signal).expect("a worker of this process");
}

/// Stops a process, and waits until all of its threads stand.
fn stop(pid: u32) {
    signal(pid, Signal::STOP);
    let state = format!("/proc/{pid}/stat");
    while std::fs::read_to_string(&state).is_ok_and(|stat| !stat.contains(") T ")) {
        std::thread::yield_now();
    }
}

/// Waits until the pool has a busy worker, and gives its pid.
fn busy(pool: &Pool) -> u32 {
    loop {
        let stats = pool.stats();
        if stats.busy > 0 {
            return stats.pids[stats.pids.len() - stats.busy];
        }
        std::thread::yield_now();
    }
}

fn serves(pool: &Pool) {
    let solution = pool.minimize(&small(1)).expect("the pool goes on");
    assert!(solution.cost.products > 0);
}

#[test]
fn answers_are_those_of_this_process() {
    let pool = pool(2);
    let layout = Arc::new(Layout::new(5, &[4], 3).expect("small"));
    for seed in 0..40 {
        for mode in [Mode::Fast, Mode::Normal] {
            let (f, d) = (rows(&layout, 9, seed), rows(&layout, 2, seed + 100));
            let minimizer = Minimizer::new(&layout).mode(mode);
            let r = minimizer.difference(&rows(&layout, 5, seed + 200), &f).expect("small");
            let here = minimizer.minimize(&f, None, Some(&r)).expect("small");
            let there =
                pool.minimize(&Job::new(f.clone()).off(r).mode(mode)).expect("the same there");
            assert_eq!((&here.f, &here.d, &here.r), (&there.f, &there.d, &there.r));
            let here = minimizer.minimize(&f, Some(&d), None).expect("small");
            let there =
                pool.minimize(&Job::new(f).dont_cares(d).mode(mode)).expect("the same there");
            assert_eq!((&here.f, &here.d, &here.r), (&there.f, &there.d, &there.r));
            assert_eq!(
                (here.cost, here.lower_bound, here.proved, here.stopped_early),
                (there.cost, there.lower_bound, there.proved, there.stopped_early)
            );
        }
    }
    assert_eq!((pool.stats().started, pool.stats().lost), (2, 0));
}

#[test]
fn what_the_minimiser_refuses_is_its_own_error_and_costs_no_worker() {
    let pool = pool(1);
    let layout = Arc::new(Layout::new(2, &[], 1).expect("small"));
    let other = Arc::new(Layout::new(3, &[], 1).expect("small"));
    let f = rows(&layout, 3, 1);
    let clash = pool.minimize(&Job::new(f.clone()).off(f.clone()));
    assert!(matches!(clash, Err(IsolateError::Engine(Error::Contradiction { .. }))), "{clash:?}");
    let mismatch = pool.minimize(&Job::new(f.clone()).off(Cover::empty(&other)));
    assert_eq!(
        mismatch.map(drop),
        Err(IsolateError::Engine(Error::LayoutMismatch { which: "OFF" }))
    );
    let wide = Arc::new(Layout::new(30, &[], 1).expect("small"));
    let late = pool.minimize(&Job::new(rows(&wide, 2000, 3)).time_limit(Duration::from_millis(1)));
    assert!(matches!(late, Err(IsolateError::Engine(Error::TimeLimit)) | Ok(_)), "{late:?}");
    assert_eq!((pool.stats().started, pool.stats().lost), (1, 0));
}

#[test]
fn a_worker_killed_in_the_middle_of_a_job_is_an_error_and_the_next_call_is_served() {
    for transport in [Transport::Shared, Transport::Pipes] {
        let options = PoolOptions {
            program: Some(program()),
            workers: 1,
            transport,
            ..PoolOptions::default()
        };
        let pool = Pool::new(options).expect("the worker program of this crate");
        std::thread::scope(|scope| {
            let call = scope.spawn(|| pool.minimize(&endless()));
            let pid = busy(&pool);
            signal(pid, Signal::KILL);
            match call.join().expect("it does not panic") {
                Err(IsolateError::Died { ending }) => assert_eq!(ending.signal, Some(9)),
                other => panic!("{other:?}"),
            }
            serves(&pool);
            assert!(!pool.stats().pids.contains(&pid));
        });
        assert_eq!((pool.stats().started, pool.stats().lost), (2, 1));
    }
}

#[test]
fn a_worker_that_hangs_is_replaced_at_the_wall_limit() {
    for transport in [Transport::Shared, Transport::Pipes] {
        let options = PoolOptions {
            program: Some(program()),
            workers: 1,
            transport,
            ..PoolOptions::default()
        };
        let pool = Pool::new(options).expect("the worker program of this crate");
        let limit = Duration::from_millis(200);
        let limits = Limits { wall: limit, ..Limits::default() };
        // One that does not read, and one that reads and never ends.
        stop(pool.stats().pids[0]);
        let hung = pool.minimize(&small(1).limits(limits));
        assert_eq!(hung.map(drop), Err(IsolateError::WallLimit { limit }));
        serves(&pool);
        let endless = pool.minimize(&endless().limits(limits));
        assert_eq!(endless.map(drop), Err(IsolateError::WallLimit { limit }));
        serves(&pool);
        assert_eq!((pool.stats().started, pool.stats().lost), (3, 2));
    }
}

#[test]
fn a_worker_killed_while_it_is_idle_is_nobodys_error() {
    let pool = pool(1);
    let pid = pool.stats().pids[0];
    signal(pid, Signal::KILL);
    // A process that has ended can be signalled until it is waited for: no fact says that it has.
    while pool.minimize(&small(2)).is_err() {}
    serves(&pool);
    assert!(!pool.stats().pids.contains(&pid));
}

#[test]
#[cfg(target_os = "linux")]
fn cpu_and_memory_are_limited_by_the_system() {
    let pool = pool(1);
    let limit = Duration::from_secs(1);
    // A second of processor time may take minutes.
    let wall = Duration::from_secs(600);
    let limits = Limits { cpu: Some(limit), wall, ..Limits::default() };
    let spent = pool.minimize(&endless().limits(limits));
    assert_eq!(spent.map(drop), Err(IsolateError::CpuLimit { limit }));
    serves(&pool);
    // Its complement takes more than this, which the minimiser is told not to mind.
    let layout = Arc::new(Layout::new(60, &[], 8).expect("small"));
    let limits = Limits { memory_bytes: Some(2 << 20), ..Limits::default() };
    let large = Job::new(rows(&layout, 600, 5)).memory_limit(usize::MAX).limits(limits);
    let refused = pool.minimize(&large);
    assert_eq!(refused.map(drop), Err(IsolateError::MemoryLimit { limit_bytes: 2 << 20 }));
    serves(&pool);
    assert_eq!(pool.stats().lost, 2);
}

#[test]
fn long_messages_go_both_ways_and_leave_no_memory() {
    let megabytes = if is_long() { 256 } else { 16 };
    let words: Vec<u64> =
        (0..megabytes << 17).map(|word: u64| word.wrapping_mul(0x9E37_79B9)).collect();
    for transport in [Transport::Shared, Transport::Pipes] {
        let options = PoolOptions {
            program: Some(program()),
            workers: 1,
            transport,
            ..PoolOptions::default()
        };
        let pool = Pool::new(options).expect("the worker program of this crate");
        for count in [0, 1, 8191, 8192, 8193, words.len()] {
            let echoed =
                pool.echo(&words[..count], Duration::from_secs(60)).expect("it comes back");
            assert!(echoed == words[..count], "{count} words by {transport:?}");
        }
        // The limit of one job is not that of the next question.
        let limits = Limits { memory_bytes: Some(4 << 20), ..Limits::default() };
        pool.minimize(&small(1).limits(limits)).expect("it is small");
        let echoed = pool.echo(&words, Duration::from_secs(60)).expect("it comes back");
        assert!(echoed == words, "by {transport:?}");
        assert_eq!(pool.stats().started, 1);
    }
}

#[test]
fn a_long_answer_comes_whole() {
    let pool = pool(1);
    let layout = Arc::new(Layout::new(64, &[9], 2).expect("small"));
    // One row is ON, and what is listed as OFF comes back with the answer.
    let minimizer = Minimizer::new(&layout);
    let f = rows(&layout, 1, 1);
    let r = minimizer.difference(&rows(&layout, 6000, 9), &f).expect("small");
    assert!(r.words().len() > 10_000, "it is no long message");
    let here = minimizer.mode(Mode::Fast).minimize(&f, None, Some(&r)).expect("small");
    let there = pool.minimize(&Job::new(f).off(r).mode(Mode::Fast)).expect("the same there");
    assert_eq!((here.f, here.r), (there.f, there.r));
}

#[test]
fn a_thousand_jobs_under_a_memory_cap_leave_memory_as_it_was() {
    let pool = pool(2);
    let limits = Limits { memory_bytes: Some(64 << 20), ..Limits::default() };
    let run = |count: usize| {
        for seed in 0..count {
            pool.minimize(&small(seed % 97).limits(limits)).expect("they are small");
        }
    };
    run(200);
    let pids = pool.stats().pids;
    let before: Vec<u64> =
        pids.iter().copied().chain([std::process::id()]).map(resident_kib).collect();
    run(1000);
    assert_eq!((pool.stats().started, pool.stats().lost), (2, 0));
    let after: Vec<u64> =
        pids.iter().copied().chain([std::process::id()]).map(resident_kib).collect();
    println!("resident KiB of the workers and this process: {before:?}, then {after:?}");
    for (before, after) in before.iter().zip(&after) {
        // Other tests run in this process meanwhile, with messages of some megabytes.
        assert!(after.saturating_sub(*before) < 200 << 10, "{before} KiB, then {after}");
    }
    for (before, after) in before.iter().zip(&after).take(2) {
        assert!(after.saturating_sub(*before) < 1024, "a worker: {before} KiB, then {after}");
    }
}

fn resident_kib(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

#[test]
fn workers_are_renewed_after_their_jobs() {
    let options = PoolOptions {
        program: Some(program()),
        workers: 1,
        jobs_per_worker: 10,
        ..PoolOptions::default()
    };
    let pool = Pool::new(options).expect("the worker program of this crate");
    for seed in 0..35 {
        pool.minimize(&small(seed)).expect("they are small");
    }
    let stats = pool.stats();
    assert_eq!((stats.started, stats.recycled, stats.lost), (4, 3, 0));
}

#[test]
fn a_full_queue_and_a_long_wait_are_refused() {
    let wait = Duration::from_millis(20);
    let options = PoolOptions {
        program: Some(program()),
        workers: 1,
        queue: 1,
        wait,
        ..PoolOptions::default()
    };
    let pool = Pool::new(options).expect("the worker program of this crate");
    let limits = Limits { wall: Duration::from_secs(600), ..Limits::default() };
    std::thread::scope(|scope| {
        let first = scope.spawn(|| pool.minimize(&endless().limits(limits)));
        let pid = busy(&pool);
        // The only place in the queue is taken until the wait is over.
        let waited = pool.minimize(&small(1));
        assert_eq!(waited.map(drop), Err(IsolateError::Busy { workers: 1, waiting: 0 }));
        let second = scope.spawn(|| pool.minimize(&small(1)));
        while pool.stats().waiting == 0 && !second.is_finished() {
            std::thread::yield_now();
        }
        if pool.stats().waiting == 1 {
            let full = pool.minimize(&small(1)).map(drop);
            assert!(matches!(full, Err(IsolateError::Busy { workers: 1, .. })), "{full:?}");
        }
        signal(pid, Signal::KILL);
        assert!(matches!(first.join(), Ok(Err(IsolateError::Died { .. }))));
        let _ = second.join().expect("it does not panic");
    });
    serves(&pool);
}

#[test]
fn many_threads_share_few_workers() {
    let pool = pool(2);
    let calls = if is_long() { 640 } else { 64 };
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let pool = &pool;
            scope.spawn(move || {
                for call in 0..calls / 16 {
                    let job = small(thread * 100 + call);
                    let alone = job.layout().clone();
                    let there = pool.minimize(&job).expect("the queue is long enough");
                    assert_eq!(**there.f.layout(), *alone);
                }
            });
        }
    });
    assert_eq!((pool.stats().started, pool.stats().busy, pool.stats().waiting), (2, 0, 0));
}

#[test]
fn a_bad_program_says_what_is_wrong() {
    let within = |start_timeout, path: &str, arguments: &[&str]| {
        let program =
            Program { path: path.into(), arguments: arguments.iter().map(Into::into).collect() };
        let options = PoolOptions {
            program: Some(program),
            workers: 2,
            start_timeout,
            ..PoolOptions::default()
        };
        Pool::new(options).expect_err("no worker is there")
    };
    // What says something has the time for it.
    let with = |path: &str, arguments: &[&str]| within(Duration::from_secs(60), path, arguments);
    let missing = with("/nowhere/pos-kernel-minimizer", &[]);
    assert!(matches!(&missing, IsolateError::NotFound { .. }), "{missing:?}");
    assert!(missing.to_string().contains("/nowhere/pos-kernel-minimizer"), "{missing}");
    let folder = with("/", &[]);
    assert!(matches!(&folder, IsolateError::Spawn { .. }), "{folder:?}");
    let ends = with("/bin/sh", &["-c", "exit 7"]);
    assert!(ends.to_string().contains("exit code 7 and said nothing"), "{ends}");
    let silent = within(Duration::from_millis(300), "/bin/sh", &["-c", "exec sleep 100"]);
    assert!(silent.to_string().contains("it said nothing in its time"), "{silent}");
    let talks = with("/bin/sh", &["-c", "head -c 100 /dev/zero >&0; exec sleep 100"]);
    assert!(talks.to_string().contains("does not begin as a message does"), "{talks}");
    // Beside the program of this test there is no worker.
    let beside = Pool::new(PoolOptions::default());
    assert!(matches!(beside, Err(IsolateError::NotFound { .. })), "{beside:?}");
}

#[test]
fn workers_end_with_their_pool() {
    let pool = pool(2);
    let pids = pool.stats().pids;
    drop(pool);
    for pid in pids {
        assert!(!std::path::Path::new(&format!("/proc/{pid}/stat")).exists());
    }
    // Nobody has started this one.
    let alone = std::process::Command::new(program().path).output().expect("it can be started");
    assert_eq!(alone.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&alone.stderr).contains("is started by its pool"));
}

#[test]
fn a_job_is_ended_from_another_thread_and_the_next_is_served() {
    for transport in [Transport::Shared, Transport::Pipes] {
        let options = PoolOptions {
            program: Some(program()),
            workers: 1,
            transport,
            ..PoolOptions::default()
        };
        let pool = Pool::new(options).expect("the worker program of this crate");
        let ender = Ender::new();
        let job = endless().ender(&ender);
        std::thread::scope(|scope| {
            let run = scope.spawn(|| pool.minimize(&job).map(drop));
            while pool.stats().busy == 0 {
                std::thread::yield_now();
            }
            ender.end();
            assert_eq!(run.join().expect("it ends"), Err(IsolateError::Ended));
        });
        assert_eq!(pool.stats().lost, 1);
        serves(&pool);
        // One that was ended before it began costs no worker.
        assert_eq!(pool.minimize(&small(1).ender(&ender)).map(drop), Err(IsolateError::Ended));
        assert_eq!((pool.stats().started, pool.stats().lost), (2, 1));
    }
}
