//! The drafts of the IETF's resumable uploads
//! (<https://datatracker.ietf.org/doc/draft-ietf-httpbis-resumable-upload/>).

use std::fmt::Display;

use crate::request::Request;

/// A draft, by its interop version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft(pub u8);

/// The supported drafts.
pub const DRAFTS: [Draft; 8] =
    [Draft(3), Draft(4), Draft(5), Draft(6), Draft(7), Draft(8), Draft(9), Draft(10)];

/// The newest of them.
pub const NEWEST: Draft = Draft(10);

impl Draft {
    /// A request in this interop version.
    #[must_use]
    pub fn request(self, method: &str, target: &str) -> Request {
        Request::new(method, target).header("Upload-Draft-Interop-Version", self.0)
    }

    /// A request that creates an upload; the caller adds the body. `is_complete` specifies whether
    /// the body is the complete file.
    #[must_use]
    pub fn creation(self, method: &str, target: &str, is_complete: bool) -> Request {
        let (name, value) = self.completeness(is_complete);
        self.request(method, target).header(name, value)
    }

    /// A PATCH that appends at `offset`; the caller adds the body. `is_complete` specifies whether
    /// the body completes the file.
    #[must_use]
    pub fn patch(self, target: &str, offset: impl Display, is_complete: bool) -> Request {
        let request = self.creation("PATCH", target, is_complete).header("Upload-Offset", offset);
        match self.media_type() {
            Some(media_type) => request.header("Content-Type", media_type),
            None => request,
        }
    }

    /// The header of completeness with its value. Before version 4 it declared the opposite.
    #[must_use]
    pub const fn completeness(self, is_complete: bool) -> (&'static str, &'static str) {
        match (self.0 < 4, is_complete) {
            (true, true) => ("Upload-Incomplete", "?0"),
            (true, false) => ("Upload-Incomplete", "?1"),
            (false, true) => ("Upload-Complete", "?1"),
            (false, false) => ("Upload-Complete", "?0"),
        }
    }

    /// The media type of appended bytes, since version 6.
    #[must_use]
    pub const fn media_type(self) -> Option<&'static str> {
        if self.0 >= 6 { Some("application/partial-upload") } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_version_declares_incompleteness() {
        assert_eq!(Draft(3).completeness(true), ("Upload-Incomplete", "?0"));
        assert_eq!(NEWEST.completeness(true), ("Upload-Complete", "?1"));
    }
}
