//! The address and credential of one upload, and when to refresh them.

use std::time::Duration;

use super::{AccessKey, Secret, UploadAddress, UploadAuth};
use crate::error::Result;
use crate::units::UnixMillis;

/// The UploadAddress and UploadAuth of one upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadCredential {
    /// The bucket and object key.
    pub address: UploadAddress,
    /// The temporary credential.
    pub auth: UploadAuth,
}

impl UploadCredential {
    /// Parses both values as VOD returns them. An `Expiration` in seconds is relative to `now`.
    ///
    /// Base64 may have either alphabet, be padded or not, and be surrounded by white space.
    ///
    /// # Errors
    /// Returns [`CredentialsSwapped`](crate::ErrorKind::CredentialsSwapped) if the values are
    /// swapped, and otherwise [`CredentialInvalid`](crate::ErrorKind::CredentialInvalid) with the
    /// name of the invalid field.
    pub fn parse(address: &str, auth: &str, now: UnixMillis) -> Result<Self> {
        Ok(Self { address: UploadAddress::parse(address)?, auth: UploadAuth::parse(auth, now)? })
    }

    /// Creates a credential from an access key whose expiry is unknown. A key without a `token`
    /// does not expire.
    #[must_use]
    pub const fn from_access_key(
        address: UploadAddress,
        id: String,
        secret: Secret,
        token: Option<Secret>,
        region: Option<String>,
    ) -> Self {
        let credential =
            AccessKey { access_key_id: id, access_key_secret: secret, security_token: token };
        let auth = UploadAuth { credential, expires_at: None, issued_ttl: None, region };
        Self { address, auth }
    }

    /// Returns true if the credential has not expired at `now`, or if its expiry is unknown.
    #[must_use]
    pub fn is_usable_at(&self, now: UnixMillis) -> bool {
        self.auth.expires_at.is_none_or(|end| now < end)
    }

    /// Returns true if the credential should be refreshed before it is used: from
    /// [`REFRESH_MARGIN_MAX`] before its expiry, or from a fifth of its issued lifetime before it,
    /// whichever is later. A credential issued for ten minutes is therefore refreshed two minutes
    /// before its expiry, and one issued for seconds is not refreshed continuously.
    ///
    /// Returns false if the expiry is unknown.
    #[must_use]
    pub fn refresh_due_at(&self, now: UnixMillis) -> bool {
        let Some(end) = self.auth.expires_at else { return false };
        let ttl = self.auth.issued_ttl.unwrap_or(Duration::MAX);
        now + REFRESH_MARGIN_MAX.min(ttl / REFRESH_TTL_DIVISOR) >= end
    }
}

/// The longest time before the expiry at which a credential is refreshed. Five minutes are enough
/// for a slow part in flight, and a tenth of the 3000 s for which VOD issues credentials.
pub const REFRESH_MARGIN_MAX: Duration = Duration::from_secs(300);

