//! The plain form of an [`UploadCredential`], made to be sealed before it is stored.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Secret, StsCredential, UploadAddress, UploadAuth, UploadCredential};
use crate::error::{Error, ErrorKind, Result};
use crate::units::UnixMillis;

impl UploadCredential {
    /// The plain form, secrets included: only to be handed to [`SealKey::seal`](super::SealKey).
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let Self { address, auth } = self;
        let wire = Wire {
            version: VERSION,
            endpoint: &address.endpoint,
            bucket: &address.bucket,
            object: &address.object,
            access_key_id: &auth.credential.access_key_id,
            access_key_secret: auth.credential.access_key_secret.expose(),
            security_token: auth.credential.security_token.as_ref().map(Secret::expose),
            expires_at_ms: auth.expires_at.map(|end| end.0),
            issued_life_ms: auth
                .issued_life
                .map(|life| u64::try_from(life.as_millis()).unwrap_or(u64::MAX)),
            region: auth.region.as_deref(),
        };
        let mut bytes = Zeroizing::new(Vec::new());
        #[expect(clippy::expect_used, reason = "texts and numbers always serialise into memory")]
        serde_json::to_writer(&mut *bytes, &wire).expect("a credential serialises");
        bytes
    }

    /// Reads the plain form back.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::CredentialRequired`] where the bytes are of another version or damaged: the
    /// client or the credential source is asked again.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let unreadable =
            || Error::new(ErrorKind::CredentialRequired, "the stored credential cannot be read");
        // The parser's own message could quote a secret.
        let wire: OwnedWire = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
        if wire.version != VERSION {
            return Err(unreadable());
        }
        Ok(Self {
            address: UploadAddress {
                endpoint: wire.endpoint,
                bucket: wire.bucket,
                object: wire.object,
            },
            auth: UploadAuth {
                credential: StsCredential {
                    access_key_id: wire.access_key_id,
                    access_key_secret: Secret::new(wire.access_key_secret),
                    security_token: wire.security_token.map(Secret::new),
                },
                expires_at: wire.expires_at_ms.map(UnixMillis),
                issued_life: wire.issued_life_ms.map(Duration::from_millis),
                region: wire.region,
            },
        })
    }
}

#[derive(Serialize)]
struct Wire<'a> {
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
struct OwnedWire {
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
