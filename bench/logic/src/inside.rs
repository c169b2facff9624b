//! Inside one process: the bindings to the C program, threads, and many calls at once.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use espresso_logic::EspressoConfig;
use espresso_logic::espresso::{CubeType, Espresso, EspressoCover};
use pos_kernel_espresso::{Cover, Layout, Minimizer, Pla};
use serde_json::json;

use crate::goals::{Goals, limits};
use crate::process::{memory, thread_time};
use crate::{Options, Outcome};

/// Files on which the bindings never end, or not in minutes; they have no limit of their own.
const NEVER: [&str; 4] = ["o64", "flag_l", "rfr_", "bb_"];

/// The crate with the C program inside, on the files of binary inputs.
pub fn beside_the_bindings(options: &Options, goals: &mut Goals) -> Outcome<()> {
    let mut sums = [(0, Duration::ZERO), (0, Duration::ZERO)];
    let mut count = 0;
    eprintln!("inside: the bindings, {} rounds", options.rounds);
    for file in &options.files {
        if !file.is_binary() || NEVER.iter().any(|name| file.name.starts_with(name)) {
            continue;
        }
        let pla = Pla::parse(file.text.as_bytes())?;
        let sets = pla.sets(&Minimizer::new(&pla.layout))?;
        count += 1;
        let mut sides = [(0, Vec::new()), (0, Vec::new())];
        for round in 0..options.rounds {
            for turn in 0..2 {
                let side = (turn + round) % 2;
                let start = thread_time();
                sides[side].0 = if side == 1 {
                    let minimizer = Minimizer::new(&pla.layout);
                    minimizer.minimize(&sets.f, sets.d.as_ref(), sets.r.as_ref())?.cost.products
                } else {
                    bindings(&sets.f, sets.d.as_ref(), sets.r.as_ref())?
                };
                sides[side].1.push(thread_time().saturating_sub(start));
            }
        }
        for (sum, (products, times)) in sums.iter_mut().zip(&mut sides) {
            times.sort();
            sum.0 += *products;
            sum.1 += times[times.len() / 2];
        }
        println!(
            "{}",
            json!({
                "workload": "inside", "file": file.name,
                "products": { "bindings": sides[0].0, "ours": sides[1].0 },
                "processorUs": { "bindings": sides[0].1[sides[0].1.len() / 2].as_micros(), "ours": sides[1].1[sides[1].1.len() / 2].as_micros() },
            })
        );
    }
    let [theirs, ours] = sums;
    goals.add(
        "5",
        format!("beside the crate espresso-logic, in process, {count} binary files"),
        limits("≤ 1.0", "≤ 0.5", "≤ 0.2"),
        Some(ours.1.as_secs_f64() / theirs.1.as_secs_f64()),
        format!(
            "time {:.3} ({:.2} s / {:.2} s), products {:.4}",
            ours.1.as_secs_f64() / theirs.1.as_secs_f64(),
            ours.1.as_secs_f64(),
            theirs.1.as_secs_f64(),
            ours.0 as f64 / theirs.0 as f64
        ),
    );
    Ok(())
}

fn bindings(f: &Cover, d: Option<&Cover>, r: Option<&Cover>) -> Outcome<usize> {
    let layout = f.layout();
    let (inputs, outputs) = (layout.binaries(), layout.outputs());
    let _sizes = Espresso::try_new(inputs, outputs, Some(&EspressoConfig::default()))?;
    let convert = |cover: &Cover| -> Outcome<EspressoCover> {
        let rows = cover.rows();
        let cubes: Vec<(&[u8], &[u8])> = rows.iter().map(|(i, o)| (&i[..], &o[..])).collect();
        Ok(EspressoCover::from_cubes(&cubes, inputs, outputs)?)
    };
    let (f, d, r) = (convert(f)?, d.map(convert).transpose()?, r.map(convert).transpose()?);
    let (f, _, _) = f.try_minimize(d, r)?;
    Ok(f.to_cubes(inputs, outputs, CubeType::F).count())
}