const REFRESH_TTL_DIVISOR: u32 = 5;

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::*;
    use crate::error::ErrorKind;

    /// 2020-07-26T04:42:09Z
    const NOW: UnixMillis = UnixMillis(1_595_738_529_000);

    #[test]
    fn both_values_are_parsed_as_vod_returns_them() {
        let credential = UploadCredential::parse(&address(), &auth(json!({})), NOW).unwrap();
        assert_eq!(credential.address.endpoint, "https://oss-cn-shanghai.aliyuncs.com");
        assert_eq!(credential.address.bucket, "outin-1");
        assert_eq!(credential.address.object, "sv/a/b.mp4");
        let UploadAuth { credential: key, expires_at, region, .. } = credential.auth;
        assert_eq!(key.access_key_id, "STS.id");
        assert_eq!(key.access_key_secret.expose(), "secret");
        assert_eq!(key.security_token.unwrap().expose(), "token");
        assert_eq!(expires_at, Some(NOW + Duration::from_secs(3600)));
        assert_eq!(region.as_deref(), Some("cn-shanghai"));
    }

    #[test]
    fn expire_utc_time_takes_precedence_over_expiration() {
        let auth = auth(json!({"Expiration": "1", "ExpireUTCTime": "2020-07-26T05:42:09Z"}));
        let auth = UploadAuth::parse(&auth, NOW).unwrap();
        assert_eq!(auth.expires_at, Some(UnixMillis(1_595_742_129_000)));
    }

    #[test]
    fn expiration_is_a_number_or_a_string_of_seconds() {
        for expiration in [json!("3000"), json!(3000), json!(" 3000 ")] {
            let fields = json!({"Expiration": expiration, "ExpireUTCTime": null});
            let auth = UploadAuth::parse(&auth(fields), NOW).unwrap();
            assert_eq!(auth.expires_at, Some(NOW + Duration::from_secs(3000)));
        }
        for expiration in [json!("soon"), json!(-1), json!(1.5), json!([])] {
            let fields = json!({"Expiration": expiration, "ExpireUTCTime": null});
            let error = UploadAuth::parse(&auth(fields), NOW).unwrap_err();
            assert_eq!(
                error.message(),
                "Expiration of UploadAuth is not a number of whole seconds"
            );
        }
    }

    #[test]
    fn an_auth_without_region_and_expiry_is_accepted() {
        let fields = json!({"Expiration": null, "ExpireUTCTime": null, "Region": ""});
        let auth = UploadAuth::parse(&auth(fields), NOW).unwrap();
        assert_eq!((auth.expires_at, auth.issued_ttl, &auth.region), (None, None, &None));
        let credential =
            UploadCredential { address: UploadAddress::parse(&address()).unwrap(), auth };
        assert!(credential.is_usable_at(UnixMillis(u64::MAX)));
        assert!(!credential.refresh_due_at(UnixMillis(u64::MAX)));
    }

    #[test]
    fn swapped_values_are_detected() {
        let error = UploadCredential::parse(&auth(json!({})), &address(), NOW).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CredentialsSwapped);
        let error = UploadAuth::parse(&address(), NOW).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CredentialsSwapped);
    }

    #[test]
    fn the_error_for_a_missing_field_contains_its_name() {
        for field in ["AccessKeyId", "AccessKeySecret", "SecurityToken"] {
            for value in [json!(null), json!("")] {
                let error = UploadAuth::parse(&auth(json!({field: value})), NOW).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::CredentialInvalid);
                assert_eq!(error.message(), format!("UploadAuth lacks {field}, or it is empty"));
            }
        }
        for field in ["Endpoint", "Bucket", "FileName"] {
            let mut fields = address_fields();
            fields.as_object_mut().unwrap().remove(field);
            let error = UploadAddress::parse(&encoded(&fields)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CredentialInvalid);
            assert_eq!(error.message(), format!("UploadAddress lacks {field}, or it is empty"));
        }
    }

    #[test]
    fn the_error_for_a_field_with_a_line_break_contains_its_name() {
        for field in ["AccessKeyId", "SecurityToken"] {
            let error = UploadAuth::parse(&auth(json!({field: "a\r\nb"})), NOW).unwrap_err();
            assert!(error.message().contains(field), "{error}");
        }
    }

    #[test]
    fn a_credential_is_usable_until_its_expiry() {
        let credential = UploadCredential::parse(&address(), &auth(json!({})), NOW).unwrap();
        let end = NOW + Duration::from_secs(3600);
        assert!(credential.is_usable_at(UnixMillis(end.0 - 1)));
        assert!(!credential.is_usable_at(end));
    }

    #[test]
    fn a_long_lived_credential_is_refreshed_five_minutes_before_its_expiry() {
        let credential = UploadCredential::parse(&address(), &auth(json!({})), NOW).unwrap();
        let due = NOW + Duration::from_secs(3600 - 300);
        assert!(!credential.refresh_due_at(UnixMillis(due.0 - 1)));
        assert!(credential.refresh_due_at(due));
    }

    #[test]
    fn a_short_lived_credential_is_refreshed_a_fifth_before_its_expiry() {
        let fields = json!({"Expiration": 60, "ExpireUTCTime": null});
        let credential = UploadCredential::parse(&address(), &auth(fields), NOW).unwrap();
        let due = NOW + Duration::from_secs(48);
        assert!(!credential.refresh_due_at(UnixMillis(due.0 - 1)));
        assert!(credential.refresh_due_at(due));
    }

    #[test]
    fn a_stored_credential_round_trips() {
        for fields in
            [json!({}), json!({"Expiration": null, "ExpireUTCTime": null, "Region": null})]
        {
            let credential = UploadCredential::parse(&address(), &auth(fields), NOW).unwrap();
            let bytes = credential.to_bytes();
            assert_eq!(UploadCredential::from_bytes(&bytes), Ok(credential));
        }
    }

    #[test]
    fn an_unreadable_stored_credential_is_required_again() {
        let credential = UploadCredential::parse(&address(), &auth(json!({})), NOW).unwrap();
        let text = String::from_utf8(credential.to_bytes().to_vec()).unwrap();
        let newer = text.replace("\"version\":1", "\"version\":2");
        assert_ne!(newer, text);
        for bytes in [newer.as_bytes(), &text.as_bytes()[..text.len() - 1], b"", b"null"] {
            let error = UploadCredential::from_bytes(bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CredentialRequired);
        }
    }

    #[test]
    fn an_access_key_without_a_token_does_not_expire() {
        let address = UploadAddress::parse(&address()).unwrap();
        let id = "LTAI5tExample".to_owned();
        let secret = Secret::new("secret");
        let credential = UploadCredential::from_access_key(address, id, secret, None, None);
        assert!(credential.is_usable_at(UnixMillis(u64::MAX)));
        assert!(!credential.refresh_due_at(UnixMillis(u64::MAX)));
        assert_eq!(credential.auth.credential.security_token, None);
        assert_eq!(UploadCredential::from_bytes(&credential.to_bytes()), Ok(credential));
    }

    fn address_fields() -> serde_json::Value {
        json!({
            "Endpoint": "https://oss-cn-shanghai.aliyuncs.com",
            "Bucket": "outin-1",
            "FileName": "sv/a/b.mp4",
        })
    }

    fn address() -> String {
        encoded(&address_fields())
    }

    fn auth(changes: serde_json::Value) -> String {
        let mut fields = json!({
            "SecurityToken": "token",
            "AccessKeyId": "STS.id",
            "ExpireUTCTime": "2020-07-26T05:42:09Z",
            "AccessKeySecret": "secret",
            "Expiration": "3600",
            "Region": "cn-shanghai",
        });
        for (field, value) in changes.as_object().unwrap() {
            fields[field] = value.clone();
        }
        encoded(&fields)
    }

    fn encoded(fields: &serde_json::Value) -> String {
        STANDARD.encode(fields.to_string())
    }
}
