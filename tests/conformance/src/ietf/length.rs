//! Sections 4.1.3 and 7.3: the length, and requests that contradict it.

use url::Url;
use vod_uploader_wire::Response;

use super::mismatch::problem_type;
use super::scene::Scene;
use crate::case::{Case, Stop, Verdict};
use crate::check::ResponseChecks;
use crate::sample::sample;

pub(super) const CASES: &[Case<Scene>] = &[
    Case::must("the_length_of_a_creation_is_recorded", "4.2", of_creation),
    Case::must("the_length_of_an_append_is_recorded", "4.4", of_append),
    Case::must("the_content_length_of_the_last_append_is_the_length", "4.1.3", of_content_length),
    Case::must("two_lengths_in_one_creation_are_refused", "4.1.3", two_in_creation),
    Case::must("two_lengths_in_one_append_are_refused", "4.1.3", two_in_append),
    Case::must("another_length_later_is_refused", "4.1.3", another_later),
    Case::should("an_inconsistent_length_is_answered_400", "7.3", is_400),
    Case::should("an_inconsistent_length_has_its_problem_type", "7.3", has_problem_type),
    Case::must("an_append_beyond_the_length_is_refused", "4.4", beyond_is_refused),
    Case::must("an_upload_beyond_its_length_is_invalid", "4.4", beyond_is_invalid),
];

fn of_creation(scene: &Scene) -> Verdict {
    let upload = with_length(scene, 5000)?;
    scene.head(&upload)?.expect_field("Upload-Length", 5000)
}

fn of_append(scene: &Scene) -> Verdict {
    scene.since(6)?;
    let piece = scene.piece()?;
    let upload = scene.create()?;
    let patch = scene.patch(&upload, 0, &sample(piece), false);
    scene.send(&patch.header("Upload-Length", 2 * piece))?.expect_success()?;
    scene.head(&upload)?.expect_field("Upload-Length", 2 * piece)
}

fn of_content_length(scene: &Scene) -> Verdict {
    scene.since(6)?;
    let size = scene.large();
    let upload = scene.create()?;
    let patch = scene.patch(&upload, 0, &sample(size), true);
    scene.client.send_part(&patch, size / 2)?.interrupt();
    scene.head(&upload)?.expect_field("Upload-Length", size)
}

fn two_in_creation(scene: &Scene) -> Verdict {
    scene.since(6)?;
    let creation = scene.creation(true, &sample(1000)).header("Upload-Length", 2000);
    scene.send(&creation)?.expect_refusal("1000 bytes that are all of 2000")
}

fn two_in_append(scene: &Scene) -> Verdict {
    scene.since(6)?;
    let upload = scene.create()?;
    let patch = scene.patch(&upload, 0, &sample(1000), true).header("Upload-Length", 2000);
    scene.send(&patch)?.expect_refusal("1000 bytes that are all of 2000")
}

fn another_later(scene: &Scene) -> Verdict {
    contradicting(scene)?.expect_refusal("another Upload-Length than before")
}

fn is_400(scene: &Scene) -> Verdict {
    contradicting(scene)?.expect_status(&[400])
}

fn has_problem_type(scene: &Scene) -> Verdict {
    scene.since(7)?;
    problem_type(&contradicting(scene)?, "inconsistent-upload-length")
}

fn beyond_is_refused(scene: &Scene) -> Verdict {
    let (_, answer) = beyond(scene)?;
    answer.expect_refusal("more bytes than the length")
}

fn beyond_is_invalid(scene: &Scene) -> Verdict {
    scene.since(8)?;
    let (upload, _) = beyond(scene)?;
    scene.head(&upload)?.expect_refusal("an upload that went beyond its length")
}

/// The answer to an append whose length is not that of the creation.
fn contradicting(scene: &Scene) -> Result<Response, Stop> {
    let piece = scene.piece()?;
    let upload = with_length(scene, 3 * piece)?;
    let patch = scene.patch(&upload, 0, &sample(piece), false);
    scene.send(&patch.header("Upload-Length", 4 * piece))
}

/// An upload, and the answer to an append beyond its length. In chunks, since a Content-Length
/// would give it away beforehand.
fn beyond(scene: &Scene) -> Result<(Url, Response), Stop> {
    let piece = scene.piece()?;
    let upload = with_length(scene, piece)?;
    let answer = scene.send(&scene.patch(&upload, 0, b"", false).chunked(&sample(2 * piece)))?;
    Ok((upload, answer))
}

fn with_length(scene: &Scene, length: usize) -> Result<Url, Stop> {
    scene.since(6)?;
    scene.create_by(&scene.creation(false, b"").header("Upload-Length", length))
}
