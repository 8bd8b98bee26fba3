//! The path below which the worker is.

use crate::error::{Error, ErrorKind, Result};

/// The path below which the worker is, without a slash at its end; empty for `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

impl BasePath {
    /// Parses a path such as `/upload`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Misconfigured`] if `text` is not an absolute path.
    pub fn parse(text: &str) -> Result<Self> {
        path(text).map(|path| Self(path.to_owned())).ok_or_else(|| {
            Error::new(ErrorKind::Misconfigured, format!("{text:?} is not a path such as /upload"))
        })
    }

    /// The path.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the base path in `path`; `None` if `path` is not below it.
    pub(super) fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(self.0.as_str()).filter(|rest| rest.starts_with('/'))
    }
}

/// `text` without a slash at its end if it is an absolute path (RFC 3986 §3.3).
pub(super) fn path(text: &str) -> Option<&str> {
    let is_valid =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&\'()*+,;=:@%/".contains(&byte);
    let is_path = text.starts_with('/') && !text.contains("//") && text.bytes().all(is_valid);
    is_path.then(|| text.strip_suffix('/').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn anything_but_a_path_is_rejected() {
        for text in
            ["upload", "https://a.example/upload", "//a", "/a//b", "/a?b", "/a b", "/\u{e4}"]
        {
            let error = BasePath::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misconfigured, "{text}");
        }
    }
}
