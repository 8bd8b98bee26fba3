//! The part buffers of one instance, over all its uploads.
//!
//! A host reuses an instance for up to 16 requests at once, and linear memory is never given back:
//! without a common bound, the peak would be 16 times an upload's. Every upload may have one buffer
//! whatever the others hold, so that none waits for another; more only while the budget lasts.

use std::cell::Cell;

/// Bytes of buffers beyond each upload's first.
const BUDGET_BYTES: u64 = 96 << 20;

thread_local! {
    static HELD_BYTES: Cell<u64> = const { Cell::new(0) };
}

/// The right to hold one buffer; returned when dropped.
pub(crate) struct Permit {
    bytes: u64,
}

impl Permit {
    /// The right to hold `bytes`. `None` where the budget is used up and the upload has a buffer
    /// already: it will be asked again when that one is free.
    pub(crate) fn take(bytes: u64, is_first: bool) -> Option<Self> {
        let held = HELD_BYTES.get() + bytes;
        if held > BUDGET_BYTES && !is_first {
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
