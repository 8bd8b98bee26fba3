//! UploadAddress: where the object goes.

use super::base64_json::decode_object;
use super::check_object_key;
use crate::error::{Error, ErrorKind, Result};

/// Where one upload puts its object, as VOD decided.
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
    /// Reads an UploadAddress as VOD returns it: Base64 of
    /// `{"Endpoint":…,"Bucket":…,"FileName":…}`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::CredentialsSwapped`] where it is an UploadAuth, and
    /// [`ErrorKind::CredentialInvalid`] where it cannot be read, names the missing field, or says
    /// which rule the object key breaks.
    pub fn parse(base64: &str) -> Result<Self> {
        let mut object = decode_object(NAME, base64)?;
        if object.has_any(super::auth::FIELDS) && !object.has_any(FIELDS) {
            return Err(Error::new(
                ErrorKind::CredentialsSwapped,
                "an UploadAuth stands in the place of the UploadAddress",
            ));
        }
        let address = Self {
            endpoint: object.take_required("Endpoint")?,
            bucket: object.take_required("Bucket")?,
            object: object.take_required("FileName")?,
        };
        check_object_key(&address.object)?;
        Ok(address)
    }
}

pub(super) const NAME: &str = "UploadAddress";
pub(super) const FIELDS: &[&str] = &["Endpoint", "Bucket", "FileName"];
