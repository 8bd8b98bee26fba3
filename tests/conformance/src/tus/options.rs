//! Sections OPTIONS, Tus-Version, Tus-Extension and Tus-Max-Size.

use vod_uploader_wire::{Request, Response};

use super::capabilities::list;
use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::{ResponseChecks, expect};

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("options_returns_the_versions", "OPTIONS", returns_versions),
    Case::must("options_ignores_the_version_of_the_client", "OPTIONS", ignores_version),
    Case::must("extensions_are_a_list_or_absent", "Tus-Extension", extensions_are_a_list),
    Case::must("the_maximum_size_is_a_non_negative_integer", "Tus-Max-Size", size_max),
    Case::must("creation_with_upload_requires_creation", "Creation With Upload", with_creation),
];

fn returns_versions(fixture: &Fixture) -> Verdict {
    let response = fixture.send(&options(fixture))?;
    response.expect_status(&[200, 204])?;
    expect_versions(&response)
}

fn ignores_version(fixture: &Fixture) -> Verdict {
    let response = fixture.send(&options(fixture).header("Tus-Resumable", "0.0.1"))?;
    response.expect_status(&[200, 204])?;
    expect_versions(&response)
}

fn extensions_are_a_list(fixture: &Fixture) -> Verdict {
    let response = fixture.send(&options(fixture))?;
    let Some(value) = response.header("Tus-Extension") else { return Ok(()) };
    let is_name = |name: &String| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    expect(list(value).iter().all(is_name), || {
        format!("expected comma-separated names as Tus-Extension, got {value:?}")
    })
}

fn size_max(fixture: &Fixture) -> Verdict {
    let response = fixture.send(&options(fixture))?;
    if response.header("Tus-Max-Size").is_none() {
        return Err(CaseAbort::skipped("no Tus-Max-Size is announced"));
    }
    response.integer("Tus-Max-Size").map(drop)
}

fn with_creation(fixture: &Fixture) -> Verdict {
    fixture.needs("creation-with-upload")?;
    expect(fixture.offers("creation"), || {
        "expected creation among the extensions, since creation-with-upload is".to_owned()
    })
}

/// Expects this version in the list `Tus-Version`.
pub(super) fn expect_versions(response: &Response) -> Verdict {
    let versions = response.required("Tus-Version")?;
    expect(list(&versions).iter().any(|version| version == "1.0.0"), || {
        format!("expected 1.0.0 in Tus-Version, got {versions:?}")
    })
}

fn options(fixture: &Fixture) -> Request {
    Request::new("OPTIONS", fixture.setup.url.as_str())
}
