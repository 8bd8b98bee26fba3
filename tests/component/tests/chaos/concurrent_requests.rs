//! Requests of a client on another connection, in the middle of a request.

use crate::append::{Request, RequestResult};
use crate::client::Client;
use crate::context::count;
use crate::expected_state::{Acknowledgment, OffsetHistory};
use crate::upload_handle::UploadHandle;

impl Client<'_> {
    /// Sends the same bytes on another connection, while the first one waits.
    pub(crate) fn send_duplicate(
        &mut self,
        request: &Request<'_>,
        history: &mut OffsetHistory,
    ) -> Result<RequestResult, String> {
        count(&self.context.counts.duplicates);
        let send_duplicate =
            request.upload.start_append(&self.context.http(), &request.range, None);
        let Ok(mut send_duplicate) = send_duplicate else { return Ok(self.without_response()) };
        send_duplicate.send(&request.bytes(request.range.clone()));
        let response = send_duplicate.finish();
        self.interpret(request, response, history)
    }

    /// Pauses the upload: it accepts nothing until it is resumed.
    pub(crate) fn pause(
        &mut self,
        request: &Request<'_>,
        history: &mut OffsetHistory,
    ) -> Result<RequestResult, String> {
        count(&self.context.counts.paused);
        let Ok(paused) = request.upload.command(&self.context.http(), "pause") else {
            return Ok(self.without_response());
        };
        self.log_event(&format!("pause: {}", paused.status));
        if paused.status != 200 {
            return Ok(RequestResult::Nothing);
        }
        let offset = paused.json()["bytes_durable"].as_u64().expect("an offset");
        history.verify(offset, 1)?;
        let one = Request { range: offset..(offset + 1).min(request.upload.length), ..*request };
        if paused.json()["state"] != "paused" || one.range.is_empty() {
            return Ok(RequestResult::Nothing);
        }
        let patch = one.upload.start_append(&self.context.http(), &one.range, None);
        let Ok(mut patch) = patch else { return Ok(self.without_response()) };
        patch.send(&one.bytes(one.range.clone()));
        match patch.finish() {
            Ok(response) if response.is_success() => {
                Err("a paused upload accepted bytes".to_owned())
            }
            _ => Ok(RequestResult::Nothing),
        }
    }

    pub(crate) fn resume(&mut self, upload: &UploadHandle) -> Result<(), String> {
        loop {
            self.check_time()?;
            match upload.command(&self.context.http(), "resume").map(|response| response.status) {
                Ok(502 | 503) | Err(_) => self.sleep_up_to(100),
                Ok(_) => return Ok(()),
            }
        }
    }

    /// Deletes the upload before it is complete.
    pub(crate) fn delete(&mut self, upload: &UploadHandle) -> Result<RequestResult, String> {
        count(&self.context.counts.deleted);
        loop {
            self.check_time()?;
            let deleted = upload.delete(&self.context.http()).map(|response| response.status);
            self.log_event(&format!("DELETE {}: {deleted:?}", upload.path));
            match deleted {
                Ok(204 | 404 | 410) => break,
                // 409: a request that started at the same time owns the upload now.
                Ok(409 | 502 | 503) | Err(_) => self.sleep_up_to(100),
                Ok(status) => return Err(format!("DELETE returned {status}")),
            }
        }
        let name = upload.file_name.as_deref().expect("a partial upload is not deleted");
        self.context.expected.acknowledge(name, Acknowledgment::Deleted);
        Ok(RequestResult::Deleted)
    }
}
