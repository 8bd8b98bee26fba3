//! The sources of an upload's bytes: a request's body, a file in a form, objects on OSS.

mod byte_stream;
mod form_body;
mod pace;
mod readback_stream;
mod request_body;

pub use byte_stream::{ByteStream, EmptyStream};
pub(crate) use form_body::{FilePartBody, FormBody, FormPart};
pub(crate) use readback_stream::ReadbackStream;
pub(crate) use request_body::{RequestBody, interrupted};
