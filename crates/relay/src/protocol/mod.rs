//! The protocols: each maps its requests to operations on uploads, and results to its responses.
//! Their syntax is in [`vod_uploader::http`].

pub(crate) mod events;
pub(crate) mod filepond;
pub(crate) mod form;
pub(crate) mod ietf;
pub(crate) mod maintenance;
pub(crate) mod plain;
pub(crate) mod state;
pub(crate) mod tus;
