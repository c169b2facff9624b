//! A lower bound from points: no two of them fit in one product.
//!
//! If some points of ON are such that the smallest cube around any two of them meets OFF, each needs
//! a product of its own. Every product of a good cover is asked for points that only it covers, first
//! among them points that are OFF for as many other outputs as can be: what is OFF for an output has
//! no product in common with any point of it. Products without a point are then given one, made to
//! measure: each point that is there already asks for an OFF cube between itself and the new one, and
//! each OFF cube narrows the room for the new one a little. Where no room is left for one of them, the
//! point there makes way and its product is asked again. This asks for no list of primes, so it works
//! where there are too many of them.

use crate::blocking::Blocking;
use crate::budget::Stop;
use crate::care::Care;
use crate::cover::Cover;
use crate::cube;
use crate::layout::Layout;
use crate::recurse::{Seen, Stack};

/// Rooms kept for one product: cubes of points that only it covers.
const ROOMS_MAX: usize = 6;
/// Cubes of what only one product covers that are looked at.
const REST_MAX: usize = 200;
/// Outputs of one room for which a point is looked for.
const OUTPUTS_MAX: usize = 4;
/// Times that a product is given a point made to measure, for each product of the cover.
const TURNS_PER_PRODUCT: usize = 40;

/// How many words may be compared for points made to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// A look whether it is easy.
    Little = 60_000_000,
    /// For as long as it makes sense.
    Much = 1_000_000_000,
}

/// Tells whether a cube is clear of OFF.
pub(crate) enum Inside<'i, 'a> {
    /// By the OFF-set, and by its columns.
    Off(&'i Cover, &'i Blocking<'a>),
    /// By tautology, where there is no OFF-set: it must lie within these covers.
    Union(&'i Cover, &'i Cover),
}

impl Inside<'_, '_> {
    fn holds(&self, candidate: &[u64], stack: &mut Stack<'_>) -> Result<bool, Stop> {
        match self {
            Inside::Off(_, off) => Ok(off.is_clear(candidate)),
            Inside::Union(on, free) => stack.covers(on.cubes().chain(free.cubes()), candidate),
        }
    }
}

/// A number of products that no cover can be below. When a cap strikes, what was found until then.
pub(crate) fn products_least(
    cover: &Cover,
    care: &Care,
    inside: &Inside<'_, '_>,
    patience: Patience,
    stack: &mut Stack<'_>,
) -> Result<usize, Stop> {
    let mut choice = Choice { words_left: patience as u64, ..Choice::default() };
    let outcome = choice.find(cover, care, inside, stack);
    if outcome == Err(Stop::Cancelled) {
        return Err(Stop::Cancelled);
    }
    Ok(choice.most)
}

/// Points chosen so far, of which no two fit in one product.
#[derive(Default)]
struct Choice {
    /// For each product of the cover its rooms.
    rooms: Vec<Vec<Vec<u64>>>,
    /// For each product its point, if it has one.
    points: Vec<Option<Vec<u64>>>,
    count: usize,
    /// The most points that there were at a time.
    most: usize,
    /// Words that may still be compared.
    words_left: u64,
}

impl Choice {
    fn find(
        &mut self,
        cover: &Cover,
        care: &Care,
        inside: &Inside<'_, '_>,
        stack: &mut Stack<'_>,
    ) -> Result<(), Stop> {
        for index in 0..cover.len() {
            self.rooms.push(rooms_of(cover, index, care, stack)?);
        }
        self.points = vec![None; cover.len()];
        let off = match inside {
            Inside::Off(off, _) => Some((*off, widest_first(off))),
            Inside::Union(..) => None,
        };
        self.greedy(off.as_ref().map(|(off, order)| (*off, &order[..])), inside, stack)?;
        match off {
            Some((off, order)) if self.count < cover.len() => self.fill(off, &order, stack),
            _ => Ok(()),
        }
    }

    fn put(&mut self, product: usize, point: Vec<u64>) {
        self.points[product] = Some(point);
        self.count += 1;
        self.most = self.most.max(self.count);
    }

    /// Takes a point of each product that fits with none taken before.
    fn greedy(
        &mut self,
        off: Option<(&Cover, &[u32])>,
        inside: &Inside<'_, '_>,
        stack: &mut Stack<'_>,
    ) -> Result<(), Stop> {
        let mut around = vec![0; stack.layout.words()];
        for product in 0..self.rooms.len() {
            'points: for point in self.candidates(product, off, stack) {
                for other in self.points.iter().flatten() {
                    stack.budget.tick()?;
                    for ((around, a), b) in around.iter_mut().zip(&point).zip(other) {
                        *around = a | b;
                    }
                    if inside.holds(&around, stack)? {
                        continue 'points;
                    }
                }
                self.put(product, point);
                break;
            }
        }
        Ok(())
    }

