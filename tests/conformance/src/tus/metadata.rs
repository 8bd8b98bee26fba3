//! Section Upload-Metadata.

use super::scene::{Scene, encoded};
use crate::case::{Case, Verdict};
use crate::check::ResponseChecks;

pub(super) const CASES: &[Case<Scene>] = &[
    Case::must("metadata_is_told_as_it_was_given", SECTION, told_as_given),
    Case::must("a_key_without_a_value_is_taken", SECTION, no_value),
    Case::must("an_empty_key_is_refused", SECTION, empty_key),
    Case::must("a_key_that_comes_twice_is_refused", SECTION, key_twice),
    Case::must("a_value_that_is_no_base64_is_refused", SECTION, no_base64),
    Case::must("more_than_one_space_in_a_pair_is_refused", SECTION, two_spaces),
];

fn told_as_given(scene: &Scene) -> Verdict {
    let metadata = with(scene, &format!("note {}", encoded("grün, {\"a\": 1}")));
    let upload = scene.create_by(&creation(scene, &metadata))?;
    scene.head(&upload)?.expect_field(SECTION, metadata)
}

fn no_value(scene: &Scene) -> Verdict {
    let metadata = with(scene, "is_confidential");
    let upload = scene.create_by(&creation(scene, &metadata))?;
    scene.head(&upload)?.expect_field(SECTION, metadata)
}

fn empty_key(scene: &Scene) -> Verdict {
    // An empty member, and not a value after a space, which may be taken as space between members.
    refused(scene, "an empty key", ",note")
}

fn key_twice(scene: &Scene) -> Verdict {
    let pair = format!("twice {}", encoded("a"));
    refused(scene, "a key that comes twice", &format!("{pair},{pair}"))
}

fn no_base64(scene: &Scene) -> Verdict {
    refused(scene, "a value that is no Base64", "note a?b")
}

fn two_spaces(scene: &Scene) -> Verdict {
    refused(scene, "three words in a pair", &format!("note {} more", encoded("a")))
}

fn refused(scene: &Scene, why: &str, pair: &str) -> Verdict {
    scene.needs("creation")?;
    scene.send(&creation(scene, &with(scene, pair)))?.expect_refusal(why)
}

/// The caller's metadata with one more pair at its end.
fn with(scene: &Scene, pair: &str) -> String {
    match scene.metadata() {
        metadata if metadata.is_empty() => pair.to_owned(),
        metadata => format!("{metadata},{pair}"),
    }
}

fn creation(scene: &Scene, metadata: &str) -> vod_uploader_wire::Request {
    scene.creation().header("Upload-Length", 1000).replace(SECTION, metadata)
}

const SECTION: &str = "Upload-Metadata";
