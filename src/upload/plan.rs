//! Splits a source into parts: their sizes, how many are in flight, and when a short part is
//! allowed.
//!
//! OSS allows parts of different sizes: at least 100 KiB except for the last, and at most 10,000
//! (<https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpart>). Each part is sized
//! when it is needed, from the offset and the remaining part numbers. Requests that end early, and
//! takeovers that skip numbers, therefore cause an error before the numbers are exhausted.

use crate::error::{Error, ErrorKind, Result};
use crate::units::{
    BUFFERED_PART_SIZE_MAX, ByteCount, KIB, MIB, OBJECT_SIZE_MAX, PART_COUNT_MAX, PART_SIZE_MAX,
    PART_SIZE_MIN,
};

/// Maximum number of parts in flight for one upload.
pub const PARALLEL_MAX: u8 = 32;

/// The sizes of the parts of one upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    length: Option<ByteCount>,
    part_size: ByteCount,
    parallel: u8,
}

/// The size of the next part, and how to fill it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NextPart {
    /// Its size; the source may end earlier.
    pub(super) size: ByteCount,
    /// Maximum number of parts in flight while it is filled.
    pub(super) in_flight_max: u8,
    /// Whether the part is too large to be buffered: it is streamed to the store with its size as
    /// Content-Length, with no other part in flight, and cannot be sent again.
    pub(super) streamed: bool,
}

impl Plan {
    /// Creates a plan for a source of `length` bytes (`None` if unknown) in parts of `part_size`,
    /// or of larger ones if 10,000 parts would not suffice. At most `parallel` are in flight.
    ///
    /// # Errors
    /// Returns [`ErrorKind::FileTooLarge`] if the length is above 10,000 × 5 GiB, and
    /// [`ErrorKind::Misconfigured`] if the part size is outside 100 KiB to 5 GiB or the number of
    /// parts in flight outside 1 to 32.
    pub fn new(length: Option<ByteCount>, part_size: ByteCount, parallel: u8) -> Result<Self> {
        if let Some(length) = length.filter(|length| *length > OBJECT_SIZE_MAX) {
            return Err(too_large(format!(
                "the file has {length}; the maximum is {OBJECT_SIZE_MAX}"
            )));
        }
        if part_size < PART_SIZE_MIN || part_size > PART_SIZE_MAX {
            return Err(Error::new(
                ErrorKind::Misconfigured,
                format!(
                    "part_size_bytes is {}, outside {} to {}",
                    part_size.bytes(),
                    PART_SIZE_MIN.bytes(),
                    PART_SIZE_MAX.bytes()
                ),
            ));
        }
        if parallel == 0 || parallel > PARALLEL_MAX {
            return Err(Error::new(
                ErrorKind::Misconfigured,
                format!("parallel is {parallel}, outside 1 to {PARALLEL_MAX}"),
            ));
        }
        Ok(Self { length, part_size, parallel })
    }

    /// Returns the same plan for a source of `length` bytes.
    ///
    /// # Errors
    /// Returns [`ErrorKind::FileTooLarge`] as [`Plan::new`] does.
    pub(super) fn with_length(&self, length: Option<ByteCount>) -> Result<Self> {
        Self::new(length, self.part_size, self.parallel)
    }

    /// Returns the length of the source, if known.
    #[must_use]
    pub(super) const fn length(&self) -> Option<ByteCount> {
        self.length
    }

    /// Returns the configured number of parts in flight.
    #[must_use]
    pub(super) const fn parallel(&self) -> u8 {
        self.parallel
    }

    /// Returns the part that starts at `offset`. `number` is the lowest unused part number (10,001
    /// if none is left), `request_left` the remaining length of the client's request, if known.
    ///
    /// # Errors
    /// Returns an error if the remaining bytes do not fit into the remaining part numbers:
    /// [`ErrorKind::FileTooLarge`] for a source of unknown length, [`ErrorKind::RequestTooSmall`]
    /// if larger requests would fit.
    pub(super) fn next_part(
        &self,
        offset: ByteCount,
        number: u16,
        request_left: Option<ByteCount>,
    ) -> Result<NextPart> {
        let Some(length) = self.length else { return self.next_part_of_unknown(number) };
        let rest = length - offset;
        let numbers_left = numbers_left(number);
        if let Err(error) = self.check_fits(rest, numbers_left) {
            // Numbers were skipped: the rest fits only if requests have the size in the error.
            let needed = rest.bytes().div_ceil(numbers_left.max(1));
            let large = request_left.filter(|left| left.bytes() >= needed && numbers_left > 0);
            return large.map(|left| self.single_part(left.min(rest))).ok_or(error);
        }

        let usable = (numbers_left - numbers_left / RESERVED_NUMBERS_DIVISOR).max(1);
        let even = rest.bytes().div_ceil(usable).next_multiple_of(SIZE_STEP_BYTES);
        let planned = self.part_size.bytes().max(even).min(PART_SIZE_MAX.bytes());
        let size = planned.min(rest.bytes());

        if let Some(left) = request_left.filter(|left| left.bytes() > size && *left < rest) {
            let ends_short = left.bytes() < 2 * size;
            let after_two = number.saturating_add(2);
            if self.fits_one_part(left)
                || ends_short && self.check_short_part(offset + left, after_two).is_err()
            {
                return Ok(self.single_part(left));
            }
        }
        if size <= BUFFERED_PART_SIZE_MAX.bytes() {
            return Ok(self.buffered(ByteCount(size)));
        }
        let next = match request_left {
            Some(left) if left > BUFFERED_PART_SIZE_MAX => {
                self.single_part(left.min(ByteCount(size)))
            }
            // A part of unknown length must be buffered: it becomes a short part.
            _ => self.buffered(BUFFERED_PART_SIZE_MAX),
        };
        // It is smaller than planned: the rest must fit into the other numbers.
        match self.check_fits(rest - next.size, numbers_left - 1) {
            Ok(()) => Ok(next),
            Err(_) => Err(request_too_small(rest, numbers_left)),
        }
    }