/// One and two threads: the whole set as a batch, and one large table. Beside each run, in turns with
/// it, threads that only count, for as long: what two threads can be worth on this machine now.
pub fn threads(options: &Options, goals: &mut Goals) -> Outcome<()> {
    eprintln!("threads: batch and one table");
    let files: Vec<Pla> = options
        .files
        .iter()
        .map(|file| Pla::parse(file.text.as_bytes()))
        .collect::<Result<_, _>>()?;
    let Some(first) = files.first() else { return Ok(()) };
    let batch = |threads: usize| -> Outcome<(Duration, Vec<Vec<u64>>)> {
        let minimizer = Minimizer::new(&first.layout).threads(threads);
        let start = Instant::now();
        let answers = Pla::minimize_many(&files, &minimizer);
        let time = start.elapsed();
        let answers = answers
            .into_iter()
            .map(|answer| Ok(answer?.f.words().to_vec()))
            .collect::<Outcome<Vec<_>>>()?;
        Ok((time, answers))
    };
    let large = options.files.iter().position(|file| file.name == "spla.pla");
    let table = |threads: usize| -> Outcome<(Duration, Vec<Vec<u64>>)> {
        let Some(large) = large else { return Ok((Duration::from_secs(1), Vec::new())) };
        let minimizer = Minimizer::new(&files[large].layout).threads(threads);
        let start = Instant::now();
        let answer = files[large].minimize(&minimizer)?;
        Ok((start.elapsed(), vec![answer.f.words().to_vec()]))
    };
    for (name, limits, run) in [
        (
            "whole set as a batch",
            limits("1.7×", "1.85×", "1.95×"),
            &batch as &dyn Fn(usize) -> Outcome<_>,
        ),
        ("one large table (spla)", limits("1.0×", "1.4×", "1.8×"), &table),
    ] {
        let mut times: [[Vec<Duration>; 2]; 2] = Default::default();
        let mut same = true;
        let (alone, answer) = run(1)?;
        let turns = turns_in(alone);
        for _ in 0..options.rounds {
            for (threads, [ours, bare]) in [1, 2].into_iter().zip(&mut times) {
                let (time, found) = run(threads)?;
                ours.push(time);
                same &= found == answer;
                bare.push(count(turns, threads));
            }
        }
        same &= run(8)?.1 == answer;
        let [one, two] = times.map(|sides| {
            sides.map(|mut times| {
                times.sort();
                times[times.len() / 2].as_secs_f64()
            })
        });
        let (speedup, bare) = (one[0] / two[0], one[1] / two[1]);
        println!(
            "{}",
            json!({
                "workload": "threads", "what": name, "speedup": speedup, "bareLoop": bare, "sameBytes": same,
            })
        );
        let bytes = if same { "same bytes at 1, 2, 8" } else { "BYTES DIFFER" };
        goals.add(
            "10",
            format!("2 threads, {name}"),
            limits,
            Some(speedup),
            format!(
                "{speedup:.2}× ({bytes}); bare loops {bare:.2}×, of which {:.0} %",
                100.0 * speedup / bare
            ),
        );
    }
    Ok(())
}

/// Times that all calls are made.
const ROUNDS: usize = 8;

/// Counts to `turns` in all, shared by this many threads: how long that takes.
fn count(turns: u64, threads: usize) -> Duration {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(move || {
                let mut sum = 0u64;
                for turn in 0..turns / threads as u64 {
                    sum = black_box(sum ^ turn);
                }
                sum
            });
        }
    });
    start.elapsed()
}

/// How far one thread counts in this time.
fn turns_in(time: Duration) -> u64 {
    const SAMPLE: u64 = 10_000_000;
    let sample = count(SAMPLE, 1).as_secs_f64();
    (time.as_secs_f64() / sample * SAMPLE as f64) as u64
}

/// Calls of mixed sizes on many threads, compared with the same calls one after the other. Growth is
/// that of the bytes in use: resident memory goes up and down with what the allocator keeps for
/// threads that have ended.
pub fn concurrent(goals: &mut Goals) -> Outcome<()> {
    for (operations, threads) in [(640, 64), (10_240, 64)] {
        eprintln!("concurrent: {operations} calls on {threads} threads, {ROUNDS} rounds");
        let serial: Vec<Vec<u64>> = (0..operations).map(one_call).collect::<Outcome<_>>()?;
        let mut different = 0;
        let (mut live, mut resident) = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
        for _ in 0..ROUNDS {
            different += round(&serial, threads);
            let now = memory();
            live.push(now.live_bytes);
            resident.push(now.resident_kib);
        }
        // The first round makes what a process makes once.
        let growth = live[ROUNDS - 1] as f64 / live[0] as f64 - 1.0;
        println!(
            "{}",
            json!({
                "workload": "concurrent", "calls": operations, "threads": threads,
                "different": different, "liveBytes": live, "residentKib": resident, "growth": growth,
            })
        );
        let (low, high) =
            (resident.iter().min().unwrap_or(&0), resident.iter().max().unwrap_or(&0));
        let measured = format!(
            "{different} of {} differ; bytes in use after round 1, 2, 3, {ROUNDS}: {}, {}, {}, {} ({:+.3} %); resident {low} to {high} KiB",
            operations * ROUNDS,
            live[0],
            live[1],
            live[2],
            live[ROUNDS - 1],
            growth * 100.0,
        );
        goals.add(
            "12",
            format!("{operations} calls on {threads} threads, mixed sizes"),
            limits("equal (640)", "equal (10,240)", "an hour, growth < 1 %"),
            Some(growth),
            measured,
        );
    }
    Ok(())
}

/// All calls on many threads: how many gave another answer than in a row.
fn round(serial: &[Vec<u64>], threads: usize) -> usize {
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    (thread..serial.len())
                        .step_by(threads)
                        .filter(|&n| one_call(n).ok().as_ref() != Some(&serial[n]))
                        .count()
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or(serial.len())).sum()
    })
}

fn one_call(number: usize) -> Outcome<Vec<u64>> {
    let mut state = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut dice = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % below
    };
    let valued: &[usize] = if number.is_multiple_of(3) { &[5] } else { &[] };
    let layout = Arc::new(Layout::new(2 + number % 7, valued, 1 + number % 3)?);
    let mut on = Cover::empty(&layout);
    for _ in 0..3 + number % 9 {
        let fields: Vec<Vec<usize>> = layout
            .variables()
            .iter()
            .map(|variable| {
                let start = usize::try_from(dice(variable.parts as u64)).unwrap_or(0);
                (0..variable.parts).filter(|&v| v == start || dice(3) == 0).collect()
            })
            .collect();
        let fields: Vec<&[usize]> = fields.iter().map(Vec::as_slice).collect();
        on.push_fields(&fields)?;
    }
    Ok(Minimizer::new(&layout).minimize(&on, None, None)?.f.words().to_vec())
}
