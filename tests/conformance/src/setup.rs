//! The settings of a run.

use std::time::Duration;

use url::Url;
use vod_uploader_wire::{Client, Transcript};

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The URL that creates uploads. `http` only: a server with TLS requires a proxy.
    pub url: Url,
    /// Headers of every request, for example for authorization. Their values are never shown.
    pub fields: Vec<(String, String)>,
    /// The metadata of created uploads, as keys and values. `filename` is also the file name of
    /// the IETF protocol.
    pub metadata: Vec<(String, String)>,
    /// The media type of created uploads, for the IETF protocol.
    pub media_type: String,
    /// The method that creates uploads, for the IETF protocol.
    pub method: String,
    /// The interop version of the IETF draft.
    pub interop: u8,
    /// The maximum size of a body in bytes.
    pub size_max_bytes: usize,
    /// The URL of an upload's bytes, with `{url}` for the upload's URL and `{id}` for the last
    /// segment of its path. If absent, bytes are not compared.
    pub read_back: Option<String>,
    /// The maximum response time while an older request hangs.
    pub hang_bound: Duration,
    /// The maximum time for a response, and for an awaited state.
    pub response_timeout: Duration,
}

impl Setup {
    /// The defaults for a URL.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self {
            url,
            fields: Vec::new(),
            metadata: vec![("filename".to_owned(), "conformance.mp4".to_owned())],
            media_type: "video/mp4".to_owned(),
            method: "POST".to_owned(),
            interop: 8,
            size_max_bytes: 400_000,
            read_back: None,
            hang_bound: Duration::from_secs(2),
            response_timeout: Duration::from_secs(10),
        }
    }

    /// A client of the server, with a separate transcript.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.url.as_str())
            .with_timeout(self.response_timeout)
            .with_headers(&self.fields)
            .with_transcript(&Transcript::default())
    }

    /// The file name of created uploads.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        let named = self.metadata.iter().find(|(key, _)| key == "filename");
        named.map(|(_, value)| value.as_str())
    }

    /// The URL that an upload's bytes are read back from, if there is one.
    #[must_use]
    pub fn read_back_url(&self, upload: &Url) -> Option<Url> {
        let id = upload.path().rsplit('/').next().unwrap_or_default();
        let template = self.read_back.as_ref()?;
        Url::parse(&template.replace("{url}", upload.as_str()).replace("{id}", id)).ok()
    }
}
