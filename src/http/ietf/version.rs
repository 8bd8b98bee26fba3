//! Detects the version of the draft that a request uses, and defines the differences between
//! versions.

use ::http::{HeaderName, StatusCode};

use crate::http::header::{
    TUS_RESUMABLE, UPLOAD_COMPLETE, UPLOAD_DRAFT_INTEROP_VERSION, UPLOAD_INCOMPLETE,
};
use crate::http::{RequestHead, Response, structured_fields};

/// The interop version of the draft, which increases with each breaking change ("Draft Version
/// Identification").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InteropVersion {
    /// Interop 3: draft -01. `Upload-Incomplete` is the negation of the later `Upload-Complete`.
    V3,
    /// Interop 4: draft -02. `Upload-Complete` from here on.
    V4,
    /// Interop 5: draft -03.
    V5,
    /// Interop 6: drafts -04 and -05. `Upload-Limit`, and `application/partial-upload` for PATCH.
    V6,
    /// Interop 7: drafts -06 to -08. The limit `expires` is called `max-age`.
    V7,
    /// Interop 8: drafts -09 to -11.
    V8,
    /// Interop 9: draft -12. `Upload-Complete: ?1` in a response to a failed request declares that
    /// the client must not resume. `Repr-Digest` of a PATCH is that of the patch, and no problem
    /// type exists for a completed upload.
    V9,
    /// Interop 10: draft -13.
    V10,
}

impl InteropVersion {
    /// The supported versions.
    pub const ALL: [Self; 8] =
        [Self::V3, Self::V4, Self::V5, Self::V6, Self::V7, Self::V8, Self::V9, Self::V10];

    /// The newest supported version.
    pub const NEWEST: Self = Self::V10;

    /// The version that a request uses, or `None` if it is not a request of the draft.
    ///
    /// A request is one of the draft if it contains an interop version or, without `Tus-Resumable`,
    /// declares whether it completes the upload. Without a version it uses the newest: the final
    /// RFC drops the header. The same applies to an unknown version, except in a tus request
    /// (`Tus-Resumable`) that does not declare whether it completes the upload.
    #[must_use]
    pub fn detect(head: &RequestHead) -> Option<Self> {
        let is_tus = head.header(TUS_RESUMABLE).is_some();
        let complete = structured_fields::boolean(head, UPLOAD_COMPLETE).is_some();
        if head.header(UPLOAD_DRAFT_INTEROP_VERSION).is_none() {
            let incomplete = structured_fields::boolean(head, UPLOAD_INCOMPLETE).is_some();
            return match (is_tus, complete, incomplete) {
                (false, true, _) => Some(Self::NEWEST),
                (false, false, true) => Some(Self::V3),
                _ => None,
            };
        }
        let number = structured_fields::integer(head, UPLOAD_DRAFT_INTEROP_VERSION);
        let known = Self::ALL.into_iter().find(|known| number == Some(known.number().into()));
        known.or_else(|| (complete || !is_tus).then_some(Self::NEWEST))
    }

    /// Its number, as in `Upload-Draft-Interop-Version`.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::V3 => 3,
            Self::V4 => 4,
            Self::V5 => 5,
            Self::V6 => 6,
            Self::V7 => 7,
            Self::V8 => 8,
            Self::V9 => 9,
            Self::V10 => 10,
        }
    }

    /// The header that declares whether a request completes its upload.
    #[must_use]
    pub const fn completeness_header(self) -> HeaderName {
        match self {
            Self::V3 => UPLOAD_INCOMPLETE,
            _ => UPLOAD_COMPLETE,
        }
    }

    /// Returns true if a PATCH requires the type `application/partial-upload` ("Since -03: Require
    /// `application/partial-upload` for appending to uploads").
    #[must_use]
    pub fn needs_media_type(self) -> bool {
        self >= Self::V6
    }

    /// The key of the remaining lifetime in `Upload-Limit` ("Since -05: Rename `expires` limit to
    /// `max-age`"). `None` for versions without `Upload-Limit`.
    pub(super) const fn age_limit(self) -> Option<&'static str> {
        match self {
            Self::V3 | Self::V4 | Self::V5 => None,
            Self::V6 => Some("expires"),
            _ => Some("max-age"),
        }
    }

    /// The status of the response to a request that contained bytes and did not complete its
    /// upload. Drafts up to -04 require 201, also for an append; later ones use 204 in their
    /// examples.
    pub(super) const fn appended_status(self) -> StatusCode {
        match self {
            Self::V3 | Self::V4 | Self::V5 => StatusCode::CREATED,
            _ => StatusCode::NO_CONTENT,
        }
    }

    /// Whether `head` declares that its content completes the upload. `None` if the header is
    /// absent or not a Boolean.
    #[must_use]
    pub fn declares_complete(self, head: &RequestHead) -> Option<bool> {
        let value = structured_fields::boolean(head, self.completeness_header())?;
        Some(if self == Self::V3 { !value } else { value })
    }

    /// Adds whether the upload is complete.
    pub(super) fn with_completeness(self, response: Response, complete: bool) -> Response {
        let value = if self == Self::V3 { !complete } else { complete };
        response.with_header(self.completeness_header(), if value { "?1" } else { "?0" })
    }

    /// Adds the interop version.
    pub(in crate::http) fn with_interop_version(self, response: Response) -> Response {
        response.with_header(UPLOAD_DRAFT_INTEROP_VERSION, u16::from(self.number()))
    }
}

