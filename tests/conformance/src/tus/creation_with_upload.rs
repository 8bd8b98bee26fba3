//! Section Creation With Upload.

use vod_uploader_wire::{Request, tus};

use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::ResponseChecks;
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("a_creation_with_bytes_returns_201", SECTION, is_201),
    Case::must("a_creation_with_bytes_returns_the_offset", SECTION, returns_offset),
    Case::must("bytes_of_a_creation_are_stored", SECTION, bytes_count),
    Case::must("a_creation_with_all_bytes_completes", SECTION, completes),
    Case::should("a_creation_of_another_content_type_adds_nothing", SECTION, other_content_type),
    Case::must(
        "a_creation_that_expects_100_gets_a_response",
        "RFC 9110, section 10.1.1",
        expectation,
    ),
];

fn is_201(fixture: &Fixture) -> Verdict {
    fixture.send(&creation(fixture, 1000, 400)?)?.expect_status(&[201])
}

fn returns_offset(fixture: &Fixture) -> Verdict {
    fixture.send(&creation(fixture, 1000, 400)?)?.expect_field("Upload-Offset", 400)
}

fn bytes_count(fixture: &Fixture) -> Verdict {
    let upload = fixture.create_by(&creation(fixture, 1000, 400)?)?;
    fixture.expect_offset(&upload, 400)?;
    fixture.append(&upload, 400, &sample(600))?;
    fixture.expect_offset(&upload, 1000)
}

fn completes(fixture: &Fixture) -> Verdict {
    let response = fixture.send(&creation(fixture, 1000, 1000)?)?;
    response.expect_success()?;
    let head = fixture.head(&response.location(&fixture.setup.url)?)?;
    head.expect_field("Upload-Offset", 1000)?;
    head.expect_field("Upload-Length", 1000)
}

fn other_content_type(fixture: &Fixture) -> Verdict {
    let request = creation(fixture, 1000, 400)?.replace("Content-Type", "application/octet-stream");
    let response = fixture.send(&request)?;
    if response.status == 201 {
        return fixture.expect_offset(&response.location(&fixture.setup.url)?, 0);
    }
    response.expect_status(&[415, 400])
}

fn expectation(fixture: &Fixture) -> Verdict {
    match fixture.send_after_continue(&creation(fixture, 1000, 1000)?)? {
        Some(response) => response.expect_success(),
        None => Ok(()),
    }
}

fn creation(fixture: &Fixture, length: usize, now: usize) -> Result<Request, CaseAbort> {
    fixture.needs("creation-with-upload")?;
    let creation = fixture.creation().header("Upload-Length", length);
    Ok(creation.header("Content-Type", tus::CONTENT_TYPE).body(&sample(now)))
}

const SECTION: &str = "Creation With Upload";
