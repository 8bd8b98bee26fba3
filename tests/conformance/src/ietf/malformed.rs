//! Sections 4.1.1 to 4.1.3: fields with values of another type are ignored as a whole.

use vod_uploader_wire::Request;

use super::scene::Scene;
use crate::case::{Case, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Scene>] = &[
    Case::must("a_malformed_offset_is_as_none", "4.1.1", offset),
    Case::must("a_malformed_completeness_creates_as_none", "4.1.2", completeness_of_creation),
    Case::must("a_malformed_completeness_does_not_complete", "4.1.2", completeness_of_append),
    Case::must("a_malformed_length_is_as_none", "4.1.3", length),
    Case::should("fields_may_have_parameters", "RFC 9651, section 3.3", parameters),
];

fn offset(scene: &Scene) -> Verdict {
    let piece = scene.piece()?;
    let upload = scene.create()?;
    scene.append(&upload, 0..piece, false)?;
    let written = piece.to_string();
    for malformed in [format!("+{written}"), format!("{written}.0"), format!("\"{written}\"")] {
        let patch = scene.patch(&upload, piece, &sample(piece), false);
        let answer = scene.send(&patch.replace("Upload-Offset", &malformed))?;
        answer.expect_refusal(&format!("Upload-Offset: {malformed}"))?;
        scene.expect_offset(&upload, piece)?;
    }
    Ok(())
}

fn completeness_of_creation(scene: &Scene) -> Verdict {
    let (name, _) = scene.draft.completeness(false);
    let without = scene.creation(false, &sample(10)).without(name);
    let plain = scene.send(&without)?.status;
    for malformed in ["0", "?2", "false", "\"?0\""] {
        let status = scene.send(&without.clone().header(name, malformed))?.status;
        expect(status == plain, || {
            format!("expected {name}: {malformed} to be answered {plain} as without, got {status}")
        })?;
    }
    Ok(())
}

fn completeness_of_append(scene: &Scene) -> Verdict {
    let piece = scene.piece()?;
    for malformed in ["1", "true", "?1 ?1"] {
        let upload = scene.create()?;
        let (name, _) = scene.draft.completeness(true);
        let patch: Request = scene.patch(&upload, 0, &sample(piece), true);
        scene.send(&patch.replace(name, malformed))?;
        scene.expect_complete(&scene.head(&upload)?, false)?;
    }
    Ok(())
}

fn length(scene: &Scene) -> Verdict {
    scene.since(6)?;
    for malformed in ["-5", "5.5", "\"5\"", "many"] {
        let creation = scene.creation(false, b"").header("Upload-Length", malformed);
        let upload = scene.create_by(&creation)?;
        scene.head(&upload)?.expect_no_field("Upload-Length")?;
    }
    Ok(())
}

fn parameters(scene: &Scene) -> Verdict {
    let piece = scene.piece()?;
    let upload = scene.create()?;
    let (name, value) = scene.draft.completeness(false);
    let patch = scene.patch(&upload, 0, &sample(piece), false).replace("Upload-Offset", "0;a=b");
    scene.send(&patch.replace(name, format!("{value};c")))?.expect_success()?;
    scene.expect_offset(&upload, piece)
}
