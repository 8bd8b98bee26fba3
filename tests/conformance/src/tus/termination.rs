//! Section Termination.

use url::Url;

use super::scene::Scene;
use crate::case::{Case, Stop, Verdict};
use crate::check::ResponseChecks;
use crate::sample::sample;

pub(super) const CASES: &[Case<Scene>] = &[
    Case::must("delete_is_answered_204", SECTION, is_204),
    Case::must("a_complete_upload_can_be_deleted", SECTION, complete_can_be_deleted),
    Case::should("head_of_a_deleted_upload_is_answered_404_or_410", SECTION, head_is_gone),
    Case::should("patch_of_a_deleted_upload_is_answered_404_or_410", SECTION, patch_is_gone),
    Case::should("delete_of_a_deleted_upload_is_answered_404_or_410", SECTION, delete_is_gone),
];

fn is_204(scene: &Scene) -> Verdict {
    scene.needs("termination")?;
    let upload = scene.create(1000)?;
    scene.append(&upload, 0, &sample(400))?;
    scene.send(&scene.request("DELETE", &upload))?.expect_status(&[204])
}

fn complete_can_be_deleted(scene: &Scene) -> Verdict {
    scene.needs("termination")?;
    let upload = scene.complete(&sample(1000))?;
    scene.send(&scene.request("DELETE", &upload))?.expect_status(&[204])
}

fn head_is_gone(scene: &Scene) -> Verdict {
    let upload = deleted(scene)?;
    scene.head(&upload)?.expect_status(&[404, 410])
}

fn patch_is_gone(scene: &Scene) -> Verdict {
    let upload = deleted(scene)?;
    scene.send(&scene.patch(&upload, 0, &sample(100)))?.expect_status(&[404, 410])
}

fn delete_is_gone(scene: &Scene) -> Verdict {
    let upload = deleted(scene)?;
    scene.send(&scene.request("DELETE", &upload))?.expect_status(&[404, 410])
}

fn deleted(scene: &Scene) -> Result<Url, Stop> {
    scene.needs("termination")?;
    let upload = scene.create(1000)?;
    scene.send(&scene.request("DELETE", &upload))?.expect_success()?;
    Ok(upload)
}

const SECTION: &str = "Termination";
