//! A world in memory for sessions to run in.

mod audit;
mod client_request;
mod world;
mod writer;

pub(crate) use client_request::ClientRequest;
pub(crate) use vod_uploader_sim::{Content, Fault, Operation, Random};
pub(crate) use world::{OBJECT, Refreshing, World, WriterId, key};
