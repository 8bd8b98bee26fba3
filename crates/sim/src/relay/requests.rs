//! Single requests: which are rejected, and that a rejected one changes nothing.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt as _;

use super::client::Client;
use super::message::{Reply, Request};
use super::setting::Setting;
use super::simulation::Simulation;
use super::variables::TEMPORARY_PREFIX;
use crate::world::{Content, Grant, Owner};

pub(super) const LENGTH: u64 = 250_000;

/// The type of a request body with bytes of a tus upload.
const BYTES: &str = "application/offset+octet-stream";

/// Runs a client to its end.
pub(super) fn run_client<F>(setting: Setting, task: impl FnOnce(Rc<Client>) -> F)
where
    F: Future<Output = ()> + 'static,
{
    let simulation = Simulation::new(setting);
    let is_done = Rc::new(Cell::new(false));
    let (task, done) = (task(Rc::new(Client::new(&simulation, 0))), Rc::clone(&is_done));
    let task = async move {
        task.await;
        done.set(true);
    };
    simulation.environment.executor.spawn(Owner::Client(0), task.boxed_local());
    simulation.run_until(|| is_done.get());
    simulation.end();
}

pub(super) async fn send(client: &Client, request: Request) -> Reply {
    client.send(request).await.expect("no response is lost without faults")
}

/// Creates an upload of `length` bytes, or of unknown length. Returns its path.
pub(super) async fn create(client: &Client, length: Option<u64>) -> String {
    let request = Request::tus("POST", "/v1/files").with_metadata(&[("filename", "clip.mp4")]);
    let request = match length {
        Some(length) => request.with("upload-length", length.to_string()),
        None => request.with("upload-defer-length", "1"),
    };
    let reply = send(client, request).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.header("location").unwrap().to_owned()
}

pub(super) fn patch(path: &str, offset: u64) -> Request {
    Request::tus("PATCH", path)
        .with("upload-offset", offset.to_string())
        .with("content-type", BYTES)
}

/// Creates a partial upload.
pub(super) fn partial(length: u64) -> Request {
    Request::tus("POST", "/v1/files")
        .with("upload-concat", "partial")
        .with("upload-length", length.to_string())
}

/// Creates a final upload.
pub(super) fn concatenation(partials: &[&str]) -> Request {
    Request::tus("POST", "/v1/files")
        .with_metadata(&[("filename", "clip.mp4")])
        .with("upload-concat", format!("final;{}", partials.join(" ")))
}

pub(super) fn file(client: &Client, len: u64) -> Content {
    let content = Content::of_len(len);
    client.environment.checker.borrow_mut().expect_content(&content);
    content
}

/// The lease of the only upload, which names its writer.
fn lease(client: &Client) -> Vec<u8> {
    let world = client.environment.world.borrow();
    let [key] = &world.kv.keys_with(".lease")[..] else { panic!("one upload") };
    world.kv.values[key].clone()
}

/// Sends a request that is rejected with `status`, without a takeover of the upload: an active
/// writer would not be disturbed.
async fn assert_rejected(client: &Client, request: Request, status: u16) {
    let (before, shown) = (lease(client), format!("{request:?}"));
    let reply = send(client, request).await;
    assert_eq!(reply.status, status, "{} {}", reply.text(), &shown[..shown.len().min(400)]);
    assert_eq!(lease(client), before, "{}", &shown[..shown.len().min(400)]);
}

#[test]
fn a_request_that_does_not_fit_the_upload_is_rejected_without_a_takeover() {
    run_client(Setting::default(), |client| async move {
        let content = file(&client, LENGTH);
        let path = create(&client, Some(LENGTH)).await;
        let first = patch(&path, 0).with_body(content.range(0, 100_000));
        assert_eq!(send(&client, first).await.status, 204);
        let rest = || content.range(100_000, LENGTH);
        assert_rejected(&client, patch(&path, 99_999).with_body(rest()), 409).await;
        let longer = [rest(), &[0]].concat();
        assert_rejected(&client, patch(&path, 100_000).with_body(&longer), 400).await;
        let other = patch(&path, 100_000).with("upload-length", (LENGTH + 1).to_string());
        assert_rejected(&client, other.with_body(rest()), 400).await;
        assert_eq!(send(&client, patch(&path, 100_000).with_body(rest())).await.status, 204);
    });
}

