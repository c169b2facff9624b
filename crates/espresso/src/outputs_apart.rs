//! Each output by itself: the covers of a function whose outputs may share no product.
//!
//! Such a cover is larger, but each output can be read, changed and explained without the others.
//! Outputs are independent, so they run side by side; the answer lists them in order.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cover::Cover;
use crate::cube;
use crate::error::Error;
use crate::layout::Layout;
use crate::minimizer::{Minimizer, Solution, sort_for_print};

impl Minimizer {
    /// Minimises every output as a function of its own. In the answer each product has one output,
    /// and `lower_bound` and `proved` speak of such covers only.
    ///
    /// # Errors
    /// As [`Minimizer::minimize`].
    pub fn minimize_outputs_apart(
        &self,
        f: &Cover,
        d: Option<&Cover>,
        r: Option<&Cover>,
    ) -> Result<Solution, Error> {
        for (which, cover) in [("ON", Some(f)), ("DC", d), ("OFF", r)] {
            if cover.is_some_and(|c| **c.layout() != *self.layout) {
                return Err(Error::LayoutMismatch { which });
            }
        }
        let valued = self.layout.valued();
        let single = Arc::new(Layout::new(self.layout.binaries(), &valued, 1)?);
        let one = self.for_layout(&single).threads(1);
        let outputs = self.layout.outputs();
        let parts: Mutex<Vec<Option<Result<Solution, Error>>>> = Mutex::new(vec![None; outputs]);
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let output = next.fetch_add(1, Ordering::Relaxed);
                if output >= outputs {
                    return;
                }
                let only = |cover: &Cover| select(cover, output, &single);
                let part = one.minimize(&only(f), d.map(only).as_ref(), r.map(only).as_ref());
                let mut parts = parts.lock().unwrap_or_else(|poison| poison.into_inner());
                parts[output] = Some(part);
            }
        };
        let threads = self.threads.min(outputs);
        if threads < 2 {
            work();
        } else {
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(work);
                }
            });
        }
        let parts = parts.into_inner().unwrap_or_else(|poison| poison.into_inner());
        let mut whole = Solution {
            f: Cover::empty(&self.layout),
            d: d.cloned().or_else(|| r.is_none().then(|| Cover::empty(&self.layout))),
            r: Some(Cover::empty(&self.layout)),
            cost: Default::default(),
            lower_bound: 0,
            proved: true,
            stopped_early: false,
        };
        for (output, part) in parts.into_iter().enumerate() {
            let part = part.expect("every output was run")?;
            put_back(&part.f, output, &mut whole.f);
            whole.r = match (whole.r.take(), &part.r) {
                (Some(mut r), Some(off)) => {
                    put_back(off, output, &mut r);
                    Some(r)
                }
                _ => None,
            };
            whole.lower_bound += part.lower_bound;
            whole.proved &= part.proved;
            whole.stopped_early |= part.stopped_early;
        }
        if let Some(r) = r {
            whole.r = Some(r.clone());
        }
        sort_for_print(&mut whole.f);
        whole.cost = whole.f.cost();
        Ok(whole)
    }
}

/// The cubes that have one output, with that output alone.
fn select(from: &Cover, output: usize, single: &Arc<Layout>) -> Cover {
    let layout = from.layout();
    let bit = layout.bit(layout.output_variable(), output);
    let mut to = Cover::empty(single);
    for c in from.cubes().filter(|c| cube::has_bit(c, bit)) {
        let mut words = inputs(c, layout, single);
        cube::set_bit(&mut words, single.bit(single.output_variable(), 0));
        to.push(&words);
    }
    to
}

fn put_back(from: &Cover, output: usize, to: &mut Cover) {
    let layout = Arc::clone(to.layout());
    for c in from.cubes() {
        let mut words = inputs(c, from.layout(), &layout);
        cube::set_bit(&mut words, layout.bit(layout.output_variable(), output));
        to.push(&words);
    }
}

/// The input part of a cube, in another layout with the same inputs.
fn inputs(from: &[u64], layout: &Layout, other: &Layout) -> Vec<u64> {
    let mut words = vec![0; other.words()];
    for (variable, here) in layout.variables()[..layout.inputs()].iter().enumerate() {
        for part in 0..here.parts {
            if cube::has_bit(from, here.first_bit + part) {
                cube::set_bit(&mut words, other.bit(variable, part));
            }
        }
    }
    words
}
