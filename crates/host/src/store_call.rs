//! One call to the store outside of a session.

use vod_uploader::credential::StsCredential;
use vod_uploader::oss::action::Action;
use vod_uploader::oss::{Bucket, Signer};
use vod_uploader::{ErrorKind, Result};

use crate::config::Config;
use crate::small_calls::{Repeat, SmallCalls};

/// Performs `action`, which may be repeated, and reads its answer.
///
/// # Errors
/// What the action says, or [`ErrorKind::StoreUnavailable`] where the store did not answer.
pub(crate) async fn call<A: Action>(
    config: &Config,
    bucket: &Bucket,
    credential: &StsCredential,
    action: &A,
) -> Result<A::Output> {
    let calls = SmallCalls {
        timeout: config.request_timeout,
        retry: config.retry,
        repeat: Repeat::Always,
        unavailable: ErrorKind::StoreUnavailable,
    };
    let answer = calls.call(
        |attempt| {
            let signer = Signer { bucket, credential, now: attempt.signed_at };
            signer.sign(action.request(bucket))
        },
        |reply| action.parse(reply),
    );
    answer.await.map_err(|error| credential.hidden_in(error).while_doing(A::NAME))
}
