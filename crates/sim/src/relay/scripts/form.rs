//! A browser that sends a form with two files.

use crate::relay::client::Client;
use crate::relay::message::Request;
use crate::world::Content;

/// Sends the form until both files are stored.
pub(super) async fn post(client: &Client, contents: &[Content; 2]) {
    let files = [("file0", &contents[0]), ("file1", &contents[1])];
    let body = encode(&files);
    loop {
        let request = Request::new("POST", "/v1/uploads").with("content-type", media_type());
        if let Some(reply) = client.send(request.with_body(&body)).await
            && reply.status == 201
        {
            let files = reply.json()["files"].as_array().unwrap().clone();
            assert_eq!(files.len(), contents.len(), "{}", reply.text());
            for (file, content) in files.iter().zip(contents) {
                client.environment.check_object(file["media_id"].as_str().unwrap(), content);
            }
            return;
        }
        client.back_off().await;
    }
}

/// A form with a file per field name.
pub(super) fn encode(files: &[(&str, &Content)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in files {
        let head = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"; \
             filename=\"{name}.mp4\"\r\ncontent-type: video/mp4\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content.bytes());
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// The media type of a form.
pub(super) fn media_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

const BOUNDARY: &str = "boundary-of-the-simulation";
