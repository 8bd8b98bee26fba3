//! Uploads that are concatenated from partial ones.

use crate::support::{Fault, Headers, Reply, Worker};

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const CHUNK: (&str, &str) = ("content-type", "application/offset+octet-stream");
const START: (&str, &str) = ("upload-offset", "0");
const PARTIAL: (&str, &str) = ("upload-concat", "partial");
const UNKNOWN_LENGTH: (&str, &str) = ("upload-defer-length", "1");

/// The smallest part of a multipart upload.
const PART: &[u8] = &[7; 102_400];
const PART_LENGTH: (&str, &str) = ("upload-length", "102400");

fn worker(variables: Headers<'_>) -> Worker {
    Worker::new(&[&[("temporary_bucket", "temporary")], variables].concat())
}

/// Creates a partial upload and returns its URL.
fn create_partial(worker: &Worker, length: (&str, &str)) -> String {
    worker.send("POST", "/v1/files", &[TUS, PARTIAL, length], b"").location().to_owned()
}

fn create_final(worker: &Worker, partials: &[&str]) -> Reply {
    let concat = format!("final;{}", partials.join(" "));
    worker.send("POST", "/v1/files", &[TUS, ("upload-concat", &concat)], b"")
}

/// Sends all bytes of a partial upload, and its length.
fn complete(worker: &Worker, url: &str, bytes: &[u8]) {
    let length = bytes.len().to_string();
    let headers = [TUS, CHUNK, START, ("upload-length", &length)];
    let reply = worker.send("PATCH", url, &headers, bytes);
    assert_eq!(reply.status, 204, "{}", reply.text());
}

fn head(worker: &Worker, url: &str) -> Reply {
    worker.send("HEAD", url, &[TUS], b"")
}

/// Two complete partial uploads of one part each.
fn complete_partials(worker: &Worker) -> [String; 2] {
    [(); 2].map(|()| {
        let url = create_partial(worker, PART_LENGTH);
        complete(worker, &url, PART);
        url
    })
}

#[test]
fn a_final_upload_has_the_total_length_of_its_partial_uploads() {
    let worker = worker(&[]);
    let partials = ["3", "4"].map(|length| create_partial(&worker, ("upload-length", length)));
    let created = create_final(&worker, &[&partials[0], &partials[1]]);
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(head(&worker, created.location()).header("upload-length"), Some("7"));
    assert_eq!(worker.services.parameters("FileSize"), ["7"]);
}

#[test]
fn partial_uploads_of_unknown_length_may_reach_the_largest_length_but_not_exceed_it() {
    for (excess, status) in [(0, 200), (1, 413)] {
        let worker = worker(&[("upload_max_bytes", "204800")]);
        let partials = [(); 2].map(|()| create_partial(&worker, UNKNOWN_LENGTH));
        let created = create_final(&worker, &[&partials[0], &partials[1]]);
        assert_eq!(created.status, 201, "{}", created.text());
        complete(&worker, &partials[0], PART);
        complete(&worker, &partials[1], &vec![7; PART.len() + excess]);
        let found = head(&worker, created.location());
        assert_eq!(found.status, status, "{excess}");
        let concatenated = worker.services.objects.borrow();
        let is_complete = concatenated.values().any(|object| object.len() >= 2 * PART.len());
        assert_eq!(is_complete, excess == 0);
    }
}

#[test]
fn a_concatenation_that_failed_is_repeated_by_the_next_request() {
    let worker = worker(&[]);
    let [first, second] = complete_partials(&worker);
    let unavailable = Fault::Reject(503, "ServiceUnavailable");
    *worker.services.fault.borrow_mut() = Some(("partNumber=", unavailable));
    let created = create_final(&worker, &[&first, &second]);
    assert_eq!((created.status, created.header("upload-offset")), (201, None));
    *worker.services.fault.borrow_mut() = None;
    let found = head(&worker, created.location());
    assert_eq!((found.status, found.header("upload-offset")), (200, Some("204800")));
    assert_eq!(worker.only_object(), [PART, PART].concat(), "the partial uploads are deleted");
}

#[test]
fn a_concatenation_that_the_store_does_not_allow_is_an_error() {
    let worker = worker(&[]);
    let partials = [(); 2].map(|()| create_partial(&worker, PART_LENGTH));
    let created = create_final(&worker, &[&partials[0], &partials[1]]);
    let denied = Fault::Reject(403, "AccessDenied");
    *worker.services.fault.borrow_mut() = Some(("sv/", denied));
    partials.iter().for_each(|partial| complete(&worker, partial, PART));
    assert_eq!(head(&worker, created.location()).status, 403);
    assert_eq!(create_final(&worker, &[&partials[0], &partials[1]]).status, 403);
}

#[test]
fn a_concatenation_of_a_worker_that_stopped_is_repeated_after_the_timeout_of_its_request() {
    let worker = worker(&[]);
    let partials = [(); 2].map(|()| create_partial(&worker, PART_LENGTH));
    let created = create_final(&worker, &[&partials[0], &partials[1]]);
    complete(&worker, &partials[0], PART);
    *worker.services.fault.borrow_mut() = Some(("sv/", Fault::Silence));
    worker.send_and_crash("PATCH", &partials[1], &[TUS, CHUNK, START], PART);
    *worker.services.fault.borrow_mut() = None;
    let offset = || {
        let other = worker.beside(&[("temporary_bucket", "temporary")]);
        head(&other, created.location()).header("upload-offset").map(str::to_owned)
    };
    worker.pass_seconds(59);
    assert_eq!(offset(), None, "the worker may still wait for a response");
    worker.pass_seconds(1);
    assert_eq!(offset().as_deref(), Some("204800"));
    assert_eq!(worker.only_object(), [PART, PART].concat());
}

#[test]
fn a_final_upload_without_one_of_its_partial_uploads_is_lost() {
    let worker = worker(&[]);
    let partials = [(); 2].map(|()| create_partial(&worker, PART_LENGTH));
    let created = create_final(&worker, &[&partials[0], &partials[1]]);
    complete(&worker, &partials[0], PART);
    assert_eq!(worker.send("DELETE", &partials[0], &[TUS], b"").status, 204);
    assert_eq!(head(&worker, created.location()).status, 410);
    let state = worker.send("GET", created.location(), &[], b"");
    state.assert_problem(410, "upload-lost");
}

#[test]
fn a_final_upload_of_a_partial_upload_that_does_not_exist_is_refused() {
    let worker = worker(&[]);
    let partial = create_partial(&worker, PART_LENGTH);
    worker.fail_keys("get", partial.rsplit('/').next().unwrap(), 0);
    let refused = create_final(&worker, &[&partial]);
    refused.assert_problem(503, "key-value-unavailable");
    worker.repair_keys();
    complete(&worker, &partial, PART);
    assert_eq!(worker.send("DELETE", &partial, &[TUS], b"").status, 204);
    create_final(&worker, &[&partial]).assert_problem(400, "upload-concat-invalid");
    assert!(worker.services.calls.borrow().is_empty(), "no media is created");
}
