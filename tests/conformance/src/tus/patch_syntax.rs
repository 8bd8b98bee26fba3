//! Sections Upload-Offset and Upload-Length: what is no non-negative integer. And RFC 9110's
//! expectations, which clients use before they send large bodies.

use super::scene::Scene;
use crate::case::{Case, Stop, Verdict};
use crate::check::ResponseChecks;
use crate::sample::sample;

pub(super) const CASES: &[Case<Scene>] = &[
    Case::must("an_offset_that_is_no_integer_is_refused", "Upload-Offset", offsets),
    Case::must("an_offset_that_is_no_integer_changes_nothing", "Upload-Offset", offsets_keep),
    Case::must("a_missing_offset_is_refused", "PATCH", missing_offset),
    Case::must("a_length_that_is_no_integer_is_refused", "Upload-Length", lengths),
    Case::must("a_patch_that_expects_100_is_answered", EXPECT, expectation),
];

fn offsets(scene: &Scene) -> Verdict {
    let upload = scene.create(1000)?;
    scene.append(&upload, 0, &sample(5))?;
    for wrong in NO_INTEGERS {
        let patch = scene.patch(&upload, 5, &sample(100)).replace("Upload-Offset", wrong);
        scene.send(&patch)?.expect_refusal(&format!("Upload-Offset: {wrong}"))?;
    }
    Ok(())
}

fn offsets_keep(scene: &Scene) -> Verdict {
    for wrong in NO_INTEGERS {
        let upload = scene.create(1000)?;
        scene.append(&upload, 0, &sample(5))?;
        scene.send(&scene.patch(&upload, 5, &sample(100)).replace("Upload-Offset", wrong))?;
        scene.expect_offset(&upload, 5)?;
    }
    Ok(())
}

fn missing_offset(scene: &Scene) -> Verdict {
    let upload = scene.create(1000)?;
    let patch = scene.patch(&upload, 0, &sample(100)).without("Upload-Offset");
    scene.send(&patch)?.expect_refusal("a PATCH without Upload-Offset")?;
    scene.expect_offset(&upload, 0)
}

fn lengths(scene: &Scene) -> Verdict {
    scene.needs("creation")?;
    for wrong in NO_INTEGERS {
        let creation = scene.creation().header("Upload-Length", wrong);
        scene.send(&creation)?.expect_refusal(&format!("Upload-Length: {wrong}"))?;
    }
    Ok(())
}

fn expectation(scene: &Scene) -> Verdict {
    let upload = scene.create(1000)?;
    let patch = scene.patch(&upload, 0, &sample(1000)).header("Expect", "100-continue");
    let mut pending = scene.client.start(&patch)?;
    let head = pending.next_head(scene.setup.answer_limit).map_err(|cause| {
        Stop::failed(format!("expected 100 or a final answer before the content, got {cause}"))
    })?;
    if head.status == 100 {
        pending.send(&patch.content);
        pending.response()?.expect_success()?;
        return scene.expect_offset(&upload, 1000);
    }
    Ok(())
}

/// Not non-negative integers, each in its own way. The first ones are 5 to a lenient reader.
const NO_INTEGERS: &[&str] =
    &["+5", "5.0", "5 5", "0x5", "-5", "", "five", "99999999999999999999999999"];

const EXPECT: &str = "RFC 9110, section 10.1.1";
