//! A component that imports everything that `vod:uploader` has, and does what a test tells it.
//!
//! One request is one conversation, in both directions at once: the test sends commands, one JSON
//! object a line; the app answers each with a line, and sends a line for each event of the uploader
//! as well. The conversation is over when the request's body ends.
//!
//! | the app sends | when |
//! |---|---|
//! | `{"ok": …}`, `{"error": …}` | a command is done; in the order of the commands |
//! | `{"event": …}` | the uploader has an event; `{"event": null}` once the events end |
//! | `{"source": {"file": …, "refused_at": …}}` | the uploader takes no more of a file's bytes |
//!
//! `Command` in `commands.rs` lists the commands. Names are those of the bindings for Rust.

#[allow(missing_docs, unreachable_pub, reason = "generated code")]
mod bindings;
mod commands;
mod content;
mod conversation;
mod output;
mod source;

use spin_sdk::wasip3::exports::http::handler::Guest;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Request, Response};
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};

struct App;

impl Guest for App {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let (result_writer, result) = wit_future::new(|| Ok(()));
        let (commands, _trailers) = Request::consume_body(request, result);
        drop(result_writer);
        let (answers, body) = wit_stream::new();
        let (trailers_writer, trailers) = wit_future::new(|| Ok(None));
        drop(trailers_writer);
        let (response, _) = Response::new(Fields::new(), Some(body), trailers);
        spawn(conversation::serve_session(commands, answers));
        Ok(response)
    }
}

spin_sdk::wasip3::http::service::export!(App);
