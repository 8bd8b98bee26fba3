//! Bodies and headers over the raw interface.

use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Request, Response};
use spin_sdk::wasip3::{wit_future, wit_stream};
use spin_sdk::wit_bindgen::{StreamResult, spawn};

/// A request body that was read to its end, with its outcome.
pub struct Body {
    pub bytes: Vec<u8>,
    pub trailers: Result<(), ErrorCode>,
}

pub async fn read(request: Request) -> Body {
    let (done, done_reader) = wit_future::new(|| Ok(()));
    let (mut stream, trailers) = Request::consume_body(request, done_reader);
    let mut bytes = Vec::new();
    loop {
        let (result, chunk) = stream.read(Vec::with_capacity(READ_BYTES)).await;
        bytes.extend_from_slice(&chunk);
        if matches!(result, StreamResult::Dropped | StreamResult::Cancelled) {
            break;
        }
    }
    drop(stream);
    let trailers = trailers.await.map(drop);
    drop(done);
    Body { bytes, trailers }
}

pub fn respond(status: u16, text: &str) -> Response {
    let text = text.as_bytes().to_vec();
    let (mut writer, reader) = wit_stream::new();
    let (trailers, trailers_reader) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(Fields::new(), Some(reader), trailers_reader);
    response.set_status_code(status).ok();
    spawn(async move {
        writer.write_all(text).await;
        drop(writer);
        trailers.write(Ok(None)).await.ok();
    });
    response
}

/// Sends the start of a chunked response, then traps.
pub fn respond_then_trap() -> Response {
    let (mut writer, reader) = wit_stream::new();
    let (trailers, trailers_reader) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(Fields::new(), Some(reader), trailers_reader);
    spawn(async move {
        let _unfinished = trailers;
        writer.write_all(b"the beginning".to_vec()).await;
        std::process::abort();
    });
    response
}

pub fn header(request: &Request, name: &str) -> Option<String> {
    let values = request.get_headers().get(name);
    values.first().map(|value| String::from_utf8_lossy(value).into_owned())
}

pub const READ_BYTES: usize = 1024 * 1024;
