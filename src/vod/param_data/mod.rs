//! The SDK's `paramData`: VOD parameters of a file as the JSON text `{"Vod":{…}}`.
//!
//! <https://www.alibabacloud.com/help/en/vod/developer-reference/upload-sdk-for-javascript>

mod calls;
mod keys;

use std::collections::BTreeMap;

use serde_json::Value;

use self::keys::{KEYS, Parameter};
use crate::error::{Error, Result};
use crate::units::ByteCount;

/// The parameters under `Vod`, from which the Create calls are made.
///
/// The SDK ignores unknown keys and the keys of another kind of media. Here such a key causes an
/// error with its name, so that misspellings are detected. Keys are case-sensitive. An empty string
/// and `null` count as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParamData {
    parameters: BTreeMap<&'static str, Parameter>,
}

impl ParamData {
    /// Parses the JSON text. An absent or empty text specifies no parameters, which suffices for
    /// every call except [`CreateUploadAttachedMedia`](super::CreateUploadAttachedMedia).
    ///
    /// IDs, sizes and flags may be strings, `Tags` and `CateIds` may be arrays, and `UserData` may
    /// be an object, which is sent as its JSON text. A `UserData` string is sent unchanged.
    ///
    /// # Errors
    /// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) with the name of the invalid
    /// key.
    pub fn parse(text: Option<&str>) -> Result<Self> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
            return Ok(Self::default());
        };
        let not_an_object = || Error::field_invalid("param-data", "a JSON object {\"Vod\":{…}}");
        let json: Value = serde_json::from_str(text).map_err(|_| not_an_object())?;
        let Value::Object(top) = json else { return Err(not_an_object()) };
        if let Some(other) = top.keys().find(|key| *key != "Vod") {
            let name = format!("param-data.{}", shown(other));
            return Err(Error::field_invalid(name, "omitted, because only Vod is supported"));
        }
        let vod = match top.into_iter().next() {
            None | Some((_, Value::Null)) => return Ok(Self::default()),
            Some((_, Value::Object(vod))) => vod,
            Some(_) => return Err(Error::field_invalid("param-data.Vod", "a JSON object")),
        };
        let mut parameters = BTreeMap::new();
        for (key, value) in vod {
            let known = KEYS.iter().find(|(known, ..)| *known == key);
            let Some((name, form, _)) = known else {
                let allowed = "omitted, because no VOD call has this parameter";
                return Err(Error::field_invalid(in_vod(&shown(&key)), allowed));
            };
            if value.is_null() {
                continue;
            }
            let is_empty_text = value.as_str() == Some("");
            match form.read(value) {
                _ if is_empty_text => {}
                None => return Err(Error::field_invalid(in_vod(name), form.expected())),
                // An empty list.
                Some(Parameter::Text(text)) if text.is_empty() => {}
                Some(parameter) => drop(parameters.insert(*name, parameter)),
            }
        }
        Ok(Self { parameters })
    }

    /// Checks that every parameter belongs to the call.
    fn only_of(&self, call: &str, calls: u8) -> Result<()> {
        let of_other = KEYS.iter().find(|(name, _, known_by)| {
            known_by & calls == 0 && self.parameters.contains_key(name)
        });
        match of_other {
            Some((name, ..)) => {
                let allowed = format!("omitted, because {call} does not have it");
                Err(Error::field_invalid(in_vod(name), allowed))
            }
            None => Ok(()),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.parameters.get(name) {
            Some(Parameter::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn bytes(&self, name: &str) -> Option<ByteCount> {
        match self.parameters.get(name) {
            Some(Parameter::Bytes(bytes)) => Some(*bytes),
            _ => None,
        }
    }

    fn flag(&self, name: &str) -> Option<bool> {
        match self.parameters.get(name) {
            Some(Parameter::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }
}

fn in_vod(key: &str) -> String {
    format!("param-data.Vod.{key}")
}

fn shown(key: &str) -> String {
    key.chars().filter(|character| !character.is_control()).take(SHOWN_CHARS).collect()
}

const SHOWN_CHARS: usize = 40;

#[cfg(test)]
mod tests;
