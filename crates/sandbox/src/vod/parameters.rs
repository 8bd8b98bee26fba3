//! The parameters of a VOD call.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::VodError;

/// Names and values, in the order of the request.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The parameters of a call.
    pub(crate) fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// All names and values.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The value, if present and not empty.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(found, value)| found == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// The value of a required parameter.
    pub(crate) fn required(&self, name: &str) -> Result<&str, VodError> {
        self.optional(name).ok_or_else(|| VodError::missing(name))
    }

    /// The value, which may have at most `limit` characters.
    pub(crate) fn at_most(&self, name: &str, limit: usize) -> Result<Option<&str>, VodError> {
        let value = self.optional(name);
        if value.is_some_and(|value| value.chars().count() > limit) {
            return Err(VodError::invalid(name, &format!("it has more than {limit} characters")));
        }
        Ok(value)
    }

    /// Checks that the value has at most `limit` bytes of UTF-8.
    pub(crate) fn at_most_bytes(&self, name: &str, limit: usize) -> Result<(), VodError> {
        match self.optional(name) {
            Some(value) if value.len() > limit => {
                Err(VodError::invalid(name, &format!("it has more than {limit} bytes")))
            }
            _ => Ok(()),
        }
    }

    /// Checks that there are at most 16 `Tags`, and `is_too_long` is false for all of them.
    pub(crate) fn check_tags(&self, is_too_long: impl Fn(&str) -> bool) -> Result<(), VodError> {
        let tags: Vec<_> = self.optional("Tags").unwrap_or_default().split(',').collect();
        if tags.len() > 16 || tags.into_iter().any(is_too_long) {
            return Err(VodError::invalid("Tags", "too many, or one is too long"));
        }
        Ok(())
    }

    /// Checks that the value is an integer.
    pub(crate) fn number(&self, name: &str) -> Result<(), VodError> {
        match self.optional(name).map(str::parse::<u64>) {
            Some(Err(_)) => Err(VodError::invalid(name, "it is not an integer")),
            _ => Ok(()),
        }
    }

    /// Checks that the value is `true` or `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<(), VodError> {
        match self.optional(name).map(str::parse::<bool>) {
            Some(Err(_)) => Err(VodError::invalid(name, "it is neither true nor false")),
            _ => Ok(()),
        }
    }

    /// Checks that `UserData` is a JSON object.
    pub(crate) fn check_user_data(&self) -> Result<(), VodError> {
        let is_object = |text| matches!(serde_json::from_str(text), Ok(Value::Object(_)));
        match self.optional("UserData") {
            Some(text) if !is_object(text) => {
                Err(VodError::invalid("UserData", "it is not a JSON object"))
            }
            _ => Ok(()),
        }
    }

    /// The parameters that describe the media, without those of authentication.
    pub(crate) fn media_parameters(&self) -> BTreeMap<String, String> {
        self.0
            .iter()
            .filter(|(name, _)| !CALL_PARAMETERS.contains(&name.as_str()))
            .cloned()
            .collect()
    }
}

/// The extension of a file name in lower case.
pub(super) fn extension(parameter: &str, file_name: &str) -> Result<String, VodError> {
    let extension = file_name.rsplit_once('.').map(|(_, extension)| extension);
    extension
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .map(str::to_ascii_lowercase)
        .ok_or_else(|| VodError::invalid(parameter, "it has no file name extension"))
}

const CALL_PARAMETERS: [&str; 10] = [
    "AccessKeyId",
    "Action",
    "Format",
    "SecurityToken",
    "Signature",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureVersion",
    "Timestamp",
    "Version",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_is_the_text_after_the_last_dot() {
        assert_eq!(extension("FileName", "a.b.MP4").ok().as_deref(), Some("mp4"));
        assert!(extension("FileName", "noextension").is_err());
        assert!(extension("FileName", "dot.").is_err());
        assert!(extension("FileName", "a.b/c").is_err());
    }
}
