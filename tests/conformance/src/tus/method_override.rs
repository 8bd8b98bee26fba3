//! Section X-HTTP-Method-Override.

use super::scene::Scene;
use crate::case::{Case, Verdict};
use crate::check::ResponseChecks;
use crate::sample::sample;

pub(super) const CASES: &[Case<Scene>] = &[
    Case::must("post_with_the_override_patch_is_a_patch", SECTION, patch),
    Case::must("get_with_the_override_head_is_a_head", SECTION, head),
    Case::must("post_with_the_override_delete_is_a_delete", SECTION, delete),
    Case::must("the_override_wins_over_the_method", SECTION, wins),
];

fn patch(scene: &Scene) -> Verdict {
    let upload = scene.create(1000)?;
    let mut request = scene.patch(&upload, 0, &sample(400)).header(SECTION, "PATCH");
    "POST".clone_into(&mut request.method);
    scene.send(&request)?.expect_success()?;
    scene.expect_offset(&upload, 400)
}

fn head(scene: &Scene) -> Verdict {
    let upload = scene.create(1000)?;
    scene.append(&upload, 0, &sample(400))?;
    let answer = scene.send(&scene.request("GET", &upload).header(SECTION, "HEAD"))?;
    answer.expect_success()?;
    answer.expect_field("Upload-Offset", 400)
}

fn delete(scene: &Scene) -> Verdict {
    scene.needs("termination")?;
    let upload = scene.create(1000)?;
    scene
        .send(&scene.request("POST", &upload).header(SECTION, "DELETE").body(b""))?
        .expect_success()?;
    scene.head(&upload)?.expect_refusal("an upload that was terminated")
}

fn wins(scene: &Scene) -> Verdict {
    let upload = scene.create(1000)?;
    scene.append(&upload, 0, &sample(400))?;
    let request = scene.patch(&upload, 400, &sample(100)).header(SECTION, "HEAD");
    scene.send(&request)?;
    scene.expect_offset(&upload, 400)
}

const SECTION: &str = "X-HTTP-Method-Override";
