//! The access key that signs requests.

use std::fmt;

use super::Secret;
use crate::error::Error;
use crate::percent::encode_component;

/// An access key: temporary with a security token (from STS), or a RAM user's without one.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The AccessKey ID, such as `STS.NT…`, which every request contains.
    pub access_key_id: String,
    /// The AccessKey secret, which is never sent.
    pub access_key_secret: Secret,
    /// The security token of a temporary key, which every request contains.
    pub security_token: Option<Secret>,
}

impl AccessKey {
    /// Redacts the secrets of this key in `error`, as they are and percent-encoded.
    #[must_use]
    pub fn redact(&self, error: Error) -> Error {
        let secret = self.access_key_secret.expose();
        let token = self.security_token.as_ref().map_or("", |token| token.expose());
        let encoded = |text| encode_component(text).to_string();
        error.without(&[secret, token, &encoded(secret), &encoded(token)])
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The ID is not secret, but a prefix is enough to distinguish keys in a log.
        let shown: String = self.access_key_id.chars().take(SHOWN_ID_CHARS).collect();
        f.debug_struct("AccessKey")
            .field("access_key_id", &format_args!("{shown}…"))
            .field("access_key_secret", &self.access_key_secret)
            .field("security_token", &self.security_token)
            .finish()
    }
}

const SHOWN_ID_CHARS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, ServiceError};

    #[test]
    fn secrets_that_a_response_repeats_are_redacted() {
        let key = AccessKey {
            access_key_id: "STS.id".into(),
            access_key_secret: Secret::new("hush"),
            security_token: Some(Secret::new("tok+/=")),
        };
        let service = ServiceError {
            message: "hush tok%2B%2F%3D".into(),
            ec: "hush".into(),
            ..ServiceError::default()
        };
        let error = Error::new(ErrorKind::VodRejected, "no tok+/=").with_service(service);
        let hidden = key.redact(error);
        assert_eq!(hidden.message(), "no [redacted]");
        let service = hidden.service().map(|service| (&service.message[..], &service.ec[..]));
        assert_eq!(service, Some(("[redacted] [redacted]", "[redacted]")));
    }
}
