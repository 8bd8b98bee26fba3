//! A client that sends a file with `PUT`.

use crate::relay::client::Client;
use crate::relay::message::Request;
use crate::world::Content;

/// Sends the file until it is stored. A repeated request may continue the media asset of the
/// previous attempt.
pub(super) async fn put(client: &Client, content: &Content, has_length: bool) {
    let mut owned: Option<(String, String)> = None;
    loop {
        let mut request = Request::new("PUT", "/v1/uploads/clip.mp4");
        if let Some((id, token)) = owned.take().filter(|_| client.chance(500)) {
            request = request.with("upload-media-id", id).with("upload-media-token", token);
        }
        request = if has_length {
            request.with_body(content.bytes())
        } else {
            request.with_chunked_body(content.bytes())
        };
        if let Some(reply) = client.send(request).await {
            let media_id = reply.json()["media_id"].as_str().map(str::to_owned);
            if reply.status == 201 {
                client.environment.check_object(&media_id.unwrap(), content);
                return;
            }
            owned = media_id.zip(reply.header("media-token").map(str::to_owned));
        }
        client.back_off().await;
    }
}
