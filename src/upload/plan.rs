//! How a source is cut into parts: sizes, how many at once, and when a number may be spent.
//!
//! OSS allows parts of differing sizes: each at least 100 KiB but the last, 10,000 at most
//! (<https://www.alibabacloud.com/help/en/oss/developer-reference/uploadpart>). Nothing is decided
//! in advance: every part is sized from the offset and the numbers that are left, so that requests
//! which end early, and numbers that a take-over skips, never make an upload run into the limit
//! unseen.

use crate::error::{Error, ErrorKind, Result};
use crate::units::{
    BUFFERED_PART_SIZE_MAX, ByteCount, KIB, MIB, OBJECT_SIZE_MAX, PART_COUNT_MAX, PART_SIZE_MAX,
    PART_SIZE_MIN,
};

/// Most parts in flight for one upload.
pub const PARALLEL_MAX: u8 = 32;

/// What one upload may hold in part buffers, unless its configured parts alone need more.
const BUFFER_BUDGET: ByteCount = ByteCount(32 * MIB);

/// One in so many of the numbers that are left is kept for parts that end early.
const SPARE_NUMBERS_DIVISOR: u64 = 16;

/// Planned sizes are multiples of this, so that reads stay aligned with the host's buffers.
const SIZE_STEP_BYTES: u64 = 64 * KIB;

/// The sizes of the parts of a source of unknown length: up to the part number on the left, parts
/// are the factor on the right times the configured size, and never above 16 MiB. With parts of
/// 1 MiB the first 3 GiB need no more memory than a source of known length; 10,000 parts reach
/// about 133 GiB.
const GROWTH: [(u16, u64); 4] = [(64, 1), (1_600, 2), (1_664, 4), (1_728, 8)];

/// The sizes of the parts of one upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    length: Option<ByteCount>,
    part_size: ByteCount,
    parallel: u8,
}

/// How the next part is to be filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextPart {
    /// Its size; the source may end before.
    pub size: ByteCount,
    /// How many parts may be in flight while it is filled.
    pub in_flight_max: u8,
    /// True for a part that is too large to be held: it is passed through to the store with its
    /// size as Content-Length, alone, and cannot be sent twice.
    pub streamed: bool,
}

