//! The bytes of a file on their way into the uploader, as far as a test lets them.

use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use serde_json::json;
use spin_sdk::wasip3::spawn;
use spin_sdk::wit_bindgen::rt::async_support::{FutureReader, FutureWriter};
use spin_sdk::wit_bindgen::{StreamReader, StreamWriter};

use crate::bindings::{wit_future, wit_stream};
use crate::content::Content;
use crate::output::Output;

/// What comes out of a source: the streams for `supply-source`.
pub(crate) struct Supply {
    pub(crate) bytes: StreamReader<u8>,
    pub(crate) end: Option<FutureReader<Result<(), String>>>,
}

/// A file's source, held by the conversation. Dropping it ends the stream.
pub(crate) struct Source {
    steps: UnboundedSender<Step>,
}

/// One step of a source.
enum Step {
    /// Bytes up to this offset.
    SendUntil(u64),
    /// The end of the stream, and what the source says of it.
    End(Result<(), String>),
}

impl Source {
    /// A source of the file of `seed` from `offset` on, which sends nothing yet.
    pub(crate) fn begin(
        answers: &Output,
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
        spawn(feed.run(steps, end_writer, answers.clone(), file));
        (Self { steps: sender }, Supply { bytes, end })
    }

    /// Sends on up to `offset`.
    pub(crate) fn send_until(&self, offset: u64) {
        self.step(Step::SendUntil(offset));
    }

    /// Ends the stream.
    pub(crate) fn end(&self, result: Result<(), String>) {
        self.step(Step::End(result));
    }

    fn step(&self, step: Step) {
        // A source that was refused is gone: it has said so.
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
        answers: Output,
        file: u64,
    ) {
        while let Some(step) = steps.next().await {
            match step {
                Step::SendUntil(until) => {
                    if !self.send_until(until).await {
                        let refused = json!({ "file": file, "refused_at": self.offset });
                        answers.send(&json!({ "source": refused }));
                        return;
                    }
                }
                Step::End(result) => {
                    drop(self.writer);
                    if let Some(end) = end {
                        // The receiver is gone if the file has ended.
                        let _ = end.write(result).await;
                    }
                    return;
                }
            }
        }
    }

    /// False once the uploader takes no more.
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
