//! `GET /v1/files/{id}/events`: the progress of an upload as server-sent events.

use std::rc::Rc;
use std::time::Duration;

use futures::channel::mpsc;
use futures::future::{Either, select};
use futures::{FutureExt as _, SinkExt as _};
use vod_uploader::Result;
use vod_uploader::http::{RequestHead, SseEncoder, UploadStatus};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::UploadId;

use crate::instance::Instance;
use crate::request::Caller;
use crate::response::RelayResponse;
use crate::upload::{credential_source, load_upload_record, read_only_status};

/// The head of the response, and its body unless the upload has ended.
///
/// # Errors
/// Returns [`vod_uploader::ErrorKind::UploadNotFound`] if no upload has this ID.
pub(crate) async fn stream_events(
    instance: &Rc<Instance>,
    caller: Caller,
    head: &RequestHead,
    id: UploadId,
) -> Result<RelayResponse> {
    load_upload_record(instance, &id).await?;
    let encoder = SseEncoder::from_request(head);
    let response = encoder.response();
    if encoder.is_finished() {
        return Ok(response.into());
    }
    let (writer, reader) = mpsc::channel(0);
    let task = EventStreamTask { instance: Rc::clone(instance), caller, id, encoder, writer };
    instance.ports.spawn.spawn(task.run().boxed_local());
    Ok(RelayResponse::streamed(response, reader))
}

struct EventStreamTask {
    instance: Rc<Instance>,
    caller: Caller,
    id: UploadId,
    encoder: SseEncoder,
    writer: mpsc::Sender<Vec<u8>>,
}

impl EventStreamTask {
    /// Writes events until the upload ends or the client disconnects.
    async fn run(mut self) {
        let mut failures = 0;
        let mut text = SseEncoder::preamble();
        loop {
            if !text.is_empty() && !self.write(text).await {
                return;
            }
            if self.encoder.is_finished() {
                return;
            }
            text = match read_only_status(&self.instance, &self.caller, &self.id).await {
                Ok(status) => {
                    failures = 0;
                    let credential_expires_at = self.credential_expires_at(&status).await;
                    self.encoder.encode_status(&status, credential_expires_at, self.instance.now())
                }
                Err(error) if failures < FAILURES_MAX && error.kind().retry().is_later() => {
                    failures += 1;
                    String::new()
                }
                Err(error) => self.encoder.encode_error(&error),
            };
            if text.is_empty() {
                self.instance.sleep(POLL).await;
                text = self.encoder.keep_alive(POLL).to_owned();
            }
        }
    }

    /// Writes `text`. Returns false if the client has disconnected or accepts nothing.
    async fn write(&mut self, text: String) -> bool {
        let stalled = self.instance.ports.clock.sleep(STALL_MAX);
        match select(self.writer.send(text.into_bytes()), stalled).await {
            Either::Left((written, _)) => written.is_ok(),
            Either::Right(_) => false,
        }
    }

    /// When the credential expires, if the worker cannot request a new one.
    async fn credential_expires_at(&self, status: &UploadStatus) -> Option<UnixMillis> {
        let source = credential_source(&self.instance, &self.id, &status.record);
        if source.can_request_new() || status.has_ended() {
            return None;
        }
        source.load().await.ok().flatten()?.auth.expires_at
    }
}

/// Interval between reads of the records. Progress changes once per part.
const POLL: Duration = Duration::from_millis(250);

/// Time without accepted bytes after which a client is considered disconnected.
const STALL_MAX: Duration = Duration::from_secs(60);

/// Consecutive reads of the records that may fail before the stream ends.
const FAILURES_MAX: u32 = 20;