#[test]
fn bytes_beyond_the_length_are_rejected_even_if_the_request_declares_no_length() {
    run_client(Setting::default(), |client| async move {
        let content = file(&client, LENGTH);
        let path = create(&client, Some(LENGTH)).await;
        let first = patch(&path, 0).with_body(content.range(0, 100_000));
        assert_eq!(send(&client, first).await.status, 204);
        let longer = [content.range(100_000, LENGTH), &[0]].concat();
        let reply = send(&client, patch(&path, 100_000).with_chunked_body(&longer)).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert_eq!(reply.json()["code"], "length-mismatch", "{}", reply.text());
    });
}

#[test]
fn a_length_that_is_declared_later_is_at_least_the_offset() {
    for (length, status) in [(99_999, 400), (100_000, 204), (100_001, 204)] {
        run_client(Setting::default(), move |client| async move {
            let content = file(&client, 100_000);
            let path = create(&client, None).await;
            let first = patch(&path, 0).with_body(content.bytes());
            assert_eq!(send(&client, first).await.status, 204);
            let declaring = patch(&path, 100_000).with("upload-length", length.to_string());
            if status == 204 {
                assert_eq!(send(&client, declaring.with_body(&[])).await.status, status);
            } else {
                assert_rejected(&client, declaring.with_body(&[]), status).await;
            }
        });
    }
}

#[test]
fn an_upload_of_unknown_length_can_have_the_maximum_size() {
    let setting = || Setting { upload_bytes_max: Some(LENGTH), ..Setting::default() };
    run_client(setting(), |client| async move {
        let content = file(&client, LENGTH);
        let path = create(&client, None).await;
        let first = patch(&path, 0).with_body(content.range(0, 100_000));
        assert_eq!(send(&client, first).await.status, 204);
        let rest = || content.range(100_000, LENGTH);
        let longer = [rest(), &[0]].concat();
        assert_rejected(&client, patch(&path, 100_000).with_body(&longer), 413).await;
        let declaring = |length: u64| {
            patch(&path, 100_000).with("upload-length", length.to_string()).with_body(&[])
        };
        assert_rejected(&client, declaring(LENGTH + 1), 413).await;
        assert_eq!(send(&client, patch(&path, 100_000).with_body(rest())).await.status, 204);
        assert_eq!(send(&client, Request::tus("HEAD", &path)).await.offset(), Some(LENGTH));
    });
    run_client(setting(), |client| async move {
        let content = file(&client, LENGTH);
        let path = create(&client, None).await;
        let longer = [content.bytes(), &[0]].concat();
        let reply = send(&client, patch(&path, 0).with_chunked_body(&longer)).await;
        assert_eq!((reply.status, &reply.json()["code"]), (413, &"file-too-large".into()));
        // The maximum itself can be declared, too.
        let path = create(&client, None).await;
        let declaring = patch(&path, 0).with("upload-length", LENGTH.to_string());
        assert_eq!(send(&client, declaring.with_body(content.bytes())).await.status, 204);
    });
}

#[test]
fn a_terminated_upload_is_gone_and_its_multipart_upload_is_aborted() {
    run_client(Setting::default(), |client| async move {
        let content = file(&client, LENGTH);
        let path = create(&client, Some(LENGTH)).await;
        let half = patch(&path, 0).with_body(content.range(0, 204_800));
        assert_eq!(send(&client, half).await.status, 204);
        assert_eq!(send(&client, Request::tus("DELETE", &path)).await.status, 204);
        assert!(send(&client, Request::tus("HEAD", &path)).await.is_gone());
        assert!(client.environment.world.borrow().store.uploads.is_empty());
    });
}

