//! A lower bound from points: no two of them fit in one product.
//!
//! If some points of ON are such that the smallest cube around any two of them meets OFF, each needs
//! a product of its own. Every product of a good cover is asked for points that only it covers; of
//! these the one whose neighbours are most often OFF is tried first, since few cubes reach far from
//! it. This asks for no list of primes, so it works where there are too many of them.

use crate::blocking::Blocking;
use crate::budget::Stop;
use crate::care::Care;
use crate::cover::Cover;
use crate::cube;
use crate::recurse::{Seen, Stack};

/// Points tried for one product.
const POINTS_MAX: usize = 6;
/// Cubes of what only one product covers that are looked at.
const REST_MAX: usize = 200;

/// Tells whether a cube is clear of OFF.
pub(crate) enum Inside<'i, 'a> {
    /// By the columns of the OFF-set.
    Off(&'i Blocking<'a>),
    /// By tautology, where there is no OFF-set: it must lie within these covers.
    Union(&'i Cover, &'i Cover),
}

impl Inside<'_, '_> {
    fn holds(&self, candidate: &[u64], stack: &mut Stack<'_>) -> Result<bool, Stop> {
        match self {
            Inside::Off(off) => Ok(off.is_clear(candidate)),
            Inside::Union(on, free) => stack.covers(on.cubes().chain(free.cubes()), candidate),
        }
    }
}

/// A number of products that no cover can be below. When a cap strikes, what was found until then.
pub(crate) fn products_least(
    cover: &Cover,
    care: &Care,
    inside: &Inside<'_, '_>,
    stack: &mut Stack<'_>,
) -> Result<usize, Stop> {
    let words = cover.layout().words();
    let mut most = cover.len().min(1);
    // First the points as they come; only if these do not do, better ones are looked for.
    for climbing in [false, true] {
        if most == cover.len() {
            break;
        }
        let mut chosen: Vec<u64> = Vec::new();
        let outcome = choose(cover, care, inside, climbing, &mut chosen, stack);
        most = most.max(chosen.len() / words);
        match outcome {
            Ok(()) => {}
            Err(Stop::Cancelled) => return Err(Stop::Cancelled),
            Err(_) => break,
        }
    }
    Ok(most)
}

fn choose(
    cover: &Cover,
    care: &Care,
    inside: &Inside<'_, '_>,
    climbing: bool,
    chosen: &mut Vec<u64>,
    stack: &mut Stack<'_>,
) -> Result<(), Stop> {
    let words = cover.layout().words();
    // (neighbours that are OFF, product, point)
    let mut products: Vec<Vec<(usize, Vec<u64>)>> = Vec::with_capacity(cover.len());
    for index in 0..cover.len() {
        let mut points: Vec<(usize, Vec<u64>)> = Vec::new();
        for (region, point) in only_here(cover, index, care, stack)? {
            points.push(if climbing {
                climb(&region, point, inside, stack)?
            } else {
                (blocked(&point, inside, stack)?, point)
            });
        }
        points.sort_by_key(|p| std::cmp::Reverse(p.0));
        products.push(points);
    }
    let mut order: Vec<usize> = (0..cover.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(products[i].first().map_or(0, |p| p.0)));
    let mut around = vec![0; words];
    for index in order {
        'points: for (_, point) in &products[index] {
            for other in chosen.chunks_exact(words) {
                stack.budget.tick()?;
                for ((around, a), b) in around.iter_mut().zip(point).zip(other) {
                    *around = a | b;
                }
                if inside.holds(&around, stack)? {
                    continue 'points;
                }
            }
            chosen.extend(point);
            break;
        }
    }
    Ok(())
}

/// A few points that count and that only one product covers, each with a cube of such points around
/// it.
fn only_here(
    cover: &Cover,
    index: usize,
    care: &Care,
    stack: &mut Stack<'_>,
) -> Result<Vec<(Vec<u64>, Vec<u64>)>, Stop> {
    let layout = cover.layout();
    let words = layout.words();
    let mut points = Vec::new();
    for part in care.parts_of(cover.cube(index)).chunks_exact(words) {
        let others = || {
            (0..cover.len()).filter(|&i| i != index).map(|i| cover.cube(i)).chain(care.free.cubes())
        };
        let start = stack.push_cofactor(others(), part);
        let mut region = part.to_vec();
        if stack.witness(start, &mut region)? && points.len() < POINTS_MAX {
            points.push((region.clone(), corner(&region, true, stack)));
            points.push((region.clone(), corner(&region, false, stack)));
        }
        let start = stack.push_cofactor(others(), part);
        let rest = match stack.complement(start, REST_MAX) {
            Err(Stop::Work) => continue,
            rest => rest?,
        };
        for rest in rest.chunks_exact(words) {
            for low in [true, false] {
                let region: Vec<u64> = rest.iter().zip(part).map(|(r, p)| r & p).collect();
                if !cube::is_empty(layout, &region) && points.len() < POINTS_MAX {
                    let point = corner(&region, low, stack);
                    points.push((region, point));
                }
            }
        }
    }
    points.dedup();
    Ok(points)
}

