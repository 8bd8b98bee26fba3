//! The signature of a request with its key, and how it is computed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

use super::hmac::{hmac_sha1, hmac_sha256};
use crate::encoding::hex_lower;
use crate::oss::OssError;

/// The key and the signature that a request contains, and what must have been signed.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The access key ID in the request.
    pub(crate) access_key_id: String,
    /// The token of a temporary key.
    pub(crate) security_token: Option<String>,
    /// The signature in the request.
    pub(crate) signature: String,
    /// The string that must have been signed.
    pub(crate) string_to_sign: String,
    /// The canonical request behind a V4 string to sign.
    pub(crate) canonical_request: Option<String>,
    /// How the signature is computed.
    pub(crate) scheme: Scheme,
}

/// How a signature is computed from a secret and a string to sign.
#[derive(Debug)]
pub(crate) enum Scheme {
    /// Base64 of HMAC-SHA1.
    V1,
    /// Hex of HMAC-SHA256 under a key derived from the scope.
    V4(Scope),
}

impl Claim {
    /// The signature computed with `secret`.
    pub(crate) fn expected_signature(&self, secret: &str) -> String {
        self.scheme.signature(secret, &self.string_to_sign)
    }
}

impl Scheme {
    /// The signature of `string_to_sign`.
    pub(super) fn signature(&self, secret: &str, string_to_sign: &str) -> String {
        match self {
            Self::V1 => STANDARD.encode(hmac_sha1(secret.as_bytes(), string_to_sign)),
            Self::V4(scope) => hex_lower(&hmac_sha256(&scope.signing_key(secret), string_to_sign)),
        }
    }
}

/// The date, region and product for which a signing key is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    /// `YYYYMMDD`.
    pub(crate) date: String,
    /// The bucket's region, without the prefix `oss-`.
    pub(crate) region: String,
    /// `oss`, or `oss-cloudbox`.
    pub(crate) product: String,
}

impl Scope {
    /// The signing key of this scope.
    pub(crate) fn signing_key(&self, secret: &str) -> Vec<u8> {
        let date_key = hmac_sha256(format!("aliyun_v4{secret}").as_bytes(), &self.date);
        let region_key = hmac_sha256(&date_key, &self.region);
        let product_key = hmac_sha256(&region_key, &self.product);
        hmac_sha256(&product_key, TERMINATOR)
    }

    /// Splits `<AccessKeyId>/<date>/<region>/<product>/aliyun_v4_request`.
    pub(super) fn parse_credential(credential: &str) -> Option<(String, Self)> {
        let fields: Vec<_> = credential.split('/').collect();
        match fields.as_slice() {
            [id, date, region, product, TERMINATOR] if !id.is_empty() => Some((
                (*id).to_owned(),
                Self {
                    date: (*date).to_owned(),
                    region: (*region).to_owned(),
                    product: (*product).to_owned(),
                },
            )),
            _ => None,
        }
    }
}

/// Checks that the date of a request differs from the server's by at most 15 minutes.
pub(super) fn check_skew(signed_at: Timestamp, now: Timestamp) -> Result<(), OssError> {
    if signed_at.duration_since(now).abs() > MAX_SKEW {
        return Err(OssError::skewed(signed_at, now));
    }
    Ok(())
}

/// <https://www.alibabacloud.com/help/en/oss/developer-reference/include-signatures-in-the-authorization-header>
pub(crate) const MAX_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// The last element of every V4 scope.
pub(super) const TERMINATOR: &str = "aliyun_v4_request";
