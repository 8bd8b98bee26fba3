//! The engine.

pub mod crc64;
pub mod credential;
pub mod error;
pub mod http;
pub mod oss;
pub mod units;
pub mod upload;
pub mod vod;
pub mod webhook;

pub use error::{Error, ErrorKind, Result, Retry, StoreError};
