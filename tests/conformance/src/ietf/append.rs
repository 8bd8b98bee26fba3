//! Section 4.4: appending, and what can be wrong with it. Sections 6 and 9: its codings.

use vod_uploader_wire::Response;

use super::mismatch::problem_type;
use super::scene::Scene;
use crate::case::{Case, Stop, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Scene>] = &[
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

fn incomplete_succeeds(scene: &Scene) -> Verdict {
    incomplete(scene)?.expect_success()
}

fn said_incomplete(scene: &Scene) -> Verdict {
    scene.since(7)?;
    scene.expect_complete(&incomplete(scene)?, false)
}

fn incomplete(scene: &Scene) -> Result<Response, Stop> {
    let upload = scene.create()?;
    scene.send(&scene.patch(&upload, 0, &sample(scene.piece()?), false))
}

fn add_up(scene: &Scene) -> Verdict {
    let piece = scene.piece()?;
    let upload = scene.create()?;
    for number in 0..3 {
        scene.append(&upload, number * piece..(number + 1) * piece, false)?;
        scene.expect_offset(&upload, (number + 1) * piece)?;
    }
    Ok(())
}

fn last_completes(scene: &Scene) -> Verdict {
    let piece = scene.piece()?;
    let upload = scene.create()?;
    scene.append(&upload, 0..piece, false)?;
    scene.append(&upload, piece..piece + 500, true)?;
    let head = scene.head(&upload)?;
    match head.expect_success() {
        Ok(()) => scene.expect_complete(&head, true),
        // It may be gone as soon as it is complete.
        Err(_) => head.expect_status(&[404, 410]),
    }
}

fn said_complete(scene: &Scene) -> Verdict {
    scene.since(7)?;
    let upload = scene.create()?;
    let answer = scene.send(&scene.patch(&upload, 0, &sample(1000), true))?;
    answer.expect_success()?;
    scene.expect_complete(&answer, true)
}

fn empty_completes(scene: &Scene) -> Verdict {
    let piece = scene.piece()?;
    let upload = scene.create()?;
    scene.append(&upload, 0..piece, false)?;
    let answer = scene.send(&scene.patch(&upload, piece, b"", true))?;
    answer.expect_success()?;
    if scene.since(7).is_ok() { scene.expect_complete(&answer, true) } else { Ok(()) }
}

fn bytes_are_kept(scene: &Scene) -> Verdict {
    let (size, piece) = (scene.large(), scene.piece()?);
    let upload = scene.create_by(&scene.creation(false, &sample(piece)))?;
    scene.append(&upload, piece..size, true)?;
    let read = scene.read_back(&upload)?;
    expect(read == sample(size), || "expected the bytes that were sent, got others".to_owned())
}

fn chunks(scene: &Scene) -> Verdict {
    let piece = scene.piece()?;
    let upload = scene.create()?;
    scene.send(&scene.patch(&upload, 0, b"", false).chunked(&sample(piece)))?.expect_success()?;
    scene.expect_offset(&upload, piece)
}

fn no_offset(scene: &Scene) -> Verdict {
    let upload = scene.create()?;
    let patch = scene.patch(&upload, 0, &sample(scene.piece()?), false);
    scene.send(&patch.without("Upload-Offset"))?.expect_refusal("a PATCH without Upload-Offset")?;
    scene.expect_offset(&upload, 0)
}

fn no_completeness(scene: &Scene) -> Verdict {
    let upload = scene.create()?;
    let (name, _) = scene.draft.completeness(true);
    scene.send(&scene.patch(&upload, 0, &sample(scene.piece()?), true).without(name))?;
    scene.expect_complete(&scene.head(&upload)?, false)
}

fn other_type(scene: &Scene) -> Verdict {
    of_other_type(scene)?.expect_status(&[415])
}

fn told_type(scene: &Scene) -> Verdict {
    let types = of_other_type(scene)?.required("Accept-Patch")?;
    expect(types.contains(scene.media_type()), || {
        format!("expected application/partial-upload in Accept-Patch, got {types:?}")
    })
}

fn of_other_type(scene: &Scene) -> Result<Response, Stop> {
    scene.since(6)?;
    let upload = scene.create()?;
    let patch = scene.patch(&upload, 0, &sample(scene.piece()?), false);
    scene.send(&patch.replace("Content-Type", "text/plain"))
}

fn complete_refuses(scene: &Scene) -> Verdict {
    scene.since(6)?;
    let upload = scene.complete(1000)?;
    let answer = scene.send(&scene.patch(&upload, 1000, &sample(10), true))?;
    answer.expect_refusal("bytes after the end")
}

fn complete_refuses_empty(scene: &Scene) -> Verdict {
    scene.since(6)?;
    let upload = scene.complete(1000)?;
    let answer = scene.send(&scene.patch(&upload, 1000, b"", true))?;
    answer.expect_refusal("completing what is complete")
}

fn complete_stays(scene: &Scene) -> Verdict {
    let upload = scene.complete(1000)?;
    let before = scene.head(&upload)?;
    if before.expect_success().is_err() {
        return Err(Stop::skipped("a complete upload is gone"));
    }
    scene.send(&scene.patch(&upload, 1000, &sample(10), false))?;
    let after = scene.head(&upload)?;
    if after.expect_success().is_ok() {
        after.expect_field("Upload-Offset", 1000)?;
        scene.expect_complete(&after, true)?;
    }
    Ok(())
}

fn complete_type(scene: &Scene) -> Verdict {
    scene.since(8)?;
    let upload = scene.complete(1000)?;
    let answer = scene.send(&scene.patch(&upload, 1000, &sample(10), true))?;
    problem_type(&answer, "inconsistent-upload-length")
}

const SECTION: &str = "4.4";
