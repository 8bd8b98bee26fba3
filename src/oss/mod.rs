//! Alibaba Cloud OSS: signed requests made, and responses read, without sending anything.
//!
//! An [`Action`] is one call of the OSS API. It makes an [`UnsignedRequest`] for a [`Bucket`]; a
//! [`Signer`] turns that into a [`Request`] which the driver sends as it is; the action then reads
//! the [`HttpResponse`].

pub mod action;
mod bucket;
mod clock_skew;
mod crc64_header;
mod endpoint;
mod error_response;
mod etag;
mod http_message;
mod percent;
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
pub(crate) use percent::encode_component;
