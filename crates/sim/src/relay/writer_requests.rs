//! Single requests for an upload that has a writer, or whose writer stopped without an end.

use std::time::Duration;

use futures::future::join;

use super::client::Client;
use super::message::{Reply, Request};
use super::requests::{LENGTH, concatenation, create, file, partial, patch, run_client, send};
use super::setting::{Rates, Setting};
use crate::world::{Content, Fault, Operation};

/// Bytes that arrive before the client pauses.
const HALF: u64 = LENGTH / 2;

/// How long each client pauses.
const PAUSE: Duration = Duration::from_secs(10);

const SECOND: Duration = Duration::from_secs(1);

/// Sends a request. Returns the response and how long it took.
async fn timed(client: &Client, request: Request) -> (Reply, Duration) {
    let sent_at = client.environment.now();
    let reply = send(client, request).await;
    (reply, client.environment.now().since(sent_at))
}

/// Sends a request after `delay`.
async fn timed_later(client: &Client, delay: Duration, request: Request) -> (Reply, Duration) {
    client.environment.sleep(delay).await;
    timed(client, request).await
}

/// The next call of this operation has this fault.
fn plan(client: &Client, operation: Operation, fault: Fault) {
    client.environment.world.borrow_mut().store.faults.plan(operation, 1, fault);
}

/// Sends a request to an instance that crashes after `delay`, so that no response arrives.
async fn send_and_crash(client: &Client, delay: Duration, request: Request) {
    let crash = async {
        client.environment.sleep(delay).await;
        client.environment.set_rates(Rates { crashes: 1_000, ..Rates::default() });
        // Any request reaches a point at which the instance crashes.
        assert!(client.send(Request::new("GET", "/v1/files/a1")).await.is_none());
        client.environment.set_rates(Rates::default());
    };
    let (reply, ()) = join(client.send(request), crash).await;
    assert!(reply.is_none());
}

/// An upload all of whose bytes are stored and whose writer crashed while it waited for
/// CompleteMultipartUpload, which had this fault.
async fn crashed_completion(client: &Client, content: &Content, fault: Fault) -> String {
    let path = create(client, Some(LENGTH)).await;
    plan(client, Operation::Complete, fault);
    send_and_crash(client, SECOND, patch(&path, 0).with_body(content.bytes())).await;
    path
}

