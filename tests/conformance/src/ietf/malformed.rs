//! Sections 4.1.1 to 4.1.3: headers with values of another type are ignored.

use vod_uploader_wire::Request;

use super::fixture::Fixture;
use crate::case::{Case, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("a_malformed_offset_is_ignored", "4.1.1", offset),
    Case::must(
        "a_malformed_completeness_of_a_creation_is_ignored",
        "4.1.2",
        completeness_of_creation,
    ),
    Case::must("a_malformed_completeness_does_not_complete", "4.1.2", completeness_of_append),
    Case::must("a_malformed_length_is_ignored", "4.1.3", length),
    Case::should("fields_may_have_parameters", "RFC 9651, section 3.3", parameters),
];

fn offset(fixture: &Fixture) -> Verdict {
    let append_bytes = fixture.append_bytes()?;
    let upload = fixture.create()?;
    fixture.append(&upload, 0..append_bytes, false)?;
    let written = append_bytes.to_string();
    for malformed in [format!("+{written}"), format!("{written}.0"), format!("\"{written}\"")] {
        let patch = fixture.patch(&upload, append_bytes, &sample(append_bytes), false);
        let response = fixture.send(&patch.replace("Upload-Offset", &malformed))?;
        response.expect_rejection(&format!("Upload-Offset: {malformed}"))?;
        fixture.expect_offset(&upload, append_bytes)?;
    }
    Ok(())
}

fn completeness_of_creation(fixture: &Fixture) -> Verdict {
    let (name, _) = fixture.draft.completeness(false);
    let without = fixture.creation(false, &sample(10)).without(name);
    let plain = fixture.send(&without)?.status;
    for malformed in ["0", "?2", "false", "\"?0\""] {
        let status = fixture.send(&without.clone().header(name, malformed))?.status;
        expect(status == plain, || {
            format!("expected {name}: {malformed} to return {plain}, as without it, got {status}")
        })?;
    }
    Ok(())
}

fn completeness_of_append(fixture: &Fixture) -> Verdict {
    let append_bytes = fixture.append_bytes()?;
    for malformed in ["1", "true", "?1 ?1"] {
        let upload = fixture.create()?;
        let (name, _) = fixture.draft.completeness(true);
        let patch: Request = fixture.patch(&upload, 0, &sample(append_bytes), true);
        fixture.send(&patch.replace(name, malformed))?;
        fixture.expect_complete(&fixture.head(&upload)?, false)?;
    }
    Ok(())
}

fn length(fixture: &Fixture) -> Verdict {
    fixture.since(6)?;
    for malformed in ["-5", "5.5", "\"5\"", "many"] {
        let creation = fixture.creation(false, b"").header("Upload-Length", malformed);
        let upload = fixture.create_by(&creation)?;
        fixture.head(&upload)?.expect_no_field("Upload-Length")?;
    }
    Ok(())
}

fn parameters(fixture: &Fixture) -> Verdict {
    let append_bytes = fixture.append_bytes()?;
    let upload = fixture.create()?;
    let (name, value) = fixture.draft.completeness(false);
    let patch =
        fixture.patch(&upload, 0, &sample(append_bytes), false).replace("Upload-Offset", "0;a=b");
    fixture.send(&patch.replace(name, format!("{value};c")))?.expect_success()?;
    fixture.expect_offset(&upload, append_bytes)
}
