//! The part buffers of one instance, over all its uploads.
//!
//! A host reuses an instance for up to 16 requests at once, and linear memory is never given back:
//! without a common bound, the peak would be 16 times an upload's. The budget has a part for every
//! upload's first buffer, so that many buffers of a few uploads leave the others room; an upload
//! that finds no room waits until another has stored a part or ended.

use std::cell::Cell;

/// Bytes of all buffers of the instance.
const BUDGET_BYTES: u64 = 160 << 20;

/// Bytes of that which only uploads without a buffer may take.
const FIRST_BYTES: u64 = 64 << 20;

thread_local! {
    static HELD_BYTES: Cell<u64> = const { Cell::new(0) };
}

/// The right to hold one buffer; returned when dropped.
pub(crate) struct Permit {
    bytes: u64,
}

impl Permit {
    /// The right to hold `bytes`, or `None` where there is no room for them now.
    pub(crate) fn take(bytes: u64, is_first: bool) -> Option<Self> {
        let held = HELD_BYTES.get() + bytes;
        let room = if is_first { BUDGET_BYTES } else { BUDGET_BYTES - FIRST_BYTES };
        if held > room {
            return None;
        }
        HELD_BYTES.set(held);
        Some(Self { bytes })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        HELD_BYTES.set(HELD_BYTES.get().saturating_sub(self.bytes));
    }
}
