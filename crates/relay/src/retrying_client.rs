//! Sends single requests to OSS and VOD, and retries them within a budget.

use std::time::Duration;

use futures::future::{Either, select};
use vod_uploader::credential::AccessKey;
use vod_uploader::oss::{self, Bucket, ClockSkew, HttpResponse, Request, Signer};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::{Attempts, Jitter, RetryPolicy};
use vod_uploader::vod::{self, RpcSigner, VodEndpoint};
use vod_uploader::{Error, ErrorKind, Result, Retry};

use crate::instance::Instance;
use crate::ports::{Ports, SendBody, SendError};

/// Responses are XML or JSON of a few hundred KiB at most: a page of 1,000 parts.
pub const RESPONSE_BYTES_MAX: usize = 2 << 20;

/// Sends requests within a time limit per attempt and a retry budget.
pub(crate) struct RetryingClient<'a> {
    pub(crate) ports: &'a Ports,
    /// Time limit of one attempt.
    pub(crate) timeout: Duration,
    pub(crate) retry: RetryPolicy,
}

/// A failed attempt.
struct AttemptError {
    error: Error,
    may_have_been_processed: bool,
}

impl<'a> RetryingClient<'a> {
    /// A client with the limits of the configuration.
    pub(crate) fn new(instance: &'a Instance) -> Self {
        let config = &instance.config;
        Self { ports: &instance.ports, timeout: config.request_timeout, retry: config.retry }
    }

    /// Sends `action` to VOD.
    ///
    /// # Errors
    /// Returns the errors of [`vod::Action::parse`], or [`ErrorKind::VodUnavailable`] if there is
    /// no response.
    pub(crate) async fn call_vod<A: vod::Action>(
        &self,
        endpoint: &VodEndpoint,
        key: &AccessKey,
        action: &A,
    ) -> Result<A::Output> {
        let Ports { clock, random, .. } = self.ports;
        let sign = |now| {
            let nonce = format!("{:032x}", random.bits128());
            RpcSigner { endpoint, key, nonce: &nonce, now }.sign(action)
        };
        let parse = |response: &HttpResponse| action.parse(response, clock.now());
        self.send(ErrorKind::VodUnavailable, action.can_repeat(), sign, parse).await
    }

    /// Sends `action` to OSS. The action must be idempotent.
    ///
    /// # Errors
    /// Returns the errors of [`oss::Action::parse`], or [`ErrorKind::StoreUnavailable`] if there is
    /// no response.
    pub(crate) async fn call_oss<A: oss::Action>(
        &self,
        bucket: &Bucket,
        credential: &AccessKey,
        action: &A,
    ) -> Result<A::Output> {
        let sign = |now| Signer { bucket, credential, now }.sign(action.request(bucket));
        let parse = |response: &HttpResponse| action.parse(response);
        let result = self.send(ErrorKind::StoreUnavailable, true, sign, parse).await;
        result.map_err(|error| credential.redact(error).with_context(A::NAME))
    }

    /// Signs and sends until an attempt succeeds, or until another one is pointless, unsafe
    /// (`can_repeat`) or over budget. A request without a response fails as `unavailable`.
    async fn send<T>(
        &self,
        unavailable: ErrorKind,
        can_repeat: bool,
        sign: impl Fn(UnixMillis) -> Request,
        parse: impl Fn(&HttpResponse) -> Result<T>,
    ) -> Result<T> {
        let Ports { clock, random, .. } = self.ports;
        let mut attempts = Attempts::first(clock.now());
        let mut jitter = Jitter::seeded(random.bits64());
        let mut clock_skew = ClockSkew::default();
        loop {
            let request = sign(clock_skew.now_at_server(clock.now()));
            let AttemptError { error, may_have_been_processed } =
                match self.attempt(request, unavailable, &parse).await {
                    Ok(output) => return Ok(output),
                    Err(failed) => failed,
                };
            if may_have_been_processed && !can_repeat {
                return Err(
                    error.with_context("not retried, because the request may have been processed")
                );
            }
            clock_skew.observe(&error, clock.now());
            if error.kind().retry() != Retry::Retryable {
                return Err(error);
            }
            match attempts.next(&self.retry, clock.now(), None, &mut jitter) {
                Some(at) => clock.sleep(at.since(clock.now())).await,
                None => return Err(error),
            }
        }
    }

    async fn attempt<T>(
        &self,
        request: Request,
        unavailable: ErrorKind,
        parse: impl Fn(&HttpResponse) -> Result<T>,
    ) -> Result<T, AttemptError> {
        let sent = self.ports.http.send(request, SendBody::Inline, RESPONSE_BYTES_MAX);
        let response = match select(sent, self.ports.clock.sleep(self.timeout)).await {
            Either::Left((response, _)) => response,
            Either::Right(((), _)) => {
                Err(SendError::Interrupted("no response within the timeout".to_owned()))
            }
        };
        match response {
            Ok(response) => parse(&response).map_err(|error| AttemptError {
                may_have_been_processed: may_have_been_processed(response.status.as_u16(), &error),
                error,
            }),
            Err(transport) => Err(AttemptError {
                may_have_been_processed: matches!(transport, SendError::Interrupted(_)),
                error: transport.into_error(unavailable),
            }),
        }
    }
}

/// Returns true unless the error response proves that the request was rejected. A reused nonce
/// proves the opposite: an earlier attempt, whose response was lost, was accepted.
fn may_have_been_processed(status: u16, error: &Error) -> bool {
    let code = error.service().map_or("", |store| store.code.as_str());
    let rejected = (400..500).contains(&status) && code != "SignatureNonceUsed";
    !rejected && !code.starts_with("Throttling")
}

#[cfg(test)]
mod tests {
    use vod_uploader::ServiceError;

    use super::*;

    #[test]
    fn only_a_rejected_request_counts_as_unprocessed() {
        for (status, code, processed) in [
            (400, "InvalidParameter", false),
            (403, "Forbidden.RAM", false),
            (400, "Throttling.User", false),
            (503, "Throttling", false),
            (400, "SignatureNonceUsed", true),
            (500, "InternalError", true),
            (503, "", true),
            (200, "", true),
        ] {
            let store = ServiceError { status, code: code.to_owned(), ..ServiceError::default() };
            let error = Error::new(ErrorKind::VodUnavailable, "no").with_service(store);
            assert_eq!(may_have_been_processed(status, &error), processed, "{status} {code}");
        }
    }
}
