//! The signature of a notification.

use std::hint::black_box;
use std::time::Duration;

use md5::{Digest as _, Md5};

use super::Event;
use crate::credential::Secret;
use crate::error::{Error, ErrorKind, Result};
use crate::hex;
use crate::units::UnixMillis;

/// The default for the largest difference between `X-VOD-TIMESTAMP` and the current time. Five
/// minutes allow for VOD's retries and for clock skew.
pub const TIMESTAMP_TOLERANCE_DEFAULT: Duration = Duration::from_secs(5 * 60);

/// An unverified notification.
///
/// It has no `Debug`, because a signature and its timestamp allow an offline search for the key.
#[derive(Clone, Copy)]
pub struct Callback<'a> {
    /// The callback URL exactly as configured in VOD, because VOD signs it.
    pub url: &'a str,
    /// The header `X-VOD-TIMESTAMP`: seconds since 1970-01-01T00:00:00Z.
    pub timestamp: &'a str,
    /// The header `X-VOD-SIGNATURE`: hex of the MD5 of `url|timestamp|key`.
    pub signature: &'a str,
    /// The body, which is not signed.
    pub body: &'a [u8],
}

impl Callback<'_> {
    /// Verifies the notification and parses its event.
    ///
    /// # Errors
    /// Returns the errors of [`Callback::verify`] and [`Event::parse`].
    pub fn verify_and_parse(
        &self,
        key: &Secret,
        now: UnixMillis,
        tolerance: Option<Duration>,
    ) -> Result<Event> {
        self.verify(key, now, tolerance)?;
        Event::parse(self.body)
    }

    /// Checks the signature, in constant time, and then the age. `key` is the authentication key
    /// of the account's callbacks. If `tolerance` is `None`, any age is accepted, so notifications
    /// can be replayed indefinitely.
    ///
    /// # Errors
    /// Returns [`ErrorKind::RequestInvalid`] if a header is missing or invalid,
    /// [`ErrorKind::SignatureWrong`] if the signature was not created with the key or the
    /// timestamp is out of range, and [`ErrorKind::Misconfigured`] if the key is empty.
    pub fn verify(&self, key: &Secret, now: UnixMillis, tolerance: Option<Duration>) -> Result<()> {
        if key.expose().is_empty() {
            let message = "the authentication key of VOD callbacks is empty";
            return Err(Error::new(ErrorKind::Misconfigured, message));
        }
        let sent_at = seconds(self.timestamp)
            .ok_or_else(|| Error::field_invalid("X-VOD-TIMESTAMP", "a number of seconds"))?;
        let signature = hex::decode(self.signature.trim())
            .ok_or_else(|| Error::field_invalid("X-VOD-SIGNATURE", "32 hex digits"))?;
        if !are_equal(&signature, &self.expected_signature(key)) {
            let message = "X-VOD-SIGNATURE does not match the authentication key and callback URL";
            return Err(Error::new(ErrorKind::SignatureWrong, message));
        }
        let difference = sent_at.since(now).max(now.since(sent_at));
        if tolerance.is_some_and(|tolerance| difference > tolerance) {
            let message = format!(
                "X-VOD-TIMESTAMP is {} seconds from the current time",
                difference.as_secs()
            );
            return Err(Error::new(ErrorKind::SignatureWrong, message));
        }
        Ok(())
    }

    fn expected_signature(&self, key: &Secret) -> [u8; MD5_BYTES] {
        let mut md5 = Md5::new();
        for component in [self.url, "|", self.timestamp.trim(), "|", key.expose()] {
            md5.update(component);
        }
        md5.finalize().into()
    }
}

fn seconds(text: &str) -> Option<UnixMillis> {
    let text = text.trim();
    // `parse` would accept a sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: u64 = digits.then(|| text.parse().ok()).flatten()?;
    seconds.checked_mul(1_000).map(UnixMillis)
}

/// Compares in constant time.
fn are_equal(one: &[u8; MD5_BYTES], other: &[u8; MD5_BYTES]) -> bool {
    let differences = one.iter().zip(other).fold(0, |found, (a, b)| found | (a ^ b));
    black_box(differences) == 0
}

