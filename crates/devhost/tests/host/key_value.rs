use crate::support::{Application, Response};

#[tokio::test]
async fn a_value_survives_a_crash_after_set_has_returned() {
    let application = Application::new();
    let host = application.start();
    let value = "value\u{fffd}".repeat(10_000);
    let stored = host.send("PUT", "/kv/key", &[], value.clone().into_bytes()).await;
    host.kill();
    assert_eq!(stored, Response::new(200, "done"));

    let host = application.start();
    assert_eq!(host.get("/kv/key").await, Response::new(200, &value));
    assert_eq!(host.send("DELETE", "/kv/key", &[], Vec::new()).await, Response::new(200, "done"));
    assert_eq!(host.get("/kv/key").await, Response::new(404, "no such key"));
}

#[tokio::test]
async fn a_store_that_the_manifest_does_not_list_is_denied() {
    let host = Application::new().start();
    assert_eq!(host.get("/label/default").await.text, "opened");
    assert_eq!(host.get("/label/other").await.text, "Error::AccessDenied");
}

#[tokio::test]
async fn every_key_is_listed_once() {
    let host = Application::new().start();
    assert_eq!(host.get("/keys").await, Response::new(200, ""));
    for key in ["b", "a", "c", "a"] {
        host.send("PUT", &format!("/kv/{key}"), &[], b"value".to_vec()).await;
    }
    assert_eq!(host.get("/keys").await, Response::new(200, "a\nb\nc"));
}

#[tokio::test]
async fn the_error_for_a_key_or_value_above_its_limit_contains_the_limit() {
    let host = Application::new().start();
    let long = format!("/kv/{}", "k".repeat(257));
    let rejected = host.send("PUT", &long, &[], Vec::new()).await;
    assert!(rejected.status == 500 && rejected.text.contains("256"), "{rejected:?}");
    let rejected = host.send("PUT", "/kv/key", &[], vec![b'v'; 1_000_001]).await;
    assert!(rejected.status == 500 && rejected.text.contains("1000000"), "{rejected:?}");
    assert_eq!(host.get("/keys").await, Response::new(200, ""));
}

#[tokio::test]
async fn calls_and_bytes_are_counted_until_the_reset() {
    let host = Application::new().start();
    host.send("PUT", "/kv/key", &[], b"12345".to_vec()).await;
    host.get("/kv/key").await;
    host.send("DELETE", "/kv/key", &[], Vec::new()).await;
    for (name, expected) in
        [("kv_writes", 1.0), ("kv_bytes_written", 5.0), ("kv_reads", 1.0), ("kv_deletes", 1.0)]
    {
        assert_eq!(host.stat(name).await, expected, "{name}");
    }
    assert_eq!(host.send("POST", "/_host/stats/reset", &[], Vec::new()).await.status, 200);
    assert_eq!(host.stat("kv_writes").await, 0.0);
}