#[cfg(test)]
mod tests {
    use ::http::Method;
    use proptest::prelude::*;

    use super::*;

    fn head(headers: &[(&str, &str)]) -> RequestHead {
        RequestHead::new(Method::POST, "/v1/files", headers.iter().copied())
    }

    fn version(headers: &[(&str, &str)]) -> Option<InteropVersion> {
        InteropVersion::detect(&head(headers))
    }

    #[test]
    fn each_known_version_is_detected_by_its_header() {
        for (value, expected) in [
            ("3", InteropVersion::V3),
            ("4", InteropVersion::V4),
            ("5", InteropVersion::V5),
            ("6", InteropVersion::V6),
            ("7", InteropVersion::V7),
            ("8", InteropVersion::V8),
            ("9", InteropVersion::V9),
            ("10", InteropVersion::V10),
        ] {
            assert_eq!(version(&[("Upload-Draft-Interop-Version", value)]), Some(expected));
            assert_eq!(expected.number().to_string(), value);
        }
    }

    #[test]
    fn the_version_is_detected_by_the_completeness_header() {
        assert_eq!(version(&[("Upload-Complete", "?0")]), Some(InteropVersion::V10));
        assert_eq!(version(&[("Upload-Incomplete", "?0")]), Some(InteropVersion::V3));
        assert_eq!(version(&[("Upload-Complete", "yes")]), None, "treated as absent");
        assert_eq!(version(&[]), None);
    }

    #[test]
    fn a_tus_request_is_not_an_ietf_request_without_a_version() {
        let tus = ("Tus-Resumable", "1.0.0");
        assert_eq!(version(&[tus, ("Upload-Complete", "?1")]), None);
        let named = ("Upload-Draft-Interop-Version", "6");
        assert_eq!(version(&[tus, named]), Some(InteropVersion::V6));
        let unknown = ("Upload-Draft-Interop-Version", "11");
        assert_eq!(version(&[tus, unknown]), None);
        assert_eq!(
            version(&[tus, unknown, ("Upload-Complete", "?1")]),
            Some(InteropVersion::NEWEST)
        );
    }

    #[test]
    fn an_unknown_version_is_treated_as_the_newest() {
        for value in ["1", "2", "11", "eight", ""] {
            let named = ("Upload-Draft-Interop-Version", value);
            assert_eq!(version(&[named]), Some(InteropVersion::NEWEST), "{value:?}");
        }
    }

    #[test]
    fn interop_3_inverts_completeness() {
        let head_with_both = head(&[("Upload-Incomplete", "?0"), ("Upload-Complete", "?0")]);
        assert_eq!(InteropVersion::V3.declares_complete(&head_with_both), Some(true));
        assert_eq!(InteropVersion::V4.declares_complete(&head_with_both), Some(false));
        let response =
            InteropVersion::V3.with_completeness(Response::empty(StatusCode::NO_CONTENT), false);
        assert_eq!(response.headers.len(), 1);
        assert_eq!(response.header("upload-incomplete"), Some("?1"));
    }

    proptest! {
        #[test]
        fn version_detection_never_panics(value: String, complete: String) {
            let _ = version(&[
                ("Upload-Draft-Interop-Version", &value),
                ("Upload-Complete", &complete),
            ]);
        }
    }
}
