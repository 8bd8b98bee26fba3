//! The signature of a notification.

use std::hint::black_box;
use std::time::Duration;

use md5::{Digest as _, Md5};

use super::Event;
use crate::credential::Secret;
use crate::error::{Error, ErrorKind, Result};
use crate::units::UnixMillis;

/// How far `X-VOD-TIMESTAMP` may be from the present, unless told otherwise: 5 minutes, which
/// leaves room for VOD's retries and for two clocks that differ.
pub const TIMESTAMP_TOLERANCE_DEFAULT: Duration = Duration::from_secs(5 * 60);

/// A notification as it came.
///
/// There is no `Debug`: who sees a signature and the time can look for the key at leisure.
#[derive(Clone, Copy)]
pub struct Callback<'a> {
    /// The callback URL exactly as it is configured at VOD, which is what VOD has signed.
    pub url: &'a str,
    /// The header `X-VOD-TIMESTAMP`: seconds since 1970-01-01T00:00:00Z.
    pub timestamp: &'a str,
    /// The header `X-VOD-SIGNATURE`: hex of the MD5 of `url|timestamp|key`.
    pub signature: &'a str,
    /// The body, which is not signed.
    pub body: &'a [u8],
}

impl Callback<'_> {
    /// Verifies the notification, and then reads it.
    ///
    /// # Errors
    ///
    /// As [`Callback::verify`] and [`Event::parse`].
    pub fn verify_and_parse(
        &self,
        key: &Secret,
        now: UnixMillis,
        tolerance: Option<Duration>,
    ) -> Result<Event> {
        self.verify(key, now, tolerance)?;
        Event::parse(self.body)
    }

    /// Checks the signature, in a time that does not tell how much of it is right, and then the
    /// age. `key` is the authentication key of the account's callbacks. Without a `tolerance` any
    /// age will do, and a notification can be replayed for ever.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::RequestInvalid`] names the header that is missing or cannot be read,
    /// [`ErrorKind::SignatureWrong`] where the signature is not the key's or the notification is
    /// too old, and [`ErrorKind::Misconfigured`] where the key is empty.
    pub fn verify(&self, key: &Secret, now: UnixMillis, tolerance: Option<Duration>) -> Result<()> {
        if key.expose().is_empty() {
            let message = "the authentication key of VOD's callbacks is empty";
            return Err(Error::new(ErrorKind::Misconfigured, message));
        }
        let sent_at = seconds(self.timestamp)
            .ok_or_else(|| Error::field_invalid("X-VOD-TIMESTAMP", "a number of seconds"))?;
        let signature = md5_of_hex(self.signature)
            .ok_or_else(|| Error::field_invalid("X-VOD-SIGNATURE", "32 hex digits"))?;
        if !are_equal(&signature, &self.signature_by(key)) {
            let message = "X-VOD-SIGNATURE is not made with this key for this callback URL";
            return Err(Error::new(ErrorKind::SignatureWrong, message));
        }
        let apart = sent_at.since(now).max(now.since(sent_at));
        if tolerance.is_some_and(|tolerance| apart > tolerance) {
            let message =
                format!("X-VOD-TIMESTAMP is {} seconds away from the present", apart.as_secs());
            return Err(Error::new(ErrorKind::SignatureWrong, message));
        }
        Ok(())
    }

    fn signature_by(&self, key: &Secret) -> [u8; MD5_BYTES] {
        let mut md5 = Md5::new();
        for piece in [self.url, "|", self.timestamp.trim(), "|", key.expose()] {
            md5.update(piece);
        }
        md5.finalize().into()
    }
}

fn seconds(text: &str) -> Option<UnixMillis> {
    let text = text.trim();
    // `parse` takes a sign, which no VOD sends.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: u64 = digits.then(|| text.parse().ok()).flatten()?;
    seconds.checked_mul(1_000).map(UnixMillis)
}

