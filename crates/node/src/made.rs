//! A value that is made once, by the first call that can make it: a call that cannot leaves nothing behind, and the next
//! one tries again.

use std::sync::{Mutex, OnceLock, PoisonError};

/// The value, once it is made.
#[derive(Debug)]
pub(crate) struct Made<T> {
    value: OnceLock<T>,
    making: Mutex<()>,
}

impl<T> Made<T> {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        Self { value: OnceLock::new(), making: Mutex::new(()) }
    }

    /// The value, where it is made.
    pub(crate) fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// The value; makes it where there is none.
    pub(crate) fn get_or_make<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        let _one_at_a_time = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = self.value.get() {
            return Ok(value);
        }
        let made = make()?;
        Ok(self.value.get_or_init(|| made))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_made_is_tried_again_and_what_was_made_stays() {
        let made = Made::new();
        assert_eq!(made.get_or_make(|| Err("no thread")), Err("no thread"));
        assert_eq!(made.get(), None, "nothing is left of a call that failed");
        assert_eq!(made.get_or_make(|| Ok::<_, &str>(7)), Ok(&7));
        assert_eq!(made.get_or_make(|| Err("not asked")), Ok(&7));
    }
}
