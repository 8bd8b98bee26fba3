//! What the worker does with an upload, whatever the protocol.
//!
//! | module | subject |
//! |---|---|
//! | `create` | media id, credential and records of a new upload |
//! | `append` | bytes of one request, and every refusal before they are read |
//! | `complete` | completing an upload all of whose bytes are stored |
//! | `single_request` | a file that comes in one request |
//! | `status`, `expiry` | the state of an upload, and when it expires |
//! | `stop`, `reconcile` | ending the previous writer, and resolving an unknown completion |
//! | `terminate` | ending an upload |
//! | `control` | pause, resume, a new credential |
//! | `concatenate` | partial and final uploads |
//! | `media` | which media a new upload may continue |
//! | `expire` | cleanup of expired uploads |
//! | `kv_lock` | a right that one request has at a time |
//! | `records` | the stored records |

pub(crate) mod append;
pub(crate) mod complete;
pub(crate) mod concatenate;
pub(crate) mod control;
pub(crate) mod create;
pub(crate) mod expire;
mod expiry;
pub(crate) mod kv_lock;
pub(crate) mod media;
mod reconcile;
mod records;
mod run;
pub(crate) mod single_request;
mod status;
mod stop;
mod stop_signal;
pub(crate) mod terminate;

pub(crate) use reconcile::Reconciliations;
pub(crate) use records::{load_upload_record, not_found};
pub(crate) use run::{NO_SOURCE, SessionRequest, credential_source, run_session};
pub(crate) use status::{current_status, read_only_status, upload_expires_at};
pub(crate) use stop::{ended_error, offset_status};
pub(crate) use stop_signal::StopSignal;
