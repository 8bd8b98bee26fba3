//! Faults of calls, and when they occur.

use super::oss::Operation;
use super::random::Random;

/// A fault of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed before the call takes effect.
    Broken,
    /// The call takes effect, and the connection is closed before the response.
    LostReply,
    /// The call has no effect and no response.
    Hang,
    /// The call takes effect and has no response.
    HangAfter,
    /// The call is rejected with this status and code.
    Refused(u16, &'static str),
    /// OSS damages the bytes that it stores.
    Corrupts,
    /// OSS loses every multipart upload before it executes the call.
    Forgets,
}

impl Fault {
    /// Faults that a retry of the same call overcomes.
    pub const TRANSIENT: [Self; 8] = [
        Self::Broken,
        Self::LostReply,
        Self::Hang,
        Self::HangAfter,
        Self::Refused(503, "ServiceUnavailable"),
        Self::Refused(429, "TotalQpsLimitExceeded"),
        Self::Refused(500, ""),
        // A gateway that responds in place of OSS, without effect.
        Self::Refused(204, ""),
    ];
}

/// The planned faults.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    planned: Vec<(Operation, u32, Fault)>,
    any: Option<(u32, Fault)>,
    always: Vec<(Operation, Fault)>,
    mix: Option<(Random, u64)>,
}

impl Faults {
    /// The `nth` call of this operation from now on fails; the next call is the first.
    pub fn plan(&mut self, operation: Operation, nth: u32, fault: Fault) {
        self.planned.push((operation, nth, fault));
    }

    /// The `nth` call of any operation from now on fails; the next call is the first.
    pub fn plan_any(&mut self, nth: u32, fault: Fault) {
        self.any = Some((nth, fault));
    }

    /// Returns `true` if a planned fault has not occurred.
    #[must_use]
    pub const fn is_due(&self) -> bool {
        self.any.is_some() || !self.planned.is_empty()
    }

    /// Every call of this operation fails.
    pub fn always(&mut self, operation: Operation, fault: Fault) {
        self.always.push((operation, fault));
    }

    /// `per_mille` of a thousand calls fail, with transient faults.
    pub fn mix(&mut self, seed: u64, per_mille: u64) {
        self.mix = Some((Random::seeded(seed), per_mille));
    }

    /// Removes all faults.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The fault of a call that has arrived.
    pub(crate) fn next_fault(&mut self, arrived: Operation) -> Option<Fault> {
        let mut found = self.always.iter().find(|(of, _)| *of == arrived).map(|(_, fault)| *fault);
        self.planned.retain_mut(|(of, nth, fault)| {
            if *of != arrived {
                return true;
            }
            *nth -= 1;
            if *nth == 0 {
                found = Some(*fault);
            }
            *nth > 0
        });
        if let Some((nth, fault)) = &mut self.any {
            *nth -= 1;
            if *nth == 0 {
                found = Some(*fault);
                self.any = None;
            }
        }
        if let Some((random, per_mille)) = &mut self.mix
            && found.is_none()
            && random.chance(*per_mille)
        {
            found = Some(Fault::TRANSIENT[random.index(Fault::TRANSIENT.len())]);
        }
        found
    }
}
