//! Section Checksum.

use url::Url;
use vod_uploader_wire::Response;

use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect};
use crate::digest::checksum;
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("the_algorithms_are_lower_case_names", SECTION, algorithms_are_names),
    Case::must("sha1_is_among_the_algorithms", SECTION, sha1_is_announced),
    Case::must("a_correct_checksum_is_accepted_for_every_algorithm", SECTION, right_is_accepted),
    Case::should("an_unknown_algorithm_returns_400", SECTION, unknown_is_400),
    Case::must("an_unknown_algorithm_changes_nothing", SECTION, unknown_changes_nothing),
    Case::should("a_wrong_checksum_returns_460", SECTION, wrong_is_460),
    Case::must("a_wrong_checksum_changes_nothing", SECTION, wrong_changes_nothing),
    Case::must("a_malformed_checksum_changes_nothing", SECTION, malformed_changes_nothing),
    Case::must("bytes_are_accepted_again_after_a_wrong_checksum", SECTION, accepted_again),
    Case::must("a_correct_checksum_in_a_trailer_is_accepted", SECTION, trailer_is_accepted),
    Case::must("a_wrong_checksum_in_a_trailer_changes_nothing", SECTION, wrong_trailer),
];

fn algorithms_are_names(fixture: &Fixture) -> Verdict {
    fixture.needs("checksum")?;
    let names = &fixture.capabilities.checksum_algorithms;
    let is_name = |name: &String| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
    };
    expect(!names.is_empty() && names.iter().all(is_name), || {
        format!("expected names in lower case as Tus-Checksum-Algorithm, got {names:?}")
    })
}

fn sha1_is_announced(fixture: &Fixture) -> Verdict {
    fixture.needs("checksum")?;
    let names = &fixture.capabilities.checksum_algorithms;
    expect(names.iter().any(|name| name == "sha1"), || {
        format!("expected sha1 in Tus-Checksum-Algorithm, got {names:?}")
    })
}

fn right_is_accepted(fixture: &Fixture) -> Verdict {
    let upload = new_upload(fixture)?;
    let content = sample(100);
    let mut offset = 0;
    for name in &fixture.capabilities.checksum_algorithms {
        // An algorithm that is unknown here cannot be checked.
        let Some(sum) = checksum(name, &content) else { continue };
        let patch = fixture.patch(&upload, offset, &content);
        fixture.send(&patch.header(FIELD, format!("{name} {sum}")))?.expect_success()?;
        offset += content.len();
        fixture.expect_offset(&upload, offset)?;
    }
    Ok(())
}

fn unknown_is_400(fixture: &Fixture) -> Verdict {
    let (_, response) = patch(fixture, "rot13 AAAA")?;
    response.expect_status(&[400])
}

fn unknown_changes_nothing(fixture: &Fixture) -> Verdict {
    let (upload, _) = patch(fixture, "rot13 AAAA")?;
    fixture.expect_offset(&upload, 0)
}

fn wrong_is_460(fixture: &Fixture) -> Verdict {
    let (_, response) = patch(fixture, &wrong_sum())?;
    response.expect_status(&[460])
}

fn wrong_changes_nothing(fixture: &Fixture) -> Verdict {
    let (upload, _) = patch(fixture, &wrong_sum())?;
    fixture.expect_offset(&upload, 0)
}

fn malformed_changes_nothing(fixture: &Fixture) -> Verdict {
    for malformed in ["sha1", "", "sha1 ???", "sha1 AAAA"] {
        let (upload, response) = patch(fixture, malformed)?;
        response.expect_rejection(&format!("{FIELD}: {malformed}"))?;
        fixture.expect_offset(&upload, 0)?;
    }
    Ok(())
}

fn accepted_again(fixture: &Fixture) -> Verdict {
    let (upload, _) = patch(fixture, &wrong_sum())?;
    let content = sample(100);
    let sum = checksum("sha1", &content).unwrap_or_default();
    let again = fixture.patch(&upload, 0, &content).header(FIELD, format!("sha1 {sum}"));
    fixture.send(&again)?.expect_success()?;
    fixture.expect_offset(&upload, 100)
}

fn trailer_is_accepted(fixture: &Fixture) -> Verdict {
    fixture.needs("checksum-trailer")?;
    let upload = new_upload(fixture)?;
    let content = sample(2000);
    let sum = checksum("sha1", &content).unwrap_or_default();
    let patch = fixture.patch(&upload, 0, &content).trailer(FIELD, format!("sha1 {sum}"));
    fixture.send(&patch)?.expect_success()?;
    fixture.expect_offset(&upload, 2000)
}

fn wrong_trailer(fixture: &Fixture) -> Verdict {
    fixture.needs("checksum-trailer")?;
    let upload = new_upload(fixture)?;
    let patch = fixture.patch(&upload, 0, &sample(2000)).trailer(FIELD, wrong_sum());
    fixture.send(&patch)?.expect_rejection("a wrong checksum in a trailer")?;
    fixture.expect_offset(&upload, 0)
}

/// A PATCH of some bytes with this checksum.
fn patch(fixture: &Fixture, sum: &str) -> Result<(Url, Response), CaseAbort> {
    let upload = new_upload(fixture)?;
    let response = fixture.send(&fixture.patch(&upload, 0, &sample(100)).header(FIELD, sum))?;
    Ok((upload, response))
}

fn new_upload(fixture: &Fixture) -> Result<Url, CaseAbort> {
    fixture.needs("checksum")?;
    fixture.create(3000)
}

/// The SHA-1 of other bytes.
fn wrong_sum() -> String {
    format!("sha1 {}", checksum("sha1", b"something else").unwrap_or_default())
}

const SECTION: &str = "Checksum";

const FIELD: &str = "Upload-Checksum";
