//! The memory budget for part buffers of one instance, over all its uploads.
//!
//! A host uses an instance for up to 16 requests at a time, and linear memory never shrinks:
//! without a common limit, the peak would be 16 times that of one upload. Some of the budget is
//! reserved for the first buffer of each upload, so that a few uploads with many buffers do not
//! block others. An upload without a permit waits until another one has stored a part or has ended.

use std::cell::Cell;
use std::rc::Rc;

/// The budget of one instance.
#[derive(Debug, Default)]
pub struct BufferBudget {
    buffered_bytes: Cell<u64>,
}

/// Permission to allocate one buffer. The budget is released when it is dropped.
#[derive(Debug)]
pub struct Permit {
    budget: Rc<BufferBudget>,
    bytes: u64,
}

impl BufferBudget {
    /// Permission to allocate `bytes`, or `None` if they exceed the remaining budget.
    #[must_use]
    pub fn try_acquire(self: &Rc<Self>, bytes: u64, is_first: bool) -> Option<Permit> {
        let buffered_bytes = self.buffered_bytes.get().saturating_add(bytes);
        let room = if is_first { BUDGET_BYTES } else { BUDGET_BYTES - FIRST_BUFFER_RESERVE_BYTES };
        if buffered_bytes > room {
            return None;
        }
        self.buffered_bytes.set(buffered_bytes);
        Some(Permit { budget: Rc::clone(self), bytes })
    }

    /// Bytes of the buffers that exist now.
    #[must_use]
    pub fn buffered_bytes(&self) -> u64 {
        self.buffered_bytes.get()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let buffered_bytes = &self.budget.buffered_bytes;
        buffered_bytes.set(buffered_bytes.get().saturating_sub(self.bytes));
    }
}

/// Bytes of all buffers of an instance. Hosted edges limit the memory of an instance to 128 MiB, of
/// which the component itself, its stacks and 16 concurrent requests need the rest.
const BUDGET_BYTES: u64 = 96 << 20;

/// Bytes of the budget that are reserved for uploads without a buffer.
const FIRST_BUFFER_RESERVE_BYTES: u64 = 48 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_first_buffers_can_use_the_reserve() {
        let budget = Rc::new(BufferBudget::default());
        let mut permits: Vec<_> =
            std::iter::from_fn(|| budget.try_acquire(16 << 20, false)).collect();
        assert_eq!(permits.len(), 3);
        permits.extend(std::iter::from_fn(|| budget.try_acquire(16 << 20, true)));
        assert_eq!(permits.len(), 6);
        assert_eq!(budget.buffered_bytes(), BUDGET_BYTES);
        drop(permits);
        assert_eq!(budget.buffered_bytes(), 0);
    }

    #[test]
    fn a_size_that_overflows_is_rejected() {
        let budget = Rc::new(BufferBudget::default());
        let _permit = budget.try_acquire(1, true);
        assert!(budget.try_acquire(u64::MAX, true).is_none());
    }
}