    /// Checks that a part may end early, so that the next one starts at `offset` with `number`: the
    /// rest must fit into the remaining numbers.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestTooSmall`] with the required request size if it does not.
    pub(super) fn check_short_part(&self, offset: ByteCount, number: u16) -> Result<()> {
        match self.length {
            Some(length) => self.check_fits(length - offset, numbers_left(number)),
            None if numbers_left(number) == 0 => Err(out_of_numbers()),
            None => Ok(()),
        }
    }

    /// Returns one part for an entire request: buffered if it is small enough.
    fn single_part(&self, request: ByteCount) -> NextPart {
        if request <= BUFFERED_PART_SIZE_MAX {
            return self.buffered(request);
        }
        NextPart { size: request.min(PART_SIZE_MAX), in_flight_max: 1, streamed: true }
    }

    /// Returns whether a request is small enough to be sent as one part: one call to the store
    /// instead of several, in no more memory.
    fn fits_one_part(&self, request: ByteCount) -> bool {
        let configured = (u64::from(self.parallel) + 1) * self.part_size.bytes();
        request.bytes() <= configured / 2 && request <= BUFFERED_PART_SIZE_MAX
    }

    fn next_part_of_unknown(&self, number: u16) -> Result<NextPart> {
        if numbers_left(number) == 0 {
            return Err(out_of_numbers());
        }
        let base = self.part_size.min(BUFFERED_PART_SIZE_MAX).bytes();
        let stage = GROWTH.iter().find(|(last, _)| number <= *last);
        let size = match stage {
            Some((_, factor)) => (base * factor).min(BUFFERED_PART_SIZE_MAX.bytes()),
            None => BUFFERED_PART_SIZE_MAX.bytes(),
        };
        let mut part = self.buffered(ByteCount(size));
        if size > base {
            // Larger parts need no more memory than parts of the configured size.
            let stage_budget = (u64::from(self.parallel) + 1) * base;
            let within = (stage_budget / size).saturating_sub(1).max(1);
            part.in_flight_max = part.in_flight_max.min(u8::try_from(within).unwrap_or(1));
        }
        Ok(part)
    }

    fn buffered(&self, size: ByteCount) -> NextPart {
        let configured = (u64::from(self.parallel) + 1) * self.part_size.bytes();
        let budget = BUFFER_BUDGET.bytes().max(configured);
        let buffers = budget / size.bytes().max(1);
        let in_flight_max = buffers.saturating_sub(1).clamp(1, u64::from(self.parallel));
        NextPart {
            size,
            in_flight_max: u8::try_from(in_flight_max).unwrap_or(self.parallel),
            streamed: false,
        }
    }

    /// Checks that `rest` fits into the remaining numbers, in parts of 16 MiB if the entire file
    /// does, or else of 5 GiB. Small requests therefore cannot exhaust the numbers.
    fn check_fits(&self, rest: ByteCount, numbers_left: u64) -> Result<()> {
        let all_buffered = BUFFERED_PART_SIZE_MAX.bytes() * u64::from(PART_COUNT_MAX);
        let part_size_max = match self.length {
            Some(length) if length.bytes() <= all_buffered => BUFFERED_PART_SIZE_MAX,
            _ => PART_SIZE_MAX,
        };
        if rest.bytes() <= numbers_left.saturating_mul(part_size_max.bytes()) {
            return Ok(());
        }
        if numbers_left == 0 {
            return Err(Error::new(
                ErrorKind::FileTooLarge,
                format!("all {PART_COUNT_MAX} part numbers are used and {rest} are left"),
            ));
        }
        Err(request_too_small(rest, numbers_left))
    }
}

fn numbers_left(number: u16) -> u64 {
    u64::from(PART_COUNT_MAX) + 1 - u64::from(number.clamp(1, PART_COUNT_MAX + 1))
}

fn request_too_small(rest: ByteCount, numbers_left: u64) -> Error {
    let needed = rest.bytes().div_ceil(numbers_left);
    Error::new(
        ErrorKind::RequestTooSmall,
        format!(
            "{rest} are left for {numbers_left} part numbers: \
             send at least {needed} bytes in one request"
        ),
    )
}

fn out_of_numbers() -> Error {
    too_large(format!(
        "all {PART_COUNT_MAX} part numbers are used; the bytes stored so far are kept"
    ))
}

fn too_large(message: String) -> Error {
    Error::new(ErrorKind::FileTooLarge, message)
}

/// Maximum total size of the part buffers of one upload, unless parts of the configured size need
/// more.
const BUFFER_BUDGET: ByteCount = ByteCount(32 * MIB);

/// The remaining part numbers divided by this are reserved for short parts.
const RESERVED_NUMBERS_DIVISOR: u64 = 16;

/// Planned sizes are multiples of this, so that reads are aligned with the host's buffers.
const SIZE_STEP_BYTES: u64 = 64 * KIB;

/// Part sizes of a source of unknown length: up to the part number on the left, a part has the
/// configured size times the factor on the right, and at most 16 MiB. With parts of 1 MiB, the
/// first 3 GiB need no more memory than a source of known length, and 10,000 parts are about
/// 133 GiB.
const GROWTH: [(u16, u64); 4] = [(64, 1), (1_600, 2), (1_664, 4), (1_728, 8)];

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
