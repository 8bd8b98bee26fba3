//! The percent-encoding of OSS and VOD: all bytes except the unreserved characters of RFC 3986,
//! `A-Z a-z 0-9 - . _ ~`.

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Encodes a name or value, including `/`.
pub(crate) fn encode_component(text: &str) -> impl Display + '_ {
    utf8_percent_encode(text, COMPONENT)
}

/// Encodes a path and keeps its `/`.
pub(crate) fn encode_path(text: &str) -> impl Display + '_ {
    utf8_percent_encode(text, PATH)
}

const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const PATH: &AsciiSet = &COMPONENT.remove(b'/');
