//! Section 4.3: the state of an upload, by HEAD.

use vod_uploader_wire::Request;

use super::field;
use super::scene::Scene;
use crate::case::{Case, Stop, Verdict};
use crate::check::{ResponseChecks, expect, unknown_like};

pub(super) const CASES: &[Case<Scene>] = &[
    Case::must("head_tells_the_offset", SECTION, tells_offset),
    Case::must("head_tells_that_an_upload_is_incomplete", SECTION, tells_incomplete),
    Case::must("head_tells_that_an_upload_is_complete", SECTION, tells_complete),
    Case::must("head_tells_the_length_of_a_complete_upload", SECTION, tells_length),
    Case::must("head_tells_the_limits", SECTION, tells_limits),
    Case::should("head_is_not_cached", SECTION, not_cached),
    Case::should("head_is_not_redirected_with_301_or_302", SECTION, not_redirected),
    Case::should("a_complete_upload_stays_for_a_while", "4", stays),
    Case::must("get_tells_the_same_offset", "4.6", get_tells_the_same),
    Case::should("head_of_an_unknown_upload_is_refused", "4", unknown),
];

fn tells_offset(scene: &Scene) -> Verdict {
    let piece = scene.piece()?;
    let upload = scene.create()?;
    scene.expect_offset(&upload, 0)?;
    scene.append(&upload, 0..piece, false)?;
    let head = scene.head(&upload)?;
    head.expect_success()?;
    head.expect_field("Upload-Offset", piece)
}

fn tells_incomplete(scene: &Scene) -> Verdict {
    let upload = scene.create()?;
    scene.expect_complete(&scene.head(&upload)?, false)?;
    scene.append(&upload, 0..scene.piece()?, false)?;
    scene.expect_complete(&scene.head(&upload)?, false)
}

fn tells_complete(scene: &Scene) -> Verdict {
    let head = scene.head(&scene.complete(1000)?)?;
    if head.expect_success().is_err() {
        return Err(Stop::skipped("a complete upload is gone"));
    }
    scene.expect_complete(&head, true)?;
    head.expect_field("Upload-Offset", 1000)
}

fn tells_length(scene: &Scene) -> Verdict {
    scene.since(6)?;
    let head = scene.head(&scene.complete(1000)?)?;
    if head.expect_success().is_err() {
        return Err(Stop::skipped("a complete upload is gone"));
    }
    head.expect_field("Upload-Length", 1000)
}

fn tells_limits(scene: &Scene) -> Verdict {
    scene.since(8)?;
    let upload = scene.create()?;
    let value = scene.head(&upload)?.required("Upload-Limit")?;
    expect(!field::keys(&value).is_empty(), || {
        format!("expected limits as Upload-Limit, got {value:?}")
    })
}

fn not_cached(scene: &Scene) -> Verdict {
    let upload = scene.create()?;
    scene.head(&upload)?.expect_no_store()
}

fn not_redirected(scene: &Scene) -> Verdict {
    let status = scene.head(&scene.create()?)?.status;
    expect(!matches!(status, 301 | 302), || format!("expected no redirection, got {status}"))
}

fn stays(scene: &Scene) -> Verdict {
    let upload = scene.complete(1000)?;
    scene.head(&upload)?.expect_success()
}

fn get_tells_the_same(scene: &Scene) -> Verdict {
    let piece = scene.piece()?;
    let upload = scene.create()?;
    scene.append(&upload, 0..piece, false)?;
    // Without the interop version: whoever reads the resource.
    let answer = scene.send(&Request::new("GET", upload.as_str()))?;
    if answer.header("Upload-Offset").is_none() {
        return Err(Stop::skipped("GET tells no offset"));
    }
    answer.expect_field("Upload-Offset", piece)
}

fn unknown(scene: &Scene) -> Verdict {
    let upload = scene.create()?;
    let answer = scene.head(&unknown_like(&upload))?;
    answer.expect_refusal("an upload that there is not")
}

const SECTION: &str = "4.3";
