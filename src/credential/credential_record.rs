//! The serialized form of an [`UploadCredential`], which is sealed before it is stored.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{AccessKey, Secret, UploadAddress, UploadAuth, UploadCredential};
use crate::error::{Error, ErrorKind, Result};
use crate::units::UnixMillis;

impl UploadCredential {
    /// Serializes the credential, secrets included: pass it only to
    /// [`SealKey::seal`](super::SealKey::seal).
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let Self { address, auth } = self;
        let record = Record {
            version: VERSION,
            endpoint: &address.endpoint,
            bucket: &address.bucket,
            object: &address.object,
            access_key_id: &auth.credential.access_key_id,
            access_key_secret: auth.credential.access_key_secret.expose(),
            security_token: auth.credential.security_token.as_ref().map(Secret::expose),
            expires_at_ms: auth.expires_at.map(|end| end.0),
            issued_life_ms: auth
                .issued_ttl
                .map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)),
            region: auth.region.as_deref(),
        };
        let mut bytes = Zeroizing::new(Vec::new());
        #[expect(clippy::expect_used, reason = "strings and numbers always serialize to memory")]
        serde_json::to_writer(&mut *bytes, &record).expect("a credential serializes");
        bytes
    }

    /// Deserializes a credential.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialRequired`] if the bytes are corrupt or have another version,
    /// so that the credential is requested again.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let unreadable =
            || Error::new(ErrorKind::CredentialRequired, "the stored credential cannot be read");
        // The parser's message could contain a secret.
        let record: OwnedRecord = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
        if record.version != VERSION {
            return Err(unreadable());
        }
        Ok(Self {
            address: UploadAddress {
                endpoint: record.endpoint,
                bucket: record.bucket,
                object: record.object,
            },
            auth: UploadAuth {
                credential: AccessKey {
                    access_key_id: record.access_key_id,
                    access_key_secret: Secret::new(record.access_key_secret),
                    security_token: record.security_token.map(Secret::new),
                },
                expires_at: record.expires_at_ms.map(UnixMillis),
                issued_ttl: record.issued_life_ms.map(Duration::from_millis),
                region: record.region,
            },
        })
    }
}

#[derive(Serialize)]
struct Record<'a> {
    version: u8,
    endpoint: &'a str,
    bucket: &'a str,
    object: &'a str,
    access_key_id: &'a str,
    access_key_secret: &'a str,
    security_token: Option<&'a str>,
    expires_at_ms: Option<u64>,
    issued_life_ms: Option<u64>,
    region: Option<&'a str>,
}

#[derive(Deserialize)]
struct OwnedRecord {
    version: u8,
    endpoint: String,
    bucket: String,
    object: String,
    access_key_id: String,
    access_key_secret: String,
    security_token: Option<String>,
    expires_at_ms: Option<u64>,
    issued_life_ms: Option<u64>,
    region: Option<String>,
}

const VERSION: u8 = 1;
