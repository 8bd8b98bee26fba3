//! A component that imports all of `vod:uploader` and executes the commands of a test.
//!
//! One request is one bidirectional session: the test sends commands, one JSON object per line; the
//! app sends a line with the result of each, and a line for each event of the uploader. The session
//! ends with the body of the request.
//!
//! | the app sends | when |
//! |---|---|
//! | `{"ok": …}`, `{"error": …}` | a command is finished; in the order of the commands |
//! | `{"event": …}` | an event of the uploader; `{"event": null}` after the last one |
//! | `{"source": {"file": …, "refused_at": …}}` | the uploader accepts no more bytes of a file |
//!
//! `Command` in `commands.rs` lists the commands, with the names of the Rust bindings.

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
        let (output, body) = wit_stream::new();
        let (trailers_writer, trailers) = wit_future::new(|| Ok(None));
        drop(trailers_writer);
        let (response, _) = Response::new(Fields::new(), Some(body), trailers);
        spawn(conversation::serve_session(commands, output));
        Ok(response)
    }
}

spin_sdk::wasip3::http::service::export!(App);
