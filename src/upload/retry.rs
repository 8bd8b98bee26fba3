//! The schedule of retries: a policy over a budget, separate from sending.
//!
//! Full jitter, as in
//! <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>: the delay is
//! uniform between zero and an exponentially growing bound, so that uploads that failed at the same
//! time are not retried at the same time.

use std::time::Duration;

use crate::units::UnixMillis;

/// The retry budget of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Maximum number of attempts, including the first; at least 1.
    pub attempts_max: u32,
    /// Maximum time between the first attempt and the last one.
    pub elapsed_max: Duration,
    /// Upper bound of the first delay; it doubles with each attempt.
    pub delay_base: Duration,
    /// Upper bound of every delay.
    pub delay_max: Duration,
}

impl Default for RetryPolicy {
    /// Five attempts within five minutes, with delays up to 0.2 s × 2ⁿ and 20 s: the bounds of the
    /// OSS SDK for Go v2.
    fn default() -> Self {
        Self {
            attempts_max: 5,
            elapsed_max: Duration::from_secs(300),
            delay_base: Duration::from_millis(200),
            delay_max: Duration::from_secs(20),
        }
    }
}

/// The attempts of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    first_at: UnixMillis,
    made: u32,
}

impl Attempts {
    /// Records the first attempt at `now`.
    #[must_use]
    pub const fn first(now: UnixMillis) -> Self {
        Self { first_at: now, made: 1 }
    }

    /// Returns when to retry after a failure at `now`, or `None` if the budget is exhausted.
    /// `deadline` is when the credential expires, if it cannot be renewed.
    pub fn next(
        &mut self,
        policy: &RetryPolicy,
        now: UnixMillis,
        deadline: Option<UnixMillis>,
        jitter: &mut Jitter,
    ) -> Option<UnixMillis> {
        if self.made >= policy.attempts_max {
            return None;
        }
        let doublings = (self.made - 1).min(16);
        let bound = policy.delay_base.saturating_mul(1 << doublings).min(policy.delay_max);
        let at = now + jitter.up_to(bound);
        let is_late = at.since(self.first_at) > policy.elapsed_max
            || deadline.is_some_and(|deadline| at >= deadline);
        if is_late {
            return None;
        }
        self.made += 1;
        Some(at)
    }

    /// Returns the number of attempts.
    #[must_use]
    pub const fn made(self) -> u32 {
        self.made
    }
}

/// A seeded source of delays (SplitMix64, <https://prng.di.unimi.it/splitmix64.c>). The engine
/// generates no randomness: the driver supplies the seed.
#[derive(Clone, Debug)]
pub struct Jitter(u64);

impl Jitter {
    /// Creates the delays that follow from `seed`.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the next 64 pseudorandom bits.
    pub(super) const fn next_bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    fn up_to(&mut self, bound: Duration) -> Duration {
        let bits = self.next_bits();
        let bound_ms = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(bits % bound_ms.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    const START: UnixMillis = UnixMillis(1_000_000);

    #[test]
    fn the_number_of_attempts_is_that_of_the_policy() {
        let policy = RetryPolicy::default();
        let mut attempts = Attempts::first(START);
        let mut jitter = Jitter::seeded(1);
        let mut now = START;
        while let Some(at) = attempts.next(&policy, now, None, &mut jitter) {
            now = at;
        }
        assert_eq!(attempts.made(), policy.attempts_max);
    }

    #[test]
    fn one_attempt_means_no_retry() {
        let policy = RetryPolicy { attempts_max: 1, ..RetryPolicy::default() };
        let mut attempts = Attempts::first(START);
        assert_eq!(attempts.next(&policy, START, None, &mut Jitter::seeded(1)), None);
    }

    #[test]
    fn delays_spread_over_the_entire_range_below_a_doubling_bound() {
        let policy = RetryPolicy { attempts_max: u32::MAX, ..RetryPolicy::default() };
        for (attempt, bound_ms) in [(1, 200), (2, 400), (3, 800), (20, 20_000)] {
            let delays: Vec<_> = (0..200)
                .map(|seed| {
                    let mut attempts = Attempts { first_at: START, made: attempt };
                    let mut jitter = Jitter::seeded(seed);
                    attempts.next(&policy, START, None, &mut jitter).unwrap().since(START)
                })
                .collect();
            let bound = Duration::from_millis(bound_ms);
            assert!(delays.iter().all(|delay| *delay <= bound));
            assert!(delays.iter().any(|delay| *delay < bound / 8));
            assert!(delays.iter().any(|delay| *delay > bound * 7 / 8));
        }
    }

    #[test]
    fn no_attempt_starts_after_the_time_budget_or_the_expiry_of_the_credential() {
        let policy = RetryPolicy::default();
        let late = START + policy.elapsed_max + Duration::from_millis(1);
        let mut jitter = Jitter::seeded(3);
        assert_eq!(Attempts::first(START).next(&policy, late, None, &mut jitter), None);
        assert_eq!(Attempts::first(START).next(&policy, START, Some(START), &mut jitter), None);
    }

    #[test]
    fn the_last_attempt_may_start_at_the_end_of_the_time_budget() {
        let policy = RetryPolicy { delay_base: Duration::ZERO, ..RetryPolicy::default() };
        let end = START + policy.elapsed_max;
        let mut attempts = Attempts::first(START);
        assert_eq!(attempts.next(&policy, end, None, &mut Jitter::seeded(3)), Some(end));
    }

    /// The first results of the reference implementation with this seed.
    #[test]
    fn the_bits_are_those_of_split_mix_64() {
        let mut jitter = Jitter::seeded(1_234_567);
        let bits = [(); 5].map(|()| jitter.next_bits());
        assert_eq!(
            bits,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }
}
