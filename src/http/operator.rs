//! Requests of the operator: those with the operator's key, and those from the worker's own
//! machine.

use core::net::{IpAddr, SocketAddr};

use ::http::header::{AUTHORIZATION, FORWARDED, ORIGIN};
use sha2::{Digest as _, Sha256};

use super::RequestHead;
use crate::credential::Secret;
use crate::error::{Error, ErrorKind, Result};

/// Who may send the requests of an operator.
#[derive(Clone, Debug, Default)]
pub struct OperatorAccess {
    key: Option<Secret>,
}

impl OperatorAccess {
    /// Accepts requests with `key`; empty: only requests from the worker's own machine.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Misconfigured`] if the key has fewer than 16 characters.
    pub fn parse(key: &str) -> Result<Self> {
        match key.chars().count() {
            0 => Ok(Self::default()),
            1..KEY_CHARS_MIN => {
                let message = format!("a key has at least {KEY_CHARS_MIN} characters");
                Err(Error::new(ErrorKind::Misconfigured, message))
            }
            _ => Ok(Self { key: Some(Secret::new(key)) }),
        }
    }

    /// Checks that the request is one of the operator: `Authorization: Bearer` has the key, or the
    /// request has no credential and was sent on the worker's machine, neither by a proxy nor by a
    /// page.
    ///
    /// # Errors
    /// Returns [`ErrorKind::OperatorRequired`] if not.
    pub fn check(&self, head: &RequestHead) -> Result<()> {
        let is_allowed = match head.header(AUTHORIZATION) {
            Some(credential) => self.key.as_ref().is_some_and(|key| has_key(credential, key)),
            None => is_local(head),
        };
        if is_allowed {
            return Ok(());
        }
        let message = "the request has no valid operator_key and is not from the worker's machine";
        Err(Error::new(ErrorKind::OperatorRequired, message))
    }
}

/// Compares digests, so that the time does not depend on how much of the key is correct.
fn has_key(credential: &str, key: &Secret) -> bool {
    let (scheme, token) = credential.split_once(' ').unwrap_or_default();
    scheme.eq_ignore_ascii_case("bearer")
        && Sha256::digest(token.trim()) == Sha256::digest(key.expose())
}

fn is_local(head: &RequestHead) -> bool {
    let is_relayed = [FORWARDED.as_str(), ORIGIN.as_str(), "via", "x-forwarded-for", "x-real-ip"]
        .iter()
        .any(|name| head.header(*name).is_some());
    // Spin appends the header to those of the client: only the last one is its own.
    let client = head.header_values("spin-client-addr").last();
    let address = client.and_then(|client| match client.parse() {
        Ok(SocketAddr::V4(client)) => Some(IpAddr::V4(*client.ip())),
        Ok(SocketAddr::V6(client)) => Some(IpAddr::V6(*client.ip())),
        Err(_) => client.parse().ok(),
    });
    !is_relayed && address.is_some_and(|address| address.to_canonical().is_loopback())
}

const KEY_CHARS_MIN: usize = 16;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use ::http::Method;

    use super::*;

    const KEY: &str = "0123456789abcdef";
    const LOCAL: (&str, &str) = ("spin-client-addr", "127.0.0.1:53000");
    const REMOTE: (&str, &str) = ("spin-client-addr", "192.0.2.1:53000");

    fn allows(key: &str, headers: &[(&str, &str)]) -> bool {
        let head = RequestHead::new(Method::POST, "/", headers.iter().copied());
        let checked = OperatorAccess::parse(key).unwrap().check(&head);
        let code = checked.as_ref().err().map(Error::kind);
        assert_eq!(code, checked.is_err().then_some(ErrorKind::OperatorRequired));
        checked.is_ok()
    }

    #[test]
    fn the_key_is_accepted_from_anywhere_and_another_one_from_nowhere() {
        for client in [LOCAL, REMOTE] {
            assert!(allows(KEY, &[client, ("authorization", "Bearer 0123456789abcdef")]));
            for wrong in ["Bearer 0123456789abcdeg", "Bearer ", "Basic 0123456789abcdef", KEY] {
                assert!(!allows(KEY, &[client, ("authorization", wrong)]), "{wrong}");
                assert!(!allows("", &[client, ("authorization", wrong)]), "{wrong}");
            }
        }
    }

    #[test]
    fn without_a_key_only_requests_from_the_same_machine_are_accepted() {
        for client in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "::1", "[::ffff:127.0.0.1]:1"] {
            assert!(allows(KEY, &[("spin-client-addr", client)]), "{client}");
        }
        for client in ["192.0.2.1:1", "[2001:db8::1]:1", "", "localhost:1"] {
            assert!(!allows(KEY, &[("spin-client-addr", client)]), "{client}");
        }
        assert!(!allows(KEY, &[]));
    }

    #[test]
    fn a_client_cannot_supply_its_own_address() {
        assert!(!allows(KEY, &[LOCAL, REMOTE]));
        assert!(allows(KEY, &[REMOTE, LOCAL]));
    }

    #[test]
    fn requests_of_proxies_and_pages_on_the_same_machine_require_the_key() {
        for (name, value) in [
            ("forwarded", "for=192.0.2.1"),
            ("x-forwarded-for", "192.0.2.1"),
            ("via", "1.1 proxy"),
            ("x-real-ip", "192.0.2.1"),
            ("origin", "https://evil.example"),
        ] {
            assert!(!allows(KEY, &[LOCAL, (name, value)]), "{name}");
        }
    }

    #[test]
    fn a_short_key_is_rejected() {
        let error = OperatorAccess::parse("0123456789abcde").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured);
    }
}
