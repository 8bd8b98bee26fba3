//! An upload at the worker that can be continued, in the words of its protocol.

use std::io;
use std::ops::Range;

use vod_uploader_component_tests::http::{Body, Client, Exchange, Framing, Response};
use vod_uploader_component_tests::tus::{CHUNK_TYPE, VERSION};

/// An upload that has an address.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) words: Words,
    /// The path under `/v1/files/`.
    pub(crate) path: String,
    /// The file that it is for; `None` for a partial upload.
    pub(crate) file_name: Option<String>,
    /// Where its bytes begin in the client's source.
    pub(crate) base: u64,
    pub(crate) length: u64,
    /// Its length is declared with its last bytes.
    pub(crate) deferred: bool,
}

/// What the requests look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// tus 1.0.0.
    Tus,
    /// The IETF's draft, by its interop version.
    Ietf(u8),
    /// FilePond, whose chunks have this many bytes.
    FilePond(u64),
}

/// How an upload stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Bytes up to here are acknowledged.
    At(u64),
    /// It is not there any more; the status.
    Gone(u16),
    /// That could not be found out now.
    Later(u16),
}

impl Remote {
    /// HEAD.
    ///
    /// # Errors
    /// Where no answer comes. A sentence where it makes no sense.
    pub(crate) fn standing(&self, client: &Client) -> io::Result<Result<Standing, String>> {
        let (path, headers) = match self.words {
            Words::FilePond(_) => (self.filepond_path(), vec![]),
            Words::Tus => (self.path.clone(), vec![VERSION]),
            Words::Ietf(8) => (self.path.clone(), vec![INTEROP_8]),
            Words::Ietf(_) => (self.path.clone(), vec![INTEROP_6]),
        };
        let answer = client.request("HEAD", &path, &headers, &Body::None)?;
        Ok(match answer.status {
            200 | 204 => match answer.header("upload-offset") {
                Some(_) => Ok(Standing::At(answer.offset())),
                // An upload that is made of others has none before it is whole.
                None => Ok(Standing::Later(answer.status)),
            },
            404 | 410 => Ok(Standing::Gone(answer.status)),
            502 | 503 => Ok(Standing::Later(answer.status)),
            status => Err(format!("HEAD {path} is answered with {status}")),
        })
    }

    /// Begins to append the bytes of `range`; `more` are further headers. The caller sends them.
    ///
    /// # Errors
    /// Where there is no connection.
    pub(crate) fn begin_append(
        &self,
        client: &Client,
        range: &Range<u64>,
        more: Option<(&str, &str)>,
    ) -> io::Result<Exchange> {
        let is_last = range.end == self.length;
        let (offset, length) = (range.start.to_string(), self.length.to_string());
        let mut headers = vec![("upload-offset", offset.as_str())];
        headers.extend(more);
        let path = match self.words {
            Words::Tus => {
                headers.extend([VERSION, CHUNK_TYPE]);
                if self.deferred && is_last {
                    headers.push(("upload-length", length.as_str()));
                }
                self.path.clone()
            }
            Words::Ietf(version) => {
                headers.push(if version == 8 { INTEROP_8 } else { INTEROP_6 });
                headers.push(("content-type", "application/partial-upload"));
                headers.push(("upload-complete", if is_last { "?1" } else { "?0" }));
                self.path.clone()
            }
            Words::FilePond(_) => {
                let name = self.file_name.as_deref().expect("FilePond names its files");
                headers.extend([CHUNK_TYPE, ("upload-length", &length), ("upload-name", name)]);
                self.filepond_path()
            }
        };
        let framing = Framing::Length(range.end - range.start);
        client.begin("PATCH", &path, &headers, framing)
    }

    /// DELETE.
    ///
    /// # Errors
    /// Where no answer comes.
    pub(crate) fn delete(&self, client: &Client) -> io::Result<Response> {
        match self.words {
            Words::FilePond(_) => {
                let id = self.id().as_bytes();
                client.request("DELETE", "/v1/filepond", &[], &Body::Bytes(id))
            }
            _ => client.request("DELETE", &self.path, &[VERSION], &Body::None),
        }
    }

    /// POST to `{path}/pause` or `{path}/resume`.
    ///
    /// # Errors
    /// Where no answer comes.
    pub(crate) fn tell(&self, client: &Client, what: &str) -> io::Result<Response> {
        client.request("POST", &format!("{}/{what}", self.path), &[], &Body::Bytes(b""))
    }

    /// `state` of GET; `None` where it is not told.
    pub(crate) fn state(&self, client: &Client) -> Option<String> {
        let answer = client.request("GET", &self.path, &[], &Body::None).ok()?;
        let state = (answer.status == 200).then(|| answer.json()["state"].clone())?;
        Some(state.as_str()?.to_owned())
    }

    /// What its protocol rounds offsets down to.
    pub(crate) fn granularity(&self) -> u64 {
        match self.words {
            Words::FilePond(chunk) => chunk,
            Words::Tus | Words::Ietf(_) => 1,
        }
    }

    fn id(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    fn filepond_path(&self) -> String {
        format!("/v1/filepond?patch={}", self.id())
    }
}

const INTEROP_6: (&str, &str) = ("upload-draft-interop-version", "6");
const INTEROP_8: (&str, &str) = ("upload-draft-interop-version", "8");
