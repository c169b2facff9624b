//! Many runs at once, in mixed dimensions: the same answers as one after the other, and nothing left
//! of a thread that has ended. 640 runs; 10,240 with `POS_KERNEL_FAULT=long`.
//!
//! One test only: it counts the memory of the whole process.

use std::alloc::System;
use std::sync::Arc;

use pos_kernel_espresso::classic::{self, Set, Which};
use pos_kernel_espresso::{Cover, Kind, Layout, Minimizer, Mode};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const THREADS: usize = 64;

/// A function, and its answer found alone.
struct Question {
    layout: Arc<Layout>,
    kind: Kind,
    on: Cover,
    dc: Cover,
    off: Cover,
    mode: Mode,
    answer: Vec<u64>,
}

/// Binary inputs, sizes of the others, outputs.
const SHAPES: [(usize, &[usize], usize); 16] = [
    (1, &[], 1),
    (2, &[], 1),
    (3, &[], 2),
    (4, &[], 4),
    (5, &[], 3),
    (6, &[], 1),
    (7, &[], 2),
    (8, &[], 3),
    (2, &[3], 1),
    (3, &[4, 5], 2),
    (0, &[7, 3], 3),
    (1, &[70], 2),
    (10, &[], 1),
    (33, &[], 2),
    (2, &[2, 3, 4], 70),
    (40, &[5], 1),
];

fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    }
}

fn rows(layout: &Arc<Layout>, count: usize, dice: &mut impl FnMut(usize) -> usize) -> Cover {
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

/// Every shape as f, fd and fr, in turn with little and with normal effort.
fn questions() -> Vec<Question> {
    let mut all = Vec::new();
    for (index, (binaries, valued, outputs)) in SHAPES.into_iter().enumerate() {
        let layout = Arc::new(Layout::new(binaries, valued, outputs).expect("small"));
        for (turn, name) in ["f", "fd", "fr"].into_iter().enumerate() {
            let mut dice = dice((index * 3 + turn + 1) as u64);
            let kind = Kind::parse(name).expect("a type");
            let on = rows(&layout, 3 + dice(8), &mut dice);
            let empty = Cover::empty(&layout);
            let dc = if kind.d { rows(&layout, 2, &mut dice) } else { empty.clone() };
            let mode = if turn == 0 { Mode::Fast } else { Mode::Normal };
            let minimizer = Minimizer::new(&layout).mode(mode);
            let off = if kind.r {
                // What is listed as OFF may not meet the ON rows.
                let listed = rows(&layout, 6, &mut dice);
                minimizer.difference(&listed, &on).expect("small")
            } else {
                empty
            };
            let layout = Arc::clone(&layout);
            let mut question = Question { layout, kind, on, dc, off, mode, answer: Vec::new() };
            question.answer = by_instance(&question);
            all.push(question);
        }
    }
    all
}

fn by_instance(question: &Question) -> Vec<u64> {
    let Question { layout, kind, on, dc, off, mode, .. } = question;
    let (d, r) = ((kind.d || !kind.r).then_some(dc), kind.r.then_some(off));
    let solution = Minimizer::new(layout).mode(*mode).minimize(on, d, r).expect("it has an answer");
    solution.f.words().to_vec()
}

/// Three functions side by side on this thread: set up one after the other, minimised in turn.
fn by_thread_state(three: [&Question; 3]) {
    let handles = three.map(|question| {
        let layout = &question.layout;
        let handle = classic::setup_valued(layout.binaries(), &layout.valued(), layout.outputs());
        classic::set_kind(question.kind).expect("it is set up");
        for (set, cover) in
            [(Set::On, &question.on), (Set::Dc, &question.dc), (Set::Off, &question.off)]
        {
            if !cover.is_empty() {
                classic::add_words(set, cover.words()).expect("cubes of this layout");
            }
        }
        handle.expect("small")
    });
    for (handle, question) in handles.into_iter().zip(three) {
        classic::select(handle).expect("it is of this thread");
        classic::set_single_expand(question.mode == Mode::Fast).expect("an option");
        assert_eq!(*classic::get_cube().expect("it is selected"), *question.layout);
        let answer = classic::minimize().expect("it has an answer");
        let f = classic::cover(Which::F).expect("it was minimised");
        assert_eq!(f.words(), question.answer);
        assert_eq!(answer.cost, f.cost());
    }
    // The last one is left to the end of the thread.
    for handle in &handles[..2] {
        classic::teardown(*handle).expect("it is of this thread");
    }
}

/// At least so many runs of one face on all threads; how many there were.
fn storm(questions: &[Question], runs: usize, is_classic: bool) -> usize {
    let run = |thread: usize| {
        let mut done = 0;
        while done < runs / THREADS {
            let at =
                |turn: usize| &questions[(thread * 7 + done * 5 + turn * 11) % questions.len()];
            if is_classic {
                by_thread_state([at(0), at(1), at(2)]);
                done += 3;
            } else {
                assert_eq!(by_instance(at(0)), at(0).answer);
                done += 1;
            }
        }
        done
    };
    let done: usize = std::thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || run(thread))).collect();
        // Only a thread that was joined has also given its state back.
        threads.into_iter().map(|thread| thread.join().expect("it does not panic")).sum()
    });
    assert!(done >= runs);
    done
}

fn live_bytes() -> isize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated as isize - stats.bytes_deallocated as isize
}

#[test]
fn concurrent_runs_answer_like_serial_ones_and_leave_nothing_behind() {
    let long = std::env::var("POS_KERNEL_FAULT").is_ok_and(|value| value == "long");
    let runs = if long { 10_240 } else { 640 };
    let questions = questions();
    for is_classic in [false, true] {
        // What the process makes once is made here.
        storm(&questions, THREADS * 2, is_classic);
        let before = live_bytes();
        let done = storm(&questions, runs, is_classic);
        let left = live_bytes() - before;
        let face = if is_classic { "thread state" } else { "instances" };
        println!("{face}: {done} runs on {THREADS} threads, {left} bytes left");
        assert!(left.abs() < 4096, "{face}: {left} bytes are left of ended threads");
    }
}