#[test]
fn a_paused_upload_accepts_no_bytes_until_it_is_resumed() {
    run_client(Setting::default(), |client| async move {
        let content = file(&client, LENGTH);
        let path = create(&client, Some(LENGTH)).await;
        let first = patch(&path, 0).with_body(content.range(0, 100_000));
        assert_eq!(send(&client, first).await.status, 204);
        let paused = send(&client, Request::new("POST", format!("{path}/pause"))).await;
        assert!(paused.status < 300, "{} {}", paused.status, paused.text());
        let rest = || patch(&path, 100_000).with_body(content.range(100_000, LENGTH));
        assert_rejected(&client, rest(), 409).await;
        let resumed = send(&client, Request::new("POST", format!("{path}/resume"))).await;
        assert!(resumed.status < 300, "{} {}", resumed.status, resumed.text());
        assert_eq!(send(&client, rest()).await.status, 204);
    });
}

#[test]
fn an_upload_without_new_bytes_expires_and_its_records_are_deleted() {
    let setting = Setting { expire_after: Duration::from_secs(60), ..Setting::default() };
    run_client(setting, |client| async move {
        let content = file(&client, LENGTH);
        let path = create(&client, Some(LENGTH)).await;
        client.environment.sleep(Duration::from_secs(50)).await;
        // Bytes renew it.
        let first = patch(&path, 0).with_body(content.range(0, 100_000));
        assert_eq!(send(&client, first).await.status, 204);
        client.environment.sleep(Duration::from_secs(50)).await;
        let head = send(&client, Request::tus("HEAD", &path)).await;
        assert_eq!((head.status, head.offset()), (200, Some(100_000)));
        client.environment.sleep(Duration::from_secs(15)).await;
        assert!(send(&client, Request::tus("HEAD", &path)).await.is_gone());
    });
}

#[test]
fn only_the_owner_of_a_media_asset_that_was_never_complete_can_continue_it() {
    run_client(Setting::default(), |client| async move {
        let content = file(&client, LENGTH);
        let creation = || {
            Request::tus("POST", "/v1/files")
                .with_metadata(&[("filename", "clip.mp4")])
                .with("upload-length", LENGTH.to_string())
        };
        let created = send(&client, creation()).await;
        let first = created.header("location").unwrap().to_owned();
        let (media_id, token) = (created.media_id(), created.header("media-token").unwrap());
        let continuing = |token: &str| {
            creation().with("upload-media-id", media_id.as_str()).with("upload-media-token", token)
        };
        let other = send(&client, creation()).await;
        let other = other.header("media-token").unwrap();
        assert_ne!(other, token);
        for invalid in [other, "x"] {
            let reply = send(&client, continuing(invalid)).await;
            assert_eq!(reply.status, 403, "{}", reply.text());
        }
        assert_eq!(send(&client, Request::tus("HEAD", &first)).await.status, 200);

        let second = send(&client, continuing(token)).await;
        assert_eq!((second.status, second.media_id()), (201, media_id.clone()));
        let second = second.header("location").unwrap();
        assert!(send(&client, Request::tus("HEAD", &first)).await.is_gone());
        let all = patch(second, 0).with_body(content.bytes());
        assert_eq!(send(&client, all).await.status, 204);
        client.environment.check_object(&media_id, &content);
        assert_eq!(send(&client, continuing(token)).await.status, 403);
    });
}

#[test]
fn a_credential_is_accepted_only_for_its_own_object() {
    run_client(Setting::default(), |client| async move {
        let content = file(&client, LENGTH);
        let (own, other) = (client.environment.create_media(), client.environment.create_media());
        let with = |request: Request, grant: &Grant| {
            request
                .with("upload-address", grant.address.as_str())
                .with("upload-auth", grant.auth.as_str())
                .with("upload-media-id", grant.media_id.as_str())
        };
        let creation = Request::tus("POST", "/v1/files")
            .with_metadata(&[("filename", "clip.mp4")])
            .with("upload-length", LENGTH.to_string());
        let created = send(&client, with(creation, &own)).await;
        assert_eq!(created.status, 201, "{}", created.text());
        let path = created.header("location").unwrap();
        let first = || patch(path, 0).with_body(content.range(0, 100_000));
        let rejected = send(&client, with(first(), &other)).await;
        assert_eq!(rejected.json()["code"], "credential-for-other-object", "{}", rejected.text());
        assert_eq!(send(&client, Request::tus("HEAD", path)).await.offset(), Some(0));
        assert_eq!(send(&client, with(first(), &own)).await.status, 204);
        let rest = patch(path, 100_000).with_body(content.range(100_000, LENGTH));
        // The accepted credential is stored for later requests.
        assert_eq!(send(&client, rest).await.status, 204);
        client.environment.check_object(&own.media_id, &content);
    });
}

