//! The ETag of a part.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind};
use crate::hex;

/// The ETag of a part: its MD5, 16 bytes.
///
/// The ETag of a multipart object is not an MD5 and is not represented by this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ETag(pub [u8; 16]);

/// In quotes and upper case, as in OSS: `"5D41402ABC4B2A76B9719D911017C592"`.
impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for byte in self.0 {
            write!(f, "{byte:02X}")?;
        }
        f.write_str("\"")
    }
}

/// Parses 32 hexadecimal digits in any case, with or without quotes. Returns
/// [`ErrorKind::StoreReplyInvalid`] for anything else.
impl FromStr for ETag {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        hex::decode(bare).map(Self).ok_or_else(|| {
            Error::new(ErrorKind::StoreReplyInvalid, "the ETag of a part is not an MD5")
        })
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

    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    #[test]
    fn quotes_and_case_do_not_matter() {
        let expected = "\"5D41402ABC4B2A76B9719D911017C592\"";
        for text in [
            "\"5D41402ABC4B2A76B9719D911017C592\"",
            "5D41402ABC4B2A76B9719D911017C592",
            "\"5d41402abc4b2a76b9719d911017c592\"",
            " 5d41402abc4b2a76b9719d911017c592 ",
        ] {
            assert_eq!(text.parse::<ETag>().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn anything_but_an_md5_is_rejected() {
        let long = "0".repeat(34);
        let uneven = "0".repeat(31);
        let foreign = "g".repeat(32);
        let signed = format!("+{}", "0".repeat(31));
        for text in ["", "\"\"", "\"", &long, &uneven, &foreign, &signed, "C8A8AC54-2"] {
            let error = text.parse::<ETag>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StoreReplyInvalid, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..Default::default() })]

        #[test]
        fn every_etag_round_trips(bytes: [u8; 16]) {
            prop_assert_eq!(ETag(bytes).to_string().parse(), Ok(ETag(bytes)));
        }

        #[test]
        fn parsing_never_panics(text: String) {
            let _ = text.parse::<ETag>();
        }
    }
}
