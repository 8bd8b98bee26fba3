//! One OSS request, and what its handler needs.

use http::StatusCode;

use super::error::{Code, OssError};
use super::xml::{Element, KeyEncoding};
use crate::http::{BodyError, RequestBody, RequestHead, Response, full};
use crate::state::SandboxState;
use crate::store::ReceiveError;

/// An authenticated request for an operation on a bucket or an object.
pub(crate) struct Call<'a> {
    /// The state of the sandbox.
    pub(crate) state: &'a SandboxState,
    /// The head of the request.
    pub(crate) head: &'a RequestHead,
    /// The bucket; it exists.
    pub(crate) bucket: &'a str,
    /// The object key; empty at bucket level.
    pub(crate) key: &'a str,
    /// The body of the request.
    pub(crate) body: &'a mut RequestBody,
}

/// An error of a call.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error response.
    Rejected(OssError),
    /// The body was interrupted by the client or by a fault: there is no response.
    Interrupted,
}

impl From<OssError> for Failure {
    fn from(error: OssError) -> Self {
        Self::Rejected(error)
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Interrupted | BodyError::Truncated => Self::Interrupted,
            BodyError::TooLarge => Self::Rejected(OssError::new(
                Code::EntityTooLarge,
                "The request body exceeds the limit of this operation.",
            )),
        }
    }
}

impl From<ReceiveError> for Failure {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Request(error) => error.into(),
            ReceiveError::Disk(error) => OssError::internal(&error).into(),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        OssError::internal(&error).into()
    }
}

impl Call<'_> {
    /// A required query parameter.
    pub(crate) fn required(&self, name: &str) -> Result<&str, OssError> {
        match self.head.query_value(name) {
            Some("") | None => {
                Err(OssError::invalid_argument(format!("The parameter {name} is missing.")))
            }
            Some(value) => Ok(value),
        }
    }

    /// A page size of 1 to 1000; `default` if absent.
    pub(crate) fn page_size(&self, name: &str, default: usize) -> Result<usize, OssError> {
        match self.head.query_value(name) {
            None | Some("") => Ok(default),
            Some(text) => {
                text.parse().ok().filter(|size| (1..=MAX_PAGE).contains(size)).ok_or_else(|| {
                    OssError::invalid_argument(format!("{name} must be 1 to {MAX_PAGE}."))
                })
            }
        }
    }

    /// The encoding of keys in the response.
    pub(crate) fn key_encoding(&self) -> Result<KeyEncoding, OssError> {
        KeyEncoding::from_parameter(self.head.query_value("encoding-type"))
            .map_err(|()| OssError::invalid_argument("encoding-type must be url."))
    }

    /// Checks that the request does not forbid replacing an existing object.
    pub(crate) fn check_overwrite(&self) -> Result<(), OssError> {
        let forbidden = self.head.header("x-oss-forbid-overwrite").as_deref() == Some("true");
        if forbidden && self.state.store.object(self.bucket, self.key).is_some() {
            return Err(OssError::new(
                Code::FileAlreadyExists,
                "The object you specified already exists and can not be overwritten.",
            ));
        }
        Ok(())
    }

    /// The headers that are stored with the object.
    pub(crate) fn object_headers(&self) -> Vec<(String, String)> {
        self.head
            .header_names()
            .into_iter()
            .filter(|name| STORED_HEADERS.contains(name) || name.starts_with("x-oss-meta-"))
            .filter_map(|name| Some((name.to_owned(), self.head.header(name)?)))
            .collect()
    }
}

/// A 200 with an XML body.
pub(crate) fn xml(root: &Element) -> Response {
    full(StatusCode::OK, "application/xml", root.document())
}

const STORED_HEADERS: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];

/// The largest page of every listing.
pub(crate) const MAX_PAGE: usize = 1000;
