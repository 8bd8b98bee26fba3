//! Lints of text that neither rustfmt nor clippy covers.

pub(crate) mod documentation;
pub(crate) mod files;
pub(crate) mod line_length;
pub(crate) mod phrases;
