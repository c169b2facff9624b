//! How columns become the variables of the minimiser, and rows its cubes.
//!
//! A number is cut at the ends of all ranges that rows name: between two cuts no row can tell one
//! number from another, so each stretch is one value of a multi-valued variable.
//!
//! ```text
//!   rows say     ..17      18..64     65..          !21
//!   stretches    ..17 | 18..20 | 21 | 22..64 | 65..
//!   value           0        1    2        3      4
//! ```
//!
//! Texts are values as they stand, all others together one more; each member of a set is a binary
//! variable of its own. There is one output: each answer is a function by itself.

use super::cell::Cell;
use super::column::{Domain, Held};
use super::input::Point;
use super::table::Table;
use pos_kernel_espresso::{Cover, Error, Layout};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where a column lies among the variables.
#[derive(Debug, Clone)]
pub(super) enum Axis {
    Bool {
        variable: usize,
    },
    /// The number at which each stretch begins.
    Numbers {
        variable: usize,
        starts: Vec<i64>,
    },
    /// The texts in the order of their bytes, each with its value.
    Texts {
        variable: usize,
        sorted: Vec<(String, u16)>,
    },
    Members {
        first: usize,
        sorted: Vec<(String, u16)>,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Space {
    pub(super) layout: Arc<Layout>,
    pub(super) axes: Vec<Axis>,
}

/// A set of inputs: one bit for each value of each variable.
pub(super) type Cube = Vec<u64>;

impl Space {
    pub(super) fn new(table: &Table) -> Result<Space, Error> {
        let binaries_of = |domain: &Domain| match domain {
            Domain::Bool => 1,
            Domain::Set { members } => members.len(),
            _ => 0,
        };
        let binaries = table.columns().iter().map(|column| binaries_of(&column.domain)).sum();
        let (mut binary, mut valued) = (0, Vec::new());
        let mut axes = Vec::with_capacity(table.columns().len());
        for (index, column) in table.columns().iter().enumerate() {
            let variable = binaries + valued.len();
            axes.push(match &column.domain {
                Domain::Bool => Axis::Bool { variable: binary },
                Domain::Set { members } => Axis::Members { first: binary, sorted: sorted(members) },
                Domain::Text { values, open } => {
                    valued.push(values.len() + usize::from(*open));
                    Axis::Texts { variable, sorted: sorted(values) }
                }
                Domain::Integer { least, .. } | Domain::Decimal { least, .. } => {
                    let starts = starts(table, index, *least);
                    valued.push(starts.len());
                    Axis::Numbers { variable, starts }
                }
            });
            binary += binaries_of(&column.domain);
        }
        Ok(Space { layout: Arc::new(Layout::new(binaries, &valued, 1)?), axes })
    }

    /// The inputs for which all cells hold.
    pub(super) fn region(&self, cells: &[Cell]) -> Cube {
        let mut cube = self.layout.full().to_vec();
        for (axis, cell) in self.axes.iter().zip(cells) {
            match (axis, cell) {
                (Axis::Bool { variable }, Cell::Bool(value)) => {
                    self.only(&mut cube, *variable, [usize::from(*value)]);
                }
                (Axis::Texts { variable, .. }, Cell::OneOf(list)) => {
                    self.only(&mut cube, *variable, list.iter().map(|&index| index as usize));
                }
                (Axis::Numbers { variable, starts }, Cell::Within(ranges)) => {
                    let parts = starts.iter().enumerate().filter(|(_, start)| {
                        ranges.iter().any(|(from, to)| (from..=to).contains(start))
                    });
                    self.only(&mut cube, *variable, parts.map(|(part, _)| part));
                }
                (Axis::Members { first, .. }, Cell::Members { has, lacks }) => {
                    for (list, part) in [(has, 1), (lacks, 0)] {
                        for &index in list {
                            self.only(&mut cube, first + index as usize, [part]);
                        }
                    }
                }
                _ => {}
            }
        }
        cube
    }

    /// What two cubes have in common; `None` when that is nothing.
    pub(super) fn meet(&self, a: &[u64], b: &[u64]) -> Option<Cube> {
        let both: Cube = a.iter().zip(b).map(|(a, b)| a & b).collect();
        let holds = self.layout.variables().iter().all(|variable| {
            // A field of up to 64 values lies in one word.
            if variable.parts <= 64 {
                let mask = u64::MAX >> (64 - variable.parts);
                return both[variable.first_bit / 64] >> (variable.first_bit % 64) & mask != 0;
            }
            (variable.first_bit..variable.first_bit + variable.parts).any(|bit| has(&both, bit))
        });
        holds.then_some(both)
    }

    pub(super) fn cover<'a>(
        &self,
        cubes: impl IntoIterator<Item = &'a Cube>,
    ) -> Result<Cover, Error> {
        let mut cover = Cover::empty(&self.layout);
        for cube in cubes {
            cover.push_words(cube)?;
        }
        Ok(cover)
    }

    /// The values of a variable that a cube allows.
    pub(super) fn parts<'a>(
        &'a self,
        cube: &'a [u64],
        variable: usize,
    ) -> impl Iterator<Item = usize> + 'a {
        let field = &self.layout.variables()[variable];
        (0..field.parts).filter(move |part| has(cube, field.first_bit + part))
    }

    /// A cube as conditions, one for each column.
    pub(super) fn cells(&self, cube: &[u64], table: &Table) -> Vec<Cell> {
        let columns = table.columns().iter().map(|column| &column.domain);
        let cells = self.axes.iter().zip(columns).map(|(axis, domain)| match axis {
            Axis::Bool { variable } => {
                let mut parts = self.parts(cube, *variable);
                match (parts.next(), parts.next()) {
                    (Some(part), None) => Cell::Bool(part == 1),
                    _ => Cell::Any,
                }
            }
            Axis::Texts { variable, .. } => {
                let parts = self.parts(cube, *variable);
                let list: Vec<u32> = parts.map(|part| u32::try_from(part).unwrap_or(0)).collect();
                let is_full = list.len() == self.layout.variables()[*variable].parts;
                if is_full { Cell::Any } else { Cell::OneOf(list) }
            }
            Axis::Numbers { variable, starts } => {
                let most = domain.ends().unwrap_or(Domain::ALL).1;
                let mut ranges: Vec<(i64, i64)> = Vec::new();
                for part in self.parts(cube, *variable) {
                    let (from, to) = stretch(starts, part, most);
                    match ranges.last_mut() {
                        Some(last) if last.1 + 1 == from => last.1 = to,
                        _ => ranges.push((from, to)),
                    }
                }
                if ranges == [(starts[0], most)] { Cell::Any } else { Cell::Within(ranges) }
            }
            Axis::Members { first, sorted } => {
                let (mut has, mut lacks) = (Vec::new(), Vec::new());
                for index in 0_u32..u32::try_from(sorted.len()).unwrap_or(0) {
                    let mut parts = self.parts(cube, first + index as usize);
                    match (parts.next(), parts.next()) {
                        (Some(1), None) => has.push(index),
                        (Some(0), None) => lacks.push(index),
                        _ => {}
                    }
                }
                if has.is_empty() && lacks.is_empty() {
                    Cell::Any
                } else {
                    Cell::Members { has, lacks }
                }
            }
        });
        cells.collect()
    }

    /// One input of a cube, the plainest: false, few members, the first text, a number close to 0.
    pub(super) fn example(&self, cube: &[u64], table: &Table) -> Point {
        let mut point = Point::default();
        for variable in 0..self.layout.inputs() {
            let part = self.parts(cube, variable).next().unwrap_or(0);
            point.set(variable, part);
        }
        for (axis, column) in self.axes.iter().zip(table.columns()) {
            if let Axis::Numbers { variable, starts } = axis {
                let most = column.domain.ends().unwrap_or(Domain::ALL).1;
                let plain = |part: &usize| nearest_to_zero(stretch(starts, *part, most)).abs();
                if let Some(part) = self.parts(cube, *variable).min_by_key(plain) {
                    point.set(*variable, part);
                }
            }
        }
        point
    }

    /// What an input of this point holds in each column; the index behind the last text stands for
    /// any other text.
    pub(super) fn held(&self, point: &Point, table: &Table) -> Vec<Held> {
        let columns = table.columns().iter().map(|column| &column.domain);
        let held = self.axes.iter().zip(columns).map(|(axis, domain)| match axis {
            Axis::Bool { variable } => Held::Bool(point.part(*variable) == 1),
            Axis::Texts { variable, .. } => {
                Held::Text(u32::try_from(point.part(*variable)).unwrap_or(0))
            }
            Axis::Numbers { variable, starts } => {
                let most = domain.ends().unwrap_or(Domain::ALL).1;
                Held::Number(nearest_to_zero(stretch(starts, point.part(*variable), most)))
            }
            Axis::Members { first, sorted } => {
                let members = 0_u32..u32::try_from(sorted.len()).unwrap_or(0);
                Held::Members(
                    members.filter(|&index| point.part(first + index as usize) == 1).collect(),
                )
            }
        });
        held.collect()
    }

    fn only(&self, cube: &mut [u64], variable: usize, parts: impl IntoIterator<Item = usize>) {
        let field = &self.layout.variables()[variable];
        for bit in field.first_bit..field.first_bit + field.parts {
            cube[bit / 64] &= !(1 << (bit % 64));
        }
        for part in parts {
            let bit = field.first_bit + part;
            cube[bit / 64] |= 1 << (bit % 64);
        }
    }
}

pub(super) fn has(cube: &[u64], bit: usize) -> bool {
    cube[bit / 64] >> (bit % 64) & 1 != 0
}

fn starts(table: &Table, column: usize, least: i64) -> Vec<i64> {
    let most = table.columns()[column].domain.ends().unwrap_or(Domain::ALL).1;
    let mut cuts = BTreeSet::from([least]);
    for row in table.rows() {
        if let Cell::Within(ranges) = &row.when[column] {
            cuts.extend(ranges.iter().flat_map(|&(from, to)| [from, to + 1]));
        }
    }
    cuts.into_iter().filter(|&cut| cut <= most).collect()
}

/// The first and the last number of a stretch.
fn stretch(starts: &[i64], part: usize, most: i64) -> (i64, i64) {
    (starts[part], starts.get(part + 1).map_or(most, |next| next - 1))
}

fn nearest_to_zero((from, to): (i64, i64)) -> i64 {
    0.clamp(from, to)
}

fn sorted(texts: &[String]) -> Vec<(String, u16)> {
    let mut sorted: Vec<(String, u16)> = texts.iter().cloned().zip(0..).collect();
    sorted.sort();
    sorted
}
