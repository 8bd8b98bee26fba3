//! Section 4.4: appending, and what can be wrong with it. Sections 6 and 9: its codings.

use vod_uploader_wire::Response;

use super::fixture::Fixture;
use super::mismatch::problem_type;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("an_incomplete_append_succeeds", SECTION, incomplete_succeeds),
    Case::must("an_incomplete_append_is_said_to_be_incomplete", SECTION, said_incomplete),
    Case::must("appends_add_up", "4.1.1", add_up),
    Case::must("the_last_append_completes", SECTION, last_completes),
    Case::must("the_last_append_is_said_to_complete", SECTION, said_complete),
    Case::must("an_empty_append_can_complete", SECTION, empty_completes),
    Case::must("the_bytes_are_those_that_were_sent", SECTION, bytes_are_kept),
    Case::must("chunks_are_decoded_before_they_are_counted", "9", chunks),
    Case::must("an_append_without_an_offset_is_refused", SECTION, no_offset),
    Case::must("an_append_without_completeness_does_not_complete", SECTION, no_completeness),
    Case::should("another_media_type_is_answered_415", "RFC 5789, section 2.2", other_type),
    Case::should("a_415_tells_the_media_type", "RFC 5789, section 2.2", told_type),
    Case::must("an_append_to_a_complete_upload_is_refused", SECTION, complete_refuses),
    Case::must("an_empty_append_to_a_complete_upload_is_refused", SECTION, complete_refuses_empty),
    Case::must("a_complete_upload_does_not_change", SECTION, complete_stays),
    Case::should("bytes_for_a_complete_upload_are_of_inconsistent_length", SECTION, complete_type),
];

fn incomplete_succeeds(fixture: &Fixture) -> Verdict {
    incomplete(fixture)?.expect_success()
}

fn said_incomplete(fixture: &Fixture) -> Verdict {
    fixture.since(7)?;
    fixture.expect_complete(&incomplete(fixture)?, false)
}

fn incomplete(fixture: &Fixture) -> Result<Response, CaseAbort> {
    let upload = fixture.create()?;
    fixture.send(&fixture.patch(&upload, 0, &sample(fixture.piece()?), false))
}

fn add_up(fixture: &Fixture) -> Verdict {
    let piece = fixture.piece()?;
    let upload = fixture.create()?;
    for number in 0..3 {
        fixture.append(&upload, number * piece..(number + 1) * piece, false)?;
        fixture.expect_offset(&upload, (number + 1) * piece)?;
    }
    Ok(())
}

fn last_completes(fixture: &Fixture) -> Verdict {
    let piece = fixture.piece()?;
    let upload = fixture.create()?;
    fixture.append(&upload, 0..piece, false)?;
    fixture.append(&upload, piece..piece + 500, true)?;
    let head = fixture.head(&upload)?;
    match head.expect_success() {
        Ok(()) => fixture.expect_complete(&head, true),
        // It may be gone as soon as it is complete.
        Err(_) => head.expect_status(&[404, 410]),
    }
}

fn said_complete(fixture: &Fixture) -> Verdict {
    fixture.since(7)?;
    let upload = fixture.create()?;
    let answer = fixture.send(&fixture.patch(&upload, 0, &sample(1000), true))?;
    answer.expect_success()?;
    fixture.expect_complete(&answer, true)
}

fn empty_completes(fixture: &Fixture) -> Verdict {
    let piece = fixture.piece()?;
    let upload = fixture.create()?;
    fixture.append(&upload, 0..piece, false)?;
    let answer = fixture.send(&fixture.patch(&upload, piece, b"", true))?;
    answer.expect_success()?;
    if fixture.since(7).is_ok() { fixture.expect_complete(&answer, true) } else { Ok(()) }
}

fn bytes_are_kept(fixture: &Fixture) -> Verdict {
    let (size, piece) = (fixture.large(), fixture.piece()?);
    let upload = fixture.create_by(&fixture.creation(false, &sample(piece)))?;
    fixture.append(&upload, piece..size, true)?;
    let read = fixture.read_back(&upload)?;
    expect(read == sample(size), || "expected the bytes that were sent, got others".to_owned())
}

fn chunks(fixture: &Fixture) -> Verdict {
    let piece = fixture.piece()?;
    let upload = fixture.create()?;
    fixture
        .send(&fixture.patch(&upload, 0, b"", false).chunked(&sample(piece)))?
        .expect_success()?;
    fixture.expect_offset(&upload, piece)
}

fn no_offset(fixture: &Fixture) -> Verdict {
    let upload = fixture.create()?;
    let patch = fixture.patch(&upload, 0, &sample(fixture.piece()?), false);
    fixture
        .send(&patch.without("Upload-Offset"))?
        .expect_refusal("a PATCH without Upload-Offset")?;
    fixture.expect_offset(&upload, 0)
}

fn no_completeness(fixture: &Fixture) -> Verdict {
    let upload = fixture.create()?;
    let (name, _) = fixture.draft.completeness(true);
    fixture.send(&fixture.patch(&upload, 0, &sample(fixture.piece()?), true).without(name))?;
    fixture.expect_complete(&fixture.head(&upload)?, false)
}

fn other_type(fixture: &Fixture) -> Verdict {
    of_other_type(fixture)?.expect_status(&[415])
}

fn told_type(fixture: &Fixture) -> Verdict {
    let types = of_other_type(fixture)?.required("Accept-Patch")?;
    expect(types.contains(fixture.media_type()), || {
        format!("expected application/partial-upload in Accept-Patch, got {types:?}")
    })
}

fn of_other_type(fixture: &Fixture) -> Result<Response, CaseAbort> {
    fixture.since(6)?;
    let upload = fixture.create()?;
    let patch = fixture.patch(&upload, 0, &sample(fixture.piece()?), false);
    fixture.send(&patch.replace("Content-Type", "text/plain"))
}

fn complete_refuses(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    let upload = fixture.complete(1000)?;
    let answer = fixture.send(&fixture.patch(&upload, 1000, &sample(10), true))?;
    answer.expect_refusal("bytes after the end")
}

fn complete_refuses_empty(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    let upload = fixture.complete(1000)?;
    let answer = fixture.send(&fixture.patch(&upload, 1000, b"", true))?;
    answer.expect_refusal("completing what is complete")
}

fn complete_stays(fixture: &Fixture) -> Verdict {
    let upload = fixture.complete(1000)?;
    let before = fixture.head(&upload)?;
    if before.expect_success().is_err() {
        return Err(CaseAbort::skipped("a complete upload is gone"));
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
    let answer = fixture.send(&fixture.patch(&upload, 1000, &sample(10), true))?;
    problem_type(&answer, "inconsistent-upload-length")
}

const SECTION: &str = "4.4";
