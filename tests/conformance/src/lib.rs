//! Conformance suites for servers of resumable uploads, run against any server by its URL:
//!
//! - [`tus`]: tus 1.0.0 with its extensions, <https://tus.io/protocols/resumable-upload>;
//! - [`ietf`]: draft-ietf-httpbis-resumable-upload, interop version 8 and the older ones.
//!
//! A suite is a list of [`Case`]s, one for each MUST and SHOULD, with its section. A case creates
//! its own uploads and checks one requirement. It is lenient in everything else (for example, how
//! an upload is created), so that one defect fails few cases. A case for an extension that the
//! server does not announce is skipped, with the reason.
//!
//! Requests are written to sockets by [`vod_uploader_wire`]: the cases interrupt bodies, leave
//! connections open, send malformed headers, and read interim responses.

pub mod case;
pub mod ietf;
pub mod report;
pub mod setup;
pub mod tus;

mod case_client;
mod check;
mod digest;
mod poll;
mod sample;

pub use case::{Case, CaseAbort, Outcome, Report, RequirementLevel, Verdict};
pub use case_client::CaseClient;
pub use setup::Setup;
