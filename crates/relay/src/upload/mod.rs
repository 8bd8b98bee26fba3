//! Operations on uploads, shared by all protocols. Modules import only those above them:
//!
//! | module | subject |
//! |---|---|
//! | `records`, `media_record` | the stored records |
//! | `run_election`, `kv_lock` | an election; a lock in the key-value store |
//! | `expiry_index` | the index of uploads by the time at which they expire |
//! | `stop_signal` | requests that the writer of an upload stops |
//! | `expiry` | when an upload expires |
//! | `limits`, `credential`, `temporary_storage` | limits, credentials, partial uploads' storage |
//! | `run_session` | runs one session of the engine, which acquires the lease and sends the parts |
//! | `abort`, `fence`, `delete` | end an upload or its writer |
//! | `status` | the state of an upload |
//! | `continue_media`, `create` | a new upload, also of an existing media asset |
//! | `concatenate` | partial and final uploads |
//! | `reconcile`, `reconciled_status` | resolve an unknown completion |
//! | `stop` | stops the writer |
//! | `append`, `single_request` | receive the bytes of one request |
//! | `complete`, `offset` | complete an upload; the exact offset |
//! | `repr_digest` | the digest of a file across requests |
//! | `terminate`, `pause`, `replace_credential` | requests of the owner |
//! | `filepond_transfer` | a chunked file of FilePond before its upload exists |
//! | `cleanup` | deletes expired uploads |

pub(crate) mod abort;
pub(crate) mod append;
pub(crate) mod cleanup;
pub(crate) mod complete;
pub(crate) mod concatenate;
pub(crate) mod continue_media;
pub(crate) mod create;
pub(crate) mod credential;
mod delete;

mod expiry;
mod expiry_index;
mod fence;
pub(crate) mod filepond_transfer;
mod kv_lock;
pub(crate) mod limits;

pub(crate) mod media_record;
pub(crate) mod offset;
pub(crate) mod pause;
mod reconcile;
mod reconciled_status;
mod records;
pub(crate) mod replace_credential;
pub(crate) mod repr_digest;
mod run_election;
mod run_session;
pub(crate) mod single_request;
mod status;
mod stop;
mod stop_signal;
mod temporary_storage;
pub(crate) mod terminate;

pub(crate) use credential::credential_source;
pub(crate) use offset::offset_status;
pub(crate) use reconciled_status::read_only_status;
pub(crate) use records::{existing, load_upload_record, not_found};
pub(crate) use status::{current_status, upload_expires_at};
