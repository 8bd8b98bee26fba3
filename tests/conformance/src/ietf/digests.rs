//! Section 10: digests of a request's content and of the whole representation (RFC 9530).

use url::Url;
use vod_uploader_wire::Response;

use super::scene::Scene;
use crate::case::{Case, Stop, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::digest::sha_256_field;
use crate::sample::sample;

pub(super) const CASES: &[Case<Scene>] = &[
    Case::should("a_right_content_digest_is_taken", "10.2", right_content),
    Case::should("a_wrong_content_digest_is_refused", "10.2", wrong_content),
    Case::should("bytes_with_a_wrong_content_digest_are_not_appended", "10.2", wrong_adds_nothing),
    Case::should("a_right_representation_digest_is_taken", "10.1", right_representation),
    Case::should("a_wrong_representation_digest_fails_the_upload", "10.1", wrong_representation),
    Case::should("a_wanted_representation_digest_is_told", "10.1", wanted),
];

fn right_content(scene: &Scene) -> Verdict {
    let content = sample(scene.piece()?);
    let (upload, answer) = append(scene, &sha_256_field(&content))?;
    answer.expect_success()?;
    scene.expect_offset(&upload, content.len())
}

fn wrong_content(scene: &Scene) -> Verdict {
    let (_, answer) = append(scene, &sha_256_field(b"something else"))?;
    answer.expect_refusal("a wrong Content-Digest")
}

fn wrong_adds_nothing(scene: &Scene) -> Verdict {
    let (upload, _) = append(scene, &sha_256_field(b"something else"))?;
    scene.expect_offset(&upload, 0)
}

fn right_representation(scene: &Scene) -> Verdict {
    whole(scene, "Repr-Digest", &sha_256_field(&sample(1000)))?.expect_success()
}

fn wrong_representation(scene: &Scene) -> Verdict {
    let answer = whole(scene, "Repr-Digest", &sha_256_field(b"something else"))?;
    answer.expect_refusal("a wrong Repr-Digest")
}

fn wanted(scene: &Scene) -> Verdict {
    let answer = whole(scene, "Want-Repr-Digest", "sha-256=10")?;
    let (told, right) = (answer.required("Repr-Digest")?, sha_256_field(&sample(1000)));
    expect(told.contains(&right), || format!("expected Repr-Digest: {right}, got {told}"))
}

/// An append with this Content-Digest.
fn append(scene: &Scene, digest: &str) -> Result<(Url, Response), Stop> {
    scene.since(5)?;
    let upload = scene.create()?;
    let patch = scene.patch(&upload, 0, &sample(scene.piece()?), false);
    let answer = scene.send(&patch.header("Content-Digest", digest))?;
    Ok((upload, answer))
}

/// The answer to the last append of an upload that was created with this field.
fn whole(scene: &Scene, name: &str, value: &str) -> Result<Response, Stop> {
    scene.since(5)?;
    let upload = scene.create_by(&scene.creation(false, b"").header(name, value))?;
    scene.send(&scene.patch(&upload, 0, &sample(1000), true))
}
