//! The values that a queue exchanges with its user and its driver.

mod driver_io;
mod event;
mod ids;
mod info;
mod new_file;
mod options;
pub mod state;

pub use driver_io::{Input, Output};
pub(super) use event::EventQueue;
pub use event::{Event, Succeeded, TokenExpiry};
pub use ids::{FileId, KvId, SessionId, VodCallId};
pub use info::{FileInfo, Progress};
pub(super) use new_file::NAME_BYTES_MAX;
pub use new_file::{ContentSample, NewFile, SAMPLE_BYTES};
pub use options::{Options, OptionsInput, REGION_DEFAULT, retry_policy, timeout, vod_endpoint};
pub(super) use state::{FileCall, QueueCall};
pub use state::{FileState, QueueState, UploadingPhase};
