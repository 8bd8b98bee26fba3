//! Sections Upload-Offset and Upload-Length: what is no non-negative integer. And RFC 9110's
//! expectations, which clients use before they send large bodies.

use super::fixture::Fixture;
use crate::case::{Case, CaseAbort, Verdict};
use crate::check::ResponseChecks;
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("an_offset_that_is_no_integer_is_refused", "Upload-Offset", offsets),
    Case::must("an_offset_that_is_no_integer_changes_nothing", "Upload-Offset", offsets_keep),
    Case::must("a_missing_offset_is_refused", "PATCH", missing_offset),
    Case::must("a_length_that_is_no_integer_is_refused", "Upload-Length", lengths),
    Case::must("a_patch_that_expects_100_is_answered", EXPECT, expectation),
];

fn offsets(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    fixture.append(&upload, 0, &sample(5))?;
    for wrong in NO_INTEGERS {
        let patch = fixture.patch(&upload, 5, &sample(100)).replace("Upload-Offset", wrong);
        fixture.send(&patch)?.expect_refusal(&format!("Upload-Offset: {wrong}"))?;
    }
    Ok(())
}

fn offsets_keep(fixture: &Fixture) -> Verdict {
    for wrong in NO_INTEGERS {
        let upload = fixture.create(1000)?;
        fixture.append(&upload, 0, &sample(5))?;
        fixture.send(&fixture.patch(&upload, 5, &sample(100)).replace("Upload-Offset", wrong))?;
        fixture.expect_offset(&upload, 5)?;
    }
    Ok(())
}

fn missing_offset(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    let patch = fixture.patch(&upload, 0, &sample(100)).without("Upload-Offset");
    fixture.send(&patch)?.expect_refusal("a PATCH without Upload-Offset")?;
    fixture.expect_offset(&upload, 0)
}

fn lengths(fixture: &Fixture) -> Verdict {
    fixture.needs("creation")?;
    for wrong in NO_INTEGERS {
        let creation = fixture.creation().header("Upload-Length", wrong);
        fixture.send(&creation)?.expect_refusal(&format!("Upload-Length: {wrong}"))?;
    }
    Ok(())
}

fn expectation(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    let patch = fixture.patch(&upload, 0, &sample(1000)).header("Expect", "100-continue");
    let mut pending = fixture.client.start(&patch)?;
    let head = pending.next_head(fixture.setup.answer_limit).map_err(|cause| {
        CaseAbort::failed(format!("expected 100 or a final answer before the content, got {cause}"))
    })?;
    if head.status == 100 {
        pending.send(&patch.content);
        pending.response()?.expect_success()?;
        return fixture.expect_offset(&upload, 1000);
    }
    Ok(())
}

/// Not non-negative integers, each in its own way. The first ones are 5 to a lenient reader.
const NO_INTEGERS: &[&str] =
    &["+5", "5.0", "5 5", "0x5", "-5", "", "five", "99999999999999999999999999"];

const EXPECT: &str = "RFC 9110, section 10.1.1";
