//! A world in memory for sessions to run in.

mod audit;
mod client_request;
mod crash;
mod join_stream;
mod world;
mod writer;

pub(crate) use client_request::ClientRequest;
pub(crate) use crash::Strays;
pub(crate) use join_stream::JoinStream;
pub(crate) use vod_uploader_sim::{Content, Fault, Operation, Random};
pub(crate) use world::{OBJECT, Refreshing, World, WriterId, key};
