//! PostObject: signs the policy of an HTML form that posts a file to the store itself.
//!
//! <https://www.alibabacloud.com/help/en/oss/developer-reference/postobject>. What is signed is
//! the policy in Base64, as it stands in the form.

use super::CredentialScope;
use super::signature::signature;
use super::signing_key::signing_key;
use super::v1_signature::v1_signature;
use crate::credential::Secret;

/// The form field `x-oss-signature` of V4.
#[must_use]
pub fn v4_post_signature(
    secret: &Secret,
    scope: &CredentialScope<'_>,
    policy_base64: &str,
) -> String {
    signature(&signing_key(secret, scope), policy_base64)
}

/// The form field `Signature` of V1.
#[must_use]
pub fn v1_post_signature(secret: &Secret, policy_base64: &str) -> String {
    v1_signature(secret, policy_base64)
}
