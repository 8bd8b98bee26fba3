//! The envelope of UploadAddress and UploadAuth: Base64 of a JSON object.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};

/// One of the two values that VOD returns for an upload.
#[derive(Clone, Copy)]
pub(super) struct Envelope {
    /// The name of the value in error messages.
    pub(super) name: &'static str,
    fields: &'static [&'static str],
}

/// `{"Endpoint":…,"Bucket":…,"FileName":…}`
pub(super) const UPLOAD_ADDRESS: Envelope =
    Envelope { name: "UploadAddress", fields: &["Endpoint", "Bucket", "FileName"] };

/// `{"AccessKeyId":…,"AccessKeySecret":…,"SecurityToken":…,…}`
pub(super) const UPLOAD_AUTH: Envelope =
    Envelope { name: "UploadAuth", fields: &["AccessKeyId", "AccessKeySecret", "SecurityToken"] };

impl Envelope {
    /// Decodes the JSON object inside `base64`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::CredentialsSwapped`] if it is the value `other`, and
    /// [`ErrorKind::CredentialInvalid`] if it is not Base64 of a JSON object.
    pub(super) fn decode(self, base64: &str, other: Self) -> Result<JsonObject> {
        let object = decode_object(self.name, base64)?;
        if object.has_any(other.fields) && !object.has_any(self.fields) {
            let message = format!("the {} was passed as the {}", other.name, self.name);
            return Err(Error::new(ErrorKind::CredentialsSwapped, message));
        }
        Ok(object)
    }
}

/// The JSON object inside `base64`. Error messages contain `name` and no part of the value.
fn decode_object(name: &str, base64: &str) -> Result<JsonObject> {
    let text = base64.trim();
    if text.is_empty() {
        return Err(invalid(format!("{name} is empty")));
    }
    if text.len() > CREDENTIAL_BYTES_MAX {
        return Err(invalid(format!("{name} has more than {CREDENTIAL_BYTES_MAX} bytes")));
    }
    if text.starts_with('{') {
        return Err(invalid(format!("{name} is JSON, but must be Base64 as returned by VOD")));
    }
    let json = decode_base64(text).ok_or_else(|| invalid(format!("{name} is not Base64")))?;
    // The parser's message would contain the JSON and therefore the secret.
    match serde_json::from_slice(&json) {
        Ok(Value::Object(fields)) => Ok(JsonObject::new(name, fields)),
        Ok(_) => Err(invalid(format!("{name} is not a JSON object"))),
        Err(_) => Err(invalid(format!("{name} is not Base64 of JSON"))),
    }
}

/// The longest UploadAddress or UploadAuth, in bytes: that of VOD has about 2 KiB.
const CREDENTIAL_BYTES_MAX: usize = 32 << 10;

/// Decodes Base64 with either alphabet, with or without padding and line breaks.
pub(crate) fn decode_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let standard: Zeroizing<String> = Zeroizing::new(
        text.trim()
            .chars()
            .filter(|&c| c != '\r' && c != '\n')
            .map(|c| match c {
                '-' => '+',
                '_' => '/',
                other => other,
            })
            .collect(),
    );
    EITHER_PADDING.decode(standard.as_bytes()).ok().map(Zeroizing::new)
}

/// A decoded value, whose fields are removed by name.
pub(super) struct JsonObject {
    name: String,
    fields: Map<String, Value>,
}

impl JsonObject {
    /// An object that error messages call `name`.
    pub(super) fn new(name: &str, fields: Map<String, Value>) -> Self {
        Self { name: name.to_owned(), fields }
    }

    /// Returns true if any field of `names` is present.
    fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.fields.contains_key(*name))
    }

    /// Takes a string that must be present and not empty.
    pub(super) fn take_required(&mut self, field: &str) -> Result<String> {
        self.take_optional(field)?
            .ok_or_else(|| invalid(format!("{} lacks {field}, or it is empty", self.name)))
    }

    /// Takes a string; `None` if it is absent, null or empty.
    pub(super) fn take_optional(&mut self, field: &str) -> Result<Option<String>> {
        match self.fields.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(_) => Err(invalid(format!("{} has a {field} that is not a string", self.name))),
        }
    }

    /// Takes a string that is sent as a header. A line break in it would start another header.
    pub(super) fn take_header_text(&mut self, field: &str) -> Result<String> {
        let text = self.take_required(field)?;
        if text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(text);
        }
        let allowed = "characters other than visible ASCII";
        Err(invalid(format!("{} has a {field} with {allowed}", self.name)))
    }

    /// Takes a number of seconds, which may be a string; `None` if it is absent, null or empty.
    pub(super) fn take_seconds(&mut self, field: &str) -> Result<Option<u64>> {
        let seconds = match self.fields.remove(field) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(Value::Number(number)) => number.as_u64(),
            Some(_) => None,
        };
        seconds.map(Some).ok_or_else(|| {
            invalid(format!("{field} of {} is not a number of whole seconds", self.name))
        })
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::CredentialInvalid, message)
}

const EITHER_PADDING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..Default::default() })]

        #[test]
        fn every_variant_of_base64_is_decoded(
            bytes: Vec<u8>,
            before in "[ \t\r\n]*",
            after in "[ \t\r\n]*",
        ) {
            for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
                let text = format!("{before}{}{after}", engine.encode(&bytes));
                let decoded = decode_base64(&text).expect("valid Base64");
                prop_assert_eq!(&*decoded, &bytes);
            }
        }

        #[test]
        fn line_breaks_are_ignored(bytes: Vec<u8>, line in 1..100_usize) {
            let text: Vec<char> = STANDARD.encode(&bytes).chars().collect();
            let lines: Vec<String> = text.chunks(line).map(|line| line.iter().collect()).collect();
            let decoded = decode_base64(&lines.join("\r\n")).expect("valid Base64");
            prop_assert_eq!(&*decoded, &bytes);
        }

        #[test]
        fn decoding_never_panics(text: String) {
            if let Err(error) = decode_object("UploadAuth", &text) {
                prop_assert_eq!(error.kind(), ErrorKind::CredentialInvalid);
            }
        }
    }

    #[test]
    fn errors_contain_the_cause_and_no_value() {
        for (text, message) in [
            ("", "UploadAuth is empty"),
            (" \n", "UploadAuth is empty"),
            (
                r#"{"AccessKeyId":"hush"}"#,
                "UploadAuth is JSON, but must be Base64 as returned by VOD",
            ),
            ("hush*hush", "UploadAuth is not Base64"),
            (&STANDARD.encode("hush"), "UploadAuth is not Base64 of JSON"),
            (&STANDARD.encode(r#""hush""#), "UploadAuth is not a JSON object"),
        ] {
            let error = decode_object("UploadAuth", text).map(|_| ()).unwrap_err();
            assert_eq!(error.message(), message);
        }
    }
}
