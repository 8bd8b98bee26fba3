//! HTTP/1.1: connections that can be reset, request heads, counted bodies, responses.

mod body;
mod connection;
mod head;
mod response;

pub(crate) use body::{BodyError, RequestBody};
pub(crate) use connection::{Connection, serve_connection};
pub(crate) use head::RequestHead;
pub(crate) use response::{Response, empty, full, json, streamed, truncated, with_header};
