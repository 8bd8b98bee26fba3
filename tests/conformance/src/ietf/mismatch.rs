//! Sections 4.4 and 7.1: an append at another offset.

use serde_json::Value;
use url::Url;
use vod_uploader_wire::Response;

use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("another_offset_returns_409", "4.4", is_409),
    Case::must("a_409_returns_the_current_offset", "4.4", returns_offset),
    Case::must("another_offset_changes_nothing", "4.4", changes_nothing),
    Case::should("a_409_declares_the_upload_incomplete", "4.4", not_complete),
    Case::should("a_409_has_its_problem_type", "7.1", has_type),
    Case::should("a_409_has_both_offsets_as_members", "7.1", has_members),
];

fn is_409(fixture: &Fixture) -> Verdict {
    mismatch(fixture, 0)?.1.expect_status(&[409])?;
    mismatch(fixture, 1)?.1.expect_status(&[409])
}

fn returns_offset(fixture: &Fixture) -> Verdict {
    mismatch(fixture, 1)?.1.expect_field("Upload-Offset", fixture.append_bytes()?)
}

fn changes_nothing(fixture: &Fixture) -> Verdict {
    for beyond in [0, 1] {
        let (upload, _) = mismatch(fixture, beyond)?;
        fixture.expect_offset(&upload, fixture.append_bytes()?)?;
    }
    Ok(())
}

fn not_complete(fixture: &Fixture) -> Verdict {
    fixture.expect_complete(&mismatch(fixture, 1)?.1, false)
}

fn has_type(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    problem_type(&mismatch(fixture, 1)?.1, "mismatching-upload-offset")
}

fn has_members(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    let append_bytes = fixture.append_bytes()?;
    let (_, response) = mismatch(fixture, 1)?;
    let problem = problem(&response)?;
    for (name, expected) in
        [("expected-offset", append_bytes), ("provided-offset", append_bytes + 1)]
    {
        expect(problem[name] == expected, || {
            format!("expected {name}: {expected} in the problem, got {}", problem[name])
        })?;
    }
    Ok(())
}

/// An upload with one append, and the response to an append at 0, or `beyond` bytes after its end.
fn mismatch(fixture: &Fixture, beyond: usize) -> Result<(Url, Response), CaseAbort> {
    let append_bytes = fixture.append_bytes()?;
    let upload = fixture.create()?;
    fixture.append(&upload, 0..append_bytes, false)?;
    let wrong = if beyond == 0 { 0 } else { append_bytes + beyond };
    let response = fixture.send(&fixture.patch(&upload, wrong, &sample(append_bytes), false))?;
    Ok((upload, response))
}

/// Checks that a response is a problem of this type (RFC 9457).
pub(super) fn problem_type(response: &Response, name: &str) -> Verdict {
    let expected = format!("https://iana.org/assignments/http-problem-types#{name}");
    let problem = problem(response)?;
    expect(problem["type"] == expected.as_str(), || {
        format!("expected a problem of type {expected}, got {}", problem["type"])
    })
}

fn problem(response: &Response) -> Result<Value, CaseAbort> {
    let media_type = response.required("Content-Type")?;
    expect(media_type.starts_with("application/problem+json"), || {
        format!("expected application/problem+json, got {media_type}")
    })?;
    serde_json::from_slice(&response.body)
        .map_err(|cause| CaseAbort::failed(format!("the problem is not JSON: {cause}")))
}
