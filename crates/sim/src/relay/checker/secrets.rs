//! No secret is stored or returned, in any of the forms in which it is passed.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vod_uploader::oss::{Body, Request};

use crate::relay::variables::SEAL_KEY;
use crate::world::{ADDRESS_START, SECRET, TOKEN};

/// The secrets of a run.
#[derive(Debug)]
pub(super) struct Secrets {
    /// Access key secrets, security tokens, the seal key, UploadAddresses and UploadAuths, which
    /// are base64 of JSON.
    patterns: Patterns,
    /// What no request to OSS or VOD contains: requests are signed, and the token is sent.
    unsent: Patterns,
    /// The media tokens that clients have received, which are not stored.
    media_tokens: Patterns,
}

/// Byte strings to search for.
#[derive(Debug)]
struct Patterns {
    patterns: BTreeSet<Vec<u8>>,
    /// Whether a pattern starts with each byte.
    is_start: [bool; 256],
}

impl Secrets {
    /// Checks a record.
    pub(super) fn check_record(&self, key: &str, value: &[u8]) {
        let found = self.patterns.find(value).or_else(|| self.media_tokens.find(value));
        assert!(found.is_none(), "the record {key} has the secret {found:?}");
    }

    /// Checks a part of a response.
    pub(super) fn check_response(&self, place: &str, bytes: &[u8]) {
        let found = self.patterns.find(bytes);
        assert!(found.is_none(), "{place} of a response has the secret {found:?}");
    }

    /// Checks a line of the log.
    pub(super) fn check_log(&self, line: &str) {
        let found = self.patterns.find(line.as_bytes());
        let found = found.or_else(|| self.media_tokens.find(line.as_bytes()));
        assert!(found.is_none(), "the log has the secret {found:?}");
    }

    /// Checks a request to OSS or VOD.
    pub(super) fn check_request(&self, request: &Request) {
        let printed = format!("{} {:?}", request.url, request.headers);
        let body = match &request.body {
            Body::Bytes(bytes) => bytes.as_slice(),
            _ => &[],
        };
        let found = self.unsent.find(printed.as_bytes()).or_else(|| self.unsent.find(body));
        assert!(found.is_none(), "a request to {} has the secret {found:?}", request.url.path());
    }

    /// A client receives a media token.
    pub(super) fn add_media_token(&mut self, token: &str) {
        self.media_tokens.insert(token.as_bytes().to_vec());
        self.media_tokens.insert(STANDARD.encode(token).into_bytes());
    }
}

impl Default for Secrets {
    fn default() -> Self {
        let seal_key = STANDARD.decode(SEAL_KEY).unwrap();
        let keys = [SECRET.as_bytes(), &seal_key];
        let all = [SECRET.as_bytes(), TOKEN.as_bytes(), &seal_key];
        let mut patterns = Patterns::of(all.into_iter().flat_map(forms));
        // The start of every UploadAddress: the rest is public.
        base64_forms(ADDRESS_START.as_bytes()).for_each(|form| patterns.insert(form));
        let unsent = Patterns::of(keys.into_iter().flat_map(forms));
        Self { patterns, unsent, media_tokens: Patterns::of([]) }
    }
}

impl Patterns {
    fn of(patterns: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut all = Self { patterns: BTreeSet::new(), is_start: [false; 256] };
        patterns.into_iter().for_each(|pattern| all.insert(pattern));
        all
    }

    fn insert(&mut self, pattern: Vec<u8>) {
        self.is_start[usize::from(pattern[0])] = true;
        self.patterns.insert(pattern);
    }

    /// The first pattern in `bytes`, as text.
    fn find(&self, bytes: &[u8]) -> Option<String> {
        let starts =
            bytes.iter().enumerate().filter(|(_, byte)| self.is_start[usize::from(**byte)]);
        let found = starts.flat_map(|(at, _)| {
            self.patterns.iter().find(|pattern| bytes[at..].starts_with(pattern.as_slice()))
        });
        found.map(|pattern| String::from_utf8_lossy(pattern).into_owned()).next()
    }
}

/// The forms in which a secret is passed: as it is, percent-encoded, and within base64.
fn forms(secret: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    [secret.to_vec(), percent_encoded(secret)].into_iter().chain(base64_forms(secret))
}

/// What every base64 contains of a text with `bytes` in it: as it is, in the alphabet for URLs, and
/// percent-encoded.
fn base64_forms(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..3).flat_map(|before| {
        let text = [&vec![0; before][..], bytes].concat();
        // Digits that depend on bytes before or after are not part of the form.
        let (first, end) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
        let standard = STANDARD.encode(&text).into_bytes()[first..end].to_vec();
        let url_safe = standard.iter().map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => *other,
        });
        let url_safe = url_safe.collect();
        let encoded = percent_encoded(&standard);
        [standard, url_safe, encoded]
    })
}

/// `bytes` with all reserved characters encoded.
fn percent_encoded(bytes: &[u8]) -> Vec<u8> {
    url::form_urlencoded::byte_serialize(bytes).collect::<String>().into_bytes()
}
