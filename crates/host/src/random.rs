//! The host's secure randomness.

use spin_sdk::wasip3::random::random;
use vod_uploader_relay::ports::Random;

/// `wasi:random`.
pub(crate) struct HostRandom;

impl Random for HostRandom {
    fn bits64(&self) -> u64 {
        random::get_random_u64()
    }
}
