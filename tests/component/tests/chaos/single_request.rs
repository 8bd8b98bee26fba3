//! Single-request uploads: their clients send the entire file again after a failure.

use serde_json::Value;
use vod_uploader_component_tests::source::{MIB, Source};
use vod_uploader_wire::ietf::Draft;
use vod_uploader_wire::{Exchange, Framing, Request, Response};

use crate::client::Client;
use crate::context::count;
use crate::expected_state::{Acknowledgment, Retention};
use crate::resumable::ChunkPlan;
use crate::upload_handle::{UploadHandle, WireFormat};

impl Client<'_> {
    /// `PUT /v1/uploads/{name}`.
    pub(crate) fn put(&mut self, known: bool) -> Result<(), String> {
        let source = self.new_source(u64::MAX);
        loop {
            self.check_time()?;
            let name = self.new_name();
            self.context.expected.start(&name, &source, Retention::OneRequest);
            let framing = if known { Framing::Length(source.length()) } else { Framing::Chunked };
            let path = format!("/v1/uploads/{name}");
            let put = self.context.http().start(&Request::new("PUT", &path).framing(framing));
            let response =
                put.ok().and_then(|put| self.send_body(put, &source.bytes(source.all())));
            self.log_event(&format!(
                "PUT {name}: {:?}",
                response.as_ref().map(|response| response.status)
            ));
            match response {
                Some(response) if response.status == 201 => {
                    return self.stored(&name, &source, &response.json());
                }
                Some(response) => self.retry_later(&response)?,
                None => {}
            }
            self.context.expected.abandon(&name);
        }
    }

    /// A form with two files. Those that are not stored are sent again.
    pub(crate) fn send_form(&mut self) -> Result<(), String> {
        let mut files = vec![self.new_source(6 * MIB), self.new_source(6 * MIB)];
        while !files.is_empty() {
            self.check_time()?;
            let names: Vec<_> = files.iter().map(|_| self.new_name()).collect();
            let mut form = Vec::new();
            for (name, source) in names.iter().zip(&files) {
                self.context.expected.start(name, source, Retention::OneRequest);
                let head = format!(
                    "--chaos\r\nContent-Disposition: form-data; name=\"file\"; \
                     filename=\"{name}\"\r\n\r\n"
                );
                form.extend_from_slice(head.as_bytes());
                form.extend(source.bytes(source.all()));
                form.extend_from_slice(b"\r\n");
            }
            form.extend_from_slice(b"--chaos--\r\n");
            let headers = [("content-type", "multipart/form-data; boundary=chaos")];
            let framing = Framing::Length(form.len() as u64);
            let post = self
                .context
                .http()
                .start(&Request::new("POST", "/v1/uploads").headers(&headers).framing(framing));
            let response = post.ok().and_then(|post| self.send_body(post, &form));
            self.log_event(&format!("form {names:?}: {:?}", response.as_ref().map(|it| it.status)));
            let mut left = Vec::new();
            let outcome = response.as_ref().map(Response::json).unwrap_or_default();
            for (name, source) in names.into_iter().zip(files) {
                let outcomes = outcome["files"].as_array().into_iter().flatten();
                let mut mine = outcomes.filter(|file| file["file_name"] == name.as_str());
                match mine.find(|file| file["crc64"].is_string()) {
                    Some(file) => self.stored(&name, &source, file)?,
                    None => {
                        self.context.expected.abandon(&name);
                        left.push(source);
                    }
                }
            }
            files = left;
            match response {
                Some(response) if response.status == 201 && !files.is_empty() => {
                    return Err(format!("201 for a form that is not stored: {}", response.text()));
                }
                Some(response) if response.status != 201 => self.retry_later(&response)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// A complete file by the IETF's draft, which can be resumed if a response contains its
    /// address.
    pub(crate) fn send_ietf_single_request(&mut self, draft: Draft) -> Result<(), String> {
        let source = self.new_source(u64::MAX);
        loop {
            self.check_time()?;
            let name = self.new_name();
            self.context.expected.start(&name, &source, Retention::UntilExpired);
            let creation = draft
                .creation("POST", "/v1/files", true)
                .header("content-disposition", format!("attachment; filename=\"{name}\""))
                .framing(Framing::Length(source.length()));
            let post = self.context.http().start(&creation);
            let response =
                post.ok().and_then(|post| self.send_body(post, &source.bytes(source.all())));
            let Some(response) = response else {
                self.context.expected.abandon(&name);
                continue;
            };
            self.log_event(&format!("POST {name}: {} {:?}", response.status, response.headers));
            let upload = self.addressed(&response, &name, source.length());
            if response.status == 201 && response.header("upload-complete") == Some("?1") {
                return self.stored(&name, &source, &response.json());
            }
            if let Some(upload) = upload {
                let upload = UploadHandle { format: WireFormat::Ietf(draft), ..upload };
                let offset = response.header("upload-offset").map_or(0, |_| response.offset());
                return self.send_file(&upload, &source, ChunkPlan::All, offset, false);
            }
            self.context.expected.abandon(&name);
            self.retry_later(&response)?;
        }
    }

    /// Sends the entire body, and sometimes disconnects in its middle. `None` if there is no
    /// response.
    fn send_body(&mut self, mut exchange: Exchange, body: &[u8]) -> Option<Response> {
        count(&self.context.counts.requests);
        let middle = usize::try_from(self.random.below(body.len() as u64)).expect("an index");
        self.send(&mut exchange, &body[..middle]);
        if self.is_faulty(4) {
            count(&self.context.counts.interrupted);
            self.log_event("cut");
            return None;
        }
        if self.is_faulty(4) {
            self.sleep_up_to(1_500);
        }
        self.send(&mut exchange, &body[middle..]);
        let response = exchange.finish();
        if response.is_err() {
            self.without_response();
        }
        response.ok()
    }

    /// Checks and records the acknowledgment of a stored file.
    fn stored(&mut self, name: &str, source: &Source, outcome: &Value) -> Result<(), String> {
        let (size, crc64) = (&outcome["size"], &outcome["crc64"]);
        if *size != source.length() || *crc64 != source.crc64().as_str() {
            return Err(format!("{name} was stored as {outcome}"));
        }
        count(&self.context.counts.stored);
        self.context.expected.acknowledge(name, Acknowledgment::Stored);
        Ok(())
    }
}
