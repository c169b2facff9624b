//! What can be asked of two cubes: the innermost loops of the minimiser.
//!
//! A cube is `layout.words()` words; these functions own nothing and decide nothing.

use crate::layout::Layout;

/// Whether cube `a` lies within cube `b`.
#[inline]
pub(crate) fn within(a: &[u64], b: &[u64]) -> bool {
    a.iter().zip(b).all(|(a, b)| a & !b == 0)
}

/// Whether two cubes have no point in common.
#[inline]
pub(crate) fn disjoint(layout: &Layout, a: &[u64], b: &[u64]) -> bool {
    for ((a, b), low) in a.iter().zip(b).zip(layout.binary_low()) {
        let both = a & b;
        if !(both | both >> 1) & low != 0 {
            return true;
        }
    }
    for variable in layout.binaries()..layout.variables().len() {
        if layout.spans(variable).iter().all(|&(w, mask)| a[w as usize] & b[w as usize] & mask == 0)
        {
            return true;
        }
    }
    false
}

/// Whether some variable of the cube allows no value, so that the cube has no point.
#[inline]
pub(crate) fn is_empty(layout: &Layout, a: &[u64]) -> bool {
    disjoint(layout, a, a)
}

/// In how many variables two cubes have no value in common, counted up to `limit`; with the last
/// such variable.
#[inline]
pub(crate) fn distance(layout: &Layout, a: &[u64], b: &[u64], limit: u32) -> (u32, usize) {
    let (mut count, mut last) = (0, usize::MAX);
    for (word, ((a, b), low)) in a.iter().zip(b).zip(layout.binary_low()).enumerate() {
        let both = a & b;
        let empty = !(both | both >> 1) & low;
        if empty != 0 {
            count += empty.count_ones();
            if count >= limit {
                return (count, usize::MAX);
            }
            last = layout.variable_of_bit(word * 64 + empty.trailing_zeros() as usize);
        }
    }
    for variable in layout.binaries()..layout.variables().len() {
        if layout.spans(variable).iter().all(|&(w, mask)| a[w as usize] & b[w as usize] & mask == 0)
        {
            count += 1;
            if count >= limit {
                return (count, usize::MAX);
            }
            last = variable;
        }
    }
    (count, last)
}

/// Whether the cube allows every value of the variable.
#[inline]
pub(crate) fn is_full_in(layout: &Layout, a: &[u64], variable: usize) -> bool {
    layout.spans(variable).iter().all(|&(w, mask)| !a[w as usize] & mask == 0)
}

/// Number of values of the variable that the cube allows.
#[inline]
pub(crate) fn parts_in(layout: &Layout, a: &[u64], variable: usize) -> u32 {
    layout.spans(variable).iter().map(|&(w, mask)| (a[w as usize] & mask).count_ones()).sum()
}

#[inline]
pub(crate) fn has_bit(a: &[u64], bit: usize) -> bool {
    a[bit / 64] >> (bit % 64) & 1 != 0
}

#[inline]
pub(crate) fn set_bit(a: &mut [u64], bit: usize) {
    a[bit / 64] |= 1 << (bit % 64);
}

#[inline]
pub(crate) fn clear_bit(a: &mut [u64], bit: usize) {
    a[bit / 64] &= !(1 << (bit % 64));
}

#[inline]
pub(crate) fn or_into(a: &mut [u64], b: &[u64]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a |= b;
    }
}

#[inline]
pub(crate) fn and_into(a: &mut [u64], b: &[u64]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a &= b;
    }
}

/// Number of set bits.
#[inline]
pub(crate) fn ones(a: &[u64]) -> u32 {
    a.iter().map(|w| w.count_ones()).sum()
}

/// The positions of the set bits of a bit set, in order.
pub(crate) fn bits(a: &[u64]) -> impl Iterator<Item = usize> + '_ {
    a.iter().enumerate().flat_map(|(index, &word)| {
        let mut rest = word;
        std::iter::from_fn(move || {
            if rest == 0 {
                return None;
            }
            let bit = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            Some(index * 64 + bit)
        })
    })
}
