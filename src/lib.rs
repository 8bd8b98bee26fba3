//! The engine of vod-uploader: uploads files to Alibaba Cloud OSS for ApsaraVideo VOD.
//!
//! The engine is sans-I/O: it performs no I/O, reads no clock and generates no randomness. A
//! *driver* sends its requests, stores its records, and passes it the results and the current time.
//! The same code therefore runs in a WASI component, natively, and in a simulator with a virtual
//! clock and a crash between any two steps.
//!
//! # Modules
//!
//! Each module uses only those above it.
//!
//! | module | contents |
//! |---|---|
//! | [`units`], [`error`] | sizes, instants and limits; the error type |
//! | [`crc64`] | CRC-64/XZ, resumable, and combined over parts |
//! | [`credential`] | UploadAddress and UploadAuth, secrets, expiry, encryption at rest |
//! | [`oss`] | OSS: endpoints, signatures, one type per API call, error responses |
//! | [`vod`] | VOD: one type per API call, media kinds, the SDK's `paramData` |
//! | [`webhook`] | VOD's event notifications |
//! | [`upload`] | one resumable upload: a source of bytes becomes an object |
//! | [`queue`] | the file list of the official SDK, over uploads |
//! | [`http`] | the upload protocols (tus, the IETF draft, forms, FilePond) as pure functions |
//!
//! # The driver loop
//!
//! [`upload::Session`] and [`queue::Queue`] have the same contract:
//!
//! 1. Change the state with one call, or with `handle` and a result. Both take the current time.
//! 2. Drain: take outputs until there are none, and start each of them without waiting.
//! 3. Wait for a result or for `next_wakeup`, and continue with 1.
//!
//! The modules [`upload`] and [`queue`] specify each step. An input that the contract does not
//! allow is an error or is ignored. It never causes a panic.
//!
//! # Example
//!
//! The simulator of this repository is a driver with emulated services and a virtual clock. The app
//! in it supplies credentials and bytes when the queue requests them.
//!
//! ```
//! use vod_uploader::queue::{Event, FileState, QueueState};
//! use vod_uploader_sim::queue::Simulation;
//!
//! # fn main() -> vod_uploader::Result<()> {
//! let mut simulation = Simulation::new();
//! let film = Simulation::file("film.mp4", 250_000);
//! let id = simulation.add(film.clone())?;
//! simulation.start();
//! simulation.run();
//!
//! // The file was uploaded in three parts, and the object is complete.
//! assert_eq!(simulation.state(id), FileState::Success);
//! assert_eq!(simulation.queue_state(), QueueState::End);
//! let object = simulation.world.store.objects.values().next().expect("one object");
//! assert_eq!(object.bytes, film.content.bytes());
//!
//! // OSS has the checksum that the queue reported.
//! let reported = simulation.events.iter().find_map(|event| match event {
//!     Event::Succeeded(file) => Some(file.crc64),
//!     _ => None,
//! });
//! assert_eq!(reported, Some(object.crc64));
//! # Ok(())
//! # }
//! ```
//!
//! For signed requests without the engine, see [`oss`].

pub mod crc64;
pub mod credential;
pub mod error;
pub(crate) mod hex;
pub mod http;
pub mod oss;
pub(crate) mod percent;
pub mod queue;
pub(crate) mod timestamp;
pub mod units;
pub mod upload;
pub mod vod;
pub mod webhook;

pub use error::{Error, ErrorClass, ErrorKind, InvalidField, Result, Retry, ServiceError};
pub use queue::Queue;
pub use upload::Session;
