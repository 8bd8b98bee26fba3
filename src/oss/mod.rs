//! Alibaba Cloud OSS: signed requests and their responses, as values.
//!
//! An [`Action`] is one call of the OSS API. It creates an [`UnsignedRequest`] for a [`Bucket`]. A
//! [`Signer`] turns it into a [`Request`], which the driver sends unchanged. The action then parses
//! the [`HttpResponse`].

pub mod action;
mod bucket;
mod clock_skew;
mod crc64_header;
mod endpoint;
mod error_response;
mod etag;
mod http_message;
mod redact;
pub mod sign;
mod signature_version;
mod upload_id;
mod xml;

pub use action::Action;
pub use bucket::{Bucket, BucketOptions};
pub use clock_skew::ClockSkew;
pub use etag::ETag;
pub use http_message::{Body, HttpResponse, Request, UnsignedRequest};
pub use sign::Signer;
pub use signature_version::SignatureVersion;
pub use upload_id::MultipartUploadId;

pub(crate) use error_response::is_temporary;
