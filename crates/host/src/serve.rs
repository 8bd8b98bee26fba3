//! From the host's request to the worker and back.

use std::rc::Rc;

use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Method, Request, Response};
use spin_sdk::wasip3::{wit_bindgen, wit_future, wit_stream};
use vod_uploader::http::{self, Head, Route};
use vod_uploader::{Error, ErrorKind, Result};

use crate::config::Config;
use crate::key_value::KeyValue;
use crate::request_body::RequestBody;
use crate::worker::Worker;

/// Serves one request. Everything that goes wrong is an answer: a trap would end every upload of
/// the instance.
///
/// # Errors
/// Where the host refuses to make a response.
pub async fn serve(request: Request) -> std::result::Result<Response, ErrorCode> {
    let head = head_of(&request);
    let answer = match answer(&head, request).await {
        Ok(answer) => answer,
        Err(error) => http::problem(&error, None),
    };
    into_wasi(answer, head.method == "HEAD")
}

async fn answer(head: &Head, request: Request) -> Result<http::Response> {
    let route = http::route(head)?;
    if route.is_tus()
        && let Some(refused) = http::wrong_version(head)
    {
        return Ok(refused);
    }
    match &route {
        Route::Health => return Ok(http::Response::empty(200)),
        Route::MethodNotAllowed(allow) => {
            let error = Error::new(ErrorKind::MethodUnsupported, "this path has no such method");
            return Ok(http::problem(&error, None).with_header("allow", *allow));
        }
        _ => {}
    }
    let worker = Worker::new(Config::of_instance().await?, Rc::new(KeyValue::open().await?));
    match route {
        Route::PlainPut { file_name } => {
            worker.plain_put(head, &file_name, RequestBody::of(request)).await
        }
        Route::TusDiscover => Ok(http::discovered(worker.upload_max())),
        Route::TusCreate => worker.create(head).await,
        Route::TusOffset(key) => worker.offset(head, &key).await,
        Route::TusChunk(key) => worker.chunk(head, &key, RequestBody::of(request)).await,
        Route::TusTerminate(key) => worker.terminate(head, &key).await,
        Route::Status(key) => worker.status(head, &key).await,
        Route::Health | Route::MethodNotAllowed(_) => Ok(http::Response::empty(405)),
    }
}

fn head_of(request: &Request) -> Head {
    let method = match request.get_method() {
        Method::Get => "GET".to_owned(),
        Method::Head => "HEAD".to_owned(),
        Method::Post => "POST".to_owned(),
        Method::Put => "PUT".to_owned(),
        Method::Delete => "DELETE".to_owned(),
        Method::Options => "OPTIONS".to_owned(),
        Method::Patch => "PATCH".to_owned(),
        Method::Connect => "CONNECT".to_owned(),
        Method::Trace => "TRACE".to_owned(),
        Method::Other(other) => other,
    };
    let path = request.get_path_with_query().unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default().to_owned();
    let headers = request
        .get_headers()
        .copy_all()
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
        .collect();
    Head { method, path, headers }
}

fn into_wasi(answer: http::Response, bodiless: bool) -> std::result::Result<Response, ErrorCode> {
    let mut entries: Vec<_> = answer
        .headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into_bytes()))
        .collect();
    let bodiless = bodiless || answer.status == 204;
    if !bodiless {
        let length = answer.body.len().to_string().into_bytes();
        entries.push(("content-length".to_owned(), length));
    }
    let refused = |what: String| ErrorCode::InternalError(Some(what));
    let headers = Fields::from_list(&entries).map_err(|error| refused(format!("{error:?}")))?;
    let (trailers_writer, trailers) = wit_future::new(|| Ok(None));
    drop(trailers_writer);
    let contents = (!bodiless && !answer.body.is_empty()).then(|| {
        let (mut writer, reader) = wit_stream::new();
        wit_bindgen::spawn(async move {
            // A client that has gone takes no answer: what is left of it is nobody's.
            let _ = writer.write_all(answer.body).await;
        });
        reader
    });
    let (response, _sent) = Response::new(headers, contents, trailers);
    response
        .set_status_code(answer.status)
        .map_err(|()| refused(format!("status {} is none", answer.status)))?;
    Ok(response)
}
