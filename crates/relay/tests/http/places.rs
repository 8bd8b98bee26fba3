//! The worker below a path, behind a proxy, and at its hosts.

use crate::support::{Headers, Worker};

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=b");

/// The requests of every protocol whose responses have the URL of an upload.
const CREATIONS: [(&str, &str, Headers<'static>, &str); 5] = [
    ("POST", "/v1/files", &[TUS, ("upload-length", "5")], ""),
    ("POST", "/v1/files", &[("upload-complete", "?0")], ""),
    ("PUT", "/v1/uploads/a.mp4", &[("upload-complete", "?1")], "12345"),
    ("POST", "/v1/filepond", &[("upload-length", "5")], ""),
    (
        "POST",
        "/v1/filepond",
        &[FORM],
        "--b\r\nContent-Disposition: form-data; name=f; filename=a.mp4\r\n\r\nbytes\r\n--b--\r\n",
    ),
];

#[test]
fn every_location_is_below_the_base_path() {
    for (method, path, headers, body) in CREATIONS {
        let worker = Worker::new(&[("base_path", "/upload")]);
        let below = format!("/upload{path}");
        // A proxy may remove the base path.
        for target in [path, below.as_str()] {
            let reply = worker.send(method, target, headers, body.as_bytes());
            assert_eq!(reply.status, 201, "{method} {target}: {}", reply.text());
            let location = reply.location();
            assert!(location.starts_with("/upload/v1/file"), "{method} {target}: {location}");
            if headers == [FORM] {
                // FilePond requests no offset of a file that was sent at once.
                continue;
            }
            let tus = if headers.contains(&TUS) { &[TUS][..] } else { &[] };
            for known in [location, location.strip_prefix("/upload").unwrap()] {
                let found = worker.send("HEAD", known, tus, b"");
                assert!(found.status < 300, "HEAD {known}: {}", found.status);
            }
        }
    }
}

#[test]
fn a_trusted_proxy_declares_the_origin_of_every_location() {
    let forwarded = [("forwarded", "proto=https;host=edge.example")];
    for (method, path, headers, body) in CREATIONS {
        let headers = [headers, &forwarded].concat();
        for (trust, start) in [("true", "https://edge.example/v1/file"), ("false", "/v1/file")] {
            let worker = Worker::new(&[("trust_forwarded", trust)]);
            let reply = worker.send(method, path, &headers, body.as_bytes());
            assert!(reply.location().starts_with(start), "{}", reply.location());
        }
    }
}

#[test]
fn a_final_upload_lists_urls_below_a_path() {
    let worker = Worker::new(&[("base_path", "/upload"), ("temporary_bucket", "temporary")]);
    let partial = worker.send(
        "POST",
        "/upload/v1/files",
        &[TUS, ("upload-concat", "partial"), ("upload-length", "5")],
        b"",
    );
    let concat = format!("final;{}", partial.location());
    let headers = [TUS, ("upload-concat", concat.as_str())];
    assert_eq!(worker.send("POST", "/upload/v1/files", &headers, b"").status, 201);
}

#[test]
fn paths_beside_the_base_path_do_not_exist() {
    let worker = Worker::new(&[("base_path", "/upload")]);
    for path in ["/uploads/v1/files", "/upload", "/other/v1/files", "/upload/upload/v1/files"] {
        assert_eq!(worker.send("POST", path, &[TUS], b"").status, 404, "{path}");
    }
    assert_eq!(worker.send("GET", "/upload/healthz", &[], b"").status, 200);
    assert_eq!(worker.send("GET", "/healthz", &[], b"").status, 200);
}

#[test]
fn only_requests_for_allowed_hosts_are_served() {
    let worker = Worker::new(&[("allowed_hosts", "localhost, 127.0.0.1"), ("cors_origins", "*")]);
    let rebound = [("host", "evil.example:3000"), ("origin", "http://evil.example:3000")];
    for (method, path) in
        [("PUT", "/v1/uploads/a.mp4"), ("GET", "/v1/files/a1"), ("OPTIONS", "/v1/files")]
    {
        let reply = worker.send(method, path, &rebound, b"");
        reply.assert_problem(403, "host-not-allowed");
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
    worker.assert_untouched();
    assert_eq!(worker.send("GET", "/healthz", &rebound, b"").status, 200);
    let local = [("host", "localhost:3000")];
    assert_eq!(worker.send("PUT", "/v1/uploads/a.mp4", &local, b"1").status, 201);
}

#[test]
fn any_host_is_allowed_by_default() {
    let worker = Worker::new(&[]);
    for headers in [&[("host", "any.example")][..], &[]] {
        assert_eq!(worker.send("PUT", "/v1/uploads/a.mp4", headers, b"1").status, 201);
    }
}
