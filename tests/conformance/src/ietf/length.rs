//! Sections 4.1.3 and 7.3: the length, and requests that contradict it.

use url::Url;
use vod_uploader_wire::Response;

use super::fixture::Fixture;
use super::mismatch::problem_type;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::ResponseChecks;
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("the_length_of_a_creation_is_recorded", "4.2", of_creation),
    Case::must("the_length_of_an_append_is_recorded", "4.4", of_append),
    Case::must("the_content_length_of_the_last_append_is_the_length", "4.1.3", of_content_length),
    Case::must("two_lengths_in_one_creation_are_rejected", "4.1.3", two_in_creation),
    Case::must("two_lengths_in_one_append_are_rejected", "4.1.3", two_in_append),
    Case::must("another_length_later_is_rejected", "4.1.3", another_later),
    Case::should("an_inconsistent_length_returns_400", "7.3", is_400),
    Case::should("an_inconsistent_length_has_its_problem_type", "7.3", has_problem_type),
    Case::must("an_append_beyond_the_length_is_rejected", "4.4", beyond_is_rejected),
    Case::must("an_upload_beyond_its_length_is_invalid", "4.4", beyond_is_invalid),
];

fn of_creation(fixture: &Fixture) -> Verdict {
    let upload = with_length(fixture, 5000)?;
    fixture.head(&upload)?.expect_field("Upload-Length", 5000)
}

fn of_append(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    let append_bytes = fixture.append_bytes()?;
    let upload = fixture.create()?;
    let patch = fixture.patch(&upload, 0, &sample(append_bytes), false);
    fixture.send(&patch.header("Upload-Length", 2 * append_bytes))?.expect_success()?;
    fixture.head(&upload)?.expect_field("Upload-Length", 2 * append_bytes)
}

fn of_content_length(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    let size = fixture.large();
    let upload = fixture.create()?;
    let patch = fixture.patch(&upload, 0, &sample(size), true);
    fixture.interrupt(&patch, size / 2)?;
    fixture.head(&upload)?.expect_field("Upload-Length", size)
}

fn two_in_creation(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    let creation = fixture.creation(true, &sample(1000)).header("Upload-Length", 2000);
    fixture.send(&creation)?.expect_rejection("1000 complete bytes with an Upload-Length of 2000")
}

fn two_in_append(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    let upload = fixture.create()?;
    let patch = fixture.patch(&upload, 0, &sample(1000), true).header("Upload-Length", 2000);
    fixture.send(&patch)?.expect_rejection("1000 complete bytes with an Upload-Length of 2000")
}

fn another_later(fixture: &Fixture) -> Verdict {
    contradicting(fixture)?.expect_rejection("a different Upload-Length than before")
}

fn is_400(fixture: &Fixture) -> Verdict {
    contradicting(fixture)?.expect_status(&[400])
}

fn has_problem_type(fixture: &Fixture) -> Verdict {
    fixture.since(7)?;
    problem_type(&contradicting(fixture)?, "inconsistent-upload-length")
}

fn beyond_is_rejected(fixture: &Fixture) -> Verdict {
    let (_, response) = beyond(fixture)?;
    response.expect_rejection("more bytes than the length")
}

fn beyond_is_invalid(fixture: &Fixture) -> Verdict {
    fixture.since(8)?;
    let (upload, _) = beyond(fixture)?;
    fixture.head(&upload)?.expect_rejection("an upload that exceeded its length")
}

/// The response to an append whose length is not that of the creation.
fn contradicting(fixture: &Fixture) -> Result<Response, CaseAbort> {
    let append_bytes = fixture.append_bytes()?;
    let upload = with_length(fixture, 3 * append_bytes)?;
    let patch = fixture.patch(&upload, 0, &sample(append_bytes), false);
    fixture.send(&patch.header("Upload-Length", 4 * append_bytes))
}

/// An upload, and the response to an append beyond its length. The append is chunked, since a
/// Content-Length would already contradict the length.
fn beyond(fixture: &Fixture) -> Result<(Url, Response), CaseAbort> {
    let append_bytes = fixture.append_bytes()?;
    let upload = with_length(fixture, append_bytes)?;
    let response =
        fixture.send(&fixture.patch(&upload, 0, b"", false).chunked(&sample(2 * append_bytes)))?;
    Ok((upload, response))
}

fn with_length(fixture: &Fixture, length: usize) -> Result<Url, CaseAbort> {
    fixture.since(6)?;
    fixture.create_by(&fixture.creation(false, b"").header("Upload-Length", length))
}
