//! HTML forms with files: `POST /v1/uploads` with `multipart/form-data`, as browsers and `curl -F`
//! send it.
//!
//! A [`FormParser`] cuts the body into fields and files as it arrives, [`FormFields`] says what the
//! fields mean for the files after them, and a [`FormResponse`] tells what became of each file: as
//! JSON, as a page, or by a redirect. Bytes of files pass by and are never kept.

mod accept;
mod boundary;
mod event;
mod fields;
mod html_page;
mod parameters;
mod parser;
mod part_headers;
mod response;

pub use boundary::Boundary;
pub use event::{Field, FormEvent};
pub use fields::{FormFields, Redirect, form_file_name};
pub use parser::{FIELD_BYTES_MAX, FIELDS_MAX, FILES_MAX, FormParser, PART_HEAD_BYTES_MAX};
pub use part_headers::{FIELD_NAME_BYTES_MAX, PartHeaders};
pub use response::{FailedMedia, FormResponse, missing_file};
