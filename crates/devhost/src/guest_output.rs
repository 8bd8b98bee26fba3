//! Logs a guest's standard output and error line by line.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// One of the two output streams of an instance.
#[derive(Clone)]
pub(crate) struct GuestOutput {
    component: Arc<str>,
    instance: u64,
    stream: OutputStream,
}

/// The output streams of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputStream {
    Stdout,
    Stderr,
}

impl GuestOutput {
    /// The given stream of the given instance.
    pub(crate) fn new(component: Arc<str>, instance: u64, stream: OutputStream) -> Self {
        Self { component, instance, stream }
    }

    fn log(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let (component, instance) = (&*self.component, self.instance);
        match self.stream {
            OutputStream::Stdout => tracing::info!(component, instance, "guest: {line}"),
            OutputStream::Stderr => tracing::warn!(component, instance, "guest: {line}"),
        }
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(Lines { output: self.clone(), pending: Vec::new() })
    }
}

/// Collects bytes until a line is complete.
struct Lines {
    output: GuestOutput,
    pending: Vec<u8>,
}

impl Lines {
    fn append(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.pending.extend_from_slice(part);
            if self.pending.ends_with(b"\n") || self.pending.len() >= LINE_MAX_BYTES {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.pending);
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        if !line.is_empty() {
            self.output.log(line);
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.end_line();
    }
}

impl AsyncWrite for Lines {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.append(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The maximum length of a logged line: a guest cannot fill the host's memory with one line.
const LINE_MAX_BYTES: usize = 8 * 1024;
