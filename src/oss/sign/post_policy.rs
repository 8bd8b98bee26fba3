//! PostObject: signs the policy of an HTML form that posts a file to OSS.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/postobject>. The signed text is
//! the Base64 of the policy, as in the form.

use super::CredentialScope;
use super::signature::signature;
use super::signing_key::signing_key;
use super::v1_signature::v1_signature;
use crate::credential::Secret;

/// The value of the V4 form field `x-oss-signature`.
#[must_use]
pub fn v4_post_signature(
    secret: &Secret,
    scope: &CredentialScope<'_>,
    policy_base64: &str,
) -> String {
    signature(&signing_key(secret, scope), policy_base64)
}

/// The value of the V1 form field `Signature`.
#[must_use]
pub fn v1_post_signature(secret: &Secret, policy_base64: &str) -> String {
    v1_signature(secret, policy_base64)
}
