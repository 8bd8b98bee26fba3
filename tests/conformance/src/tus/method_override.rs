//! Section X-HTTP-Method-Override.

use super::fixture::Fixture;
use crate::case::{Case, Verdict};
use crate::check::ResponseChecks;
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("post_with_the_override_patch_is_a_patch", SECTION, patch),
    Case::must("get_with_the_override_head_is_a_head", SECTION, head),
    Case::must("post_with_the_override_delete_is_a_delete", SECTION, delete),
    Case::must("the_override_takes_precedence_over_the_method", SECTION, wins),
];

fn patch(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    let mut request = fixture.patch(&upload, 0, &sample(400)).header(SECTION, "PATCH");
    "POST".clone_into(&mut request.method);
    fixture.send(&request)?.expect_success()?;
    fixture.expect_offset(&upload, 400)
}

fn head(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    fixture.append(&upload, 0, &sample(400))?;
    let response = fixture.send(&fixture.request("GET", &upload).header(SECTION, "HEAD"))?;
    response.expect_success()?;
    response.expect_field("Upload-Offset", 400)
}

fn delete(fixture: &Fixture) -> Verdict {
    fixture.needs("termination")?;
    let upload = fixture.create(1000)?;
    fixture
        .send(&fixture.request("POST", &upload).header(SECTION, "DELETE").body(b""))?
        .expect_success()?;
    fixture.head(&upload)?.expect_rejection("a terminated upload")
}

fn wins(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    fixture.append(&upload, 0, &sample(400))?;
    let request = fixture.patch(&upload, 400, &sample(100)).header(SECTION, "HEAD");
    fixture.send(&request)?;
    fixture.expect_offset(&upload, 400)
}

const SECTION: &str = "X-HTTP-Method-Override";
