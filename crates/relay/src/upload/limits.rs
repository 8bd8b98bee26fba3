//! The size limits of uploads.

use vod_uploader::units::{ByteCount, PART_SIZE_MAX};
use vod_uploader::upload::UploadKind;
use vod_uploader::{Error, ErrorKind};

use crate::config::Config;

/// The largest upload of this role that is accepted.
pub(crate) fn size_max(config: &Config, role: &UploadKind) -> ByteCount {
    match role {
        UploadKind::Partial => config.upload_max.min(PART_SIZE_MAX),
        UploadKind::Regular | UploadKind::Final { .. } => config.upload_max,
    }
}

/// The error for a file that exceeds the configured limit.
pub(crate) fn too_large(config: &Config) -> Error {
    let message = format!("{} are taken at most", config.upload_max);
    Error::new(ErrorKind::FileTooLarge, message)
}
