//! The source of a file, which sends bytes as directed by a test.

use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use serde_json::json;
use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen::rt::async_support::{FutureReader, FutureWriter};
use spin_sdk::wit_bindgen::{StreamReader, StreamWriter};

use crate::bindings::{wit_future, wit_stream};
use crate::content::Content;
use crate::output::Output;

/// The arguments of a source for `supply-source`.
pub(crate) struct Supply {
    pub(crate) bytes: StreamReader<u8>,
    pub(crate) end: Option<FutureReader<Result<(), String>>>,
}

/// The source of a file. Dropping it ends the stream.
pub(crate) struct Source {
    steps: UnboundedSender<Step>,
}

/// One step of a source.
enum Step {
    /// Sends bytes up to this offset.
    SendUntil(u64),
    /// Ends the stream with this result.
    End(Result<(), String>),
}

impl Source {
    /// A source of the file of `seed` from `offset`, which sends nothing yet.
    pub(crate) fn start(
        output: &Output,
        file: u64,
        offset: u64,
        seed: u64,
        tells_end: bool,
    ) -> (Self, Supply) {
        let (writer, bytes) = wit_stream::new();
        let (end_writer, end) = wit_future::new(|| Err("the source was dropped".to_owned()));
        let (end_writer, end) =
            if tells_end { (Some(end_writer), Some(end)) } else { (None, None) };
        let (sender, steps) = unbounded();
        let feed = Feed { writer, offset, content: Content::new(seed) };
        spawn(feed.run(steps, end_writer, output.clone(), file));
        (Self { steps: sender }, Supply { bytes, end })
    }

    /// Sends bytes up to `offset`.
    pub(crate) fn send_until(&self, offset: u64) {
        self.step(Step::SendUntil(offset));
    }

    /// Ends the stream.
    pub(crate) fn end(&self, result: Result<(), String>) {
        self.step(Step::End(result));
    }

    fn step(&self, step: Step) {
        // Fails if the uploader has rejected the source, which was reported.
        let _ = self.steps.unbounded_send(step);
    }
}

struct Feed {
    writer: StreamWriter<u8>,
    offset: u64,
    content: Content,
}

impl Feed {
    async fn run(
        mut self,
        mut steps: UnboundedReceiver<Step>,
        end: Option<FutureWriter<Result<(), String>>>,
        output: Output,
        file: u64,
    ) {
        while let Some(step) = steps.next().await {
            match step {
                Step::SendUntil(until) => {
                    if !self.send_until(until).await {
                        let rejected = json!({ "file": file, "refused_at": self.offset });
                        output.send(&json!({ "source": rejected }));
                        return;
                    }
                }
                Step::End(result) => {
                    drop(self.writer);
                    if let Some(end) = end {
                        // Fails if the file has finished.
                        let _ = end.write(result).await;
                    }
                    return;
                }
            }
        }
    }

    /// Returns false once the uploader accepts no more bytes.
    async fn send_until(&mut self, until: u64) -> bool {
        while self.offset < until {
            let chunk = self.content.chunk(self.offset, until);
            let length = chunk.len();
            let left = self.writer.write_all(chunk).await;
            self.offset += (length - left.len()) as u64;
            if !left.is_empty() {
                return false;
            }
        }
        true
    }
}
