//! FilePond's own uploader, in one form or in chunks.

use futures::future::join;

use super::form::{encode, media_type};
use crate::relay::client::Client;
use crate::relay::message::Request;
use crate::world::Content;

/// Length of a chunk in bytes.
const CHUNK_BYTES: u64 = 130_000;

/// Uploads a file in chunks. The first chunk is sent twice at the same time, as FilePond does after
/// a connection was closed.
pub(super) async fn upload(client: &Client, content: &Content) {
    loop {
        let begin = Request::new("POST", "/v1/filepond")
            .with("upload-length", content.len().to_string())
            .with_body(&[]);
        if let Some(reply) = client.send(begin).await
            && reply.status == 201
        {
            let id = reply.text().to_owned();
            let first = || client.send(chunk(&id, content, 0));
            join(first(), first()).await;
            if append_all(client, &id, content).await {
                return;
            }
            client.restart([format!("/v1/filepond/{id}").as_str()]);
        }
        client.back_off().await;
    }
}

/// Sends a file in one form until it is stored.
pub(super) async fn process(client: &Client, content: &Content) {
    let body = encode(&[("filepond", content)]);
    loop {
        let form = Request::new("POST", "/v1/filepond").with("content-type", media_type());
        if let Some(reply) = client.send(form.with_body(&body)).await
            && reply.status == 201
        {
            if has_completed(client, reply.text(), content).await {
                return;
            }
            client.restart([format!("/v1/filepond/{}", reply.text()).as_str()]);
        }
        client.back_off().await;
    }
}

/// Reads the state of a complete upload. Returns `false` if it is gone.
async fn has_completed(client: &Client, id: &str, content: &Content) -> bool {
    loop {
        let status = client.send(Request::new("GET", format!("/v1/files/{id}"))).await;
        match status {
            Some(status) if status.status == 200 => {
                let media_id = status.json()["media_id"].as_str().unwrap().to_owned();
                client.environment.check_object(&media_id, content);
                return true;
            }
            Some(status) if status.is_gone() => return false,
            _ => client.back_off().await,
        }
    }
}

/// Returns `false` if the file is gone.
async fn append_all(client: &Client, id: &str, content: &Content) -> bool {
    loop {
        let head = client.send(Request::new("HEAD", format!("/v1/filepond/{id}"))).await;
        if let Some(head) = head {
            if head.is_gone() {
                return false;
            }
            match head.offset().filter(|_| head.status == 200) {
                Some(offset) if offset == content.len() => {
                    let status = client.send(Request::new("GET", format!("/v1/files/{id}"))).await;
                    if let Some(status) = status.filter(|status| status.status == 200) {
                        let media_id = status.json()["media_id"].as_str().unwrap().to_owned();
                        client.environment.check_object(&media_id, content);
                        return true;
                    }
                }
                Some(offset) => match client.send(chunk(id, content, offset)).await {
                    Some(reply) if reply.is_gone() => return false,
                    Some(reply) if reply.status == 204 => continue,
                    _ => {}
                },
                None => {}
            }
        }
        client.back_off().await;
    }
}

fn chunk(id: &str, content: &Content, offset: u64) -> Request {
    let end = content.len().min(offset + CHUNK_BYTES);
    Request::new("PATCH", format!("/v1/filepond/{id}"))
        .with("content-type", "application/offset+octet-stream")
        .with("upload-offset", offset.to_string())
        .with("upload-length", content.len().to_string())
        .with("upload-name", "clip.mp4")
        .with_body(content.range(offset, end))
}
