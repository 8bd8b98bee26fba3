//! Runs one attempt of an election on the key-value store.

use vod_uploader::Result;
use vod_uploader::upload::election::{Election, ElectionOutcome, ElectionStep};

use crate::instance::Instance;

/// Competes until the attempt has ended.
///
/// # Errors
/// Returns those of the key-value store.
pub(super) async fn run_election(
    instance: &Instance,
    mut election: Election,
) -> Result<ElectionOutcome> {
    let kv = instance.kv();
    loop {
        match election.step() {
            ElectionStep::Write(key, value) => {
                kv.set(&key, &value).await?;
                election.feed(None);
            }
            ElectionStep::Read(key) => election.feed(kv.get(&key).await?.as_deref()),
            ElectionStep::Ended(outcome) => return Ok(outcome),
        }
    }
}
