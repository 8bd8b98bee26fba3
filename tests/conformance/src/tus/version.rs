//! Section Tus-Resumable.

use vod_uploader_wire::Response;

use super::fixture::Fixture;
use super::options::expect_versions;
use crate::case::{Case, Verdict};
use crate::check::{ResponseChecks, unknown_like};
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("another_version_returns_412_with_the_versions", SECTION, another_is_412),
    Case::must("a_request_in_another_version_is_not_processed", SECTION, another_is_not_processed),
    Case::must("every_success_has_the_version", SECTION, successes_have_it),
    Case::must("every_error_has_the_version", SECTION, errors_have_it),
];

fn another_is_412(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(100)?;
    let creation = fixture.creation().header("Upload-Length", 100);
    for request in [creation, fixture.request("HEAD", &upload), fixture.patch(&upload, 0, b"a")] {
        let response = fixture.send(&request.replace("Tus-Resumable", "0.0.1"))?;
        response.expect_status(&[412])?;
        expect_versions(&response)?;
    }
    Ok(())
}

fn another_is_not_processed(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(100)?;
    let patch = fixture.patch(&upload, 0, &sample(50));
    fixture.send(&patch.replace("Tus-Resumable", "0.0.1"))?;
    fixture.expect_offset(&upload, 0)
}

fn successes_have_it(fixture: &Fixture) -> Verdict {
    fixture.needs("creation")?;
    let creation = fixture.send(&fixture.creation().header("Upload-Length", 100))?;
    expect_version(&creation)?;
    let upload = creation.location(&fixture.setup.url)?;
    expect_version(&fixture.head(&upload)?)?;
    expect_version(&fixture.send(&fixture.patch(&upload, 0, &sample(100)))?)
}

fn errors_have_it(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(100)?;
    let misplaced = fixture.patch(&upload, 7, b"a");
    let other_type = fixture.patch(&upload, 0, b"a").replace("Content-Type", "text/plain");
    let other_version = fixture.patch(&upload, 0, b"a").replace("Tus-Resumable", "0.0.1");
    let unknown = fixture.request("HEAD", &unknown_like(&upload));
    for request in [misplaced, other_type, other_version, unknown] {
        expect_version(&fixture.send(&request)?)?;
    }
    Ok(())
}

fn expect_version(response: &Response) -> Verdict {
    response.expect_field("Tus-Resumable", "1.0.0")
}

const SECTION: &str = "Tus-Resumable";
