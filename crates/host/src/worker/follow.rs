//! `GET /v1/files/{id}/events`: the progress of an upload, whoever writes to it.

use std::time::Duration;

use futures::future::{Either, select};
use spin_sdk::wasip3::wit_bindgen::{StreamReader, StreamWriter};
use spin_sdk::wasip3::{wit_bindgen, wit_stream};
use vod_uploader::Result;
use vod_uploader::http::{self, EventFeed, Head};
use vod_uploader::units::UnixMillis;
use vod_uploader::upload::UploadKey;

use super::Worker;
use crate::{clock, records};

/// How often the records are looked at. Progress comes in parts; more often tells no more.
const POLL: Duration = Duration::from_millis(250);

/// How long a client may take nothing before it is taken for gone.
const STALL_MAX: Duration = Duration::from_secs(60);

/// Reads of the records in a row that may fail before the feed ends.
const FAILURES_MAX: u32 = 20;

impl Worker {
    /// `GET /v1/files/{id}/events`: the head of the answer, and its body where it has one.
    pub(crate) async fn follow(
        self,
        head: Head,
        key: UploadKey,
    ) -> Result<(http::Response, Option<StreamReader<u8>>)> {
        records::upload_record(&self.kv, &key).await?;
        let feed = EventFeed::of(&head);
        let response = feed.response();
        if feed.is_over() {
            return Ok((response, None));
        }
        let (writer, reader) = wit_stream::new();
        let follower = Follower { worker: self, head, key, feed, writer };
        wit_bindgen::spawn(follower.run());
        Ok((response, Some(reader)))
    }
}

struct Follower {
    worker: Worker,
    head: Head,
    key: UploadKey,
    feed: EventFeed,
    writer: StreamWriter<u8>,
}

impl Follower {
    /// Tells what is new until the upload or the client's patience ends.
    async fn run(mut self) {
        let mut failures = 0;
        let mut told = EventFeed::opening();
        loop {
            if !told.is_empty() && !self.write(told).await {
                return;
            }
            if self.feed.is_over() {
                return;
            }
            told = match self.worker.watched_status(&self.head, &self.key).await {
                Ok(status) => {
                    failures = 0;
                    let credential_ends_at = self.credential_ends_at(&status).await;
                    self.feed.told_of(&status, credential_ends_at, clock::now())
                }
                Err(error) if failures < FAILURES_MAX && error.kind().retry().is_later() => {
                    failures += 1;
                    String::new()
                }
                Err(error) => self.feed.told_of_error(&error),
            };
            if told.is_empty() {
                clock::sleep(POLL).await;
                told = self.feed.kept_alive(POLL).to_owned();
            }
        }
    }

    /// Writes `text`; false where the client has gone, or takes nothing.
    async fn write(&mut self, text: String) -> bool {
        let written = std::pin::pin!(self.writer.write_all(text.into_bytes()));
        let stalled = std::pin::pin!(clock::sleep(STALL_MAX));
        match select(written, stalled).await {
            Either::Left((left, _)) => left.is_empty(),
            Either::Right(_) => false,
        }
    }

    /// When the credential ends, where the worker cannot get a new one by itself.
    async fn credential_ends_at(&self, status: &http::UploadStatus) -> Option<UnixMillis> {
        let source = self.worker.credential_source(&self.key, &status.record);
        if source.can_mint() || status.has_ended() {
            return None;
        }
        source.kept(&self.worker.kv).await.ok().flatten()?.auth.expires_at
    }
}
