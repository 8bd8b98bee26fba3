//! Converts values of the interfaces from and to values of the engine.

pub(crate) mod checkpoint;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod file;
pub(crate) mod options;
pub(crate) mod token;
pub(crate) mod url_job;
