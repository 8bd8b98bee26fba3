//! The host's log: standard error, which hosts of components collect.

use std::io::{self, Write as _};

use vod_uploader_relay::ports::Log;

/// Standard error.
pub(crate) struct HostLog;

impl Log for HostLog {
    fn warn(&self, line: &str) {
        // `eprintln!` panics if standard error cannot be written, which would end every upload.
        let _ = writeln!(io::stderr(), "vod-uploader: {line}");
    }
}
