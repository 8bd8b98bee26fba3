//! The memory budget for part buffers of one instance, over all its uploads.
//!
//! A host uses an instance for up to 16 requests at a time, and linear memory is never returned:
//! without a common limit, the peak would be 16 times that of one upload. A part of the budget is
//! reserved for the first buffer of each upload, so that the many buffers of a few uploads leave
//! room for others. An upload without room waits until another one has stored a part or has ended.

use std::cell::Cell;
use std::rc::Rc;

/// Bytes of all buffers of an instance.
const BUDGET_BYTES: u64 = 160 << 20;

/// Bytes of the budget that only uploads without a buffer may use.
const FIRST_BUFFER_RESERVE_BYTES: u64 = 64 << 20;

/// The budget of one instance.
#[derive(Debug, Default)]
pub struct BufferBudget {
    held_bytes: Cell<u64>,
}

/// Permission to hold one buffer, returned when dropped.
#[derive(Debug)]
pub struct Permit {
    budget: Rc<BufferBudget>,
    bytes: u64,
}

impl BufferBudget {
    /// Permission to hold `bytes`, or `None` if there is no room for them now.
    #[must_use]
    pub fn try_acquire(self: &Rc<Self>, bytes: u64, is_first: bool) -> Option<Permit> {
        let held_bytes = self.held_bytes.get().saturating_add(bytes);
        let room = if is_first { BUDGET_BYTES } else { BUDGET_BYTES - FIRST_BUFFER_RESERVE_BYTES };
        if held_bytes > room {
            return None;
        }
        self.held_bytes.set(held_bytes);
        Some(Permit { budget: Rc::clone(self), bytes })
    }

    /// Bytes of the buffers that exist now.
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        self.held_bytes.get()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let held_bytes = &self.budget.held_bytes;
        held_bytes.set(held_bytes.get().saturating_sub(self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_buffers_leave_the_reserve_to_first_buffers() {
        let budget = Rc::new(BufferBudget::default());
        let mut permits: Vec<_> =
            std::iter::from_fn(|| budget.try_acquire(16 << 20, false)).collect();
        assert_eq!(permits.len(), 6);
        permits.extend(std::iter::from_fn(|| budget.try_acquire(16 << 20, true)));
        assert_eq!(permits.len(), 10);
        assert_eq!(budget.held_bytes(), BUDGET_BYTES);
        drop(permits);
        assert_eq!(budget.held_bytes(), 0);
    }

    #[test]
    fn a_size_that_overflows_is_refused() {
        let budget = Rc::new(BufferBudget::default());
        let _permit = budget.try_acquire(1, true);
        assert!(budget.try_acquire(u64::MAX, true).is_none());
    }
}