#[test]
fn a_final_upload_accepts_no_bytes() {
    run_client(Setting::default(), |client| async move {
        let content = file(&client, LENGTH);
        let partial = send(&client, partial(LENGTH)).await;
        let partial = partial.header("location").unwrap();
        let all = patch(partial, 0).with_body(content.bytes());
        assert_eq!(send(&client, all).await.status, 204);
        let created = send(&client, concatenation(&[partial])).await;
        assert_eq!(created.status, 201, "{}", created.text());
        let path = created.header("location").unwrap();
        let head = send(&client, Request::tus("HEAD", path)).await;
        assert_eq!(head.header("upload-length"), Some(LENGTH.to_string().as_str()));
        let rejected = send(&client, patch(path, LENGTH).with_body(&[])).await;
        assert_eq!((rejected.status, rejected.offset()), (403, None), "{}", rejected.text());
        client.environment.check_object(&head.media_id(), &content);
    });
}

#[test]
fn the_request_that_completes_the_last_partial_upload_completes_the_final_one() {
    run_client(Setting::default(), |client| async move {
        let parts = [file(&client, 100_000), Content::salted(150_000, 1)];
        let content = parts[0].followed_by(&parts[1]);
        for content in [&parts[1], &content] {
            client.environment.checker.borrow_mut().expect_content(content);
        }
        let mut paths = Vec::new();
        for part in &parts {
            let created = send(&client, partial(part.len())).await;
            paths.push(created.header("location").unwrap().to_owned());
        }
        let created = send(&client, concatenation(&[&paths[0], &paths[1]])).await;
        assert_eq!(created.status, 201, "{}", created.text());
        for (path, part) in paths.iter().zip(&parts) {
            let all = patch(path, 0).with_body(part.bytes());
            assert_eq!(send(&client, all).await.status, 204);
        }
        client.environment.check_object(&created.media_id(), &content);
        // The partial uploads are no longer needed.
        let world = client.environment.world.borrow();
        let temporary = world.store.objects.keys().filter(|key| key.starts_with(TEMPORARY_PREFIX));
        assert_eq!(temporary.count(), 0);
        assert_eq!(world.kv.keys_with(".upload").len(), 1);
    });
}

#[test]
fn a_concatenation_has_the_limits_of_a_copied_part_and_of_an_upload() {
    const COPY_MAX: u64 = 5 << 30;
    run_client(Setting::default(), |client| async move {
        for (length, status) in [(COPY_MAX, 201), (COPY_MAX + 1, 413)] {
            let reply = send(&client, partial(length)).await;
            assert_eq!(reply.status, status, "{length} {}", reply.text());
        }
    });
    let setting = Setting { upload_bytes_max: Some(LENGTH), ..Setting::default() };
    run_client(setting, |client| async move {
        let mut paths = Vec::new();
        for length in [1, 100_000, LENGTH - 100_000] {
            let created = send(&client, partial(length)).await;
            paths.push(created.header("location").unwrap().to_owned());
        }
        let all: Vec<&str> = paths.iter().map(String::as_str).collect();
        assert_eq!(send(&client, concatenation(&all)).await.status, 413);
        assert_eq!(send(&client, concatenation(&all[1..])).await.status, 201);
    });
}

#[test]
fn a_partial_upload_accepts_no_credential_of_the_client() {
    run_client(Setting::default(), |client| async move {
        let grant = client.environment.create_media();
        let creation = partial(LENGTH)
            .with("upload-address", grant.address.as_str())
            .with("upload-auth", grant.auth.as_str())
            .with("upload-media-id", grant.media_id.as_str());
        let reply = send(&client, creation).await;
        assert_eq!(reply.json()["code"], "concatenation-unavailable", "{}", reply.text());
    });
}
