//! Work in parts, on several threads.
//!
//! A part is a range of numbers, and what it gives depends on nothing but the numbers in it. The
//! answers come back in their order, so what follows is the same for any number of threads.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::budget::Stop;
use crate::recurse::Stack;

/// Parts for each thread: more than one, so that none waits long for the slowest.
const PARTS_PER_THREAD: usize = 4;

/// Cubes of which each asks for a recursion: fewer are not worth a thread.
pub(crate) const PART_LEAST: usize = 32;

/// Runs `part` over the numbers below `count`; the answers of all parts in the order of the numbers.
/// Where there is too little to do, all of it is one part.
pub(crate) fn in_parts<T: Send>(
    count: usize,
    part_least: usize,
    stack: &mut Stack<'_>,
    part: impl Fn(Range<usize>, &mut Stack<'_>) -> Result<Vec<T>, Stop> + Sync,
) -> Result<Vec<T>, Stop> {
    let size = count.div_ceil(stack.threads * PARTS_PER_THREAD).max(part_least);
    let threads = stack.threads.min(count.div_ceil(size.max(1)));
    if threads < 2 {
        return part(0..count, stack);
    }
    let (next, layout) = (AtomicUsize::new(0), stack.layout);
    let found: Mutex<Vec<(usize, Result<Vec<T>, Stop>)>> = Mutex::new(Vec::new());
    let work = |stack: &mut Stack<'_>| {
        loop {
            let start = next.fetch_add(size, Ordering::Relaxed);
            if start >= count {
                return;
            }
            let answer = part(start..count.min(start + size), stack);
            found.lock().unwrap_or_else(|poison| poison.into_inner()).push((start, answer));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            let budget = stack.budget.clone();
            let work = &work;
            scope.spawn(move || work(&mut Stack::new(layout, &budget)));
        }
        let all = std::mem::replace(&mut stack.threads, 1);
        work(stack);
        stack.threads = all;
    });
    let mut found = found.into_inner().unwrap_or_else(|poison| poison.into_inner());
    found.sort_by_key(|answer| answer.0);
    let mut answers = Vec::with_capacity(count);
    for (_, answer) in found {
        answers.extend(answer?);
    }
    Ok(answers)
}
