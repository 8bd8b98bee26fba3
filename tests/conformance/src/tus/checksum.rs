//! Section Checksum.

use url::Url;
use vod_uploader_wire::Response;

use super::scene::Scene;
use crate::case::{Case, Stop, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::digest::checksum;
use crate::sample::sample;

pub(super) const CASES: &[Case<Scene>] = &[
    Case::must("the_algorithms_are_lower_case_names", SECTION, algorithms_are_names),
    Case::must("sha1_is_among_the_algorithms", SECTION, sha1_is_announced),
    Case::must("a_right_checksum_is_taken_for_every_algorithm", SECTION, right_is_taken),
    Case::should("an_unknown_algorithm_is_answered_400", SECTION, unknown_is_400),
    Case::must("an_unknown_algorithm_changes_nothing", SECTION, unknown_changes_nothing),
    Case::should("a_wrong_checksum_is_answered_460", SECTION, wrong_is_460),
    Case::must("a_wrong_checksum_changes_nothing", SECTION, wrong_changes_nothing),
    Case::must("a_malformed_checksum_changes_nothing", SECTION, malformed_changes_nothing),
    Case::must("bytes_are_taken_again_after_a_wrong_checksum", SECTION, taken_again),
    Case::must("a_right_checksum_in_a_trailer_is_taken", SECTION, trailer_is_taken),
    Case::must("a_wrong_checksum_in_a_trailer_changes_nothing", SECTION, wrong_trailer),
];

fn algorithms_are_names(scene: &Scene) -> Verdict {
    scene.needs("checksum")?;
    let names = &scene.offer.checksum_algorithms;
    let is_name = |name: &String| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
    };
    expect(!names.is_empty() && names.iter().all(is_name), || {
        format!("expected names in lower case as Tus-Checksum-Algorithm, got {names:?}")
    })
}

fn sha1_is_announced(scene: &Scene) -> Verdict {
    scene.needs("checksum")?;
    let names = &scene.offer.checksum_algorithms;
    expect(names.iter().any(|name| name == "sha1"), || {
        format!("expected sha1 in Tus-Checksum-Algorithm, got {names:?}")
    })
}

fn right_is_taken(scene: &Scene) -> Verdict {
    let upload = new_upload(scene)?;
    let content = sample(100);
    let mut offset = 0;
    for name in &scene.offer.checksum_algorithms {
        // An algorithm that is not known here cannot be checked.
        let Some(sum) = checksum(name, &content) else { continue };
        let patch = scene.patch(&upload, offset, &content);
        scene.send(&patch.header(FIELD, format!("{name} {sum}")))?.expect_success()?;
        offset += content.len();
        scene.expect_offset(&upload, offset)?;
    }
    Ok(())
}

fn unknown_is_400(scene: &Scene) -> Verdict {
    let (_, answer) = patch(scene, "rot13 AAAA")?;
    answer.expect_status(&[400])
}

fn unknown_changes_nothing(scene: &Scene) -> Verdict {
    let (upload, _) = patch(scene, "rot13 AAAA")?;
    scene.expect_offset(&upload, 0)
}

fn wrong_is_460(scene: &Scene) -> Verdict {
    let (_, answer) = patch(scene, &wrong_sum())?;
    answer.expect_status(&[460])
}

fn wrong_changes_nothing(scene: &Scene) -> Verdict {
    let (upload, _) = patch(scene, &wrong_sum())?;
    scene.expect_offset(&upload, 0)
}

fn malformed_changes_nothing(scene: &Scene) -> Verdict {
    for malformed in ["sha1", "", "sha1 ???", "sha1 AAAA"] {
        let (upload, answer) = patch(scene, malformed)?;
        answer.expect_refusal(&format!("{FIELD}: {malformed}"))?;
        scene.expect_offset(&upload, 0)?;
    }
    Ok(())
}

fn taken_again(scene: &Scene) -> Verdict {
    let (upload, _) = patch(scene, &wrong_sum())?;
    let content = sample(100);
    let sum = checksum("sha1", &content).unwrap_or_default();
    let again = scene.patch(&upload, 0, &content).header(FIELD, format!("sha1 {sum}"));
    scene.send(&again)?.expect_success()?;
    scene.expect_offset(&upload, 100)
}

fn trailer_is_taken(scene: &Scene) -> Verdict {
    scene.needs("checksum-trailer")?;
    let upload = new_upload(scene)?;
    let content = sample(2000);
    let sum = checksum("sha1", &content).unwrap_or_default();
    let patch = scene.patch(&upload, 0, &content).trailer(FIELD, format!("sha1 {sum}"));
    scene.send(&patch)?.expect_success()?;
    scene.expect_offset(&upload, 2000)
}

fn wrong_trailer(scene: &Scene) -> Verdict {
    scene.needs("checksum-trailer")?;
    let upload = new_upload(scene)?;
    let patch = scene.patch(&upload, 0, &sample(2000)).trailer(FIELD, wrong_sum());
    scene.send(&patch)?.expect_refusal("a wrong checksum in a trailer")?;
    scene.expect_offset(&upload, 0)
}

/// A PATCH of some bytes with this checksum.
fn patch(scene: &Scene, sum: &str) -> Result<(Url, Response), Stop> {
    let upload = new_upload(scene)?;
    let answer = scene.send(&scene.patch(&upload, 0, &sample(100)).header(FIELD, sum))?;
    Ok((upload, answer))
}

fn new_upload(scene: &Scene) -> Result<Url, Stop> {
    scene.needs("checksum")?;
    scene.create(3000)
}

/// The SHA-1 of something else.
fn wrong_sum() -> String {
    format!("sha1 {}", checksum("sha1", b"something else").unwrap_or_default())
}

const SECTION: &str = "Checksum";

const FIELD: &str = "Upload-Checksum";
