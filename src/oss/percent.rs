//! The percent-encoding of OSS and of the RPC signature: every byte but `A-Z a-z 0-9 - . _ ~`.

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Encodes a name, a value or a whole key, `/` included.
pub(crate) fn encode_component(text: &str) -> impl Display + '_ {
    utf8_percent_encode(text, COMPONENT)
}

/// Encodes a path and keeps its `/`.
pub(super) fn encode_path(text: &str) -> impl Display + '_ {
    utf8_percent_encode(text, PATH)
}

const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const PATH: &AsciiSet = &COMPONENT.remove(b'/');
