//! CORS: pages of other origins.

use crate::support::{Reply, Worker};

fn preflight(worker: &Worker, origin: &str) -> Reply {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "x-csrf-token, upload-length"),
    ];
    worker.send("OPTIONS", "/v1/files", &headers, b"")
}

#[test]
fn pages_of_listed_origins_may_send_the_listed_headers() {
    let origins = "https://*.a.example, capacitor://localhost, null";
    let worker = Worker::new(&[("cors_origins", origins), ("cors_headers", "X-Csrf-Token")]);
    for origin in ["https://x.a.example", "capacitor://localhost", "null"] {
        let reply = preflight(&worker, origin);
        assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
        assert!(reply.header("access-control-allow-headers").unwrap().contains("X-Csrf-Token"));
    }
    for origin in ["https://a.example", "ionic://localhost"] {
        assert_eq!(preflight(&worker, origin).header("access-control-allow-origin"), None);
    }
}

#[test]
fn any_origin_is_not_null() {
    let worker = Worker::new(&[("cors_origins", "*"), ("cors_headers", "*")]);
    let reply = preflight(&worker, "https://a.example");
    assert!(reply.header("access-control-allow-headers").unwrap().contains("x-csrf-token"));
    assert_eq!(preflight(&worker, "null").header("access-control-allow-origin"), None);
}

#[test]
fn a_wrong_setting_is_logged_by_its_name_and_affects_pages_only() {
    for (name, value) in [("cors_origins", "a.example"), ("cors_headers", "a:b")] {
        let worker = Worker::new(&[(name, value)]);
        for page in [
            preflight(&worker, "https://a.example"),
            worker.send("PUT", "/v1/uploads/a.mp4", &[("origin", "https://a.example")], b"1"),
        ] {
            page.assert_problem(503, "misconfigured");
        }
        assert!(worker.log()[0].contains(name), "{:?}", worker.log());
        worker.assert_untouched();
        let other = worker.send("PUT", "/v1/uploads/a.mp4", &[], b"1");
        assert_eq!(other.status, 201, "{}", other.text());
    }
}