impl Stack<'_> {
    /// Narrows `path` to points that no cube of the region holds; whether there are any. Consumes the
    /// region, which is a cofactor by `path`.
    fn witness(&mut self, start: usize, path: &mut [u64]) -> Result<bool, Stop> {
        let found = self.witness_loop(start, path);
        self.bits.truncate(start);
        found
    }

    fn witness_loop(&mut self, start: usize, path: &mut [u64]) -> Result<bool, Stop> {
        loop {
            match self.look(start)? {
                Seen::Nothing => return Ok(true),
                Seen::Full => return Ok(false),
                Seen::Mixed { unate: true, .. } => {
                    // The hardest place of a unate variable is the value that cubes miss.
                    for variable in 0..self.layout.variables().len() {
                        let spans = self.layout.spans(variable);
                        let missed = |&(w, mask): &(u32, u64)| self.unate[w as usize] & mask;
                        if spans.iter().any(|span| missed(span) != 0) {
                            for span in spans {
                                path[span.0 as usize] &= !span.1 | missed(span);
                            }
                        }
                    }
                    self.drop_unate(start);
                }
                Seen::Mixed { .. } => {
                    let split = self.select(start, None);
                    let end = self.bits.len();
                    for right in [false, true] {
                        let mut half = path.to_vec();
                        for &(word, mask) in self.layout.spans(split.variable) {
                            half[word as usize] &= !mask;
                        }
                        for (w, a, b) in split.halves.spans() {
                            half[w] |= path[w] & if right { b } else { a };
                        }
                        let part = self.push_half(start, end, &split, right);
                        if self.witness(part, &mut half)? {
                            path.copy_from_slice(&half);
                            return Ok(true);
                        }
                    }
                    return Ok(false);
                }
            }
        }
    }
}

/// The point with the lowest, or the highest, allowed value of each variable.
fn corner(region: &[u64], low: bool, stack: &Stack<'_>) -> Vec<u64> {
    let mut point = vec![0; region.len()];
    for variable in stack.layout.variables() {
        let mut bits = (0..variable.parts)
            .map(|p| variable.first_bit + p)
            .filter(|&b| cube::has_bit(region, b));
        if let Some(bit) = if low { bits.next() } else { bits.next_back() } {
            cube::set_bit(&mut point, bit);
        }
    }
    point
}

/// Moves a point within its region, value by value, to where more of its neighbours are OFF.
fn climb(
    region: &[u64],
    mut point: Vec<u64>,
    inside: &Inside<'_, '_>,
    stack: &mut Stack<'_>,
) -> Result<(usize, Vec<u64>), Stop> {
    let mut most = blocked(&point, inside, stack)?;
    if matches!(inside, Inside::Union(..)) {
        return Ok((most, point));
    }
    for variable in stack.layout.variables() {
        let bits = || variable.first_bit..variable.first_bit + variable.parts;
        for bit in bits().filter(|&bit| cube::has_bit(region, bit)) {
            if cube::has_bit(&point, bit) {
                continue;
            }
            let mut moved = point.clone();
            bits().for_each(|bit| cube::clear_bit(&mut moved, bit));
            cube::set_bit(&mut moved, bit);
            let count = blocked(&moved, inside, stack)?;
            if count > most {
                (most, point) = (count, moved);
            }
        }
    }
    Ok((most, point))
}

/// How many single raises of a point meet OFF.
fn blocked(point: &[u64], inside: &Inside<'_, '_>, stack: &mut Stack<'_>) -> Result<usize, Stop> {
    let gaps: Vec<u64> = point.iter().zip(stack.layout.full()).map(|(p, f)| f & !p).collect();
    let mut count = 0;
    let mut wider = point.to_vec();
    for bit in cube::bits(&gaps) {
        stack.budget.tick()?;
        cube::set_bit(&mut wider, bit);
        count += usize::from(!inside.holds(&wider, stack)?);
        cube::clear_bit(&mut wider, bit);
    }
    Ok(count)
}
