//! The headers that the protocols define, and those that contain credentials.

use ::http::HeaderName;
use ::http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};

/// UploadAddress, as VOD returned it.
pub const UPLOAD_ADDRESS: HeaderName = HeaderName::from_static("upload-address");
/// UploadAuth, as VOD returned it.
pub const UPLOAD_AUTH: HeaderName = HeaderName::from_static("upload-auth");
/// The ID of the media asset that a new upload continues.
pub const UPLOAD_MEDIA_ID: HeaderName = HeaderName::from_static("upload-media-id");
/// The token of the media asset that a new upload continues.
pub const UPLOAD_MEDIA_TOKEN: HeaderName = HeaderName::from_static("upload-media-token");

/// The media ID of an upload, in a response.
pub const MEDIA_ID: HeaderName = HeaderName::from_static("media-id");
/// The token of a media asset that the worker created, in a response.
pub const MEDIA_TOKEN: HeaderName = HeaderName::from_static("media-token");

/// The offset of an upload (tus, IETF draft).
pub const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
/// The length of the file (tus, IETF draft).
pub const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
/// Metadata of the file (tus). May contain a credential.
pub const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
/// A digest of the entire representation (RFC 9530).
pub const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

pub(super) const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
pub(super) const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
pub(super) const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
pub(super) const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
pub(super) const TUS_CHECKSUM_ALGORITHM: HeaderName =
    HeaderName::from_static("tus-checksum-algorithm");
pub(super) const UPLOAD_CONCAT: HeaderName = HeaderName::from_static("upload-concat");
pub(super) const UPLOAD_DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
pub(super) const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");

pub(super) const UPLOAD_COMPLETE: HeaderName = HeaderName::from_static("upload-complete");
pub(super) const UPLOAD_INCOMPLETE: HeaderName = HeaderName::from_static("upload-incomplete");
pub(super) const UPLOAD_LIMIT: HeaderName = HeaderName::from_static("upload-limit");
pub(super) const UPLOAD_DRAFT_INTEROP_VERSION: HeaderName =
    HeaderName::from_static("upload-draft-interop-version");
pub(super) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

pub(super) const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Returns true if the values of `name` can contain a credential.
pub(super) fn has_credential(name: &HeaderName) -> bool {
    [
        AUTHORIZATION,
        COOKIE,
        MEDIA_TOKEN,
        PROXY_AUTHORIZATION,
        UPLOAD_ADDRESS,
        UPLOAD_AUTH,
        UPLOAD_MEDIA_TOKEN,
        UPLOAD_METADATA,
    ]
    .contains(name)
}
