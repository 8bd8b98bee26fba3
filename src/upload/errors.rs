//! Errors that several state machines of a session return.

use crate::error::{Error, ErrorKind};

/// Returns the error for an input that the contract of the loop does not allow, or for a defect of
/// the session itself.
pub(super) fn misuse(what: &str) -> Error {
    Error::new(ErrorKind::Internal, what)
}

/// Returns the error for a lease that another writer holds.
pub(super) fn taken_over() -> Error {
    Error::new(ErrorKind::TakenOver, "another request has taken over this upload")
}

/// Returns the error for a request that another one stopped before all of its bytes were received.
pub(super) fn stopped() -> Error {
    let message = "stopped by another request; the bytes received so far were kept";
    Error::new(ErrorKind::TakenOver, message)
}
