//! What isolation costs and what it contains, measured:
//! `cargo run --release -p pos-kernel-isolate --example isolated`.
//!
//! The program is its own worker: a pool starts it again, and the first line of `main` sees that.

#![allow(missing_docs, clippy::float_arithmetic, reason = "a program that prints measurements")]

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pos_kernel_espresso::{Cover, Layout, Minimizer, Mode};
use pos_kernel_isolate::{
    IsolateError, Job, Limits, Pool, PoolOptions, Program, Transport, WORKER_VARIABLE, worker_main,
};

const CALLS: usize = 20_000;

fn main() -> ExitCode {
    if std::env::var_os(WORKER_VARIABLE).is_some() {
        return ExitCode::from(worker_main());
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("isolated: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let options = PoolOptions {
        program: Some(Program::at(std::env::current_exe()?)),
        workers: 1,
        jobs_per_worker: u64::MAX,
        ..PoolOptions::default()
    };
    let began = Instant::now();
    let pool = Pool::new(options.clone())?;
    println!("pool of one worker started in {:.1?}", began.elapsed());
    latency(&pool, &options)?;
    thousand_jobs(&pool)?;
    message(&pool)?;
    lost(&pool)?;
    let missing = Program::at("/nowhere/pos-kernel-minimizer");
    if let Err(error) = Pool::new(PoolOptions { program: Some(missing), ..options }) {
        println!("bad worker path: {error}");
    }
    Ok(())
}

/// Two binary inputs, two rows.
fn tiny() -> Result<Cover, Box<dyn Error>> {
    let layout = Arc::new(Layout::new(2, &[], 1)?);
    let mut on = Cover::empty(&layout);
    on.push_fields(&[&[0], &[1], &[0]])?;
    on.push_fields(&[&[1], &[1], &[0]])?;
    Ok(on)
}

fn endless() -> Result<Job, Box<dyn Error>> {
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

fn latency(pool: &Pool, options: &PoolOptions) -> Result<(), Box<dyn Error>> {
    let on = tiny()?;
    let minimizer = Minimizer::new(on.layout());
    let job = Job::new(on.clone());
    let piped = Pool::new(PoolOptions { transport: Transport::Pipes, ..options.clone() })?;
    timed("in this process", || Ok(minimizer.minimize(&on, None, None).map(drop)?))?;
    timed("isolated, shared", || Ok(pool.minimize(&job).map(drop)?))?;
    timed("isolated, pipes", || Ok(piped.minimize(&job).map(drop)?))
}

fn timed(name: &str, call: impl Fn() -> Result<(), Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
    let mut times = Vec::with_capacity(CALLS);
    for turn in 0..CALLS + CALLS / 10 {
        let began = Instant::now();
        call()?;
        if turn >= CALLS / 10 {
            times.push(began.elapsed());
        }
    }
    times.sort_unstable();
    let (p50, p99) = (times[CALLS / 2], times[CALLS * 99 / 100]);
    println!("{name}: p50 {p50:.1?}, p99 {p99:.1?} of {CALLS} calls");
    Ok(())
}

fn thousand_jobs(pool: &Pool) -> Result<(), Box<dyn Error>> {
    let limits = Limits { memory_bytes: Some(64 << 20), ..Limits::default() };
    let job = Job::new(tiny()?).limits(limits);
    let resident = || -> Vec<u64> {
        pool.stats().pids.into_iter().chain([std::process::id()]).map(resident_kib).collect()
    };
    pool.minimize(&job)?;
    let before = resident();
    for _ in 0..1000 {
        pool.minimize(&job)?;
    }
    println!(
        "1,000 jobs under a cap of 64 MiB: worker and pool had {before:?} KiB, have {:?} KiB",
        resident()
    );
    Ok(())
}

fn resident_kib(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

/// 256 MiB there and back, as they are and as the OFF-set of a function.
fn message(pool: &Pool) -> Result<(), Box<dyn Error>> {
    let words: Vec<u64> = (0..1u64 << 25).collect();
    for _ in 0..2 {
        let began = Instant::now();
        let echoed = pool.echo(&words, Duration::from_secs(60))?;
        let time = began.elapsed();
        println!("256 MiB there and back: {time:.0?}, equal: {}", echoed == words);
    }
    drop(words);
    // 256 inputs of 64 values, a word each: every OFF row names one value of each.
    let layout = Arc::new(Layout::new(0, &[64; 256], 1)?);
    let mut on = layout.full().to_vec();
    on[0] = 1;
    let count = (1 << 25) / layout.words();
    let mut off = Vec::with_capacity(count * layout.words());
    for row in 0..count {
        off.push(2 << (row % 63));
        off.extend((1..256).map(|input| 1u64 << (row >> (input % 11) & 63)));
        off.push(1);
    }
    let on = Cover::from_words(&layout, on)?;
    let off = Cover::from_words(&layout, off)?;
    let bytes = off.words().len() * 8;
    let limits = Limits { wall: Duration::from_secs(100), ..Limits::default() };
    let job = Job::new(on).off(off).mode(Mode::Fast).memory_limit(2 << 30).limits(limits);
    let began = Instant::now();
    let solution = pool.minimize(&job)?;
    let same = solution.r.is_some_and(|r| r.len() == count);
    println!(
        "a function whose OFF-set has {count} rows, {bytes} bytes: {:.1?}, {} product, all rows \
         back: {same}",
        began.elapsed(),
        solution.cost.products
    );
    Ok(())
}

fn lost(pool: &Pool) -> Result<(), Box<dyn Error>> {
    let tiny = Job::new(tiny()?);
    let next = |what: &str, answer: Result<(), IsolateError>| -> Result<(), Box<dyn Error>> {
        let began = Instant::now();
        pool.minimize(&tiny)?;
        let error = answer.err().map_or_else(|| "no error".to_owned(), |error| error.to_string());
        println!("{what}: {error}; the next call took {:.1?}", began.elapsed());
        Ok(())
    };
    let endless = endless()?;
    let answer = std::thread::scope(|scope| {
        let call = scope.spawn(|| pool.minimize(&endless).map(drop));
        while pool.stats().busy == 0 {
            std::thread::yield_now();
        }
        for pid in pool.stats().pids {
            let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
            println!("kill -9 {pid}: {}", killed.is_ok_and(|status| status.success()));
        }
        call.join()
    });
    next("killed in the middle of a job", answer.map_err(|_| "the call panicked")?)?;
    let limits = Limits { wall: Duration::from_millis(200), ..Limits::default() };
    next("a job without an end", pool.minimize(&endless.limits(limits)).map(drop))
}
