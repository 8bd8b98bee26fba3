//! `edge.wasm`: the worker as a `wasi:http/handler` component.

use spin_sdk::wasip3::exports::http::handler::Guest;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};

struct Edge;

impl Guest for Edge {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        vod_uploader_host::serve(request).await
    }
}

spin_sdk::wasip3::http::service::export!(Edge);
