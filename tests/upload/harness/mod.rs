//! A world in memory for sessions to run in.

mod audit;
mod client_request;
mod content;
mod fault;
mod kv;
mod operation;
mod random;
mod reply;
mod store;
mod world;
mod writer;

pub(crate) use client_request::ClientRequest;
pub(crate) use content::Content;
pub(crate) use fault::Fault;
pub(crate) use operation::Operation;
pub(crate) use random::Random;
pub(crate) use world::{OBJECT, Refreshing, World, WriterId, key};
