//! The host's log: standard error, which hosts of components collect.

use vod_uploader_relay::ports::Log;

/// Standard error.
pub(crate) struct HostLog;

impl Log for HostLog {
    fn warn(&self, line: &str) {
        eprintln!("vod-uploader: {line}");
    }
}
