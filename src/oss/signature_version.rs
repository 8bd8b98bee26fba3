//! The versions of OSS signatures.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind};

/// The version of the signature of a request.
///
/// OSS no longer supports V1 for accounts created since 2025-03-01 and buckets created since
/// 2025-09-01. It is for private deployments without V4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SignatureVersion {
    /// `OSS4-HMAC-SHA256`
    #[default]
    V4,
    /// `OSS`, with HMAC-SHA1
    V1,
}

impl fmt::Display for SignatureVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "v4",
            Self::V1 => "v1",
        })
    }
}

/// Parses `v4` or `v1`, in any case. Returns [`ErrorKind::Misconfigured`] for anything else.
impl FromStr for SignatureVersion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.trim().to_ascii_lowercase().as_str() {
            "v4" => Ok(Self::V4),
            "v1" => Ok(Self::V1),
            _ => {
                Err(Error::new(ErrorKind::Misconfigured, "the signature version must be v4 or v1"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a failed assumption fails the test"
    )]

    use super::*;

    #[test]
    fn versions_round_trip_in_any_case() {
        for version in [SignatureVersion::V4, SignatureVersion::V1] {
            assert_eq!(version.to_string().parse(), Ok(version));
            assert_eq!(version.to_string().to_uppercase().parse(), Ok(version));
        }
        assert_eq!(SignatureVersion::default(), SignatureVersion::V4);
        for text in ["", "v2", "4"] {
            let error = text.parse::<SignatureVersion>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Misconfigured);
        }
    }
}
