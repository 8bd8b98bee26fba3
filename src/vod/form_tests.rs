//! What a call sends, for the tests of the calls.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

use super::{RamKey, VodEndpoint};
use crate::credential::Secret;
use crate::oss::{Body, Request};

/// The action and its own parameters as they are in the form, without those that all calls have.
pub(super) fn sent(request: impl Fn(&VodEndpoint, &RamKey) -> Request) -> Vec<String> {
    let key = RamKey {
        access_key_id: "id".into(),
        access_key_secret: Secret::new("secret"),
        security_token: None,
    };
    let endpoint = VodEndpoint::for_region("cn-shanghai").unwrap();
    let request = request(&endpoint, &key);
    let Body::Bytes(form) = request.body else { panic!("{request:?}") };
    let form = String::from_utf8(form).unwrap();
    let of_all_calls = |pair: &&str| {
        ["AccessKeyId=", "Format=", "Signature", "Timestamp=", "Version="]
            .iter()
            .any(|name| pair.starts_with(name))
    };
    form.split('&').filter(|pair| !of_all_calls(pair)).map(str::to_owned).collect()
}
