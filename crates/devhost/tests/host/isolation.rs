use crate::support::{Application, Host, Reply, TOKEN, Upstream, respond_ok};

#[tokio::test]
async fn a_trap_costs_its_own_request_and_not_the_process() {
    let host = Application::new().start();
    assert_eq!(host.get("/trap").await.status, 500);
    assert_eq!(host.get("/label/default").await, Reply::new(200, "opened"));
    assert_eq!(host.stat("instances_started").await, 2.0);
    host.terminate();
    let (_, log) = host.wait();
    assert!(log.contains("component trapped"), "{log}");
}

#[tokio::test]
async fn a_response_that_a_trap_cuts_short_does_not_look_complete() {
    let host = Application::new().start();
    let outcome = host.try_send("GET", "/trap-midway", &[], Vec::new()).await;
    assert!(outcome.is_err(), "{outcome:?}");
    assert_eq!(host.get("/label/default").await, Reply::new(200, "opened"));
}

#[tokio::test]
async fn a_guest_that_answers_with_an_error_code_is_a_500_and_its_instance_goes_on() {
    let host = Application::new().start();
    assert_eq!(host.get("/fail").await.status, 500);
    assert_eq!(host.get("/label/default").await, Reply::new(200, "opened"));
}

#[tokio::test]
async fn memory_over_the_bound_is_refused_to_the_guest_and_the_peak_is_counted() {
    let bound = 32 * 1024 * 1024;
    let application = Application::new();
    let mut command = application.command();
    let host = Host::start(command.args(["--component-memory-max-bytes", &bound.to_string()]));
    assert_eq!(host.get("/grow/16000000").await, Reply::new(200, "granted"));
    assert_eq!(host.get("/grow/64000000").await, Reply::new(507, "refused"));
    let peak = host.stat("component_memory_peak_bytes").await;
    assert!(peak > 16e6 && peak <= f64::from(bound), "{peak}");
    assert_eq!(host.stat("instance_memory_peak_bytes").await, peak);
}

#[tokio::test]
async fn one_instance_serves_requests_that_wait_at_the_same_time() {
    let upstream = Upstream::new().await;
    let host = Application::new().start_allowing(&upstream.origin);
    let headers = [("x-url", upstream.origin.as_str())];
    let calls = (0..8).map(|_| host.send("GET", "/call", &headers, Vec::new()));
    let serve = async {
        let mut waiting = Vec::new();
        for _ in 0..8 {
            waiting.push(upstream.accept().await.0);
        }
        // All eight are under way now, and none has its answer.
        let instances = host.stat("instances_started").await;
        for stream in &mut waiting {
            respond_ok(stream).await;
        }
        instances
    };
    let (replies, instances) = tokio::join!(futures::future::join_all(calls), serve);
    assert!(replies.iter().all(|reply| *reply == Reply::new(200, "status 200")), "{replies:?}");
    assert!(instances < 8.0, "an instance for each request");
}

#[tokio::test]
async fn a_component_reads_the_variables_of_its_own_section_and_no_others() {
    let host = Application::new().start();
    let sentence = format!("hello, {TOKEN}");
    assert_eq!(host.get("/variable/sentence").await, Reply::new(200, &sentence));
    let undefined = host.get("/variable/token").await;
    assert!(undefined.text.starts_with("Error::Undefined"), "{undefined:?}");
    let invalid = host.get("/variable/NOT-A-NAME").await;
    assert!(invalid.text.starts_with("Error::InvalidName"), "{invalid:?}");
}

#[tokio::test]
async fn a_header_of_the_host_cannot_be_forged_by_the_client() {
    let host = Application::new().start();
    let forged = [("spin-client-addr", "8.8.8.8:53")];
    let seen = host.send("GET", "/header/spin-client-addr", &forged, Vec::new()).await;
    assert!(seen.text.starts_with("127.0.0.1:"), "{seen:?}");
}
