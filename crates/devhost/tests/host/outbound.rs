use std::time::Duration;

use futures::FutureExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Application, Host, Reply, Upstream, read_head, respond_ok};

/// Asks the guest to send `length` bytes to an upstream.
async fn put(host: &Host, origin: &str, length: usize) -> Reply {
    let url = format!("{origin}/object");
    let length = length.to_string();
    let headers = [("x-url", url.as_str()), ("x-method", "PUT"), ("x-length", length.as_str())];
    host.send("GET", "/call", &headers, Vec::new()).await
}

#[tokio::test]
async fn an_allowed_origin_gets_the_body_under_the_content_length_of_the_guest() {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let serve = async {
        let (mut stream, head) = upstream.accept().await;
        let mut body = vec![0; 3_000_000];
        stream.read_exact(&mut body).await.unwrap();
        respond_ok(&mut stream).await;
        (head, body)
    };
    let (reply, (head, body)) = tokio::join!(put(&host, &upstream.origin, 3_000_000), serve);
    assert_eq!(reply, Reply::new(200, "status 200"));
    assert!(head.starts_with("put /object http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-length: 3000000\r\n"), "{head}");
    assert!(!head.contains("transfer-encoding"), "{head}");
    let authority = upstream.origin.strip_prefix("http://").unwrap();
    assert!(head.contains(&format!("\r\nhost: {authority}\r\n")), "{head}");
    assert!(body.iter().all(|byte| *byte == b'x'));
    assert_eq!(host.stat("outbound_requests").await, 1.0);
    assert_eq!(host.stat("outbound_bytes_sent").await, 3_000_000.0);
}

#[tokio::test]
async fn an_origin_that_is_not_allowed_is_never_connected_to() {
    let upstream = Upstream::new().await;
    let host = Application::new().start();
    let reply = put(&host, &upstream.origin, 5).await;
    assert_eq!(reply, Reply::new(200, "ErrorCode::HttpRequestDenied"));
    assert!(upstream.listener.accept().now_or_never().is_none());
    assert_eq!(host.stat("outbound_requests").await, 0.0);
}

#[tokio::test]
async fn an_origin_may_be_allowed_through_a_variable() {
    let upstream = Upstream::new().await;
    let set = format!("store_origin={}", upstream.origin);
    let host = Host::start(Application::new().command().args(["--variable", &set]));
    let serve = async { respond_ok(&mut upstream.accept().await.0).await };
    let (reply, ()) = tokio::join!(put(&host, &upstream.origin, 0), serve);
    assert_eq!(reply, Reply::new(200, "status 200"));
}

#[tokio::test]
async fn a_connection_serves_the_next_request_too() {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let first = async {
        let (mut stream, _) = upstream.accept().await;
        respond_ok(&mut stream).await;
        stream
    };
    let (reply, mut stream) = tokio::join!(put(&host, &upstream.origin, 0), first);
    assert_eq!(reply, Reply::new(200, "status 200"));
    let second = async {
        let head = read_head(&mut stream).await;
        respond_ok(&mut stream).await;
        head
    };
    let (reply, head) = tokio::join!(put(&host, &upstream.origin, 0), second);
    assert_eq!(reply, Reply::new(200, "status 200"));
    assert!(head.starts_with("put /object "), "{head}");
}

#[tokio::test]
async fn a_request_is_not_sent_again_once_its_body_was_begun() {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let serve = async {
        let (mut stream, _) = upstream.accept().await;
        stream.read_u8().await.unwrap();
        drop(stream);
    };
    let (reply, ()) = tokio::join!(put(&host, &upstream.origin, 3_000_000), serve);
    assert_eq!(reply, Reply::new(200, "ErrorCode::ConnectionTerminated"));
    assert!(upstream.listener.accept().now_or_never().is_none());
}

#[tokio::test]
async fn a_refused_connection_is_told_as_such() {
    let upstream = Upstream::new().await;
    let origin = upstream.origin.clone();
    drop(upstream);
    let host = Application::new().start_allowing(&origin);
    assert_eq!(put(&host, &origin, 0).await, Reply::new(200, "ErrorCode::ConnectionRefused"));
}

#[tokio::test]
async fn a_silent_upstream_ends_the_wait_for_the_first_byte() {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let headers = [("x-url", upstream.origin.as_str()), ("x-first-byte-ms", "50")];
    let call = host.send("GET", "/call", &headers, Vec::new());
    let (reply, _stream) = tokio::join!(call, upstream.accept());
    assert_eq!(reply, Reply::new(200, "ErrorCode::ConnectionReadTimeout"));
}

#[tokio::test]
async fn a_relayed_body_reaches_the_upstream_while_the_client_still_sends() {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let mut client = host.connect().await;
    let head = format!(
        "PUT /relay HTTP/1.1\r\nhost: test\r\nx-url: {}\r\ncontent-length: 10\r\n\r\nfirst",
        upstream.origin
    );
    client.write_all(head.as_bytes()).await.unwrap();

    let (mut stream, head) = upstream.accept().await;
    assert!(head.contains("\r\ncontent-length: 10\r\n"), "{head}");
    let mut half = [0; 5];
    stream.read_exact(&mut half).await.unwrap();
    assert_eq!(&half, b"first");

    client.write_all(b"again").await.unwrap();
    stream.read_exact(&mut half).await.unwrap();
    assert_eq!(&half, b"again");
    respond_ok(&mut stream).await;
    let reply = read_head(&mut client).await;
    assert!(reply.starts_with("http/1.1 200 "), "{reply}");
}

#[tokio::test]
async fn a_relay_whose_client_leaves_is_cut_at_the_upstream_too() {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let mut client = host.connect().await;
    let head = format!(
        "PUT /relay HTTP/1.1\r\nhost: test\r\nx-url: {}\r\ncontent-length: 10\r\n\r\nfirst",
        upstream.origin
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let (mut stream, _) = upstream.accept().await;
    let mut half = [0; 5];
    stream.read_exact(&mut half).await.unwrap();
    drop(client);
    let mut rest = Vec::new();
    // A reset is as good an end as a close: what counts is that the five missing bytes never come.
    let end = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest)).await;
    assert!(end.is_ok(), "the upstream connection stayed open");
    assert!(rest.is_empty(), "{rest:?}");
}
