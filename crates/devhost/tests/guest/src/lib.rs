//! The component that the tests of `devhost` run: each path exercises one feature of the host.

mod body;
mod outbound;

use spin_sdk::key_value::Store;
use spin_sdk::variables;
use spin_sdk::wasip3::exports::http::handler::Guest;
use spin_sdk::wasip3::http::types::{ErrorCode, Method, Request, Response};

use crate::body::{header, read, respond, respond_then_trap};

struct TestGuest;

spin_sdk::wasip3::http::service::export!(TestGuest with_types_in spin_sdk::wasip3);

impl Guest for TestGuest {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let path = request.get_path_with_query().unwrap_or_default();
        let (command, argument) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
        let argument = argument.to_owned();
        match command {
            "kv" => Ok(key_value(request, &argument).await),
            "keys" => Ok(keys().await),
            "label" => Ok(respond(200, &opened(&argument).await)),
            "variable" => Ok(match variables::get(&argument).await {
                Ok(value) => respond(200, &value),
                Err(error) => respond(404, &format!("{error:?}")),
            }),
            "header" => Ok(respond(200, &header(&request, &argument).unwrap_or_default())),
            "watch" => Ok(watch(request, argument).await),
            "later" => Ok(later(request, argument)),
            "call" => Ok(outbound::call(request).await),
            "relay" => outbound::relay(request).await,
            "grow" => Ok(grow(&argument)),
            "say" => {
                println!("said on stdout: {argument}");
                eprintln!("said on stderr: {argument}");
                Ok(respond(200, "said"))
            }
            "trap" => std::process::abort(),
            "trap-midway" => Ok(respond_then_trap()),
            "fail" => Err(ErrorCode::InternalError(Some("as requested".to_owned()))),
            other => Ok(respond(404, &format!("no command {other:?}"))),
        }
    }
}

async fn opened(label: &str) -> String {
    match Store::open(label).await {
        Ok(_) => "opened".to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

async fn key_value(request: Request, key: &str) -> Response {
    let store = match Store::open_default().await {
        Ok(store) => store,
        Err(error) => return respond(500, &format!("{error:?}")),
    };
    let outcome = match request.get_method() {
        Method::Get => match store.get(key).await {
            Ok(Some(value)) => return respond(200, &String::from_utf8_lossy(&value)),
            Ok(None) => return respond(404, "no such key"),
            Err(error) => Err(error),
        },
        Method::Delete => store.delete(key).await,
        _ => {
            let value = read(request).await.bytes;
            store.set(key, value).await
        }
    };
    match outcome {
        Ok(()) => respond(200, "done"),
        Err(error) => respond(500, &format!("{error:?}")),
    }
}

async fn keys() -> Response {
    let store = match Store::open_default().await {
        Ok(store) => store,
        Err(error) => return respond(500, &format!("{error:?}")),
    };
    match store.get_keys().await.collect().await {
        Ok(keys) => respond(200, &keys.join("\n")),
        Err(error) => respond(500, &format!("{error:?}")),
    }
}

/// Reads the body to its end, stores the outcome under `key` and sends a request to `x-url`.
async fn watch(request: Request, key: String) -> Response {
    let url = header(&request, "x-url");
    let body = read(request).await;
    let how = match body.trailers {
        Ok(()) => "complete".to_owned(),
        Err(error) => format!("truncated by {error:?}"),
    };
    store_or_log(&key, &format!("{} bytes, {how}", body.bytes.len())).await;
    if let Some(url) = url {
        outbound::fetch("GET", &url, Vec::new()).await.ok();
    }
    respond(200, &how)
}

/// Responds immediately, then sends a request to `x-url` and stores its status under `key`.
fn later(request: Request, key: String) -> Response {
    let url = header(&request, "x-url").unwrap_or_default();
    spin_sdk::wit_bindgen::spawn(async move {
        let outcome = outbound::fetch("GET", &url, Vec::new()).await;
        store_or_log(&key, &format!("{outcome:?}")).await;
        outbound::fetch("GET", &url, Vec::new()).await.ok();
    });
    respond(202, "later")
}

async fn store_or_log(key: &str, value: &str) {
    let stored = match Store::open_default().await {
        Ok(store) => store.set(key, value).await,
        Err(error) => Err(error),
    };
    if let Err(error) = stored {
        eprintln!("could not store: {error:?}");
    }
}

fn grow(bytes: &str) -> Response {
    let mut block: Vec<u8> = Vec::new();
    match block.try_reserve_exact(bytes.parse().unwrap_or(0)) {
        Ok(()) => respond(200, "granted"),
        Err(_) => respond(507, "rejected"),
    }
}
