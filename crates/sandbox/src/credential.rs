//! Temporary credentials and their permissions.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::oss::{Operation, Target};

/// A temporary credential, as in `UploadAuth`.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Credential {
    /// Starts with `STS.`.
    pub(crate) access_key_id: String,
    /// The secret that signs requests.
    pub(crate) access_key_secret: String,
    /// Required in every request signed with the secret.
    pub(crate) security_token: String,
    /// When the token expires.
    pub(crate) expires_at: Timestamp,
    /// What it permits.
    pub(crate) grant: Grant,
}

/// The permissions of a temporary credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Grant {
    /// Writing this object, as with the policy of an `UploadAuth`.
    Object {
        /// The bucket.
        bucket: String,
        /// The object key.
        key: String,
    },
    /// Everything, including VOD calls.
    Account,
}

impl Credential {
    /// A new credential with random ID, secret and token.
    ///
    /// They protect only test data, so the generator need not be cryptographic.
    pub(crate) fn issue(grant: Grant, expires_at: Timestamp) -> Self {
        Self {
            access_key_id: format!("STS.{}", random_text(25)),
            access_key_secret: random_text(44),
            security_token: format!("CAIS{}==", random_text(120)),
            expires_at,
            grant,
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("access_key_id", &self.access_key_id)
            .field("expires_at", &self.expires_at)
            .field("grant", &self.grant)
            .finish_non_exhaustive()
    }
}

impl Grant {
    /// Returns true if the operation on the target is permitted.
    pub(crate) fn allows(&self, operation: Operation, target: &Target) -> bool {
        match self {
            Self::Account => true,
            Self::Object { bucket, key } => {
                let same_object =
                    target.bucket.as_ref() == Some(bucket) && target.key.as_ref() == Some(key);
                same_object && operation.is_upload()
            }
        }
    }
}

/// `length` random letters and digits.
pub(crate) fn random_text(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(length).collect()
}

/// `digits` random lower-case hex digits.
pub(crate) fn random_hex(digits: usize) -> String {
    std::iter::repeat_with(|| fastrand::digit(16)).take(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_credential_hides_secret_and_token() {
        let credential = Credential::issue(Grant::Account, Timestamp::UNIX_EPOCH);
        let printed = format!("{credential:?}");
        assert!(!printed.contains(&credential.access_key_secret));
        assert!(!printed.contains(&credential.security_token));
    }

    #[test]
    fn an_upload_grant_permits_only_its_object() {
        let grant = Grant::Object { bucket: "b".into(), key: "k".into() };
        let target = |key: &str| Target { bucket: Some("b".into()), key: Some(key.into()) };
        assert!(grant.allows(Operation::UploadPart, &target("k")));
        assert!(!grant.allows(Operation::UploadPart, &target("other")));
        assert!(!grant.allows(Operation::DeleteObject, &target("k")));
    }
}
