//! What the interop versions of the draft call things (Appendix "Changes").

use crate::http::Head;
use crate::ietf::field;

/// The language of one interop version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    /// The interop version.
    pub(super) interop: u8,
}

impl Dialect {
    /// The field of completeness with its value. Before version 4 it told the opposite.
    pub(super) fn completeness(self, complete: bool) -> (&'static str, &'static str) {
        match (self.tells_incompleteness(), complete) {
            (false, true) => (COMPLETE, "?1"),
            (false, false) => (COMPLETE, "?0"),
            (true, true) => (INCOMPLETE, "?0"),
            (true, false) => (INCOMPLETE, "?1"),
        }
    }

    /// What a response says of completeness.
    pub(super) fn is_complete(self, head: &Head) -> Option<bool> {
        if self.tells_incompleteness() {
            head.field(INCOMPLETE).and_then(|value| field::boolean(&value)).map(|value| !value)
        } else {
            head.field(COMPLETE).and_then(|value| field::boolean(&value))
        }
    }

    /// The media type of appended bytes, which version 6 introduced.
    pub(super) fn media_type(self) -> &'static str {
        if self.interop >= 6 { "application/partial-upload" } else { "application/octet-stream" }
    }

    fn tells_incompleteness(self) -> bool {
        self.interop < 4
    }
}

const COMPLETE: &str = "Upload-Complete";

const INCOMPLETE: &str = "Upload-Incomplete";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_version_tells_incompleteness() {
        let old = Dialect { interop: 3 };
        assert_eq!(old.completeness(true), ("Upload-Incomplete", "?0"));
        let fields = vec![("upload-incomplete".to_owned(), "?1".to_owned())];
        let head = Head { status: 204, reason: String::new(), fields };
        assert_eq!(old.is_complete(&head), Some(false));
        assert_eq!(Dialect { interop: 8 }.is_complete(&head), None);
        assert_eq!(Dialect { interop: 8 }.completeness(true), ("Upload-Complete", "?1"));
    }
}
