//! What can go wrong with a call, and when it does.

use crate::{Operation, Random};

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection breaks before the store has done anything.
    Broken,
    /// The store does it, and the connection breaks before the answer.
    LostReply,
    /// The store does nothing and never answers.
    Hang,
    /// The store does it and never answers.
    HangAfter,
    /// The store refuses with this status and code.
    Refused(u16, &'static str),
    /// The store damages the bytes that it stores.
    Corrupts,
    /// The store forgets every multipart upload before it looks at the call.
    Forgets,
}

impl Fault {
    /// Faults that the same call, sent again, gets over.
    pub const PASSING: [Self; 8] = [
        Self::Broken,
        Self::LostReply,
        Self::Hang,
        Self::HangAfter,
        Self::Refused(503, "ServiceUnavailable"),
        Self::Refused(429, "TotalQpsLimitExceeded"),
        Self::Refused(500, ""),
        // A gateway that answers in the store's place, and does nothing.
        Self::Refused(204, ""),
    ];
}

/// The faults that are to execute.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    planned: Vec<(Operation, u32, Fault)>,
    any: Option<(u32, Fault)>,
    always: Vec<(Operation, Fault)>,
    mix: Option<(Random, u64)>,
}

impl Faults {
    /// The call of this operation that is the `nth` from now (from 1) fails.
    pub fn plan(&mut self, operation: Operation, nth: u32, fault: Fault) {
        self.planned.push((operation, nth, fault));
    }

    /// The call of any operation that is the `nth` from now (from 1) fails.
    pub fn plan_any(&mut self, nth: u32, fault: Fault) {
        self.any = Some((nth, fault));
    }

    /// True while a planned fault has not happened.
    pub fn is_due(&self) -> bool {
        self.any.is_some() || !self.planned.is_empty()
    }

    /// Every call of this operation fails.
    pub fn always(&mut self, operation: Operation, fault: Fault) {
        self.always.push((operation, fault));
    }

    /// So many of a thousand calls fail, with passing faults.
    pub fn mix(&mut self, seed: u64, per_mille: u64) {
        self.mix = Some((Random::seeded(seed), per_mille));
    }

    /// Nothing fails any more.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// What goes wrong with the call that has just arrived.
    pub fn strike(&mut self, arrived: Operation) -> Option<Fault> {
        let mut struck = self.always.iter().find(|(of, _)| *of == arrived).map(|(_, fault)| *fault);
        self.planned.retain_mut(|(of, nth, fault)| {
            if *of != arrived {
                return true;
            }
            *nth -= 1;
            if *nth == 0 {
                struck = Some(*fault);
            }
            *nth > 0
        });
        if let Some((nth, fault)) = &mut self.any {
            *nth -= 1;
            if *nth == 0 {
                struck = Some(*fault);
                self.any = None;
            }
        }
        if let Some((random, per_mille)) = &mut self.mix
            && struck.is_none()
            && random.chance(*per_mille)
        {
            struck = Some(Fault::PASSING[random.index(Fault::PASSING.len())]);
        }
        struck
    }
}
