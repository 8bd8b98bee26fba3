use crate::support::{Application, Host, Response, TOKEN, Upstream, respond_ok};

#[tokio::test]
async fn a_trap_fails_only_its_own_request() {
    let host = Application::new().start();
    assert_eq!(host.get("/trap").await.status, 500);
    assert_eq!(host.get("/label/default").await, Response::new(200, "opened"));
    assert_eq!(host.stat("instances_started").await, 2.0);
    host.terminate();
    let (_, log) = host.wait();
    assert!(log.contains("component trapped"), "{log}");
}

#[tokio::test]
async fn a_response_truncated_by_a_trap_is_an_error() {
    let host = Application::new().start();
    let outcome = host.try_send("GET", "/trap-midway", &[], Vec::new()).await;
    assert!(outcome.is_err(), "{outcome:?}");
    assert_eq!(host.get("/label/default").await, Response::new(200, "opened"));
}

#[tokio::test]
async fn an_error_code_of_a_guest_is_a_500_and_its_instance_continues() {
    let host = Application::new().start();
    assert_eq!(host.get("/fail").await.status, 500);
    assert_eq!(host.get("/label/default").await, Response::new(200, "opened"));
}

#[tokio::test]
async fn memory_above_the_limit_is_rejected_and_the_peak_is_counted() {
    let limit = 32 * 1024 * 1024;
    let application = Application::new();
    let mut command = application.command();
    let host = Host::start(command.args(["--component-memory-max-bytes", &limit.to_string()]));
    assert_eq!(host.get("/grow/16000000").await, Response::new(200, "granted"));
    assert_eq!(host.get("/grow/64000000").await, Response::new(507, "rejected"));
    let peak = host.stat("component_memory_peak_bytes").await;
    assert!(peak > 16e6 && peak <= f64::from(limit), "{peak}");
    assert_eq!(host.stat("instance_memory_peak_bytes").await, peak);
}

#[tokio::test]
async fn one_instance_serves_concurrent_requests() {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let headers = [("x-url", upstream.origin.as_str())];
    let calls = (0..8).map(|_| host.send("GET", "/call", &headers, Vec::new()));
    let serve = async {
        let mut waiting = Vec::new();
        for _ in 0..8 {
            waiting.push(upstream.accept().await.0);
        }
        // All eight are in progress now, and none has its response.
        let instances = host.stat("instances_started").await;
        for stream in &mut waiting {
            respond_ok(stream).await;
        }
        instances
    };
    let (responses, instances) = tokio::join!(futures::future::join_all(calls), serve);
    assert!(
        responses.iter().all(|response| *response == Response::new(200, "status 200")),
        "{responses:?}"
    );
    assert!(instances < 8.0, "an instance for each request");
}

#[tokio::test]
async fn a_component_reads_only_the_variables_of_its_section() {
    let host = Application::new().start();
    let sentence = format!("hello, {TOKEN}");
    assert_eq!(host.get("/variable/sentence").await, Response::new(200, &sentence));
    let undefined = host.get("/variable/token").await;
    assert!(undefined.text.starts_with("Error::Undefined"), "{undefined:?}");
    let invalid = host.get("/variable/NOT-A-NAME").await;
    assert!(invalid.text.starts_with("Error::InvalidName"), "{invalid:?}");
}

#[tokio::test]
async fn a_client_cannot_forge_a_header_of_the_host() {
    let host = Application::new().start();
    let forged = [("spin-client-addr", "8.8.8.8:53")];
    let seen = host.send("GET", "/header/spin-client-addr", &forged, Vec::new()).await;
    assert!(seen.text.starts_with("127.0.0.1:"), "{seen:?}");
}
