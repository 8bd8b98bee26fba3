//! A new credential for an existing upload, as a JSON document.

use serde_json::Value;

use super::base64_json::JsonObject;
use super::{AccessKey, Secret, UploadAddress, UploadAuth, UploadCredential};
use crate::error::{Error, ErrorKind, Result};
use crate::timestamp::parse_iso8601;
use crate::units::UnixMillis;

impl UploadCredential {
    /// Parses one of
    ///
    /// - `{"upload_auth": …, "upload_address": …}`, both as VOD returns them; the address defaults
    ///   to `current`;
    /// - `{"AccessKeyId": …, "AccessKeySecret": …, "SecurityToken": …, "Expiration": …, "Region":
    ///   …}`, the `Credentials` of STS's AssumeRole
    ///   (<https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole>),
    ///   for the object at `current`; the last two are optional.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialInvalid`] with the name of an invalid field, and the errors
    /// of [`UploadAddress::parse`] and [`UploadAuth::parse`].
    pub fn from_json(json: &[u8], current: &UploadAddress, now: UnixMillis) -> Result<Self> {
        let Ok(Value::Object(fields)) = serde_json::from_slice(json) else {
            return Err(Error::new(ErrorKind::CredentialInvalid, "the body is not a JSON object"));
        };
        let mut object = JsonObject::new(NAME, fields);
        let Some(auth) = object.take_optional("upload_auth")? else {
            let auth = sts_token(&mut object, now)?;
            return Ok(Self { address: current.clone(), auth });
        };
        let address = match object.take_optional("upload_address")? {
            Some(address) => UploadAddress::parse(&address)?,
            None => current.clone(),
        };
        Ok(Self { address, auth: UploadAuth::parse(&auth, now)? })
    }
}

fn sts_token(object: &mut JsonObject, now: UnixMillis) -> Result<UploadAuth> {
    let credential = AccessKey {
        access_key_id: object.take_header_text("AccessKeyId")?,
        access_key_secret: Secret::new(object.take_required("AccessKeySecret")?),
        security_token: Some(Secret::new(object.take_header_text("SecurityToken")?)),
    };
    let expires_at = match object.take_optional("Expiration")? {
        None => None,
        Some(text) => Some(parse_iso8601(&text).ok_or_else(|| {
            let message = "the credential has an Expiration that is not like 2015-04-09T11:52:19Z";
            Error::new(ErrorKind::CredentialInvalid, message)
        })?),
    };
    Ok(UploadAuth::new(credential, expires_at, object.take_optional("Region")?, now))
}

const NAME: &str = "the credential";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use serde_json::json;

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_400_000_000_000);

    fn current() -> UploadAddress {
        UploadAddress {
            endpoint: "https://oss-cn-shanghai.aliyuncs.com".into(),
            bucket: "b".into(),
            object: "o.mp4".into(),
        }
    }

    fn parse(body: &Value) -> Result<UploadCredential> {
        UploadCredential::from_json(body.to_string().as_bytes(), &current(), NOW)
    }

    #[test]
    fn an_sts_token_is_for_the_object_of_the_upload() {
        let credential = parse(&json!({
            "AccessKeyId": "STS.id",
            "AccessKeySecret": "secret",
            "SecurityToken": "token",
            "Expiration": "2015-04-09T11:52:19Z",
        }))
        .unwrap();
        assert_eq!(credential.address, current());
        assert_eq!(credential.auth.expires_at, Some(UnixMillis(1_428_580_339_000)));
        assert_eq!(credential.auth.credential.access_key_secret.expose(), "secret");
    }

    #[test]
    fn the_error_for_an_invalid_field_contains_its_name_and_no_value() {
        for (body, named) in [
            (json!([]), "JSON object"),
            (json!({}), "AccessKeyId"),
            (json!({"upload_auth": 7}), "upload_auth"),
            (json!({"upload_auth": "hush"}), "UploadAuth"),
            (json!({"AccessKeyId": "a", "AccessKeySecret": "hush"}), "SecurityToken"),
            (
                json!({
                    "AccessKeyId": "a",
                    "AccessKeySecret": "hush",
                    "SecurityToken": "t",
                    "Expiration": "hush",
                }),
                "Expiration",
            ),
        ] {
            let error = parse(&body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CredentialInvalid);
            assert!(error.message().contains(named), "{error}");
            assert!(!error.message().contains("hush"), "{error}");
        }
    }
}
