//! A client of tus 1.0.0 (<https://tus.io/protocols/resumable-upload>), as small as the demo needs.

use std::io::Read;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use ureq::SendBody;

use crate::failure::Failure;
use crate::http::{Http, expect_success};

/// An upload that the worker knows.
#[derive(Clone, Debug)]
pub(crate) struct TusUpload {
    http: Http,
    url: String,
}

impl TusUpload {
    /// Creates an upload of `length_bytes` at the worker.
    ///
    /// # Errors
    /// The worker does not create it, or does not say where it is.
    pub(crate) fn create(
        http: &Http,
        origin: &str,
        file_name: &str,
        length_bytes: u64,
    ) -> Result<Self, Failure> {
        let files = format!("{origin}/v1/files");
        let reply = http
            .agent()
            .post(&files)
            .header("tus-resumable", VERSION)
            .header("upload-length", length_bytes.to_string())
            .header("upload-metadata", format!("filename {}", BASE64_STANDARD.encode(file_name)))
            .send_empty();
        let reply = expect_success(&files, reply)?;
        let location = reply
            .headers()
            .get("location")
            .and_then(|value| value.to_str().ok())
            .ok_or_else(|| Failure::new(format!("{files}: the answer has no Location")))?;
        Ok(Self { http: http.clone(), url: resolve(origin, location) })
    }

    /// The path of the upload at the worker.
    ///
    /// # Errors
    /// The worker keeps the upload at another origin.
    pub(crate) fn path(&self, origin: &str) -> Result<&str, Failure> {
        self.url
            .strip_prefix(origin)
            .ok_or_else(|| Failure::new(format!("{} is not below {origin}", self.url)))
    }

    /// The offset that the worker has acknowledged, in bytes.
    ///
    /// # Errors
    /// The worker does not answer, or does not know the upload.
    pub(crate) fn offset(&self) -> Result<u64, Failure> {
        let request = self.http.agent().head(&self.url).header("tus-resumable", VERSION);
        let reply = expect_success(&self.url, request.call())?;
        upload_offset(&self.url, reply.headers())
    }

    /// Sends `length_bytes` of `source` from `offset` on and returns the new offset.
    ///
    /// # Errors
    /// The worker went away or refuses them. What it took is at [`Self::offset`].
    pub(crate) fn patch(
        &self,
        offset: u64,
        length_bytes: u64,
        source: &mut dyn Read,
    ) -> Result<u64, Failure> {
        let request = self
            .http
            .agent()
            .patch(&self.url)
            .header("tus-resumable", VERSION)
            .header("upload-offset", offset.to_string())
            .header("content-type", "application/offset+octet-stream")
            .header("content-length", length_bytes.to_string());
        let reply = expect_success(&self.url, request.send(SendBody::from_reader(source)))?;
        upload_offset(&self.url, reply.headers())
    }

    /// What the worker tells about the upload.
    ///
    /// # Errors
    /// The worker does not answer, or does not know the upload.
    pub(crate) fn status(&self) -> Result<Value, Failure> {
        self.http.get_json(&self.url)
    }
}

fn upload_offset(url: &str, headers: &ureq::http::HeaderMap) -> Result<u64, Failure> {
    headers
        .get("upload-offset")
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .ok_or_else(|| Failure::new(format!("{url}: the answer has no Upload-Offset")))
}

/// A Location may be a whole URL or a path.
fn resolve(origin: &str, location: &str) -> String {
    if location.starts_with('/') { format!("{origin}{location}") } else { location.to_owned() }
}

const VERSION: &str = "1.0.0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_may_be_a_path_or_a_url() {
        let origin = "http://127.0.0.1:3000";
        assert_eq!(resolve(origin, "/v1/files/a"), "http://127.0.0.1:3000/v1/files/a");
        let url = "http://127.0.0.1:3001/v1/files/a";
        assert_eq!(resolve(origin, url), url);
    }
}
