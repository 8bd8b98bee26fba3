//! What the worker does with an upload, whatever the protocol. Modules import only those above
//! them:
//!
//! | module | subject |
//! |---|---|
//! | `records`, `media_record` | the stored records |
//! | `kv_lock` | a right that one request has at a time |
//! | `stop_signal` | asks the writer of an upload to stop |
//! | `expiry` | when an upload expires |
//! | `limits`, `temporary`, `credential` | size limits, temporary storage, credentials |
//! | `run` | one session of the engine |
//! | `abort`, `fence`, `delete` | what ends an upload or its writer |
//! | `status` | the state of an upload |
//! | `media`, `create` | a new upload, also of a media that exists |
//! | `concatenate` | partial and final uploads |
//! | `settle`, `reconcile` | resolve an unknown completion |
//! | `stop` | the exact offset once the writer has stopped |
//! | `append`, `single_request` | bytes of one request |
//! | `complete` | completing an upload all of whose bytes are stored |
//! | `terminate`, `control` | ending, pausing, resuming, a new credential |
//! | `filepond_transfer` | a chunked file of FilePond before its upload exists |
//! | `expire` | cleanup of expired uploads |

pub(crate) mod abort;
pub(crate) mod append;
pub(crate) mod complete;
pub(crate) mod concatenate;
pub(crate) mod control;
pub(crate) mod create;
pub(crate) mod credential;
mod delete;
pub(crate) mod expire;
mod expiry;
mod fence;
pub(crate) mod filepond_transfer;
mod kv_lock;
pub(crate) mod limits;
pub(crate) mod media;
pub(crate) mod media_record;
mod reconcile;
mod records;
mod run;
mod settle;
pub(crate) mod single_request;
mod status;
mod stop;
mod stop_signal;
mod temporary;
pub(crate) mod terminate;

pub(crate) use credential::credential_source;
pub(crate) use reconcile::read_only_status;
pub(crate) use records::{load_upload_record, not_found};
pub(crate) use run::{SessionRequest, run_session};
pub(crate) use status::{current_status, upload_expires_at};
pub(crate) use stop::offset_status;
