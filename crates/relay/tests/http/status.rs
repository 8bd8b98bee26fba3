//! The state of an upload, as the next request finds it.

use crate::support::{Headers, Reply, Worker};

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const LENGTH: (&str, &str) = ("upload-length", "5");
const START: (&str, &str) = ("upload-offset", "0");
const INCOMPLETE: (&str, &str) = ("upload-complete", "?0");
const PARTIAL: (&str, &str) = ("content-type", "application/partial-upload");

fn create(worker: &Worker) -> Reply {
    worker.send("POST", "/v1/files", &[TUS, LENGTH], b"")
}

/// An upload all of whose bytes are stored, which no request has declared complete.
fn stored(worker: &Worker) -> String {
    let path = create(worker).location().to_owned();
    let stored = worker.send("PATCH", &path, &[PARTIAL, INCOMPLETE, START], b"12345");
    assert_eq!(stored.status, 204, "{}", stored.text());
    assert!(worker.services.objects.borrow().is_empty());
    path
}

fn head(worker: &Worker, path: &str, headers: Headers<'_>) -> (u16, Option<String>) {
    let reply = worker.send("HEAD", path, headers, b"");
    (reply.status, reply.header("upload-offset").map(str::to_owned))
}

#[test]
fn a_tus_client_that_asks_for_the_last_offset_has_a_complete_upload() {
    let worker = Worker::new(&[]);
    let path = stored(&worker);
    // A client of the draft may still declare it complete.
    assert_eq!(head(&worker, &path, &[]), (204, Some("5".to_owned())));
    assert!(worker.services.objects.borrow().is_empty());
    for _ in 0..2 {
        assert_eq!(head(&worker, &path, &[TUS]), (200, Some("5".to_owned())));
        assert_eq!(worker.only_object(), b"12345");
    }
}

#[test]
fn a_paused_upload_is_not_completed_until_it_is_resumed() {
    let worker = Worker::new(&[]);
    let path = stored(&worker);
    assert_eq!(worker.send("POST", &format!("{path}/pause"), &[], b"").status, 200);
    assert_eq!(head(&worker, &path, &[TUS]), (200, Some("5".to_owned())));
    assert!(worker.services.objects.borrow().is_empty());
    assert_eq!(worker.send("POST", &format!("{path}/resume"), &[], b"").status, 200);
    assert_eq!(head(&worker, &path, &[TUS]), (200, Some("5".to_owned())));
    assert_eq!(worker.only_object(), b"12345");
}

#[test]
fn a_response_has_the_instant_at_which_the_upload_expires_if_it_ever_does() {
    for (expire_after, expires) in [("86400", Some("Sat, 16 Jan 2027 08:00:00 GMT")), ("0", None)] {
        let worker = Worker::new(&[("expire_after_s", expire_after)]);
        let created = create(&worker);
        assert_eq!(created.header("upload-expires"), expires);
        let chunk = ("content-type", "application/offset+octet-stream");
        let stored = worker.send("PATCH", created.location(), &[TUS, chunk, START], b"12");
        assert_eq!((stored.status, stored.header("upload-expires")), (204, expires));
    }
}

#[test]
fn a_deletion_of_an_upload_at_rest_is_not_delayed() {
    let worker = Worker::new(&[]);
    let path = create(&worker).location().to_owned();
    let stored = worker.send("PATCH", &path, &[PARTIAL, INCOMPLETE, START], b"123");
    assert_eq!(stored.status, 204, "{}", stored.text());
    let before = worker.elapsed();
    assert_eq!(worker.send("DELETE", &path, &[TUS], b"").status, 204);
    assert_eq!(worker.elapsed(), before);
}

#[test]
fn an_empty_file_of_undeclared_length_is_complete_once_its_digest_matches() {
    let worker = Worker::new(&[]);
    let digest = ("repr-digest", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
    let created = worker.send("POST", "/v1/files", &[INCOMPLETE, digest], b"");
    let headers = [PARTIAL, ("upload-complete", "?1"), START];
    let completed = worker.send("PATCH", created.location(), &headers, b"");
    assert_eq!(completed.status, 201, "{}", completed.text());
    assert_eq!(completed.header("upload-complete"), Some("?1"));
    assert_eq!(worker.only_object(), b"");
}
