//! Sections Upload-Offset and Upload-Length: invalid integers. RFC 9110: expectations, which
//! clients use before they send large bodies.

use super::fixture::Fixture;
use crate::case::{Case, Verdict};
use crate::check::ResponseChecks;
use crate::sample::sample;

pub(super) const CASES: &[Case<Fixture>] = &[
    Case::must("an_offset_that_is_no_integer_is_rejected", "Upload-Offset", offsets),
    Case::must("an_offset_that_is_no_integer_changes_nothing", "Upload-Offset", offsets_keep),
    Case::must("a_missing_offset_is_rejected", "PATCH", missing_offset),
    Case::must("a_length_that_is_no_integer_is_rejected", "Upload-Length", lengths),
    Case::must("a_patch_that_expects_100_gets_a_response", EXPECT, expectation),
];

fn offsets(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    fixture.append(&upload, 0, &sample(5))?;
    for wrong in NO_INTEGERS {
        let patch = fixture.patch(&upload, 5, &sample(100)).replace("Upload-Offset", wrong);
        fixture.send(&patch)?.expect_rejection(&format!("Upload-Offset: {wrong}"))?;
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
    fixture.send(&patch)?.expect_rejection("a PATCH without Upload-Offset")?;
    fixture.expect_offset(&upload, 0)
}

fn lengths(fixture: &Fixture) -> Verdict {
    fixture.needs("creation")?;
    for wrong in NO_INTEGERS {
        let creation = fixture.creation().header("Upload-Length", wrong);
        fixture.send(&creation)?.expect_rejection(&format!("Upload-Length: {wrong}"))?;
    }
    Ok(())
}

fn expectation(fixture: &Fixture) -> Verdict {
    let upload = fixture.create(1000)?;
    let Some(response) = fixture.send_after_continue(&fixture.patch(&upload, 0, &sample(1000)))?
    else {
        return Ok(());
    };
    response.expect_success()?;
    fixture.expect_offset(&upload, 1000)
}

/// Invalid non-negative integers. A lenient parser reads the first ones as 5.
const NO_INTEGERS: &[&str] =
    &["+5", "5.0", "5 5", "0x5", "-5", "", "five", "99999999999999999999999999"];

const EXPECT: &str = "RFC 9110, section 10.1.1";
