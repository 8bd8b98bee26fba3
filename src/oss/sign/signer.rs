//! The inputs of a signature.

use crate::credential::AccessKey;
use crate::oss::Bucket;
use crate::units::UnixMillis;

/// Signs requests for a bucket with a credential at an instant.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    /// The bucket, which determines the region and the signature version.
    pub bucket: &'a Bucket,
    /// The credential.
    pub credential: &'a AccessKey,
    /// The time on the clock of OSS, which rejects requests with a difference of more than 15
    /// minutes. See [`ClockSkew`](crate::oss::ClockSkew).
    pub now: UnixMillis,
}