    /// Corners of the rooms of a product, first of those parts in which the other outputs are OFF.
    fn candidates(
        &mut self,
        product: usize,
        off: Option<(&Cover, &[u32])>,
        stack: &Stack<'_>,
    ) -> Vec<Vec<u64>> {
        let rooms = &self.rooms[product];
        let mut narrow: Vec<Vec<u64>> = Vec::new();
        if let Some((off, order)) = off {
            for room in rooms {
                if self.words_left > 0 {
                    let narrower = apart(room, off, order, stack);
                    let words = narrower.len() * order.len() * stack.layout.words();
                    self.words_left = self.words_left.saturating_sub(words as u64);
                    narrow.extend(narrower);
                }
            }
        }
        let mut points: Vec<Vec<u64>> = Vec::new();
        for room in narrow.iter().chain(rooms) {
            for low in [true, false] {
                let point = corner(room, low, stack.layout);
                if !points.contains(&point) {
                    points.push(point);
                }
            }
        }
        points
    }

    /// Gives products without a point one that is made to measure, until all have one or the turns are
    /// used up.
    fn fill(&mut self, off: &Cover, order: &[u32], stack: &Stack<'_>) -> Result<(), Stop> {
        let layout = stack.layout;
        let products = self.points.len();
        let mut waiting: Vec<usize> = (0..products).filter(|&p| self.points[p].is_none()).collect();
        // A product that has just been given a point does not lose it at once.
        let mut given = vec![0usize; products];
        // The OFF cube that stood between a point and a room before: likely it does so again.
        let mut between = vec![order.first().map_or(0, |&first| first as usize); products];
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        for turn in 1..=products * TURNS_PER_PRODUCT {
            if waiting.is_empty() || self.words_left == 0 {
                break;
            }
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let product = waiting.swap_remove((state % waiting.len() as u64) as usize);
            // The others, in another order each turn.
            let first = (state >> 32) as usize % products;
            let others: Vec<usize> =
                (first..products).chain(0..first).filter(|&p| self.points[p].is_some()).collect();
            let mut best: Option<(usize, Vec<usize>, Vec<u64>)> = None;
            for room in &self.rooms[product] {
                let mut room = room.clone();
                let mut in_the_way: Vec<usize> = Vec::new();
                for &other in &others {
                    stack.budget.tick()?;
                    let point = self.points[other].as_ref().expect("these have points");
                    let first = between[other];
                    match narrow(&mut room, point, off, first, layout, &mut self.words_left) {
                        Some(index) => between[other] = index,
                        None => in_the_way.push(other),
                    }
                }
                let tabu = in_the_way.iter().filter(|&&p| given[p] + products / 4 > turn).count();
                let cost = in_the_way.len() + tabu;
                if best.as_ref().is_none_or(|(least, ..)| cost < *least) {
                    best = Some((cost, in_the_way, room));
                }
            }
            let Some((cost, in_the_way, room)) = best else { continue };
            let most = if turn.is_multiple_of(8) { 2 } else { 1 };
            if cost > 2 || in_the_way.len() > most {
                waiting.push(product);
                continue;
            }
            for other in in_the_way {
                self.points[other] = None;
                self.count -= 1;
                waiting.push(other);
            }
            let room = apart(&room, off, order, stack).swap_remove(0);
            self.put(product, corner(&room, state >> 20 & 1 == 0, layout));
            given[product] = turn;
        }
        Ok(())
    }
}

