use tokio::io::AsyncWriteExt as _;

use crate::support::{Application, Response, Upstream, read_head, respond_ok};

/// Sends a request with `sent` as its body as soon as the guest reads, disconnects, and waits until
/// the guest has stored the outcome.
async fn leave_after(framing: &str, sent: &str) -> Response {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let mut client = host.connect().await;
    let request = format!(
        "PUT /watch/outcome HTTP/1.1\r\nhost: test\r\nx-url: {}\r\n\
         expect: 100-continue\r\n{framing}\r\n\r\n",
        upstream.origin
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let head = read_head(&mut client).await;
    assert!(head.starts_with("http/1.1 100 "), "{head}");
    client.write_all(sent.as_bytes()).await.unwrap();
    drop(client);
    respond_ok(&mut upstream.accept().await.0).await;
    host.get("/kv/outcome").await
}

#[tokio::test]
async fn a_guest_continues_after_a_disconnect_and_sees_a_truncated_body() {
    let stored = leave_after("content-length: 100", "only this").await;
    let expected = "9 bytes, truncated by ErrorCode::ConnectionTerminated";
    assert_eq!(stored, Response::new(200, expected));
}

#[tokio::test]
async fn a_chunked_body_without_its_last_chunk_is_truncated() {
    let stored = leave_after("transfer-encoding: chunked", "9\r\nonly this\r\n").await;
    let expected = "9 bytes, truncated by ErrorCode::ConnectionTerminated";
    assert_eq!(stored, Response::new(200, expected));
}

#[tokio::test]
async fn a_completely_received_body_is_complete_despite_a_disconnect() {
    let stored = leave_after("content-length: 9", "only this").await;
    assert_eq!(stored, Response::new(200, "9 bytes, complete"));
}

#[tokio::test]
async fn a_guest_continues_after_its_response() {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let headers = [("x-url", upstream.origin.as_str())];
    // The upstream responds only after the client has the complete response.
    assert_eq!(
        host.send("GET", "/later/key", &headers, Vec::new()).await,
        Response::new(202, "later")
    );
    let (mut stream, _) = upstream.accept().await;
    respond_ok(&mut stream).await;
    read_head(&mut stream).await;
    respond_ok(&mut stream).await;
    assert_eq!(host.get("/kv/key").await, Response::new(200, "Ok(200)"));
}
