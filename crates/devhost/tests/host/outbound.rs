use std::time::Duration;

use futures::FutureExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Application, Host, Response, Upstream, read_head, respond_ok};

/// Has the guest send `length` bytes to an upstream.
async fn put(host: &Host, origin: &str, length: usize) -> Response {
    let url = format!("{origin}/object");
    let length = length.to_string();
    let headers = [("x-url", url.as_str()), ("x-method", "PUT"), ("x-length", length.as_str())];
    host.send("GET", "/call", &headers, Vec::new()).await
}

#[tokio::test]
async fn an_allowed_origin_receives_the_body_with_the_guests_content_length() {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let serve = async {
        let (mut stream, head) = upstream.accept().await;
        let mut body = vec![0; 3_000_000];
        stream.read_exact(&mut body).await.unwrap();
        respond_ok(&mut stream).await;
        (head, body)
    };
    let (response, (head, body)) = tokio::join!(put(&host, &upstream.origin, 3_000_000), serve);
    assert_eq!(response, Response::new(200, "status 200"));
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
    let response = put(&host, &upstream.origin, 5).await;
    assert_eq!(response, Response::new(200, "ErrorCode::HttpRequestDenied"));
    assert!(upstream.listener.accept().now_or_never().is_none());
    assert_eq!(host.stat("outbound_requests").await, 0.0);
}

#[tokio::test]
async fn an_origin_may_be_allowed_through_a_variable() {
    let upstream = Upstream::new().await;
    let set = format!("store_origin={}", upstream.origin);
    let host = Host::start(Application::new().command().args(["--variable", &set]));
    let serve = async { respond_ok(&mut upstream.accept().await.0).await };
    let (response, ()) = tokio::join!(put(&host, &upstream.origin, 0), serve);
    assert_eq!(response, Response::new(200, "status 200"));
}

#[tokio::test]
async fn a_connection_is_reused_for_the_next_request() {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let first = async {
        let (mut stream, _) = upstream.accept().await;
        respond_ok(&mut stream).await;
        stream
    };
    let (response, mut stream) = tokio::join!(put(&host, &upstream.origin, 0), first);
    assert_eq!(response, Response::new(200, "status 200"));
    let second = async {
        let head = read_head(&mut stream).await;
        respond_ok(&mut stream).await;
        head
    };
    let (response, head) = tokio::join!(put(&host, &upstream.origin, 0), second);
    assert_eq!(response, Response::new(200, "status 200"));
    assert!(head.starts_with("put /object "), "{head}");
}

#[tokio::test]
async fn a_request_is_not_retried_once_its_body_has_started() {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let serve = async {
        let (mut stream, _) = upstream.accept().await;
        stream.read_u8().await.unwrap();
        drop(stream);
    };
    let (response, ()) = tokio::join!(put(&host, &upstream.origin, 3_000_000), serve);
    assert_eq!(response, Response::new(200, "ErrorCode::ConnectionTerminated"));
    assert!(upstream.listener.accept().now_or_never().is_none());
}

#[tokio::test]
async fn a_refused_connection_is_reported() {
    let upstream = Upstream::new().await;
    let origin = upstream.origin.clone();
    drop(upstream);
    let host = Application::new().start_allowing(&origin);
    assert_eq!(put(&host, &origin, 0).await, Response::new(200, "ErrorCode::ConnectionRefused"));
}

#[tokio::test]
async fn a_silent_upstream_triggers_the_first_byte_timeout() {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let headers = [("x-url", upstream.origin.as_str()), ("x-first-byte-ms", "50")];
    let call = host.send("GET", "/call", &headers, Vec::new());
    let (response, _stream) = tokio::join!(call, upstream.accept());
    assert_eq!(response, Response::new(200, "ErrorCode::ConnectionReadTimeout"));
}

#[tokio::test]
async fn a_relayed_body_is_streamed_to_the_upstream() {
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
    let response = read_head(&mut client).await;
    assert!(response.starts_with("http/1.1 200 "), "{response}");
}

#[tokio::test]
async fn a_client_disconnect_aborts_the_relayed_request() {
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
    // A reset is as valid as a close; the five missing bytes must not arrive.
    let end = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest)).await;
    assert!(end.is_ok(), "the upstream connection stayed open");
    assert!(rest.is_empty(), "{rest:?}");
}
