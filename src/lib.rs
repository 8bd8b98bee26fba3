//! The engine of vod-uploader: values in, values out.
//!
//! It uploads files to Alibaba Cloud OSS on behalf of ApsaraVideo VOD, and does none of the work
//! that a computer can see: it reads no clock, rolls no dice, opens no socket and stores nothing.
//! A *driver* does, and tells the engine what came of it. So the same machine runs in a component
//! on WASI 0.3 (`crates/host`), and under a virtual clock with a crash between any two steps
//! (`crates/sim`).
//!
//! # The tour
//!
//! From the bottom up; each module uses only those before it.
//!
//! | module | what it is |
//! |---|---|
//! | [`units`], [`error`] | sizes, instants and limits; the one error type |
//! | [`crc64`] | CRC-64/XZ, resumable and combined over parts |
//! | [`credential`] | UploadAddress and UploadAuth, secrets, expiry, sealing |
//! | [`oss`] | the store: endpoints, signatures, a file per call, error replies |
//! | [`vod`] | the VOD service: a file per call, media kinds, the SDK's param-data |
//! | [`webhook`] | what VOD posts when an upload has ended |
//! | [`upload`] | one upload: a source of bytes becomes an object |
//! | [`queue`] | the SDK's list of files, over uploads |
//! | [`http`] | the edge worker's protocols, as pure functions |
//!
//! # The loop
//!
//! Both machines, [`upload::Session`] and [`queue::Queue`], are driven by one rule: **change,
//! drain, wait**. Change the machine once, by a call or by `handle`, with the present instant; then
//! take its outputs until there are none, and begin each of them; then wait for whichever comes
//! first, an answer or `next_wakeup`, and change again. The modules [`upload`] and [`queue`] have
//! the rule in numbered steps; an input that it does not allow is an error or is taken for nothing,
//! never a panic.

pub mod crc64;
pub mod credential;
pub mod error;
pub mod http;
pub mod oss;
pub(crate) mod percent;
pub mod queue;
pub(crate) mod timestamp;
pub mod units;
pub mod upload;
pub mod vod;
pub mod webhook;

pub use error::{Error, ErrorClass, ErrorKind, InvalidField, Result, Retry, StoreError};
pub use queue::Queue;
pub use upload::Session;
