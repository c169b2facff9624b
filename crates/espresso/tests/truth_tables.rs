//! The engine against truth tables: random functions, binary and multi-valued, in every mode and
//! from every pair of given covers, compared point by point. The table is kept here, by values, and
//! shares no code with the minimiser.
//!
//! `POS_KERNEL_FAULT=long` raises the number of functions to a million.

use std::sync::Arc;

use pos_kernel_espresso::{Cover, Layout, Minimizer, Mode};

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Off,
    On,
    Either,
}

/// One row: the allowed values of each variable, the outputs as the last.
type Row = Vec<Vec<usize>>;

struct Function {
    sizes: Vec<usize>,
    on: Vec<Row>,
    dc: Vec<Row>,
}

fn random_function(random: &mut Random) -> (Arc<Layout>, Function) {
    let valued: Vec<usize> = (0..random.next(3)).map(|_| 1 + random.next(5)).collect();
    let mut binaries = random.next(6);
    if valued.is_empty() {
        binaries += 1;
    }
    let outputs = 1 + random.next(3);
    let layout = Arc::new(Layout::new(binaries, &valued, outputs).expect("small"));
    let sizes: Vec<usize> = layout.variables().iter().map(|v| v.parts).collect();
    let mut rows = |count: usize| -> Vec<Row> {
        let width = 1 + random.next(8);
        (0..count)
            .map(|_| {
                sizes
                    .iter()
                    .map(|&size| {
                        if random.next(8) < width {
                            return (0..size).collect();
                        }
                        let mut some: Vec<usize> =
                            (0..size).filter(|_| random.next(2) == 0).collect();
                        if some.is_empty() {
                            some.push(random.next(size));
                        }
                        some
                    })
                    .collect()
            })
            .collect()
    };
    let (on, dc) = (rows(12), rows(3));
    let (keep_on, keep_dc) = (random.next(13), random.next(4));
    let function = Function { sizes, on: on[..keep_on].to_vec(), dc: dc[..keep_dc].to_vec() };
    (layout, function)
}

fn holds(rows: &[Row], point: &[usize]) -> bool {
    rows.iter().any(|row| row.iter().zip(point).all(|(values, value)| values.contains(value)))
}

fn points(sizes: &[usize]) -> Vec<Vec<usize>> {
    sizes.iter().fold(vec![Vec::new()], |all, &size| {
        all.iter()
            .flat_map(|point| (0..size).map(move |value| [point.as_slice(), &[value]].concat()))
            .collect()
    })
}

fn cover(layout: &Arc<Layout>, rows: &[Row]) -> Cover {
    let mut cover = Cover::empty(layout);
    for row in rows {
        let fields: Vec<&[usize]> = row.iter().map(Vec::as_slice).collect();
        cover.push_fields(&fields).expect("in range");
    }
    cover
}

fn rows_of(cover: &Cover) -> Vec<Row> {
    cover
        .cubes()
        .map(|cube| {
            cover
                .layout()
                .variables()
                .iter()
                .map(|v| {
                    (0..v.parts)
                        .filter(|p| {
                            let bit = v.first_bit + p;
                            cube[bit / 64] >> (bit % 64) & 1 == 1
                        })
                        .collect()
                })
                .collect()
        })
        .collect()
}

fn check(seed: u64) {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let (layout, function) = random_function(&mut random);
    let all = points(&function.sizes);
    let want: Vec<Want> = all
        .iter()
        .map(|point| {
            if holds(&function.dc, point) {
                Want::Either
            } else if holds(&function.on, point) {
                Want::On
            } else {
                Want::Off
            }
        })
        .collect();
    let on = cover(&layout, &function.on);
    let dc = cover(&layout, &function.dc);
    let single = |kind: Want| -> Vec<Row> {
        all.iter()
            .zip(&want)
            .filter(|(_, w)| **w == kind)
            .map(|(point, _)| point.iter().map(|&v| vec![v]).collect())
            .collect()
    };
    let on_points = cover(&layout, &single(Want::On));
    let off_points = cover(&layout, &single(Want::Off));
    let mode = [Mode::Normal, Mode::Fast, Mode::Strong, Mode::Exact][random.next(4)];
    let minimizer = Minimizer::new(&layout).mode(mode);
    for (name, answer) in [
        ("fd", minimizer.minimize(&on, Some(&dc), None)),
        ("fr", minimizer.minimize(&on_points, None, Some(&off_points))),
        ("fdr", minimizer.minimize(&on_points, Some(&dc), Some(&off_points))),
    ] {
        let answer = answer.unwrap_or_else(|e| panic!("seed {seed}, type {name}: {e}"));
        let rows = rows_of(&answer.f);
        assert_eq!(rows.len(), answer.cost.products);
        for (point, want) in all.iter().zip(&want) {
            let have = holds(&rows, point);
            let right = match want {
                Want::On => have,
                Want::Off => !have,
                Want::Either => true,
            };
            assert!(right, "seed {seed}, type {name}: wrong at {point:?}");
        }
        assert!(answer.lower_bound <= answer.cost.products, "seed {seed}, type {name}");
        // No product may be left out: the answer is irredundant.
        for without in 0..rows.len() {
            let mut rest = rows.clone();
            rest.remove(without);
            let needed = all
                .iter()
                .zip(&want)
                .any(|(point, want)| *want == Want::On && !holds(&rest, point));
            assert!(needed, "seed {seed}, type {name}: product {without} is not needed");
        }
    }
}

#[test]
fn random_functions_agree_with_their_truth_tables() {
    let long = std::env::var_os("POS_KERNEL_FAULT").is_some_and(|v| v == "long");
    for seed in 1..=if long { 1_000_000 } else { 1_500 } {
        check(seed);
    }
}
