//! Handles: numbers that mean one thing for ever.
//!
//! ```text
//! 63    60 59                             24 23              0
//! [ kind ] [ generation, 36 bits           ] [ slot, 24 bits  ]
//! ```
//! A slot's generation begins at a random number and goes up each time it is used again; a slot that
//! has gone round all of them is given up. So a stale handle, one of another process or a random
//! number is not found, instead of meaning something else.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

const SLOT_BITS: u32 = 24;
const GENERATION_BITS: u32 = 36;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;
const GENERATION_MASK: u64 = (1 << GENERATION_BITS) - 1;
const KIND_SHIFT: u32 = SLOT_BITS + GENERATION_BITS;

/// The things of one kind that hosts hold handles to.
#[derive(Debug)]
pub(crate) struct Table<T> {
    kind: u64,
    slots: RwLock<Slots<T>>,
}

#[derive(Debug)]
struct Slots<T> {
    entries: Vec<Slot<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u64,
    uses_left: u64,
    value: Option<Arc<T>>,
}

impl<T> Table<T> {
    /// An empty table; the kind is 1 to 15.
    pub(crate) const fn new(kind: u64) -> Self {
        assert!(kind >= 1 && kind <= 15);
        Self { kind, slots: RwLock::new(Slots { entries: Vec::new(), free: Vec::new() }) }
    }

    /// What a handle means now.
    #[inline]
    pub(crate) fn get(&self, handle: u64) -> Option<Arc<T>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.entries.get(self.index(handle)?)?;
        if slot.generation != (handle >> SLOT_BITS) & GENERATION_MASK {
            return None;
        }
        slot.value.clone()
    }

    /// Gives a handle to a thing; `None` when sixteen million are held already.
    pub(crate) fn insert(&self, value: Arc<T>) -> Option<u64> {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let index = match slots.free.pop() {
            Some(index) => index,
            None => {
                let index = u32::try_from(slots.entries.len()).ok()?;
                if u64::from(index) > SLOT_MASK {
                    return None;
                }
                let generation = RandomState::new().build_hasher().finish() & GENERATION_MASK;
                slots.entries.push(Slot { generation, uses_left: GENERATION_MASK, value: None });
                index
            }
        };
        let slot = &mut slots.entries[index as usize];
        slot.value = Some(value);
        Some(self.kind << KIND_SHIFT | slot.generation << SLOT_BITS | u64::from(index))
    }

    /// Ends a handle and gives what it meant. Exactly one of several callers gets it.
    pub(crate) fn remove(&self, handle: u64) -> Option<Arc<T>> {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let index = self.index(handle)?;
        let slot = slots.entries.get_mut(index)?;
        if slot.generation != (handle >> SLOT_BITS) & GENERATION_MASK {
            return None;
        }
        let value = slot.value.take()?;
        slot.generation = (slot.generation + 1) & GENERATION_MASK;
        slot.uses_left -= 1;
        if slot.uses_left > 0 {
            slots.free.push(u32::try_from(index).expect("a slot's number has 24 bits"));
        }
        Some(value)
    }

    fn index(&self, handle: u64) -> Option<usize> {
        if handle >> KIND_SHIFT != self.kind {
            return None;
        }
        usize::try_from(handle & SLOT_MASK).ok()
    }

    #[cfg(test)]
    fn wear_out(&self, handle: u64) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let index = self.index(handle).expect("it is of this table");
        slots.entries[index].uses_left = 1;
    }
}

#[cfg(test)]
mod tests {
    use super::Table;
    use std::collections::HashSet;
    use std::sync::Arc;

    #[test]
    fn a_handle_means_one_thing_and_then_nothing() {
        let table = Table::new(3);
        let mut seen = HashSet::new();
        for round in 0..10_000 {
            let handle = table.insert(Arc::new(round)).unwrap();
            assert!(seen.insert(handle), "a handle came back");
            assert_eq!(table.get(handle).as_deref(), Some(&round));
            assert_eq!(table.remove(handle).as_deref(), Some(&round));
            assert_eq!(table.get(handle), None);
            assert_eq!(table.remove(handle), None);
        }
    }

    #[test]
    fn handles_of_another_table_or_none_are_not_found() {
        let (one, two) = (Table::new(1), Table::new(2));
        let handle = one.insert(Arc::new(())).unwrap();
        two.insert(Arc::new(())).unwrap();
        assert!(two.get(handle).is_none());
        for wild in [0, 1, u64::MAX, handle ^ 1 << 30, handle + 1] {
            assert!(one.get(wild).is_none(), "{wild:#x}");
        }
    }

    #[test]
    fn a_slot_that_is_worn_out_is_given_up() {
        let table = Table::new(1);
        let first = table.insert(Arc::new(1)).unwrap();
        table.wear_out(first);
        table.remove(first).unwrap();
        let second = table.insert(Arc::new(2)).unwrap();
        assert_ne!(first & super::SLOT_MASK, second & super::SLOT_MASK);
        assert!(table.get(first).is_none());
    }
}
