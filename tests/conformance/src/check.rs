//! Expectations that fail with a description.

use std::ops::Deref;

use url::Url;
use vod_uploader_wire::{Head, Response};

use crate::case::{CaseAbort, Verdict};

/// Fails with this text unless the condition holds.
pub(crate) fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(CaseAbort::Failed(otherwise())) }
}

/// Expectations on a response.
pub(crate) trait ResponseChecks: Deref<Target = Head> {
    /// Expects one of these status codes.
    fn expect_status(&self, expected: &[u16]) -> Verdict {
        expect(expected.contains(&self.status), || {
            let names: Vec<_> = expected.iter().map(u16::to_string).collect();
            format!("expected status {}, got {}", names.join(" or "), self.status)
        })
    }

    /// Expects a status code of 200 to 299.
    fn expect_success(&self) -> Verdict {
        let is_success = (200..300).contains(&self.status);
        expect(is_success, || format!("expected status 2xx, got {}", self.status))
    }

    /// Expects a status code of 400 to 499; `why` is the error in the request.
    fn expect_rejection(&self, why: &str) -> Verdict {
        let is_rejection = (400..500).contains(&self.status);
        expect(is_rejection, || format!("expected status 4xx for {why}, got {}", self.status))
    }

    /// Expects a header with this value.
    fn expect_field(&self, name: &str, value: impl ToString) -> Verdict {
        let value = value.to_string();
        let found = self.header(name);
        expect(found == Some(value.as_str()), || match found {
            Some(found) => format!("expected {name}: {value}, got {name}: {found}"),
            None => format!("expected {name}: {value}, got no {name}"),
        })
    }

    /// Expects no header with this name.
    fn expect_no_field(&self, name: &str) -> Verdict {
        match self.header(name) {
            Some(value) => {
                Err(CaseAbort::failed(format!("expected no {name}, got {name}: {value}")))
            }
            None => Ok(()),
        }
    }

    /// The value of a required header.
    fn required(&self, name: &str) -> Result<String, CaseAbort> {
        self.header(name)
            .map(str::to_owned)
            .ok_or_else(|| CaseAbort::failed(format!("expected {name}, got none")))
    }

    /// The value of a required header that is a non-negative integer in digits.
    fn integer(&self, name: &str) -> Result<u64, CaseAbort> {
        let value = self.required(name)?;
        let is_digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        is_digits.then(|| value.parse().ok()).flatten().ok_or_else(|| {
            CaseAbort::failed(format!("expected a non-negative integer as {name}, got {value:?}"))
        })
    }

    /// `Cache-Control` with `no-store` among its directives.
    fn expect_no_store(&self) -> Verdict {
        let control = self.required("Cache-Control")?;
        let directives = control.split(',').map(str::trim);
        let has_it = directives.into_iter().any(|one| one.eq_ignore_ascii_case("no-store"));
        expect(has_it, || format!("expected Cache-Control: no-store, got {control}"))
    }

    /// The URL in `Location`, relative to the request's URL (RFC 9110, section 10.2.2).
    fn location(&self, base: &Url) -> Result<Url, CaseAbort> {
        let location = self.required("Location")?;
        base.join(&location).map_err(|cause| {
            CaseAbort::failed(format!("Location {location:?} is not a URL: {cause}"))
        })
    }
}

impl ResponseChecks for Response {}

/// A URL like that of an upload, but of no upload.
pub(crate) fn unknown_like(upload: &Url) -> Url {
    let mut unknown = upload.clone();
    let id = upload.path().rsplit('/').next().unwrap_or_default();
    let path = upload.path().trim_end_matches(id);
    let other: String = id.chars().map(|c| if c == '0' { '1' } else { '0' }).collect();
    unknown.set_path(&format!("{path}{other}"));
    unknown
}