impl Plan {
    /// A plan for a source of `length` bytes (`None`: not known) in parts of `part_size` or, where
    /// 10,000 of those do not reach, larger ones; at most `parallel` (1 to 32) in flight.
    ///
    /// # Errors
    /// [`ErrorKind::FileTooLarge`] for a length above 10,000 × 5 GiB,
    /// [`ErrorKind::Misconfigured`] for a part size outside 100 KiB to 5 GiB or a number of parts in
    /// flight outside 1 to 32.
    pub fn new(length: Option<ByteCount>, part_size: ByteCount, parallel: u8) -> Result<Self> {
        if let Some(length) = length.filter(|length| *length > OBJECT_SIZE_MAX) {
            return Err(too_large(format!(
                "the file has {length}; the store takes {OBJECT_SIZE_MAX} at most"
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

    /// The same plan for a source of `length` bytes.
    ///
    /// # Errors
    /// [`ErrorKind::FileTooLarge`], as [`Plan::new`].
    pub fn with_length(&self, length: Option<ByteCount>) -> Result<Self> {
        Self::new(length, self.part_size, self.parallel)
    }

    /// The length of the source, where it is known.
    #[must_use]
    pub const fn length(&self) -> Option<ByteCount> {
        self.length
    }

    /// The configured number of parts in flight.
    #[must_use]
    pub const fn parallel(&self) -> u8 {
        self.parallel
    }

    /// The part that starts at `offset` and takes `number`, the lowest number not spent yet
    /// (10,001 where none is left). `request_left` is how many bytes the client's request still
    /// brings, where that is known.
    ///
    /// # Errors
    /// Where no number is left, or the rest does not fit into those that are:
    /// [`ErrorKind::FileTooLarge`] for a source of unknown length,
    /// [`ErrorKind::RequestTooSmall`] where larger requests would fit.
    pub fn next_part(
        &self,
        offset: ByteCount,
        number: u16,
        request_left: Option<ByteCount>,
    ) -> Result<NextPart> {
        let Some(length) = self.length else { return self.next_part_of_unknown(number) };
        let rest = length - offset;
        let numbers_left = numbers_left(number);
        if let Err(error) = self.require_fit(rest, numbers_left) {
            // Numbers were skipped: what is left fits only with requests as large as the error says.
            let needed = rest.bytes().div_ceil(numbers_left.max(1));
            let large = request_left.filter(|left| left.bytes() >= needed && numbers_left > 0);
            return large.map(|left| self.whole_request(left.min(rest))).ok_or(error);
        }

        let usable = (numbers_left - numbers_left / SPARE_NUMBERS_DIVISOR).max(1);
        let even = rest.bytes().div_ceil(usable).next_multiple_of(SIZE_STEP_BYTES);
        let planned = self.part_size.bytes().max(even).min(PART_SIZE_MAX.bytes());
        let size = planned.min(rest.bytes());

        if let Some(left) = request_left.filter(|left| left.bytes() > size && *left < rest) {
            let ends_short = left.bytes() < 2 * size;
            let after_two = number.saturating_add(2);
            if self.is_small_piece(left)
                || ends_short && self.allow_short_part(offset + left, after_two).is_err()
            {
                return Ok(self.whole_request(left));
            }
        }
        if size <= BUFFERED_PART_SIZE_MAX.bytes() {
            return Ok(self.buffered(ByteCount(size)));
        }
        let next = match request_left {
            Some(left) if left > BUFFERED_PART_SIZE_MAX => {
                self.whole_request(left.min(ByteCount(size)))
            }
            // A part whose length is not known beforehand has to be held: it goes as a short part.
            _ => self.buffered(BUFFERED_PART_SIZE_MAX),
        };
        // It is smaller than planned: what follows must fit without it.
        match self.require_fit(rest - next.size, numbers_left - 1) {
            Ok(()) => Ok(next),
            Err(_) => Err(request_too_small(rest, numbers_left)),
        }
    }

    /// Whether a part may end early so that the next one starts at `offset` with `number`: the
    /// rest must still fit into the numbers that are left.
    ///
    /// # Errors
    /// [`ErrorKind::RequestTooSmall`], which names the bytes that one request must bring.
    pub fn allow_short_part(&self, offset: ByteCount, number: u16) -> Result<()> {
        match self.length {
            Some(length) => self.require_fit(length - offset, numbers_left(number)),
            None if numbers_left(number) == 0 => Err(out_of_numbers()),
            None => Ok(()),
        }
    }

    /// A part that takes all that a request brings, held if it is small enough.
    fn whole_request(&self, request: ByteCount) -> NextPart {
        if request <= BUFFERED_PART_SIZE_MAX {
            return self.buffered(request);
        }
        NextPart { size: request.min(PART_SIZE_MAX), in_flight_max: 1, streamed: true }
    }

    /// A request that brings a small piece of the file goes as one part: one call to the store
    /// instead of several, in no more memory than those would take.
    fn is_small_piece(&self, request: ByteCount) -> bool {
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
            // The first stages stay within the memory of parts of the configured size.
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

    /// Small requests may not use the numbers up: as long as parts of 16 MiB can carry the whole
    /// file they must be able to carry the rest, and beyond that parts of 5 GiB.
    fn require_fit(&self, rest: ByteCount, numbers_left: u64) -> Result<()> {
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
                format!("all {PART_COUNT_MAX} part numbers are spent and {rest} are left"),
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
        "all {PART_COUNT_MAX} part numbers are spent: a source of unknown length ends here; \
         everything before is kept"
    ))
}

fn too_large(message: String) -> Error {
    Error::new(ErrorKind::FileTooLarge, message)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
