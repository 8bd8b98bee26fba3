//! Alibaba Cloud OSS: signed requests and their responses, as values.
//!
//! An [`Action`] is one call of the OSS API. It creates an [`UnsignedRequest`] for a [`Bucket`]. A
//! [`Signer`] turns it into a [`Request`], which the driver sends unchanged. The action then parses
//! the [`HttpResponse`].
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! use vod_uploader::credential::{Secret, AccessKey};
//! use vod_uploader::oss::action::HeadObject;
//! use vod_uploader::oss::{Action, Bucket, BucketOptions, HttpResponse, Signer};
//! use vod_uploader::units::UnixMillis;
//!
//! # fn main() -> vod_uploader::Result<()> {
//! let bucket =
//!     Bucket::new("oss-cn-hangzhou.aliyuncs.com", "examplebucket", BucketOptions::default())?;
//! let credential = AccessKey {
//!     access_key_id: "AKID".to_owned(),
//!     access_key_secret: Secret::new("access-key-secret"),
//!     security_token: None,
//! };
//! let signer =
//!     Signer { bucket: &bucket, credential: &credential, now: UnixMillis(1_702_743_657_000) };
//!
//! // A signature in the `authorization` header.
//! let action = HeadObject { key: "film.mp4" };
//! let request = signer.sign(action.request(&bucket));
//! assert_eq!(
//!     request.url.as_str(),
//!     "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/film.mp4"
//! );
//! let authorization = request.header("authorization").expect("signed");
//! assert!(authorization.starts_with(
//!     "OSS4-HMAC-SHA256 Credential=AKID/20231216/cn-hangzhou/oss/aliyun_v4_request,"
//! ));
//!
//! // A signature in the URL, which is valid for one hour.
//! let presigned = signer.presign(action.request(&bucket), Duration::from_secs(3_600))?;
//! assert!(presigned.url.query().is_some_and(|query| query.contains("x-oss-signature=")));
//!
//! // The response of OSS.
//! let headers = [("content-length", "73400320"), ("x-oss-hash-crc64ecma", "7")];
//! let response = HttpResponse::new(http::StatusCode::OK, headers, Vec::new());
//! let object = action.parse(&response)?.expect("the object exists");
//! assert_eq!(object.size.bytes(), 73_400_320);
//! # Ok(())
//! # }
//! ```

pub mod action;
mod bucket;
mod clock_skew;
mod crc64_header;
mod credential_policy;
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
pub use credential_policy::CredentialPolicy;
pub use etag::ETag;
pub use http_message::{Body, HttpResponse, Request, UnsignedRequest};
pub use sign::Signer;
pub use signature_version::SignatureVersion;
pub use upload_id::MultipartUploadId;

pub(crate) use error_response::is_temporary;
