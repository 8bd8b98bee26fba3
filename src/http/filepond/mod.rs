//! The requests of FilePond's own uploader (FilePond 4,
//! <https://pqina.nl/filepond/docs/api/server/>): a file in one form, or in chunks that resemble
//! those of tus.
//!
//! A chunked transfer starts with a POST that contains only the file's length. Its response is an
//! ID; each PATCH contains the file's name. FilePond repeats a failed chunk in full. After a HEAD
//! it continues with the first chunk that starts at the offset or later. The worker therefore
//! rounds an offset within a chunk down to the start of the chunk, and skips bytes that are already
//! stored.

mod call;
mod metadata;
mod response;
mod transfer;

pub use call::{FilePondCall, FilePondChunk, REVERT_BYTES_MAX, id_in_body};
pub use metadata::metadata_fields;
pub use response::{filepond_offset, filepond_stored, transfer_created};
pub use transfer::FilePondTransfer;

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
