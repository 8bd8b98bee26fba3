//! The access key that signs requests.

use std::fmt;

use super::Secret;

/// An access key: temporary with a security token (from STS), or a RAM user's without one.
#[derive(Clone, PartialEq, Eq)]
pub struct StsCredential {
    /// The AccessKey id, such as `STS.NT…`; sent in clear with every request.
    pub access_key_id: String,
    /// The AccessKey secret; never sent.
    pub access_key_secret: Secret,
    /// The security token of a temporary key; sent as `x-oss-security-token`.
    pub security_token: Option<Secret>,
}

impl fmt::Debug for StsCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The id is not secret, but a log needs no more of it than to tell two keys apart.
        let shown: String = self.access_key_id.chars().take(SHOWN_ID_CHARS).collect();
        f.debug_struct("StsCredential")
            .field("access_key_id", &format_args!("{shown}…"))
            .field("access_key_secret", &self.access_key_secret)
            .field("security_token", &self.security_token)
            .finish()
    }
}

const SHOWN_ID_CHARS: usize = 8;
