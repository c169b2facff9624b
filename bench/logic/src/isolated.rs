//! Worker processes: what a call costs, how long a message may be, and what is left of a worker that
//! is killed, hangs, or has had a thousand jobs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pos_kernel_espresso::{Cover, Layout, Mode};
use pos_kernel_isolate::{IsolateError, Job, Limits, Pool, PoolOptions, Program};
use serde_json::json;

use crate::Outcome;
use crate::goals::{Goals, Limits as Goal, NO_GOAL, limits};

const CALLS: usize = 20_000;
/// Times that a worker is killed in the middle of a job, and times that one hangs.
const LOSSES: usize = 20;
const WALL: Duration = Duration::from_millis(200);
const MESSAGE_BYTES: usize = 256 << 20;

/// All of it, on a pool of one worker, which is this program.
pub fn run(goals: &mut Goals) -> Outcome<()> {
    let options = PoolOptions {
        program: Some(Program::at(std::env::current_exe()?)),
        workers: 1,
        jobs_per_worker: u64::MAX,
        ..PoolOptions::default()
    };
    let pool = Pool::new(options)?;
    latency(&pool, goals)?;
    thousand_jobs(&pool, goals)?;
    message(&pool, goals)?;
    losses(&pool, goals)
}

fn add(goals: &mut Goals, what: &str, limits: Goal, value: f64, measured: String) {
    println!("{}", json!({ "workload": "isolated", "what": what, "value": value }));
    goals.add("13", what, limits, Some(value), measured);
}

/// Two binary inputs, two rows.
fn tiny() -> Outcome<Cover> {
    let layout = Arc::new(Layout::new(2, &[], 1)?);
    let mut on = Cover::empty(&layout);
    on.push_fields(&[&[0], &[1], &[0]])?;
    on.push_fields(&[&[1], &[1], &[0]])?;
    Ok(on)
}

/// A job of minutes.
fn endless() -> Outcome<Job> {
    let layout = Arc::new(Layout::new(18, &[], 6)?);
    let mut on = Cover::empty(&layout);
    let mut state = 7u64;
    for _ in 0..900 {
        let mut fields: Vec<Vec<usize>> = Vec::new();
        for variable in layout.variables() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let one = usize::try_from(state >> 33)? % variable.parts;
            let all = state >> 20 & 3 == 0;
            fields.push((0..variable.parts).filter(|&part| all || part == one).collect());
        }
        let fields: Vec<&[usize]> = fields.iter().map(Vec::as_slice).collect();
        on.push_fields(&fields)?;
    }
    Ok(Job::new(on).mode(Mode::Exact))
}

fn latency(pool: &Pool, goals: &mut Goals) -> Outcome<()> {
    eprintln!("isolated: {CALLS} calls");
    let job = Job::new(tiny()?);
    let mut times = Vec::with_capacity(CALLS);
    for turn in 0..CALLS + CALLS / 10 {
        let began = Instant::now();
        pool.minimize(&job)?;
        if turn >= CALLS / 10 {
            times.push(began.elapsed());
        }
    }
    times.sort_unstable();
    for (name, time, goal) in [
        ("p50", times[CALLS / 2], limits("≤ 1 ms", "≤ 100 µs", "≤ 30 µs")),
        ("p99", times[CALLS * 99 / 100], limits("–", "–", "≤ 300 µs")),
    ] {
        let what = format!("isolated call, tiny table, warm, {name}");
        add(goals, &what, goal, time.as_secs_f64() * 1e6, format!("{time:.1?} of {CALLS} calls"));
    }
    Ok(())
}

fn thousand_jobs(pool: &Pool, goals: &mut Goals) -> Outcome<()> {
    eprintln!("isolated: 1,000 jobs under a memory cap");
    let limits = Limits { memory_bytes: Some(64 << 20), ..Limits::default() };
    let job = Job::new(tiny()?).limits(limits);
    pool.minimize(&job)?;
    let before = worker_kib(pool);
    for _ in 0..1000 {
        pool.minimize(&job)?;
    }
    let after = worker_kib(pool);
    let started = pool.stats().started;
    let measured = format!("worker {before} KiB, then {after} KiB; {started} worker started");
    let growth = after as f64 / before as f64 - 1.0;
    add(goals, "1,000 jobs under a cap of 64 MiB", NO_GOAL, growth, measured);
    Ok(())
}

/// Resident memory of the worker.
fn worker_kib(pool: &Pool) -> u64 {
    let pid = pool.stats().pids.first().copied().unwrap_or_default();
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// A function whose OFF-set alone is as long as the message.
fn message(pool: &Pool, goals: &mut Goals) -> Outcome<()> {
    eprintln!("isolated: a message of {} MiB", MESSAGE_BYTES >> 20);
    let words: Vec<u64> =
        (0..MESSAGE_BYTES as u64 / 8).map(|word| word.wrapping_mul(0x9E37_79B9)).collect();
    let began = Instant::now();
    let echoed = pool.echo(&words, Duration::from_secs(60))?;
    let time = began.elapsed();
    let equal = echoed == words;
    let measured = format!("there and back in {time:.1?}, equal: {equal}");
    let goal = limits("–", "–", "256 MB");
    add(goals, "a message of 256 MiB", goal, time.as_secs_f64(), measured);
    Ok(())
}

/// Workers that are killed in the middle of a job, and workers that hang: the error, and how long the
/// next call takes.
fn losses(pool: &Pool, goals: &mut Goals) -> Outcome<()> {
    let tiny = Job::new(tiny()?);
    let endless = endless()?;
    let limits_of_hung = Limits { wall: WALL, ..Limits::default() };
    let hung = endless.clone().limits(limits_of_hung);
    for (what, is_killed) in [("killed in the middle of a job", true), ("hung", false)] {
        eprintln!("isolated: {LOSSES} workers {what}");
        let (mut typed, mut next) = (0, Vec::with_capacity(LOSSES));
        for _ in 0..LOSSES {
            let answer =
                if is_killed { killed(pool, &endless)? } else { pool.minimize(&hung).map(drop) };
            typed += usize::from(matches!(
                (is_killed, answer),
                (true, Err(IsolateError::Died { .. }))
                    | (false, Err(IsolateError::WallLimit { .. }))
            ));
            let began = Instant::now();
            pool.minimize(&tiny)?;
            next.push(began.elapsed());
        }
        next.sort_unstable();
        let (median, last) = (next[LOSSES / 2], next[LOSSES - 1]);
        let measured = format!(
            "{typed} of {LOSSES} typed errors; the next call: median {median:.1?}, longest {last:.1?}"
        );
        let goal = limits("–", "–", "< 10 ms");
        let what = format!("worker {what}, next call");
        add(goals, &what, goal, median.as_secs_f64() * 1e3, measured);
    }
    Ok(())
}

/// A job whose worker is killed while it is at work.
fn killed(pool: &Pool, job: &Job) -> Outcome<Result<(), IsolateError>> {
    std::thread::scope(|scope| {
        let call = scope.spawn(|| pool.minimize(job).map(drop));
        while pool.stats().busy == 0 {
            std::thread::yield_now();
        }
        for pid in pool.stats().pids {
            let pid = libc::pid_t::try_from(pid)?;
            // SAFETY: a signal to a process of this pool touches no memory of this one.
            if unsafe { libc::kill(pid, libc::SIGKILL) } != 0 {
                return Err(std::io::Error::last_os_error().into());
            }
        }
        call.join().map_err(|_| "the call panicked".into())
    })
}
