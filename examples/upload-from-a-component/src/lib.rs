//! Streams the body of a request to ApsaraVideo VOD:
//!
//! ```text
//! curl -T film.mp4 -H "Upload-Address: …" -H "Upload-Auth: …" http://127.0.0.1:3000/film.mp4
//! ```
//!
//! The values of the two headers are those that CreateUploadVideo returned to your server.

use spin_sdk::wasip3::exports::http::handler::Guest;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Request, Response};
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};

use bindings::vod::uploader::types::Error;
use bindings::vod::uploader::uploader::{Event, NewFile, Options, Succeeded, Uploader};

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "package my:app; world app { include vod:uploader/uploads@0.1.0; }",
        path: "../../wit",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

struct App;

impl Guest for App {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        match upload(request).await {
            Ok(Some(done)) => respond(201, format!("{} bytes at {}\n", done.size, done.object)),
            Ok(None) => respond(400, "incomplete body or expired credential\n".to_owned()),
            Err(error) => respond(502, format!("{} {}\n", error.message, error.action)),
        }
    }
}

async fn upload(request: Request) -> Result<Option<Succeeded>, Error> {
    let headers = request.get_headers();
    let header = |name: &str| {
        let value = headers.get(name).into_iter().next().unwrap_or_default();
        String::from_utf8_lossy(&value).into_owned()
    };
    let path = request.get_path_with_query().unwrap_or_default();
    let name = path.trim_start_matches('/').split('?').next().unwrap_or_default();
    let (_result, result) = wit_future::new(|| Ok(()));
    let (body, _trailers) = Request::consume_body(request, result);
    let mut body = Some(body);

    let uploader = Uploader::create(DEFAULTS).await?;
    let mut events = uploader.events().await?;
    // Without the length, a truncated body cannot be distinguished from a complete one.
    let Ok(size) = header("content-length").parse() else { return Ok(None) };
    uploader.add_file(&NewFile { size: Some(size), ..named(name) })?;
    uploader.start_upload()?;
    while let Some(event) = events.next().await {
        match event {
            Event::UploadStarted(started) => uploader.set_upload_auth_and_address(
                started.file,
                &header("upload-auth"),
                &header("upload-address"),
                None,
            )?,
            Event::SourceRequested(request) => match body.take() {
                Some(body) => uploader.supply_source(request.file, request.offset, body, None)?,
                None => return Ok(None),
            },
            Event::TokenExpired(_) => return Ok(None),
            Event::Succeeded(done) => return Ok(Some(done)),
            Event::Failed(failed) => return Err(failed.error),
            _ => {}
        }
    }
    Ok(None)
}

fn respond(status: u16, text: String) -> Result<Response, ErrorCode> {
    let (mut writer, body) = wit_stream::new();
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(Fields::new(), Some(body), trailers);
    // Fails only for values that are not three digits.
    let _ = response.set_status_code(status);
    spawn(async move {
        writer.write_all(text.into_bytes()).await;
    });
    Ok(response)
}

fn named(name: &str) -> NewFile {
    NewFile {
        name: name.to_owned(),
        size: None,
        kind: None,
        last_modified: None,
        content_sample: None,
        endpoint: None,
        bucket: None,
        object: None,
        param_data: None,
    }
}

const DEFAULTS: Options = Options {
    user_id: None,
    region: None,
    part_size: None,
    parallel: None,
    parallel_files: None,
    retry_count: None,
    retry_duration: None,
    timeout: None,
    cname: None,
    signature_version: None,
    deadline: None,
    checkpoint_ttl: None,
    vod_endpoint: None,
};

spin_sdk::wasip3::http::service::export!(App);
