//! The upload of a file in chunks begins with its first chunk, which may come several times at
//! once: FilePond sends a chunk again whose connection broke, and the request before goes on.

use std::time::Duration;

use vod_uploader::http::{self, FilePondChunk, FilePondTransfer, Head, MediaClaim, Metadata};
use vod_uploader::upload::{Role, UploadKey};
use vod_uploader::{Error, ErrorKind, Result};

use super::{existing, not_found};
use crate::clock;
use crate::once::Once;
use crate::worker::Worker;
use crate::worker::create::NewUpload;
use crate::worker::media::Continued;

/// How often one that waits for the upload looks for it.
const POLL: Duration = Duration::from_millis(100);

impl Worker {
    /// Makes the upload under the id that the client has; of several requests that want to, one
    /// does, and the others wait until there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] where it takes another request too long.
    pub(super) async fn begin_upload(&self, head: &Head, chunk: &FilePondChunk) -> Result<()> {
        let beginning = self.beginning(&chunk.key);
        let mut waited = Duration::ZERO;
        loop {
            let right = beginning.win().await?;
            // Read after the right was won: the upload may have been made, and the file reverted,
            // since they were looked for.
            let transfer = match existing(self.transfer(&chunk.key).await)? {
                Some(transfer) if !transfer.is_upload_made() => transfer,
                found => {
                    beginning.forget().await?;
                    return found.map(drop).ok_or_else(not_found);
                }
            };
            if let Some(right) = right {
                right.exercise(self.make_upload(head, chunk, transfer)).await?;
                return beginning.forget().await;
            }
            if waited >= self.config.request_timeout {
                let message = "another request is beginning the upload";
                return Err(Error::new(ErrorKind::Busy, message));
            }
            clock::sleep(POLL).await;
            waited += POLL;
        }
    }

    /// The right to make the upload: for as long as VOD may take to answer.
    pub(super) fn beginning(&self, key: &UploadKey) -> Once<'_> {
        let term = self.config.retry.elapsed_max + self.config.request_timeout;
        Once::new(&self.kv, FilePondTransfer::name(key), term)
    }

    async fn make_upload(
        &self,
        head: &Head,
        chunk: &FilePondChunk,
        transfer: FilePondTransfer,
    ) -> Result<()> {
        let key = &chunk.key;
        // Its maker may have gone before it said so.
        if existing(self.present_status(key).await)?.is_some() {
            return self.keep_transfer(key, &transfer.with_upload_made()).await;
        }
        let new = NewUpload {
            file_name: self.file_name(&chunk.file_name)?,
            length: Some(chunk.file_length),
            content_type: None,
            metadata: transfer.metadata(),
            role: Role::Whole,
        };
        let media_id = transfer.media_id().map(str::to_owned);
        // Before the upload: an offset could be told wrong without it.
        let transfer = transfer.begun_with(chunk.length);
        self.keep_transfer(key, &transfer).await?;
        let kept = match http::client_credential(head, None, clock::now())? {
            Some(brought) => Some(brought),
            None => self.transfer_credential(key).kept(&self.kv).await?,
        };
        let media = match MediaClaim::parse(head, &Metadata::default())? {
            Some(claim) => Some(Continued::Claimed(claim)),
            None => media_id.map(Continued::Verified),
        };
        self.new_upload_at(key.clone(), kept, media, new).await?;
        if existing(self.transfer(key).await)?.is_none() {
            // Reverted meanwhile.
            return self.terminate(head, key).await;
        }
        self.keep_transfer(key, &transfer.with_upload_made()).await
    }
}
