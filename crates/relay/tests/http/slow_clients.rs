//! Clients that send slowly, and limits of what all clients do at once.

use std::time::Duration;

use crate::support::Worker;

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const CHUNK: (&str, &str) = ("content-type", "application/offset+octet-stream");
const SECOND: Duration = Duration::from_secs(1);

/// Creates an upload of a MiB and sends `count` chunks, one after each `interval`. Returns the
/// seconds until the response and the offset after it.
fn send_paced(worker: &Worker, interval: Duration, chunk: &[u8], count: u32) -> (u64, u64) {
    let created = worker.send("POST", "/v1/files", &[TUS, ("upload-length", "1048576")], b"");
    let headers = [TUS, CHUNK, ("upload-offset", "0")];
    let started_at = worker.elapsed();
    let location = created.location();
    worker.send_paced("PATCH", location, &headers, interval, chunk, count);
    let seconds = (worker.elapsed() - started_at).as_secs();
    let offset = worker.send("HEAD", location, &[TUS], b"");
    (seconds, offset.header("upload-offset").unwrap().parse().unwrap())
}

#[test]
fn a_client_that_sends_nothing_is_disconnected_after_30_seconds() {
    let (seconds, offset) = send_paced(&Worker::new(&[]), SECOND, b"", 0);
    assert_eq!(offset, 0);
    assert!((30..40).contains(&seconds), "{seconds}");
}

#[test]
fn a_client_that_sends_a_byte_per_second_is_disconnected_and_its_bytes_are_kept() {
    let (seconds, offset) = send_paced(&Worker::new(&[]), SECOND, b"1", 1_000);
    assert!((50..=60).contains(&offset), "{offset}");
    assert!((60..70).contains(&seconds), "{seconds}");
}

#[test]
fn a_client_that_stops_sending_is_disconnected_after_60_seconds() {
    let (seconds, offset) = send_paced(&Worker::new(&[]), SECOND, &[7; 100 << 10], 5);
    assert_eq!(offset, 500 << 10);
    assert!((60..70).contains(&seconds), "{seconds}");
}

#[test]
fn a_client_at_the_minimum_rate_sends_its_file() {
    let (seconds, offset) = send_paced(&Worker::new(&[]), SECOND, &[7; 1_024], 1_024);
    assert_eq!(offset, 1 << 20);
    assert!(seconds >= 1_024, "{seconds}");
}

#[test]
fn more_creations_per_minute_than_configured_are_refused_before_anything_is_done() {
    let worker = Worker::new(&[("creations_per_minute_max", "2")]);
    let create = || worker.send("POST", "/v1/files", &[TUS, ("upload-length", "5")], b"");
    assert_eq!((create().status, create().status), (201, 201));
    let calls = worker.services.calls.borrow().len();
    for refused in [create(), worker.send("PUT", "/v1/uploads/a.mp4", &[], b"12345")] {
        refused.assert_problem(429, "too-many-requests");
        assert!(refused.header("retry-after").is_some());
    }
    assert_eq!(worker.services.calls.borrow().len(), calls);
    worker.pass_seconds(60);
    assert_eq!(create().status, 201);
}
