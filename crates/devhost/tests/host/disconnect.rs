use tokio::io::AsyncWriteExt as _;

use crate::support::{Application, Reply, Upstream, read_head, respond_ok};

/// Sends a request with `sent` as its body as soon as the guest reads, leaves, and waits until the
/// guest has noticed and stored what it saw.
async fn leave_after(framing: &str, sent: &str) -> Reply {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let mut client = host.connect().await;
    let head = format!(
        "PUT /watch/outcome HTTP/1.1\r\nhost: test\r\nx-url: {}\r\n\
         expect: 100-continue\r\n{framing}\r\n\r\n",
        upstream.origin
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let go_on = read_head(&mut client).await;
    assert!(go_on.starts_with("http/1.1 100 "), "{go_on}");
    client.write_all(sent.as_bytes()).await.unwrap();
    drop(client);
    respond_ok(&mut upstream.accept().await.0).await;
    host.get("/kv/outcome").await
}

#[tokio::test]
async fn a_guest_goes_on_after_its_client_left_and_knows_the_body_is_cut_short() {
    let stored = leave_after("content-length: 100", "only this").await;
    let expected = "9 bytes, cut short by ErrorCode::ConnectionTerminated";
    assert_eq!(stored, Reply::new(200, expected));
}

#[tokio::test]
async fn a_chunked_body_without_its_last_chunk_is_cut_short_too() {
    let stored = leave_after("transfer-encoding: chunked", "9\r\nonly this\r\n").await;
    let expected = "9 bytes, cut short by ErrorCode::ConnectionTerminated";
    assert_eq!(stored, Reply::new(200, expected));
}

#[tokio::test]
async fn a_body_that_came_whole_is_whole_even_when_its_client_left() {
    let stored = leave_after("content-length: 9", "only this").await;
    assert_eq!(stored, Reply::new(200, "9 bytes, whole"));
}

#[tokio::test]
async fn a_guest_goes_on_after_its_response() {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let headers = [("x-url", upstream.origin.as_str())];
    // The upstream answers only once the client has the whole response.
    assert_eq!(
        host.send("GET", "/later/key", &headers, Vec::new()).await,
        Reply::new(202, "later")
    );
    let (mut stream, _) = upstream.accept().await;
    respond_ok(&mut stream).await;
    read_head(&mut stream).await;
    respond_ok(&mut stream).await;
    assert_eq!(host.get("/kv/key").await, Reply::new(200, "Ok(200)"));
}
