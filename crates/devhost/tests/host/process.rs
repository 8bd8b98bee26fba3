//! Logs, counters and process termination.

use crate::support::{Application, Response, TOKEN, Upstream, respond_ok};

#[tokio::test]
async fn each_request_is_logged_as_one_line_without_its_query() {
    let host = Application::new().start();
    let query = "?signature=must-not-be-shown";
    host.send("PUT", &format!("/kv/key{query}"), &[], b"12345".to_vec()).await;
    host.terminate();
    let (status, log) = host.wait();
    assert!(status.success(), "{status}");
    let lines: Vec<_> = log.lines().filter(|line| line.contains("path=")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    for part in ["method=PUT", "path=\"/kv/key\"", "status=200", "bytes_in=5", "ms=", "instance=1"]
    {
        assert!(lines[0].contains(part), "{part} in {}", lines[0]);
    }
    assert!(!log.contains("must-not-be-shown"), "{log}");
}

#[tokio::test]
async fn the_output_of_a_guest_is_logged_line_by_line() {
    let host = Application::new().start();
    assert_eq!(host.get("/say/something").await.status, 200);
    host.terminate();
    let (_, log) = host.wait();
    for text in ["guest: said on stdout: something", "guest: said on stderr: something"] {
        assert_eq!(log.lines().filter(|line| line.contains(text)).count(), 1, "{log}");
    }
}

#[tokio::test]
async fn the_debug_log_contains_no_secret() {
    let application = Application::new();
    let mut command = application.command();
    let host = crate::support::Host::start(command.args(["--log", "debug"]));
    assert!(host.get("/variable/sentence").await.text.contains(TOKEN));
    host.get("/variable/token").await;
    host.get("/trap").await;
    host.terminate();
    let (_, log) = host.wait();
    assert!(log.contains("component trapped") && !log.contains(TOKEN), "{log}");
}

#[tokio::test]
async fn requests_for_host_paths_never_reach_a_component() {
    let host = Application::new().start();
    assert_eq!(host.get("/_host/stats").await.status, 200);
    assert_eq!(host.get("/_host/stats/reset").await.status, 405);
    assert_eq!(host.get("/_host/other").await.status, 404);
    assert_eq!(host.stat("requests").await, 0.0);
    assert_eq!(host.stat("instances_started").await, 0.0);
}

#[tokio::test]
async fn a_request_in_progress_finishes_before_the_process_exits() {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let headers = [("x-url", upstream.origin.as_str())];
    let call = host.send("GET", "/call", &headers, Vec::new());
    let serve = async {
        let (mut stream, _) = upstream.accept().await;
        host.terminate();
        // New connections are refused once the signal has arrived.
        while tokio::net::TcpStream::connect(host.origin.strip_prefix("http://").unwrap())
            .await
            .is_ok()
        {
            tokio::task::yield_now().await;
        }
        respond_ok(&mut stream).await;
    };
    let (response, ()) = tokio::join!(call, serve);
    assert_eq!(response, Response::new(200, "status 200"));
    let (status, log) = host.wait();
    assert!(status.success(), "{status} {log}");
}
