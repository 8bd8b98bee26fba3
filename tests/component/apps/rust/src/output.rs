//! The lines that the app sends.

use futures::channel::mpsc::UnboundedSender;
use serde_json::Value;

/// Sends lines to the test.
#[derive(Clone)]
pub(crate) struct Output(pub(crate) UnboundedSender<Vec<u8>>);

impl Output {
    /// Sends a line.
    pub(crate) fn send(&self, line: &Value) {
        let mut line = line.to_string().into_bytes();
        line.push(b'\n');
        // Fails if the test has closed the connection.
        let _ = self.0.unbounded_send(line);
    }
}
