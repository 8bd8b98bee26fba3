//! Section 4.5: DELETE.

use url::Url;

use super::scene::Scene;
use crate::case::{Case, Stop, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Scene>] = &[
    Case::should("delete_succeeds", SECTION, succeeds),
    Case::should("delete_is_not_redirected_with_301_or_302", SECTION, not_redirected),
    Case::should("head_of_a_cancelled_upload_is_answered_404_or_410", SECTION, head_is_gone),
    Case::should("patch_of_a_cancelled_upload_is_refused", SECTION, patch_is_refused),
];

fn succeeds(scene: &Scene) -> Verdict {
    let upload = scene.create()?;
    scene.append(&upload, 0..scene.piece()?, false)?;
    scene.send(&scene.request("DELETE", &upload))?.expect_success()
}

fn not_redirected(scene: &Scene) -> Verdict {
    let upload = scene.create()?;
    let status = scene.send(&scene.request("DELETE", &upload))?.status;
    expect(!matches!(status, 301 | 302), || format!("expected no redirection, got {status}"))
}

fn head_is_gone(scene: &Scene) -> Verdict {
    let upload = cancelled(scene)?;
    scene.head(&upload)?.expect_status(&[404, 410])
}

fn patch_is_refused(scene: &Scene) -> Verdict {
    let upload = cancelled(scene)?;
    let patch = scene.patch(&upload, 0, &sample(scene.piece()?), false);
    scene.send(&patch)?.expect_refusal("an upload that was cancelled")
}

fn cancelled(scene: &Scene) -> Result<Url, Stop> {
    let upload = scene.create()?;
    scene.send(&scene.request("DELETE", &upload))?;
    Ok(upload)
}

const SECTION: &str = "4.5";
