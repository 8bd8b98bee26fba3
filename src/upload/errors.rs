//! Errors that several parts of a session return.

use crate::error::{Error, ErrorKind};

/// An input that the loop's contract does not allow, or a defect of the session itself.
pub(super) fn misuse(what: &str) -> Error {
    Error::new(ErrorKind::Internal, what)
}

/// Another writer holds the lease.
pub(super) fn taken_over() -> Error {
    Error::new(ErrorKind::TakenOver, "another request has taken this upload over")
}

/// Another request stopped this one before all of its bytes were received.
pub(super) fn stopped() -> Error {
    let message = "another request asked this one to end: what it has brought is kept";
    Error::new(ErrorKind::TakenOver, message)
}
