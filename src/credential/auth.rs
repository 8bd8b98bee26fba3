//! UploadAuth: the temporary credential of one upload.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::base64_json::{JsonObject, UPLOAD_ADDRESS, UPLOAD_AUTH};
use super::{AccessKey, Secret};
use crate::error::{Error, ErrorKind, Result};
use crate::units::UnixMillis;

/// The temporary credential of one upload, its expiry and its region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadAuth {
    /// The access key and its security token.
    pub credential: AccessKey,
    /// When the credential expires; `None` if unknown.
    pub expires_at: Option<UnixMillis>,
    /// The remaining lifetime when the credential was parsed. It determines how long before the
    /// expiry a refresh is due.
    pub issued_ttl: Option<Duration>,
    /// The region of VOD and of the bucket, such as `cn-shanghai`. Older responses lack it.
    pub region: Option<String>,
}

impl UploadAuth {
    /// Creates a credential that was issued at `now`.
    #[must_use]
    pub fn new(
        credential: AccessKey,
        expires_at: Option<UnixMillis>,
        region: Option<String>,
        now: UnixMillis,
    ) -> Self {
        let issued_ttl = expires_at.map(|end| end.since(now));
        Self { credential, expires_at, issued_ttl, region }
    }

    /// Parses an UploadAuth as VOD returns it: Base64 of `{"AccessKeyId":…,"AccessKeySecret":…,
    /// "SecurityToken":…,"Expiration":"3600","ExpireUTCTime":"2020-07-26T05:42:09Z",
    /// "Region":"cn-shanghai"}`.
    ///
    /// It expires at `ExpireUTCTime` or, if that is absent, `Expiration` seconds after `now`. If
    /// both are absent, the expiry is unknown.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialsSwapped`] if it is an UploadAddress, and
    /// [`ErrorKind::CredentialInvalid`] if it cannot be decoded or a field is absent or invalid.
    pub fn parse(base64: &str, now: UnixMillis) -> Result<Self> {
        let mut object = UPLOAD_AUTH.decode(base64, UPLOAD_ADDRESS)?;
        let credential = AccessKey {
            access_key_id: object.take_header_text("AccessKeyId")?,
            access_key_secret: Secret::new(object.take_required("AccessKeySecret")?),
            security_token: Some(Secret::new(object.take_header_text("SecurityToken")?)),
        };
        let expires_at = take_expiry(&mut object, now)?;
        Ok(Self::new(credential, expires_at, object.take_optional("Region")?, now))
    }
}

fn take_expiry(object: &mut JsonObject, now: UnixMillis) -> Result<Option<UnixMillis>> {
    let Some(text) = object.take_optional("ExpireUTCTime")? else {
        let seconds = object.take_seconds("Expiration")?;
        return Ok(seconds.map(|seconds| now + Duration::from_secs(seconds)));
    };
    let seconds = OffsetDateTime::parse(text.trim(), &Rfc3339)
        .ok()
        .and_then(|end| u64::try_from(end.unix_timestamp()).ok())
        .ok_or_else(|| {
            Error::new(
                ErrorKind::CredentialInvalid,
                "UploadAuth has an ExpireUTCTime that is not like 2020-07-26T05:42:09Z",
            )
        })?;
    Ok(Some(UnixMillis(seconds.saturating_mul(1_000))))
}
