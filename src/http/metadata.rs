//! `Upload-Metadata` of tus 1.0.0 ("Creation",
//! <https://tus.io/protocols/resumable-upload#upload-metadata>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::RequestHead;
use super::header::UPLOAD_METADATA;
use super::media_type::file_media_type;
use crate::credential::decode_base64;
use crate::error::{Error, Result};

/// The pairs of an `Upload-Metadata` header, in order.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    pairs: Vec<Pair>,
}

#[derive(Clone, PartialEq, Eq)]
struct Pair {
    key: String,
    /// As sent: base64, or empty.
    encoded: String,
    /// Bytes that are not UTF-8 are U+FFFD.
    value: Zeroizing<String>,
}

impl Metadata {
    /// The metadata in all lines of the header, which form one list (RFC 9110 §5.3).
    ///
    /// # Errors
    /// Returns the errors of [`Metadata::parse`].
    pub fn from_head(head: &RequestHead) -> Result<Self> {
        let lines: Vec<&str> = head.header_values(UPLOAD_METADATA).collect();
        Self::parse(&lines.join(","))
    }

    /// Parses the value of the header. Empty pairs are ignored, and so is a pair that is repeated.
    ///
    /// # Errors
    /// Returns [`RequestInvalid`](crate::ErrorKind::RequestInvalid) with the invalid key.
    pub fn parse(header: &str) -> Result<Self> {
        if header.len() > METADATA_BYTES_MAX {
            return Err(invalid(&format!("at most {METADATA_BYTES_MAX} bytes long")));
        }
        let mut pairs: Vec<Pair> = Vec::new();
        for pair in header.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, encoded) = pair.split_once(' ').unwrap_or((pair, ""));
            let encoded = encoded.trim();
            let plain = |byte: u8| byte.is_ascii_graphic();
            if !key.bytes().all(plain) {
                return Err(invalid("pairs whose keys are ASCII"));
            }
            match pairs.iter().find(|known| known.key == key) {
                Some(known) if known.encoded == encoded => continue,
                Some(_) => {
                    return Err(invalid(&format!(
                        "pairs with unique keys, but {key} has two values"
                    )));
                }
                None => {}
            }
            let value = decode_base64(encoded).ok_or_else(|| {
                invalid(&format!("pairs with Base64 values, but the value of {key} is not Base64"))
            })?;
            let value = Zeroizing::new(String::from_utf8_lossy(&value).into_owned());
            pairs.push(Pair { key: key.to_owned(), encoded: encoded.to_owned(), value });
        }
        Ok(Self { pairs })
    }

    /// Sets `key` to `text`, the value of a form field. Empty text removes the key.
    pub(super) fn set(&mut self, key: &str, text: &str) {
        self.pairs.retain(|pair| pair.key != key);
        if text.is_empty() {
            return;
        }
        let value = Zeroizing::new(text.to_owned());
        let encoded = STANDARD.encode(text);
        self.pairs.push(Pair { key: key.to_owned(), encoded, value });
    }

    /// The key of the first pair.
    pub(super) fn first_key(&self) -> Option<&str> {
        self.pairs.first().map(|pair| pair.key.as_str())
    }

    /// The value of the first of these keys that exists.
    #[must_use]
    pub fn text(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().find_map(|key| {
            let pair = self.pairs.iter().find(|pair| pair.key == *key)?;
            Some(pair.value.as_str())
        })
    }

    /// The media type of the file: `filetype` or `type`, whichever is one.
    #[must_use]
    pub(super) fn media_type(&self) -> Option<String> {
        let typed = ["filetype", "type"].into_iter();
        typed.filter_map(|key| file_media_type(self.text(&[key]))).next().map(str::to_owned)
    }

    /// The header as it was sent, without credentials. `None` if no pair remains.
    #[must_use]
    pub fn without_credentials(&self) -> Option<String> {
        let kept: Vec<String> = self
            .pairs
            .iter()
            .filter(|pair| !SECRET_KEYS.contains(&pair.key.as_str()))
            .map(|pair| {
                if pair.encoded.is_empty() {
                    pair.key.clone()
                } else {
                    format!("{} {}", pair.key, pair.encoded)
                }
            })
            .collect();
        (!kept.is_empty()).then(|| kept.join(","))
    }
}

impl std::fmt::Debug for Metadata {
    /// Keys only: values may be credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|pair| &pair.key)).finish()
    }
}

fn invalid(allowed: &str) -> Error {
    Error::field_invalid("upload-metadata", allowed)
}

/// Longest accepted `Upload-Metadata`, in bytes.
const METADATA_BYTES_MAX: usize = 8 * 1024;

/// Keys whose values are credentials, which are neither stored nor sent back.
const SECRET_KEYS: [&str; 3] = ["upload_address", "upload_auth", "media_token"];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn pairs_round_trip() {
        let header = "filename d29ybGQubXA0,is_confidential";
        let metadata = Metadata::parse(header).unwrap();
        assert_eq!(metadata.text(&["name", "filename"]), Some("world.mp4"));
        assert_eq!(metadata.text(&["is_confidential"]), Some(""));
        assert_eq!(metadata.without_credentials().as_deref(), Some(header));
    }

    #[test]
    fn credentials_are_neither_returned_nor_printed() {
        let metadata = Metadata::parse("upload_auth c2VjcmV0,upload_address c2VjcmV0").unwrap();
        assert_eq!(metadata.text(&["upload_auth"]), Some("secret"));
        assert_eq!(metadata.without_credentials(), None);
        assert!(!format!("{metadata:?}").contains("secret"));
        assert!(!format!("{metadata:?}").contains("c2Vj"));
    }

    #[test]
    fn ambiguous_and_malformed_pairs_are_rejected() {
        for header in ["a YQ==,a Yg==", "a,a YQ==", "a *", "ä YQ=="] {
            assert!(Metadata::parse(header).is_err(), "{header}");
        }
    }

    #[test]
    fn empty_and_repeated_pairs_are_ignored() {
        for header in ["", ",", " , "] {
            assert_eq!(Metadata::parse(header).unwrap(), Metadata::default(), "{header:?}");
        }
        for header in ["a YQ==,", ",a YQ==", "a YQ==,a  YQ==", "a YQ==, ,"] {
            let metadata = Metadata::parse(header).unwrap();
            assert_eq!(metadata.without_credentials().as_deref(), Some("a YQ=="), "{header:?}");
        }
    }

    #[test]
    fn a_value_that_is_not_utf_8_is_kept_for_the_response() {
        let metadata = Metadata::parse("filename 6S5tb3Y=").unwrap();
        assert_eq!(metadata.text(&["filename"]), Some("\u{fffd}.mov"));
        assert_eq!(metadata.without_credentials().as_deref(), Some("filename 6S5tb3Y="));
    }
}
