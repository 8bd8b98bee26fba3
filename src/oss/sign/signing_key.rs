//! V4, step 7: the signing key.

use zeroize::Zeroizing;

use super::CredentialScope;
use super::credential_scope::SCOPE_END;
use super::hmac::hmac_sha256;
use crate::credential::Secret;

/// The key for one scope, derived from the secret by a chain of HMACs over its components.
#[must_use]
pub fn signing_key(secret: &Secret, scope: &CredentialScope<'_>) -> Zeroizing<[u8; 32]> {
    let start = Zeroizing::new(format!("aliyun_v4{}", secret.expose()));
    let mut key = Zeroizing::new(hmac_sha256(start.as_bytes(), scope.date.as_bytes()));
    for piece in [scope.region, scope.product, SCOPE_END] {
        key = Zeroizing::new(hmac_sha256(&*key, piece.as_bytes()));
    }
    key
}
