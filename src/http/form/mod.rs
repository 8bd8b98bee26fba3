//! HTML forms with files: `POST /v1/uploads` with `multipart/form-data`, as browsers and `curl -F`
//! send it.
//!
//! A [`FormParser`] splits the body into fields and files as it arrives, [`FormFields`] applies the
//! fields to the files after them, and a [`FormResponse`] reports the result of each file as JSON,
//! as a page or by a redirect. The bytes of files are not buffered.

mod accept;
mod boundary;
mod event;
mod fields;
mod file_result;
mod html_page;
mod parser;
mod part_headers;
mod response;

pub use boundary::Boundary;
pub use event::{Field, FormEvent};
pub use fields::{FormFields, Redirect, form_file_name};
pub use parser::FormParser;
pub use part_headers::PartHeaders;
pub use response::{FailedMedia, FormResponse, missing_file};
