//! From the host's request to the worker and back.

use std::rc::Rc;

use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Method, Request, Response};
use spin_sdk::wasip3::wit_bindgen::StreamReader;
use spin_sdk::wasip3::{wit_bindgen, wit_future, wit_stream};
use vod_uploader::http::{self, Head, Protocol, Route, ietf, tus};
use vod_uploader::{Error, ErrorKind, Result};

use crate::config::Config;
use crate::key_value::KeyValue;
use crate::request_body::RequestBody;
use crate::worker::Worker;

/// An answer: its head and a small body, or a body that is still being written.
type Answer = (http::Response, Option<StreamReader<u8>>);

/// Serves one request. Everything that goes wrong is an answer: a trap would end every upload of
/// the instance.
///
/// # Errors
/// Where the host refuses to make a response.
pub async fn serve(request: Request) -> std::result::Result<Response, ErrorCode> {
    let head = head_of(&request);
    let body = RequestBody::of(request);
    let (answer, body) = match answer(&head, body).await {
        Ok(answer) => answer,
        Err(error) => (http::problem(&error, None), None),
    };
    into_wasi(answer, body, head.meant_method() == "HEAD" || head.method == "HEAD")
}

async fn answer(head: &Head, body: RequestBody) -> Result<Answer> {
    let route = http::route(head);
    if matches!(route, Ok(Route::Health)) {
        return Ok((http::Response::empty(200), None));
    }
    let config = Config::of_instance().await?;
    if let Some(preflight) = http::preflight(head, &config.cors_origins) {
        return Ok((preflight, None));
    }
    let answered = match route {
        Ok(route) => answer_route(head, route, &config, body).await,
        Err(error) => (http::problem(&error, None), None),
    };
    Ok((http::with_cors(answered.0, head, &config.cors_origins), answered.1))
}

/// The answer to a request for a path that there is, in the words of its protocol.
async fn answer_route(head: &Head, route: Route, config: &Rc<Config>, body: RequestBody) -> Answer {
    let protocol = Protocol::of(head, &route);
    if protocol == Protocol::Tus
        && let Some(refused) = tus::wrong_version(head)
    {
        return (refused, None);
    }
    if let Route::MethodNotAllowed(allow) = route {
        let error = Error::new(ErrorKind::MethodUnsupported, "this path has no such method");
        return (http::problem(&error, None).with_header("allow", allow), None);
    }
    let worker = match KeyValue::open().await {
        Ok(kv) => Worker::new(Rc::clone(config), Rc::new(kv)),
        Err(error) => return (http::problem(&error, None), None),
    };
    let creates =
        matches!(route, Route::Create | Route::File { .. } | Route::Form | Route::FilePond { .. });
    let limits = worker.ietf_limits(None);
    let sweeper = creates.then(|| worker.clone());
    let answered = match perform(worker, head, route, protocol, body).await {
        Ok(answer) => answer,
        Err(error) => (protocol.refused(&error, &limits), None),
    };
    if let Some(sweeper) = sweeper {
        wit_bindgen::spawn(async move { sweeper.sweep().await });
    }
    answered
}

async fn perform(
    worker: Worker,
    head: &Head,
    route: Route,
    protocol: Protocol,
    body: RequestBody,
) -> Result<Answer> {
    let response = match (route, protocol) {
        (Route::Events(key), _) => return worker.follow(head.clone(), key).await,
        (Route::Discover, _) => Ok(worker.discovered()),
        (Route::Create, Protocol::Ietf(version)) => {
            worker.ietf_create(head, version, None, body).await
        }
        (Route::Create, _) => worker.tus_create(head, body).await,
        (Route::Append(key), Protocol::Ietf(version)) => {
            worker.ietf_append(head, version, &key, body).await
        }
        (Route::Append(key), _) => worker.tus_append(head, &key, body).await,
        (Route::Offset(key), Protocol::Ietf(version)) => {
            worker.ietf_offset(head, version, &key).await
        }
        (Route::Offset(key), _) => worker.tus_offset(head, &key).await,
        (Route::Terminate(key), protocol) => {
            worker.terminate(head, &key).await?;
            Ok(match protocol {
                Protocol::Ietf(version) => ietf::terminated(version),
                _ => tus::terminated(),
            })
        }
        (Route::File { file_name }, Protocol::Ietf(version)) => {
            worker.ietf_create(head, version, Some(&file_name), body).await
        }
        (Route::File { file_name }, _) => worker.plain_file(head, &file_name, body).await,
        (Route::Status(key), _) => worker.status(head, &key).await,
        (Route::Pause(key), _) => worker.pause(head, &key).await,
        (Route::Resume(key), _) => worker.resume(head, &key).await,
        (Route::Credential(key), _) => worker.new_credential(head, &key, body).await,
        (Route::Form, _) => worker.form(head, body).await,
        (Route::FilePond { id }, _) => worker.filepond(head, &id, body).await,
        (Route::Health | Route::MethodNotAllowed(_), _) => Ok(http::Response::empty(405)),
    };
    response.map(|response| (response, None))
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
    let target = request.get_path_with_query().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let headers = request
        .get_headers()
        .copy_all()
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
        .collect();
    Head { method, path: path.to_owned(), query: query.to_owned(), headers }
}

fn into_wasi(
    answer: http::Response,
    body: Option<StreamReader<u8>>,
    bodiless: bool,
) -> std::result::Result<Response, ErrorCode> {
    let mut entries: Vec<_> = answer
        .headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into_bytes()))
        .collect();
    let bodiless = bodiless || answer.status == 204;
    if !bodiless && body.is_none() {
        let length = answer.body.len().to_string().into_bytes();
        entries.push(("content-length".to_owned(), length));
    }
    let refused = |what: String| ErrorCode::InternalError(Some(what));
    let headers = Fields::from_list(&entries).map_err(|error| refused(format!("{error:?}")))?;
    let (trailers_writer, trailers) = wit_future::new(|| Ok(None));
    drop(trailers_writer);
    let contents = body.or_else(|| {
        (!bodiless && !answer.body.is_empty()).then(|| {
            let (mut writer, reader) = wit_stream::new();
            wit_bindgen::spawn(async move {
                // A client that has gone takes no answer: what is left of it is nobody's.
                let _ = writer.write_all(answer.body).await;
            });
            reader
        })
    });
    let (response, _sent) = Response::new(headers, contents, trailers);
    response
        .set_status_code(answer.status)
        .map_err(|()| refused(format!("status {} is none", answer.status)))?;
    Ok(response)
}
