//! A client of the IETF draft, interop version 8.

use crate::relay::client::Client;
use crate::relay::message::Request;
use crate::world::Content;

/// Uploads a file with a careful creation, and starts again if the upload is gone.
pub(super) async fn upload(client: &Client, content: &Content) {
    loop {
        let created = client.send(versioned("POST", "/v1/files", false).with_body(&[])).await;
        if let Some(path) = created.as_ref().and_then(|reply| reply.header("location")) {
            if let Some(media_id) = append_all(client, path, content).await {
                client.environment.check_object(&media_id, content);
                return;
            }
            client.restart([path]);
        }
        client.back_off().await;
    }
}

/// Uploads a file with one request, which is repeated until it succeeds.
pub(super) async fn upload_at_once(client: &Client, content: &Content) {
    loop {
        let request = versioned("POST", "/v1/files", true).with_body(content.bytes());
        if let Some(reply) = client.send(request).await {
            if reply.header("upload-complete") == Some("?1") {
                client.environment.check_object(&reply.media_id(), content);
                return;
            }
            if let Some(path) = reply.header("location") {
                if let Some(media_id) = append_all(client, path, content).await {
                    client.environment.check_object(&media_id, content);
                    return;
                }
                client.restart([path]);
            }
        }
        client.back_off().await;
    }
}

/// The media ID once the upload is complete; `None` if it is gone.
async fn append_all(client: &Client, path: &str, content: &Content) -> Option<String> {
    loop {
        let head = Request::new("HEAD", path).with("upload-draft-interop-version", "8");
        if let Some(head) = client.send(head).await {
            if head.is_gone() {
                return None;
            }
            if head.header("upload-complete") == Some("?1") {
                return Some(head.media_id());
            }
            if let Some(from) = head.offset().filter(|_| head.status == 204) {
                // In two requests, of which the second completes the file.
                let half = content.len() / 2;
                let to = if from < half { half } else { content.len() };
                let append = versioned("PATCH", path, to == content.len())
                    .with("content-type", "application/partial-upload")
                    .with("upload-offset", from.to_string())
                    .with_body(content.range(from, to));
                match client.send(append).await {
                    Some(reply) if reply.is_gone() => return None,
                    Some(reply) if reply.header("upload-complete") == Some("?1") => {
                        return Some(reply.media_id());
                    }
                    Some(reply) if reply.status == 204 => continue,
                    _ => {}
                }
            }
        }
        client.back_off().await;
    }
}

fn versioned(method: &'static str, path: &str, completes: bool) -> Request {
    let complete = if completes { "?1" } else { "?0" };
    let request = Request::new(method, path)
        .with("upload-draft-interop-version", "8")
        .with("upload-complete", complete);
    match method {
        "POST" => request.with("content-disposition", "inline; filename=\"clip.mp4\""),
        _ => request,
    }
}
