//! The limits of uploads: their size, and whether they can be concatenated.

use vod_uploader::http::ietf::Limits;
use vod_uploader::units::{ByteCount, PART_SIZE_MAX, UnixMillis};
use vod_uploader::upload::{UploadKind, UploadRecord};
use vod_uploader::{Error, ErrorKind};

use crate::config::Config;
use crate::instance::Instance;

/// The limits in responses. An upload accepts any number of requests of any size.
pub(crate) fn advertised_limits(instance: &Instance, expires_at: Option<UnixMillis>) -> Limits {
    let remaining = expires_at.map(|at| at.since(instance.now()));
    Limits {
        size_max: instance.config.upload_max,
        append_size_max: None,
        append_size_min: None,
        max_age_s: remaining.or(instance.config.expire_after).map(|age| age.as_secs()),
    }
}

/// The largest upload of this kind that is accepted.
pub(crate) fn size_max(config: &Config, kind: &UploadKind) -> ByteCount {
    match kind {
        UploadKind::Partial => config.upload_max.min(PART_SIZE_MAX),
        UploadKind::Regular | UploadKind::Final { .. } => config.upload_max,
    }
}

/// The length of an upload, or the largest one if it is unknown.
pub(crate) fn length_max(config: &Config, record: &UploadRecord) -> ByteCount {
    record.length().unwrap_or_else(|| size_max(config, &record.kind))
}

/// The error for a file that exceeds `limit`.
pub(crate) fn too_large(limit: ByteCount) -> Error {
    Error::new(ErrorKind::FileTooLarge, format!("the file exceeds the limit of {limit}"))
}

/// The error for a worker that cannot concatenate uploads.
pub(super) fn concatenation_unavailable() -> Error {
    let message = "concatenation requires vod_access_key_id and temporary_bucket";
    Error::new(ErrorKind::ConcatenationUnavailable, message)
}
