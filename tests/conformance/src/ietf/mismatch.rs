//! Sections 4.4 and 7.1: an append at another offset.

use serde_json::Value;
use url::Url;
use vod_uploader_wire::Response;

use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("another_offset_is_answered_409", "4.4", is_409),
    Case::must("a_409_tells_the_right_offset", "4.4", tells_offset),
    Case::must("another_offset_changes_nothing", "4.4", changes_nothing),
    Case::should("a_409_says_that_the_upload_is_not_complete", "4.4", not_complete),
    Case::should("a_409_has_its_problem_type", "7.1", has_type),
    Case::should("a_409_has_both_offsets_as_members", "7.1", has_members),
];

fn is_409(fixture: &Fixture) -> Verdict {
    mismatch(fixture, 0)?.1.expect_status(&[409])?;
    mismatch(fixture, 1)?.1.expect_status(&[409])
}

fn tells_offset(fixture: &Fixture) -> Verdict {
    mismatch(fixture, 1)?.1.expect_field("Upload-Offset", fixture.piece()?)
}

fn changes_nothing(fixture: &Fixture) -> Verdict {
    for beyond in [0, 1] {
        let (upload, _) = mismatch(fixture, beyond)?;
        fixture.expect_offset(&upload, fixture.piece()?)?;
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
    let piece = fixture.piece()?;
    let (_, answer) = mismatch(fixture, 1)?;
    let problem = problem(&answer)?;
    for (name, expected) in [("expected-offset", piece), ("provided-offset", piece + 1)] {
        expect(problem[name] == expected, || {
            format!("expected {name}: {expected} in the problem, got {}", problem[name])
        })?;
    }
    Ok(())
}

/// An upload with one piece, and the answer to an append at 0, or this far beyond its end.
fn mismatch(fixture: &Fixture, beyond: usize) -> Result<(Url, Response), CaseAbort> {
    let piece = fixture.piece()?;
    let upload = fixture.create()?;
    fixture.append(&upload, 0..piece, false)?;
    let wrong = if beyond == 0 { 0 } else { piece + beyond };
    let answer = fixture.send(&fixture.patch(&upload, wrong, &sample(piece), false))?;
    Ok((upload, answer))
}

/// Checks that a response is a problem of this type (RFC 9457).
pub(super) fn problem_type(answer: &Response, name: &str) -> Verdict {
    let expected = format!("https://iana.org/assignments/http-problem-types#{name}");
    let problem = problem(answer)?;
    expect(problem["type"] == expected.as_str(), || {
        format!("expected a problem of type {expected}, got {}", problem["type"])
    })
}

fn problem(answer: &Response) -> Result<Value, CaseAbort> {
    let media_type = answer.required("Content-Type")?;
    expect(media_type.starts_with("application/problem+json"), || {
        format!("expected application/problem+json, got {media_type}")
    })?;
    serde_json::from_slice(&answer.body)
        .map_err(|cause| CaseAbort::failed(format!("the problem is no JSON: {cause}")))
}
