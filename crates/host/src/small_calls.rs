//! Calls with small requests and replies, of VOD or of the store, within a retry budget.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use vod_uploader::oss::{Reply, Request};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{Attempts, Jitter, RetryPolicy};
use vod_uploader::vod::is_clock_skew;
use vod_uploader::{Error, ErrorKind, Result, Retry};

use crate::store_client::{self, SendBody, SendError};
use crate::{clock, random};

/// How a service is called.
pub(crate) struct SmallCalls {
    /// How long it may take to answer.
    pub(crate) timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) repeat: Repeat,
    /// What it is where no answer comes.
    pub(crate) unavailable: ErrorKind,
}

/// Which failed calls are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Those that may succeed.
    Always,
    /// Those of them that cannot have been taken.
    UnlessTaken,
}

/// What each attempt is signed with.
pub(crate) struct Attempt {
    pub(crate) nonce: String,
    pub(crate) signed_at: UnixMillis,
}

/// An attempt that failed, and whether it may have been taken all the same.
struct Failed {
    error: Error,
    may_be_taken: bool,
}

impl SmallCalls {
    /// Calls the service; each attempt has a nonce and a signature of its own.
    ///
    /// # Errors
    /// What `parse` says, or an error of the kind `unavailable` where no answer came.
    pub(crate) async fn call<T>(
        &self,
        request: impl Fn(&Attempt) -> Request,
        parse: impl Fn(&Reply) -> Result<T>,
    ) -> Result<T> {
        let mut attempts = Attempts::first(clock::now());
        let mut jitter = Jitter::seeded(random::bits64());
        let mut clock_skew_ms = 0;
        loop {
            let signed_at = clock::now().shifted(clock_skew_ms);
            let nonce = format!("{:032x}", random::bits128());
            let Failed { error, may_be_taken } =
                match self.attempt(request(&Attempt { nonce, signed_at }), &parse).await {
                    Ok(answer) => return Ok(answer),
                    Err(failed) => failed,
                };
            if may_be_taken && self.repeat == Repeat::UnlessTaken {
                return Err(error.while_doing("not repeated, because it may have been taken"));
            }
            let store_time = error.store().and_then(|store| store.server_time);
            if let Some(server_time) = is_clock_skew(&error).or(store_time) {
                clock_skew_ms = ahead_ms(server_time, clock::now());
            }
            if error.kind().retry() != Retry::Later {
                return Err(error);
            }
            match attempts.next(&self.retry, clock::now(), None, &mut jitter) {
                Some(at) => clock::sleep_until(at).await,
                None => return Err(error),
            }
        }
    }

    async fn attempt<T>(
        &self,
        request: Request,
        parse: impl Fn(&Reply) -> Result<T>,
    ) -> Result<T, Failed> {
        let sent = pin!(store_client::send(request, SendBody::Inline));
        let late = pin!(clock::sleep(self.timeout));
        let reply = match select(sent, late).await {
            Either::Left((reply, _)) => reply,
            Either::Right(((), _)) => {
                Err(SendError::Broken("no answer within the timeout".to_owned()))
            }
        };
        match reply {
            Ok(reply) => parse(&reply).map_err(|error| Failed {
                may_be_taken: is_taken_in_spite_of(reply.status, &error),
                error,
            }),
            Err(transport) => Err(Failed {
                may_be_taken: matches!(transport, SendError::Broken(_)),
                error: transport.into_error(self.unavailable),
            }),
        }
    }
}

/// Whether the service may have done what was asked although this is its answer: it says so only of what
/// it has refused. A nonce that was used before is that of a request whose answer was lost.
fn is_taken_in_spite_of(status: u16, error: &Error) -> bool {
    let code = error.store().map_or("", |store| store.code.as_str());
    let refused = (400..500).contains(&status) && code != "SignatureNonceUsed";
    !refused && !code.starts_with("Throttling")
}

fn ahead_ms(server_time: UnixMillis, now: UnixMillis) -> i64 {
    let ahead = i128::from(server_time.0) - i128::from(now.0);
    i64::try_from(ahead).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use vod_uploader::StoreError;

    use super::*;

    #[test]
    fn only_what_vod_has_refused_is_known_not_to_be_taken() {
        for (status, code, taken) in [
            (400, "InvalidParameter", false),
            (403, "Forbidden.RAM", false),
            (400, "Throttling.User", false),
            (503, "Throttling", false),
            (400, "SignatureNonceUsed", true),
            (500, "InternalError", true),
            (503, "", true),
            (200, "", true),
        ] {
            let store = StoreError { status, code: code.to_owned(), ..StoreError::default() };
            let error = Error::new(ErrorKind::VodUnavailable, "no").with_store(store);
            assert_eq!(is_taken_in_spite_of(status, &error), taken, "{status} {code}");
        }
    }
}
