//! HTTP/1.1 over loopback: connections that can be reset, request heads, counted bodies, replies.

mod body;
mod connection;
mod head;
mod reply;

pub(crate) use body::{BodyError, RequestBody};
pub(crate) use connection::{Connection, serve_connection};
pub(crate) use head::RequestHead;
pub(crate) use reply::{
    Reply, ReplyBody, empty, full, json, received_then_cut, streamed, with_header,
};
