//! Files that FilePond sends in chunks.

use crate::support::{Headers, Reply, Worker};

const CHUNK: (&str, &str) = ("content-type", "application/offset+octet-stream");
const LENGTH: (&str, &str) = ("upload-length", "5");
const NAME: (&str, &str) = ("upload-name", "a.mp4");
const LOCAL: (&str, &str) = ("spin-client-addr", "127.0.0.1:1");

fn start(worker: &Worker) -> String {
    worker.send("POST", "/v1/filepond", &[LENGTH], b"").location().to_owned()
}

fn send(worker: &Worker, url: &str, offset: &str, bytes: &[u8]) -> Reply {
    let headers = [CHUNK, LENGTH, NAME, ("upload-offset", offset)];
    worker.send("PATCH", url, &headers, bytes)
}

#[test]
fn a_file_that_was_partly_deleted_is_not_created_again() {
    let worker = Worker::new(&[]);
    let url = start(&worker);
    // The request stops after it has created the upload, before it records that.
    worker.fail_keys("set", ".filepond", 5);
    assert_eq!(send(&worker, &url, "0", b"12").status, 503);
    worker.repair_keys();
    let continued = send(&worker, &url, "0", b"12345");
    assert_eq!(continued.status, 204, "{}", continued.text());
    assert_eq!(worker.only_object(), b"12345");
    assert_eq!(media_created(&worker), 1);

    worker.fail_keys("delete", ".filepond", 0);
    assert_eq!(worker.send("DELETE", "/v1/filepond", &[], id(&url).as_bytes()).status, 503);
    worker.repair_keys();
    for reply in [worker.send("HEAD", &url, &[], b""), send(&worker, &url, "0", b"12")] {
        assert_eq!(reply.status, 404, "{}", reply.text());
    }
    assert_eq!(media_created(&worker), 1);
}

#[test]
fn a_file_without_bytes_expires_at_the_end_of_its_time_to_live() {
    let worker = Worker::new(&[("expire_after_s", "60")]);
    let url = start(&worker);
    // Another time to live cleans up the index of the previous one at once.
    let other = worker.beside(&[("expire_after_s", "604800")]);
    let expire = |headers: Headers<'_>| {
        let report = other.send("POST", "/v1/maintenance/expire", headers, b"").json();
        (report["deleted"].as_u64().unwrap(), report["kept"].as_u64().unwrap())
    };
    assert_eq!(expire(&[LOCAL]), (0, 1));
    assert_eq!(other.send("HEAD", &url, &[], b"").status, 200);

    let worker = Worker::new(&[("expire_after_s", "60")]);
    let url = start(&worker);
    worker.pass_seconds(604_800);
    let other = worker.beside(&[("expire_after_s", "604800")]);
    let report = other.send("POST", "/v1/maintenance/expire", &[LOCAL], b"").json();
    assert_eq!(report["deleted"], 1, "{report}");
    assert_eq!(other.send("HEAD", &url, &[], b"").status, 404);
}

/// The number of media assets that VOD has created.
fn media_created(worker: &Worker) -> usize {
    let actions = worker.services.parameters("Action");
    actions.iter().filter(|action| *action == "CreateUploadVideo").count()
}

fn id(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}
