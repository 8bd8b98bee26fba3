//! Section Expiration.

use std::time::SystemTime;

use vod_uploader_wire::Response;

use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("a_patch_returns_the_expiry", SECTION, patch_returns),
    Case::should("a_creation_returns_the_expiry", SECTION, creation_returns),
    Case::must("the_expiry_is_an_http_date", SECTION, is_a_date),
    Case::must("the_expiry_is_in_the_future", SECTION, is_to_come),
];

fn patch_returns(fixture: &Fixture) -> Verdict {
    unfinished_patch(fixture)?.required(FIELD).map(drop)
}

fn creation_returns(fixture: &Fixture) -> Verdict {
    fixture.needs("expiration")?;
    let response = fixture.send(&fixture.creation().header("Upload-Length", 1000))?;
    response.required(FIELD).map(drop)
}

fn is_a_date(fixture: &Fixture) -> Verdict {
    let value = reported(fixture)?;
    let parsed = httpdate::parse_http_date(&value).ok();
    // Senders must use the preferred format (RFC 9110, section 5.6.7).
    expect(parsed.is_some_and(|time| httpdate::fmt_http_date(time) == value), || {
        format!("expected a date like Wed, 25 Jun 2014 16:00:00 GMT as {FIELD}, got {value:?}")
    })
}

fn is_to_come(fixture: &Fixture) -> Verdict {
    let value = reported(fixture)?;
    let Ok(time) = httpdate::parse_http_date(&value) else {
        return Err(CaseAbort::skipped("the expiry is not an HTTP date"));
    };
    expect(time > SystemTime::now(), || format!("expected a future time as {FIELD}, got {value}"))
}

fn reported(fixture: &Fixture) -> Result<String, CaseAbort> {
    let response = unfinished_patch(fixture)?;
    let value = response.header(FIELD).map(str::to_owned);
    value.ok_or_else(|| CaseAbort::skipped(format!("no {FIELD} on a PATCH")))
}

fn unfinished_patch(fixture: &Fixture) -> Result<Response, CaseAbort> {
    fixture.needs("expiration")?;
    let upload = fixture.create(1000)?;
    fixture.send(&fixture.patch(&upload, 0, &sample(400)))
}

const SECTION: &str = "Expiration";

const FIELD: &str = "Upload-Expires";
