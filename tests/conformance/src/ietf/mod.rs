//! Resumable uploads of the IETF: draft-ietf-httpbis-resumable-upload.
//!
//! Sections refer to the text after -11, whose interop version is 8. Older interop versions have
//! another header for completeness (3), no media type, limits and lengths (3 to 5), or fewer
//! requirements for responses (6): cases that do not apply are skipped.

mod append;
mod cancellation;
mod concurrency;
mod creation;
mod digests;
mod field;
mod fixture;
mod interim;
mod interruption;
mod length;
mod limits;
mod malformed;
mod mismatch;
mod offset;
mod upload_limit;

pub use self::fixture::Fixture;
pub use self::upload_limit::Limits;

use crate::case::{Case, CaseAbort, Report};
use crate::setup::Setup;

/// All cases, in the order of the specification.
pub fn cases() -> impl Iterator<Item = &'static Case<Fixture>> {
    GROUPS.iter().copied().flatten()
}

/// Requests the limits of the server, which determine the sizes of appends.
///
/// # Errors
/// Returns an error if creating an upload fails.
pub fn discover(setup: &Setup) -> Result<Limits, CaseAbort> {
    let fixture = Fixture::new(setup, &Limits::default());
    let upload = fixture.create()?;
    Ok(fixture.head(&upload)?.header("Upload-Limit").and_then(Limits::parse).unwrap_or_default())
}

/// Runs one case.
#[must_use]
pub fn run(case: &Case<Fixture>, setup: &Setup, limits: &Limits) -> Report {
    case.run(&Fixture::new(setup, limits), |fixture| fixture.exchanges())
}

const GROUPS: &[&[Case<Fixture>]] = &[
    malformed::CASES,
    length::CASES,
    limits::CASES,
    creation::CASES,
    interim::CASES,
    offset::CASES,
    append::CASES,
    mismatch::CASES,
    interruption::CASES,
    cancellation::CASES,
    concurrency::CASES,
    digests::CASES,
];
