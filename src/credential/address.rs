//! UploadAddress: the bucket and object key of one upload.

use super::base64_json::{UPLOAD_ADDRESS, UPLOAD_AUTH};
use super::check_object_key;
use crate::error::Result;

/// The bucket and object key that VOD assigned to one upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadAddress {
    /// The OSS endpoint, usually with its scheme: `https://oss-cn-shanghai.aliyuncs.com`.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The object key (`FileName` of the JSON).
    pub object: String,
}

impl UploadAddress {
    /// Parses an UploadAddress as VOD returns it: Base64 of
    /// `{"Endpoint":…,"Bucket":…,"FileName":…}`.
    ///
    /// # Errors
    /// Returns [`CredentialsSwapped`](crate::ErrorKind::CredentialsSwapped) if it is an UploadAuth,
    /// and [`CredentialInvalid`](crate::ErrorKind::CredentialInvalid) if it cannot be decoded,
    /// lacks a field, or contains an invalid object key.
    pub fn parse(base64: &str) -> Result<Self> {
        let mut object = UPLOAD_ADDRESS.decode(base64, UPLOAD_AUTH)?;
        let address = Self {
            endpoint: object.take_required("Endpoint")?,
            bucket: object.take_required("Bucket")?,
            object: object.take_required("FileName")?,
        };
        check_object_key(&address.object)?;
        Ok(address)
    }
}
