//! Section 4.4: valid and invalid appends. Sections 6 and 9: codings.

use vod_uploader_wire::Response;

use super::fixture::Fixture;
use super::mismatch::problem_type;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("an_incomplete_append_succeeds", SECTION, incomplete_succeeds),
    Case::must("an_incomplete_append_is_declared_incomplete", SECTION, declared_incomplete),
    Case::must("appends_add_up", "4.1.1", add_up),
    Case::must("the_last_append_completes", SECTION, last_completes),
    Case::must("the_last_append_is_declared_complete", SECTION, declared_complete),
    Case::must("an_empty_append_can_complete", SECTION, empty_completes),
    Case::must("the_stored_bytes_are_the_sent_bytes", SECTION, stored_bytes_match),
    Case::must("chunks_are_decoded_before_they_are_counted", "9", chunks),
    Case::must("an_append_without_an_offset_is_rejected", SECTION, no_offset),
    Case::must("an_append_without_completeness_does_not_complete", SECTION, no_completeness),
    Case::should("another_media_type_returns_415", "RFC 5789, section 2.2", other_type),
    Case::should("a_415_returns_the_media_type", "RFC 5789, section 2.2", returns_type),
    Case::must("an_append_to_a_complete_upload_is_rejected", SECTION, complete_rejects),
    Case::must("an_empty_append_to_a_complete_upload_is_rejected", SECTION, complete_rejects_empty),
    Case::must("a_complete_upload_does_not_change", SECTION, complete_stays),
    Case::should("bytes_for_a_complete_upload_are_of_inconsistent_length", SECTION, complete_type),
];

fn incomplete_succeeds(fixture: &Fixture) -> Verdict {
    incomplete(fixture)?.expect_success()
}

fn declared_incomplete(fixture: &Fixture) -> Verdict {
    fixture.since(7)?;
    fixture.expect_complete(&incomplete(fixture)?, false)
}

fn incomplete(fixture: &Fixture) -> Result<Response, CaseAbort> {
    let upload = fixture.create()?;
    fixture.send(&fixture.patch(&upload, 0, &sample(fixture.append_bytes()?), false))
}

fn add_up(fixture: &Fixture) -> Verdict {
    let append_bytes = fixture.append_bytes()?;
    let upload = fixture.create()?;
    for number in 0..3 {
        fixture.append(&upload, number * append_bytes..(number + 1) * append_bytes, false)?;
        fixture.expect_offset(&upload, (number + 1) * append_bytes)?;
    }
    Ok(())
}

fn last_completes(fixture: &Fixture) -> Verdict {
    let append_bytes = fixture.append_bytes()?;
    let upload = fixture.create()?;
    fixture.append(&upload, 0..append_bytes, false)?;
    fixture.append(&upload, append_bytes..append_bytes + 500, true)?;
    let head = fixture.head(&upload)?;
    match head.expect_success() {
        Ok(()) => fixture.expect_complete(&head, true),
        // The server may delete it after completion.
        Err(_) => head.expect_status(&[404, 410]),
    }
}

fn declared_complete(fixture: &Fixture) -> Verdict {
    fixture.since(7)?;
    let upload = fixture.create()?;
    let response = fixture.send(&fixture.patch(&upload, 0, &sample(1000), true))?;
    response.expect_success()?;
    fixture.expect_complete(&response, true)
}

fn empty_completes(fixture: &Fixture) -> Verdict {
    let append_bytes = fixture.append_bytes()?;
    let upload = fixture.create()?;
    fixture.append(&upload, 0..append_bytes, false)?;
    let response = fixture.send(&fixture.patch(&upload, append_bytes, b"", true))?;
    response.expect_success()?;
    if fixture.since(7).is_ok() { fixture.expect_complete(&response, true) } else { Ok(()) }
}

fn stored_bytes_match(fixture: &Fixture) -> Verdict {
    let (size, append_bytes) = (fixture.large(), fixture.append_bytes()?);
    let upload = fixture.create_by(&fixture.creation(false, &sample(append_bytes)))?;
    fixture.append(&upload, append_bytes..size, true)?;
    let read = fixture.read_back(&upload)?;
    expect(read == sample(size), || "expected the sent bytes, got others".to_owned())
}

fn chunks(fixture: &Fixture) -> Verdict {
    let append_bytes = fixture.append_bytes()?;
    let upload = fixture.create()?;
    fixture
        .send(&fixture.patch(&upload, 0, b"", false).chunked(&sample(append_bytes)))?
        .expect_success()?;
    fixture.expect_offset(&upload, append_bytes)
}

fn no_offset(fixture: &Fixture) -> Verdict {
    let upload = fixture.create()?;
    let patch = fixture.patch(&upload, 0, &sample(fixture.append_bytes()?), false);
    fixture
        .send(&patch.without("Upload-Offset"))?
        .expect_rejection("a PATCH without Upload-Offset")?;
    fixture.expect_offset(&upload, 0)
}

fn no_completeness(fixture: &Fixture) -> Verdict {
    let upload = fixture.create()?;
    let (name, _) = fixture.draft.completeness(true);
    fixture
        .send(&fixture.patch(&upload, 0, &sample(fixture.append_bytes()?), true).without(name))?;
    fixture.expect_complete(&fixture.head(&upload)?, false)
}

fn other_type(fixture: &Fixture) -> Verdict {
    of_other_type(fixture)?.expect_status(&[415])
}

fn returns_type(fixture: &Fixture) -> Verdict {
    let types = of_other_type(fixture)?.required("Accept-Patch")?;
    expect(types.contains(fixture.media_type()), || {
        format!("expected application/partial-upload in Accept-Patch, got {types:?}")
    })
}

fn of_other_type(fixture: &Fixture) -> Result<Response, CaseAbort> {
    fixture.since(6)?;
    let upload = fixture.create()?;
    let patch = fixture.patch(&upload, 0, &sample(fixture.append_bytes()?), false);
    fixture.send(&patch.replace("Content-Type", "text/plain"))
}

fn complete_rejects(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    let upload = fixture.complete(1000)?;
    let response = fixture.send(&fixture.patch(&upload, 1000, &sample(10), true))?;
    response.expect_rejection("bytes after the end")
}

fn complete_rejects_empty(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    let upload = fixture.complete(1000)?;
    let response = fixture.send(&fixture.patch(&upload, 1000, b"", true))?;
    response.expect_rejection("completing a complete upload")
}

fn complete_stays(fixture: &Fixture) -> Verdict {
    let upload = fixture.complete(1000)?;
    let before = fixture.head(&upload)?;
    if before.expect_success().is_err() {
        return Err(CaseAbort::skipped("the server deletes a complete upload"));
    }
    fixture.send(&fixture.patch(&upload, 1000, &sample(10), false))?;
    let after = fixture.head(&upload)?;
    if after.expect_success().is_ok() {
        after.expect_field("Upload-Offset", 1000)?;
        fixture.expect_complete(&after, true)?;
    }
    Ok(())
}

fn complete_type(fixture: &Fixture) -> Verdict {
    fixture.since(8)?;
    let upload = fixture.complete(1000)?;
    let response = fixture.send(&fixture.patch(&upload, 1000, &sample(10), true))?;
    problem_type(&response, "inconsistent-upload-length")
}

const SECTION: &str = "4.4";
