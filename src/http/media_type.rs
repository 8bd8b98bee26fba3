//! Media types (RFC 9110 §8.3.1, <https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1>).

use ::http::header::CONTENT_TYPE;

use super::parameters::{is_token, parameters};
use super::{RequestHead, is_header_value};

/// A media type: its essence, and its parameters if they are well-formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MediaType {
    /// `type/subtype` in lower case.
    essence: String,
    parameters: Option<Vec<(String, String)>>,
}

impl MediaType {
    /// Parses the value of a Content-Type. `None` without a type and a subtype.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (essence, rest) = value.split_once(';').unwrap_or((value, ""));
        let essence = essence.trim().to_ascii_lowercase();
        let (main, sub) = essence.split_once('/')?;
        let is_valid = is_token(main) && is_token(sub);
        is_valid.then(|| Self { essence, parameters: parameters(rest) })
    }

    /// The media type of a request's content.
    pub(super) fn of(head: &RequestHead) -> Option<Self> {
        Self::parse(head.header(CONTENT_TYPE)?)
    }

    /// Returns true if the essence is `essence`, in lower case.
    pub(super) fn is(&self, essence: &str) -> bool {
        self.essence == essence
    }

    /// The type and the subtype in lower case.
    pub(super) fn essence(&self) -> &str {
        &self.essence
    }

    /// Returns true if content of this type is several bodies (RFC 2046 §5.1).
    pub(super) fn is_multipart(&self) -> bool {
        self.essence.starts_with("multipart/")
    }

    /// Returns true if content of this type is media.
    pub(super) fn is_media(&self) -> bool {
        ["video/", "audio/", "image/"].iter().any(|main| self.essence.starts_with(main))
    }

    /// The values of the parameter `name`, in lower case. `None` if the parameters are malformed.
    pub(super) fn parameter(&self, name: &str) -> Option<impl Iterator<Item = &str>> {
        let named = self.parameters.as_ref()?.iter().filter(move |(known, _)| known == name);
        Some(named.map(|(_, value)| value.as_str()))
    }
}

/// Returns true if the Content-Type of `head` has this essence, in lower case.
pub(super) fn has_media_type(head: &RequestHead, essence: &str) -> bool {
    MediaType::of(head).is_some_and(|media_type| media_type.is(essence))
}

/// `value` if it is the media type of a file: not one that describes only the request.
pub(super) fn file_media_type(value: Option<&str>) -> Option<&str> {
    let value = value.filter(|value| is_header_value(value))?;
    let media_type = MediaType::parse(value)?;
    let describes_request =
        media_type.is_multipart() || REQUEST_TYPES.contains(&media_type.essence());
    (!describes_request).then_some(value)
}

/// The content type of tus requests with bytes
/// (<https://tus.io/protocols/resumable-upload#patch>), which FilePond uses too.
pub(super) const OFFSET_STREAM: &str = "application/offset+octet-stream";

/// The content type of a request that appends ("Media Type `application/partial-upload`" of the
/// IETF draft).
pub(super) const PARTIAL_UPLOAD: &str = "application/partial-upload";

/// Types that describe a request and not its file. The last one is the default of `curl
/// --data-binary`.
const REQUEST_TYPES: [&str; 3] =
    [OFFSET_STREAM, PARTIAL_UPLOAD, "application/x-www-form-urlencoded"];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn types_are_compared_without_case_white_space_and_parameters() {
        for value in
            ["video/mp4", " Video/MP4 ", "VIDEO/mp4;codecs=\"avc1\"", "video/mp4 ; a", "video/mp4;"]
        {
            assert!(MediaType::parse(value).unwrap().is("video/mp4"), "{value:?}");
        }
        for value in ["", "video", "video/", "/mp4", "video/mp4/x", "vid eo/mp4", "a, b/c"] {
            assert_eq!(MediaType::parse(value), None, "{value:?}");
        }
    }

    #[test]
    fn parameters_are_found_by_their_names() {
        let named = |value: &str| -> Option<Vec<String>> {
            let media_type = MediaType::parse(value).unwrap();
            Some(media_type.parameter("boundary")?.map(str::to_owned).collect())
        };
        assert_eq!(named("a/b; x=1; Boundary=\"c d\"").unwrap(), ["c d"]);
        assert_eq!(named("a/b; boundary=c; boundary=d").unwrap(), ["c", "d"]);
        assert_eq!(named("a/b; boundary").as_deref(), None);
    }

    #[test]
    fn the_type_of_a_request_is_never_that_of_its_file() {
        for value in [
            "application/offset+octet-stream",
            "Application/Partial-Upload; a=b",
            "application/x-www-form-urlencoded; charset=UTF-8",
            "multipart/form-data; boundary=b",
            "video",
            "video/mp4\u{7f}",
            "",
        ] {
            assert_eq!(file_media_type(Some(value)), None, "{value:?}");
        }
        let typed = "Video/MP4; codecs=\"avc1\"";
        assert_eq!(file_media_type(Some(typed)), Some(typed));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(value: String) {
            let _ = MediaType::parse(&value);
            let _ = MediaType::parse(&format!("a/b;{value}"));
        }
    }
}