const MD5_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    const SENT_AT: UnixMillis = UnixMillis(1_519_375_990_000);
    /// The signature is the output of `md5sum` for `https://…/callback|1519375990|Test123`.
    const VALID: Callback<'_> = Callback {
        url: "https://www.example.com/your/callback",
        timestamp: "1519375990",
        signature: "c587b80d2d0ede300e8967937da7219b",
        body: b"{\"EventType\":\"FileUploadComplete\"}",
    };
    const TOLERANCE: Option<Duration> = Some(TIMESTAMP_TOLERANCE_DEFAULT);

    #[test]
    fn a_valid_notification_is_parsed() {
        let event = VALID.verify_and_parse(&key(), SENT_AT, TOLERANCE).unwrap();
        assert_eq!(event.event_type.as_str(), "FileUploadComplete");
        let upper = VALID.signature.to_uppercase();
        let spaced = Callback { signature: &upper, timestamp: " 1519375990 ", ..VALID };
        assert_eq!(spaced.verify(&key(), SENT_AT, TOLERANCE), Ok(()));
    }

    #[test]
    fn a_notification_with_another_signature_is_rejected() {
        let other = format!("0{}", &VALID.signature[1..]);
        let altered = format!("{}7", &VALID.signature[..31]);
        for callback in [
            Callback { url: "https://www.example.com/your/callback/", ..VALID },
            Callback { timestamp: "1519375991", ..VALID },
            Callback { timestamp: "01519375990", ..VALID },
            Callback { signature: &other, ..VALID },
            Callback { signature: &altered, ..VALID },
        ] {
            let error = callback.verify(&key(), SENT_AT, TOLERANCE).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::SignatureWrong);
            assert!(error.message().starts_with("X-VOD-SIGNATURE"), "{error}");
        }
        let error = VALID.verify(&Secret::new("test123"), SENT_AT, TOLERANCE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SignatureWrong);
        let error = VALID.verify(&Secret::new(""), SENT_AT, TOLERANCE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured);
    }

    #[test]
    fn the_error_for_an_invalid_header_contains_its_name() {
        for (callback, header) in [
            (Callback { timestamp: "", ..VALID }, "X-VOD-TIMESTAMP"),
            (Callback { timestamp: "+1519375990", ..VALID }, "X-VOD-TIMESTAMP"),
            (Callback { timestamp: "18446744073709551615", ..VALID }, "X-VOD-TIMESTAMP"),
            (Callback { signature: "", ..VALID }, "X-VOD-SIGNATURE"),
            (Callback { signature: "zz87b80d2d0ede300e8967937da7219b", ..VALID }, "X-VOD-SIG"),
        ] {
            let error = callback.verify(&key(), SENT_AT, None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RequestInvalid);
            assert!(error.message().starts_with(header), "{error}");
        }
    }

    #[test]
    fn the_timestamp_may_differ_by_the_tolerance_in_both_directions() {
        let verify = |now, tolerance| VALID.verify(&key(), UnixMillis(now), tolerance);
        assert_eq!(verify(SENT_AT.0 + 300_000, TOLERANCE), Ok(()));
        assert_eq!(verify(SENT_AT.0 - 300_000, TOLERANCE), Ok(()));
        for now in [SENT_AT.0 + 300_001, SENT_AT.0 - 300_001] {
            let error = verify(now, TOLERANCE).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::SignatureWrong);
            assert!(error.message().starts_with("X-VOD-TIMESTAMP is 300 seconds"), "{error}");
        }
        assert_eq!(verify(0, None), Ok(()));
        assert_eq!(verify(u64::MAX, None), Ok(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..Default::default() })]

        #[test]
        fn verification_never_panics(timestamp: String, signature: String, now: u64) {
            let callback =
                Callback { timestamp: &timestamp, signature: &signature, ..VALID };
            prop_assert!(callback.verify(&key(), UnixMillis(now), TOLERANCE).is_err());
        }
    }

    fn key() -> Secret {
        Secret::new("Test123")
    }
}