fn md5_of_hex(text: &str) -> Option<[u8; MD5_BYTES]> {
    let text = text.trim().as_bytes();
    if text.len() != 2 * MD5_BYTES {
        return None;
    }
    let mut md5 = [0; MD5_BYTES];
    for (byte, digits) in md5.iter_mut().zip(text.chunks_exact(2)) {
        for digit in digits {
            let digit = char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = *byte << 4 | digit?;
        }
    }
    Some(md5)
}

/// Compares all bytes, whatever the first ones are.
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
    /// Its signature is what `md5sum` prints for `https://…/callback|1519375990|Test123`.
    const GENUINE: Callback<'_> = Callback {
        url: "https://www.example.com/your/callback",
        timestamp: "1519375990",
        signature: "c587b80d2d0ede300e8967937da7219b",
        body: b"{\"EventType\":\"FileUploadComplete\"}",
    };
    const TOLERANCE: Option<Duration> = Some(TIMESTAMP_TOLERANCE_DEFAULT);

    #[test]
    fn a_genuine_notification_is_read() {
        let event = GENUINE.verify_and_parse(&key(), SENT_AT, TOLERANCE).unwrap();
        assert_eq!(event.event_type.as_str(), "FileUploadComplete");
        let upper = GENUINE.signature.to_uppercase();
        let spaced = Callback { signature: &upper, timestamp: " 1519375990 ", ..GENUINE };
        assert_eq!(spaced.verify(&key(), SENT_AT, TOLERANCE), Ok(()));
    }

    #[test]
    fn what_is_not_signed_by_the_key_is_refused() {
        let forged = format!("0{}", &GENUINE.signature[1..]);
        let cut = format!("{}7", &GENUINE.signature[..31]);
        for callback in [
            Callback { url: "https://www.example.com/your/callback/", ..GENUINE },
            Callback { timestamp: "1519375991", ..GENUINE },
            Callback { timestamp: "01519375990", ..GENUINE },
            Callback { signature: &forged, ..GENUINE },
            Callback { signature: &cut, ..GENUINE },
        ] {
            let error = callback.verify(&key(), SENT_AT, TOLERANCE).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::SignatureWrong);
            assert!(error.message().starts_with("X-VOD-SIGNATURE"), "{error}");
        }
        let error = GENUINE.verify(&Secret::new("test123"), SENT_AT, TOLERANCE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SignatureWrong);
        let error = GENUINE.verify(&Secret::new(""), SENT_AT, TOLERANCE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured);
    }

    #[test]
    fn a_header_that_cannot_be_read_is_named() {
        for (callback, header) in [
            (Callback { timestamp: "", ..GENUINE }, "X-VOD-TIMESTAMP"),
            (Callback { timestamp: "+1519375990", ..GENUINE }, "X-VOD-TIMESTAMP"),
            (Callback { timestamp: "18446744073709551615", ..GENUINE }, "X-VOD-TIMESTAMP"),
            (Callback { signature: "", ..GENUINE }, "X-VOD-SIGNATURE"),
            (Callback { signature: "zz87b80d2d0ede300e8967937da7219b", ..GENUINE }, "X-VOD-SIG"),
        ] {
            let error = callback.verify(&key(), SENT_AT, None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RequestInvalid);
            assert!(error.message().starts_with(header), "{error}");
        }
    }

    #[test]
    fn a_notification_is_good_for_the_tolerance_in_both_directions() {
        let verify = |now, tolerance| GENUINE.verify(&key(), UnixMillis(now), tolerance);
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
        fn no_headers_make_it_panic(timestamp: String, signature: String, now: u64) {
            let callback =
                Callback { timestamp: &timestamp, signature: &signature, ..GENUINE };
            prop_assert!(callback.verify(&key(), UnixMillis(now), TOLERANCE).is_err());
        }
    }

    fn key() -> Secret {
        Secret::new("Test123")
    }
}