/// The state of the upload at `path`, and how long the response took.
async fn state(client: &Client, path: &str) -> (String, Duration) {
    let (reply, elapsed) = timed(client, Request::new("GET", path)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    (reply.json()["state"].as_str().unwrap().to_owned(), elapsed)
}

#[test]
fn a_request_for_the_offset_stops_the_writer_and_counts_all_bytes_that_arrived() {
    run_client(Setting::default(), |client| async move {
        let content = file(&client, LENGTH);
        let path = create(&client, Some(LENGTH)).await;
        let writer = patch(&path, 0).with_body(content.bytes()).with_pause(PAUSE);
        let head = timed_later(&client, SECOND, Request::tus("HEAD", &path));
        let (writer, (head, elapsed)) = join(send(&client, writer), head).await;
        assert_eq!((head.status, head.offset()), (200, Some(HALF)));
        // A writer that stops early is not waited for any longer.
        assert!(elapsed < Duration::from_millis(120), "{elapsed:?}");
        assert_eq!((writer.status, writer.offset()), (409, Some(HALF)), "{}", writer.text());
        let rest = patch(&path, HALF).with_body(content.range(HALF, LENGTH));
        assert_eq!(send(&client, rest).await.status, 204);
    });
}

#[test]
fn a_writer_that_crashed_delays_the_offset_only_briefly() {
    run_client(Setting::default(), |client| async move {
        let content = file(&client, LENGTH);
        let path = create(&client, Some(LENGTH)).await;
        let writer = patch(&path, 0).with_body(content.bytes()).with_pause(PAUSE);
        send_and_crash(&client, SECOND, writer).await;
        let (head, elapsed) = timed(&client, Request::tus("HEAD", &path)).await;
        let offset = head.offset().unwrap();
        assert!((1..=HALF).contains(&offset), "{offset}");
        assert!(elapsed < Duration::from_millis(500), "{elapsed:?}");
        let rest = content.range(offset, LENGTH);
        assert_eq!(send(&client, patch(&path, offset).with_body(rest)).await.status, 204);
    });
}

#[test]
fn requests_for_the_offset_after_a_crash_do_not_fail_because_of_each_other() {
    for seed in 0..8 {
        let setting = Setting { seed, ..Setting::default() };
        run_client(setting, |client| async move {
            let content = file(&client, LENGTH);
            let path = create(&client, Some(LENGTH)).await;
            let writer = patch(&path, 0).with_body(content.bytes()).with_pause(PAUSE);
            send_and_crash(&client, SECOND, writer).await;
            let head = || send(&client, Request::tus("HEAD", &path));
            let (first, second) = join(head(), head()).await;
            assert_eq!((first.status, second.status), (200, 200));
            assert_eq!(first.offset(), second.offset());
        });
    }
}

#[test]
fn the_offset_during_a_completion_without_response_is_known_after_five_seconds() {
    run_client(Setting::default(), |client| async move {
        let content = file(&client, LENGTH);
        let path = create(&client, Some(LENGTH)).await;
        plan(&client, Operation::Complete, Fault::HangAfter);
        let writer = patch(&path, 0).with_body(content.bytes());
        let head = timed_later(&client, SECOND, Request::tus("HEAD", &path));
        let (_, (head, elapsed)) = join(send(&client, writer), head).await;
        assert_eq!((head.status, head.offset()), (200, Some(LENGTH)));
        assert!((4..6).contains(&elapsed.as_secs()), "{elapsed:?}");
    });
}

#[test]
fn a_completion_whose_writer_crashed_long_ago_is_reconciled_at_once() {
    for fault in [Fault::HangAfter, Fault::Hang] {
        run_client(Setting::default(), move |client| async move {
            let content = file(&client, LENGTH);
            let path = crashed_completion(&client, &content, fault).await;
            client.environment.sleep(6 * SECOND).await;
            let (head, elapsed) = timed(&client, Request::tus("HEAD", &path)).await;
            assert_eq!((head.status, head.offset()), (200, Some(LENGTH)));
            assert!(elapsed < SECOND, "{elapsed:?}");
        });
    }
}

#[test]
fn the_state_leaves_a_completion_to_its_writer_until_its_timeout() {
    run_client(Setting::default(), |client| async move {
        let content = file(&client, LENGTH);
        let path = crashed_completion(&client, &content, Fault::HangAfter).await;
        for _ in 0..2 {
            let (shown, elapsed) = state(&client, &path).await;
            assert_eq!(shown, "completing");
            assert!(elapsed < SECOND, "{elapsed:?}");
            client.environment.sleep(8 * SECOND).await;
        }
        client.environment.sleep(8 * SECOND).await;
        let (shown, elapsed) = state(&client, &path).await;
        assert_eq!(shown, "completed");
        assert!(elapsed < SECOND, "{elapsed:?}");
    });
}

#[test]
fn a_request_for_the_offset_waits_for_a_bounded_time_if_the_clocks_of_instances_differ() {
    // The instance that crashes and the one after it have different clocks.
    for seed in 0..6 {
        let clock_skew_ms_max = 60_000;
        let setting = Setting { seed, clock_skew_ms_max, ..Setting::default() };
        run_client(setting, |client| async move {
            let content = file(&client, LENGTH);
            let path = crashed_completion(&client, &content, Fault::HangAfter).await;
            let (head, elapsed) = timed(&client, Request::tus("HEAD", &path)).await;
            assert_eq!((head.status, head.offset()), (200, Some(LENGTH)));
            assert!(elapsed < 8 * SECOND, "{elapsed:?}");
        });
    }
}

#[test]
fn a_final_upload_is_completed_although_the_writer_of_a_partial_one_crashed() {
    run_client(Setting::default(), |client| async move {
        let content = file(&client, LENGTH);
        let created = send(&client, partial(LENGTH)).await;
        let path = created.header("location").unwrap();
        plan(&client, Operation::Complete, Fault::HangAfter);
        send_and_crash(&client, SECOND, patch(path, 0).with_body(content.bytes())).await;
        let created = send(&client, concatenation(&[path])).await;
        assert_eq!((created.status, created.offset()), (201, None), "{}", created.text());
        let path = created.header("location").unwrap();
        // The writer of the partial upload may still wait for the response of OSS.
        let (head, elapsed) = timed(&client, Request::tus("HEAD", path)).await;
        assert_eq!((head.status, head.offset()), (200, None));
        assert!(elapsed < SECOND, "{elapsed:?}");
        client.environment.sleep(6 * SECOND).await;
        let (head, elapsed) = timed(&client, Request::tus("HEAD", path)).await;
        assert_eq!((head.status, head.offset()), (200, Some(LENGTH)));
        assert!(elapsed < SECOND, "{elapsed:?}");
        client.environment.check_object(&created.media_id(), &content);
    });
}

#[test]
fn a_partial_upload_that_is_being_completed_is_left_to_its_writer() {
    run_client(Setting::default(), |client| async move {
        let content = file(&client, LENGTH);
        let created = send(&client, partial(LENGTH)).await;
        let path = created.header("location").unwrap();
        plan(&client, Operation::Complete, Fault::HangAfter);
        let writer = patch(path, 0).with_body(content.bytes());
        let created = timed_later(&client, SECOND, concatenation(&[path]));
        let (completed, (created, elapsed)) = join(send(&client, writer), created).await;
        assert_eq!((created.status, created.offset()), (201, None), "{}", created.text());
        assert!(elapsed < SECOND, "{elapsed:?}");
        assert_eq!((completed.status, completed.offset()), (204, Some(LENGTH)));
        client.environment.check_object(&created.media_id(), &content);
    });
}

#[test]
fn bytes_after_a_completion_whose_writer_crashed_are_compared_with_the_complete_file() {
    run_client(Setting::default(), |client| async move {
        let content = file(&client, LENGTH);
        for (offset, status) in [(0, 409), (LENGTH, 204)] {
            let path = crashed_completion(&client, &content, Fault::Hang).await;
            let bytes = content.range(offset, LENGTH);
            let (reply, elapsed) = timed(&client, patch(&path, offset).with_body(bytes)).await;
            let result = (reply.status, reply.offset());
            assert_eq!(result, (status, Some(LENGTH)), "{}", reply.text());
            assert!(elapsed < 6 * SECOND, "{elapsed:?}");
            assert_eq!(state(&client, &path).await.0, "completed");
        }
    });
}

#[test]
fn a_completion_that_is_repeated_is_left_to_its_writer() {
    let requests =
        [|path: &str| Request::tus("HEAD", path), |path: &str| patch(path, LENGTH).with_body(&[])];
    for (request, status) in requests.into_iter().zip([200, 204]) {
        run_client(Setting::default(), move |client| async move {
            let content = file(&client, LENGTH);
            let path = create(&client, Some(LENGTH)).await;
            for nth in 1..=3 {
                let unavailable = Fault::Refused(503, "ServiceUnavailable");
                let mut world = client.environment.world.borrow_mut();
                world.store.faults.plan(Operation::Complete, nth, unavailable);
            }
            let writer = patch(&path, 0).with_body(content.bytes());
            // OSS has refused the completion by then, and the writer repeats it after a pause.
            let other = timed_later(&client, SECOND / 2, request(&path));
            let (completed, (other, _)) = join(send(&client, writer), other).await;
            assert_eq!((completed.status, completed.offset()), (204, Some(LENGTH)));
            assert_eq!((other.status, other.offset()), (status, Some(LENGTH)));
        });
    }
}

#[test]
fn the_reason_why_a_completion_cannot_be_reconciled_is_reported() {
    run_client(Setting::default(), |client| async move {
        let content = file(&client, LENGTH);
        let path = crashed_completion(&client, &content, Fault::Hang).await;
        {
            let mut world = client.environment.world.borrow_mut();
            for operation in [Operation::Complete, Operation::Head, Operation::ListParts] {
                world.store.faults.always(operation, Fault::Refused(403, "AccessDenied"));
            }
        }
        client.environment.sleep(6 * SECOND).await;
        let reply = send(&client, patch(&path, LENGTH).with_body(&[])).await;
        assert_eq!(reply.status, 403, "{}", reply.text());
        assert_eq!(reply.json()["code"], "access-denied", "{}", reply.text());
    });
}
