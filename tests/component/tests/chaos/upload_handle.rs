//! A resumable upload of the worker, in the format of its protocol.

use std::io;
use std::ops::Range;

use vod_uploader_wire::ietf::Draft;
use vod_uploader_wire::{Client, Exchange, Framing, Request, Response, tus};

/// An upload with an address.
#[derive(Clone, Debug)]
pub(crate) struct UploadHandle {
    pub(crate) format: WireFormat,
    /// The path under `/v1/files/`.
    pub(crate) path: String,
    /// The file that it is for; `None` for a partial upload.
    pub(crate) file_name: Option<String>,
    /// The offset of its first byte in the client's source.
    pub(crate) base: u64,
    pub(crate) length: u64,
    /// Whether its length is declared with its last bytes.
    pub(crate) deferred: bool,
}

/// The format of the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WireFormat {
    /// tus 1.0.0.
    Tus,
    /// A draft of the IETF's resumable uploads.
    Ietf(Draft),
    /// FilePond with this chunk size in bytes.
    FilePond(u64),
}

/// The state of an upload, as its client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RemoteState {
    /// Bytes up to here are acknowledged.
    At(u64),
    /// It no longer exists; the status.
    Gone(u16),
    /// Unknown at present; the status.
    Later(u16),
}

impl UploadHandle {
    /// HEAD.
    ///
    /// # Errors
    /// Returns an error if there is no response, and a sentence if the response is invalid.
    pub(crate) fn state(&self, client: &Client) -> io::Result<Result<RemoteState, String>> {
        let head = match self.format {
            WireFormat::FilePond(_) => Request::new("HEAD", &self.filepond_path()),
            WireFormat::Tus => tus::request("HEAD", &self.path),
            WireFormat::Ietf(draft) => draft.request("HEAD", &self.path),
        };
        let response = client.send(&head)?;
        Ok(match response.status {
            200 | 204 => match response.header("upload-offset") {
                Some(_) => Ok(RemoteState::At(response.offset())),
                // A final upload has none before it is complete.
                None => Ok(RemoteState::Later(response.status)),
            },
            404 | 410 => Ok(RemoteState::Gone(response.status)),
            502 | 503 => Ok(RemoteState::Later(response.status)),
            status => Err(format!("HEAD {} returned {status}", head.target)),
        })
    }

    /// Starts a request that appends the bytes of `range`, with an additional header. The caller
    /// sends them.
    ///
    /// # Errors
    /// Returns an error if there is no connection.
    pub(crate) fn start_append(
        &self,
        client: &Client,
        range: &Range<u64>,
        more: Option<(&str, &str)>,
    ) -> io::Result<Exchange> {
        let is_last = range.end == self.length;
        let patch = match self.format {
            WireFormat::Tus => {
                let patch = tus::patch(&self.path, range.start);
                match self.deferred && is_last {
                    true => patch.header("upload-length", self.length),
                    false => patch,
                }
            }
            WireFormat::Ietf(draft) => draft.patch(&self.path, range.start, is_last),
            WireFormat::FilePond(_) => Request::new("PATCH", &self.filepond_path())
                .header("content-type", tus::CONTENT_TYPE)
                .header("upload-offset", range.start)
                .header("upload-length", self.length)
                .header(
                    "upload-name",
                    self.file_name.as_deref().expect("FilePond names its files"),
                ),
        };
        let patch =
            patch.headers(more.as_slice()).framing(Framing::Length(range.end - range.start));
        client.start(&patch)
    }

    /// DELETE.
    ///
    /// # Errors
    /// Returns an error if there is no response.
    pub(crate) fn delete(&self, client: &Client) -> io::Result<Response> {
        client.send(&match self.format {
            WireFormat::FilePond(_) => {
                Request::new("DELETE", "/v1/filepond").body(self.id().as_bytes())
            }
            _ => tus::request("DELETE", &self.path),
        })
    }

    /// POST to `{path}/pause` or `{path}/resume`.
    ///
    /// # Errors
    /// Returns an error if there is no response.
    pub(crate) fn command(&self, client: &Client, what: &str) -> io::Result<Response> {
        client.send(&Request::new("POST", &format!("{}/{what}", self.path)).body(b""))
    }

    /// `state` of GET; `None` if it is unknown.
    pub(crate) fn upload_state(&self, client: &Client) -> Option<String> {
        Some(client.get_json(&self.path).ok()?["state"].as_str()?.to_owned())
    }

    /// The multiple, in bytes, that its protocol rounds offsets down to.
    pub(crate) fn granularity(&self) -> u64 {
        match self.format {
            WireFormat::FilePond(chunk) => chunk,
            WireFormat::Tus | WireFormat::Ietf(_) => 1,
        }
    }

    fn id(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    fn filepond_path(&self) -> String {
        format!("/v1/filepond?patch={}", self.id())
    }
}