/// Cubes of points that count and that only one product covers.
fn rooms_of(
    cover: &Cover,
    index: usize,
    care: &Care,
    stack: &mut Stack<'_>,
) -> Result<Vec<Vec<u64>>, Stop> {
    let layout = cover.layout();
    let words = layout.words();
    let mut rooms: Vec<Vec<u64>> = Vec::new();
    for part in care.parts_of(cover.cube(index)).chunks_exact(words) {
        if rooms.len() >= ROOMS_MAX {
            break;
        }
        let others = || {
            (0..cover.len()).filter(|&i| i != index).map(|i| cover.cube(i)).chain(care.free.cubes())
        };
        let start = stack.push_cofactor(others(), part);
        let mut room = part.to_vec();
        if !stack.witness(start, &mut room)? {
            continue;
        }
        rooms.push(room);
        let start = stack.push_cofactor(others(), part);
        let rest = match stack.complement(start, REST_MAX) {
            Err(Stop::Work) => continue,
            rest => rest?,
        };
        for rest in rest.chunks_exact(words) {
            let room: Vec<u64> = rest.iter().zip(part).map(|(r, p)| r & p).collect();
            if !cube::is_empty(layout, &room) && rooms.len() < ROOMS_MAX && !rooms.contains(&room) {
                rooms.push(room);
            }
        }
    }
    Ok(rooms)
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
fn corner(region: &[u64], low: bool, layout: &Layout) -> Vec<u64> {
    let mut point = vec![0; region.len()];
    for variable in layout.variables() {
        let mut bits = (0..variable.parts)
            .map(|p| variable.first_bit + p)
            .filter(|&b| cube::has_bit(region, b));
        if let Some(bit) = if low { bits.next() } else { bits.next_back() } {
            cube::set_bit(&mut point, bit);
        }
    }
    point
}

/// The cubes of OFF, those of most points first.
fn widest_first(off: &Cover) -> Vec<u32> {
    let mut order: Vec<u32> = (0..off.len() as u32).collect();
    order.sort_by_cached_key(|&i| std::cmp::Reverse(cube::ones(off.cube(i as usize))));
    order
}

/// For each output of a room, the part of the room in which the other outputs are OFF, as many of
/// them as a walk over the OFF cubes finds.
fn apart(room: &[u64], off: &Cover, order: &[u32], stack: &Stack<'_>) -> Vec<Vec<u64>> {
    let layout = stack.layout;
    let outputs = &layout.variables()[layout.output_variable()];
    let bits = || outputs.first_bit..outputs.first_bit + outputs.parts;
    let mut found = Vec::new();
    for one in bits().filter(|&bit| cube::has_bit(room, bit)).take(OUTPUTS_MAX) {
        // Its outputs are those that are still wanted OFF.
        let mut left = room.to_vec();
        bits().for_each(|bit| cube::set_bit(&mut left, bit));
        cube::clear_bit(&mut left, one);
        for &index in order {
            let off = off.cube(index as usize);
            if cube::disjoint(layout, &left, off) {
                continue;
            }
            let wanted: Vec<usize> =
                bits().filter(|&b| cube::has_bit(&left, b) && !cube::has_bit(off, b)).collect();
            cube::and_into(&mut left, off);
            bits().for_each(|bit| cube::clear_bit(&mut left, bit));
            wanted.iter().for_each(|&bit| cube::set_bit(&mut left, bit));
        }
        bits().for_each(|bit| cube::clear_bit(&mut left, bit));
        cube::set_bit(&mut left, one);
        found.push(left);
    }
    found
}

/// Narrows a room so that the smallest cube around a point and any point of the room meets OFF; as
/// little as one OFF cube can. Gives its index; the room stays as it was when there is none. `first` is
/// looked at before the others.
fn narrow(
    room: &mut [u64],
    point: &[u64],
    off: &Cover,
    first: usize,
    layout: &Layout,
    words_left: &mut u64,
) -> Option<usize> {
    let mut best: Option<(u32, usize)> = None;
    let mut looked = 0;
    for index in std::iter::once(first).chain(0..off.len()).take_while(|&i| i < off.len()) {
        looked += 1;
        if let Some(cost) = narrowing(room, point, off.cube(index), layout)
            && best.is_none_or(|(least, _)| cost < least)
        {
            best = Some((cost, index));
            if cost == 0 {
                break;
            }
        }
    }
    *words_left = words_left.saturating_sub(looked * layout.words() as u64);
    let (cost, index) = best?;
    if cost > 0 {
        let off = off.cube(index);
        for variable in 0..layout.variables().len() {
            let spans = layout.spans(variable);
            if spans.iter().all(|&(w, mask)| point[w as usize] & off[w as usize] & mask == 0) {
                for &(w, mask) in spans {
                    room[w as usize] &= off[w as usize] | !mask;
                }
            }
        }
    }
    Some(index)
}

/// In how many variables the room would become narrower if this OFF cube were to stand between it and
/// the point; `None` when nothing of the room would be left.
fn narrowing(room: &[u64], point: &[u64], off: &[u64], layout: &Layout) -> Option<u32> {
    let mut cost = 0;
    for (((room, point), off), low) in room.iter().zip(point).zip(off).zip(layout.binary_low()) {
        let with_point = off & point;
        let apart = !(with_point | with_point >> 1) & low;
        let with_room = off & room;
        if apart & !(with_room | with_room >> 1) != 0 {
            return None;
        }
        let lost = room & !off;
        cost += (apart & (lost | lost >> 1)).count_ones();
    }
    for variable in layout.binaries()..layout.variables().len() {
        let (mut meets_point, mut meets_room, mut loses) = (false, false, false);
        for &(w, mask) in layout.spans(variable) {
            let w = w as usize;
            meets_point |= off[w] & point[w] & mask != 0;
            meets_room |= off[w] & room[w] & mask != 0;
            loses |= room[w] & !off[w] & mask != 0;
        }
        if !meets_point {
            if !meets_room {
                return None;
            }
            cost += u32::from(loses);
        }
    }
    Some(cost)
}

#[cfg(test)]
#[path = "independent_test.rs"]
mod independent_test;
