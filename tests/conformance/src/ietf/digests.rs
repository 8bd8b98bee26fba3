//! Section 10: digests of a request's content and of the entire representation (RFC 9530).

use url::Url;
use vod_uploader_wire::Response;

use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::digest::sha_256_field;
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::should("a_correct_content_digest_is_accepted", "10.2", right_content),
    Case::should("a_wrong_content_digest_is_rejected", "10.2", wrong_content),
    Case::should("bytes_with_a_wrong_content_digest_are_not_appended", "10.2", wrong_adds_nothing),
    Case::should("a_correct_representation_digest_is_accepted", "10.1", right_representation),
    Case::should("a_wrong_representation_digest_fails_the_upload", "10.1", wrong_representation),
    Case::should("a_wanted_representation_digest_is_returned", "10.1", wanted),
];

fn right_content(fixture: &Fixture) -> Verdict {
    let content = sample(fixture.append_bytes()?);
    let (upload, response) = append(fixture, &sha_256_field(&content))?;
    response.expect_success()?;
    fixture.expect_offset(&upload, content.len())
}

fn wrong_content(fixture: &Fixture) -> Verdict {
    let (_, response) = append(fixture, &sha_256_field(b"something else"))?;
    response.expect_rejection("a wrong Content-Digest")
}

fn wrong_adds_nothing(fixture: &Fixture) -> Verdict {
    let (upload, _) = append(fixture, &sha_256_field(b"something else"))?;
    fixture.expect_offset(&upload, 0)
}

fn right_representation(fixture: &Fixture) -> Verdict {
    complete_with(fixture, "Repr-Digest", &sha_256_field(&sample(1000)))?.expect_success()
}

fn wrong_representation(fixture: &Fixture) -> Verdict {
    let response = complete_with(fixture, "Repr-Digest", &sha_256_field(b"something else"))?;
    response.expect_rejection("a wrong Repr-Digest")
}

fn wanted(fixture: &Fixture) -> Verdict {
    let response = complete_with(fixture, "Want-Repr-Digest", "sha-256=10")?;
    let (reported, right) = (response.required("Repr-Digest")?, sha_256_field(&sample(1000)));
    expect(reported.contains(&right), || format!("expected Repr-Digest: {right}, got {reported}"))
}

/// An append with this Content-Digest.
fn append(fixture: &Fixture, digest: &str) -> Result<(Url, Response), CaseAbort> {
    fixture.since(5)?;
    let upload = fixture.create()?;
    let patch = fixture.patch(&upload, 0, &sample(fixture.append_bytes()?), false);
    let response = fixture.send(&patch.header("Content-Digest", digest))?;
    Ok((upload, response))
}

/// The response to the last append of an upload that was created with this header.
fn complete_with(fixture: &Fixture, name: &str, value: &str) -> Result<Response, CaseAbort> {
    fixture.since(5)?;
    let upload = fixture.create_by(&fixture.creation(false, b"").header(name, value))?;
    fixture.send(&fixture.patch(&upload, 0, &sample(1000), true))
}
