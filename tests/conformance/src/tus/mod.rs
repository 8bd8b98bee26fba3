//! tus 1.0.0: the core and every extension, <https://tus.io/protocols/resumable-upload>.
//!
//! Sections are named as in that text. Requirements for clients (a length at creation, the grammar
//! of metadata) are checked as rejections by the server.

mod capabilities;
mod checksum;
mod concatenation;
mod creation;
mod creation_with_upload;
mod defer_length;
mod expiration;
mod fixture;
mod head;
mod metadata;
mod method_override;
mod options;
mod patch;
mod patch_syntax;
mod termination;
mod version;

pub use self::capabilities::ServerCapabilities;
pub use self::fixture::Fixture;

use crate::case::{Case, CaseAbort, Report};
use crate::setup::Setup;

/// All cases, in the order of the specification.
pub fn cases() -> impl Iterator<Item = &'static Case<Fixture>> {
    GROUPS.iter().copied().flatten()
}

/// Requests the server's capabilities.
///
/// # Errors
/// Returns an error if there is no response to OPTIONS.
pub fn discover(setup: &Setup) -> Result<ServerCapabilities, CaseAbort> {
    ServerCapabilities::request(setup)
}

/// Runs one case.
#[must_use]
pub fn run(case: &Case<Fixture>, setup: &Setup, capabilities: &ServerCapabilities) -> Report {
    case.run(&Fixture::new(setup, capabilities), |fixture| fixture.exchanges())
}

const GROUPS: &[&[Case<Fixture>]] = &[
    options::CASES,
    version::CASES,
    head::CASES,
    patch::CASES,
    patch_syntax::CASES,
    method_override::CASES,
    creation::CASES,
    metadata::CASES,
    creation_with_upload::CASES,
    defer_length::CASES,
    expiration::CASES,
    checksum::CASES,
    termination::CASES,
    concatenation::CASES,
];
