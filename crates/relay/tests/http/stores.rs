//! Several deployments on one key-value store.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::Worker;

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const EMPTY: (&str, &str) = ("upload-length", "5");

#[test]
fn all_keys_have_the_prefix_and_a_mark_identifies_the_deployment() {
    let worker = Worker::new(&[]);
    assert_eq!(worker.send("POST", "/v1/files", &[TUS, EMPTY], b"").status, 201);
    let keys = worker.keys();
    assert!(keys.iter().all(|key| key.starts_with("vod-uploader.")), "{keys:?}");
    assert!(keys.contains(&"vod-uploader.owner".to_owned()), "{keys:?}");
}

#[test]
fn deployments_with_different_prefixes_do_not_see_each_other() {
    let first = Worker::new(&[("expire_after_s", "60")]);
    let second = first.beside(&[("expire_after_s", "60"), ("key_prefix", "second.")]);
    let created = first.send("POST", "/v1/files", &[TUS, EMPTY], b"");
    assert_eq!(first.send("HEAD", created.location(), &[TUS], b"").status, 200);
    assert_eq!(second.send("HEAD", created.location(), &[TUS], b"").status, 404);

    let of_first = || -> Vec<_> {
        let keys = first.keys().into_iter();
        keys.filter(|key| key.starts_with("vod-uploader.")).collect()
    };
    let keys = of_first();
    first.pass_seconds(3_600);
    let local = [("spin-client-addr", "127.0.0.1:1")];
    let report = second.send("POST", "/v1/maintenance/expire", &local, b"").json();
    assert_eq!(report["deleted"], 0, "{report}");
    assert_eq!(of_first(), keys);
}

#[test]
fn a_deployment_with_another_seal_key_is_refused_and_writes_nothing() {
    let key = |byte: u8| STANDARD.encode([byte; 32]);
    let first = Worker::new(&[("seal_key", &key(1))]);
    let created = first.send("POST", "/v1/files", &[TUS, EMPTY], b"");
    assert_eq!(created.status, 201);
    let keys = first.keys();
    for other in [&[("seal_key", key(2))][..], &[]] {
        let other: Vec<_> = other.iter().map(|(name, key)| (*name, key.as_str())).collect();
        let second = first.beside(&other);
        for (method, path) in
            [("POST", "/v1/files"), ("HEAD", created.location()), ("DELETE", created.location())]
        {
            let refused = second.send(method, path, &[TUS, EMPTY], b"");
            assert_eq!(refused.status, 503, "{method} {path}: {}", refused.text());
            assert!(!refused.text().contains("seal_key"), "{}", refused.text());
        }
        assert!(first.log().iter().any(|line| line.contains("seal_key")), "{:?}", first.log());
        assert_eq!(first.keys(), keys);
    }
    assert_eq!(first.send("HEAD", created.location(), &[TUS], b"").status, 200);
}

#[test]
fn a_deployment_may_add_a_seal_key() {
    let first = Worker::new(&[]);
    let created = first.send("POST", "/v1/files", &[TUS, EMPTY], b"");
    let second = first.beside(&[("seal_key", &STANDARD.encode([1; 32]))]);
    assert_eq!(second.send("HEAD", created.location(), &[TUS], b"").status, 200);
    let third = first.beside(&[]);
    assert_eq!(third.send("HEAD", created.location(), &[TUS], b"").status, 503);
}

#[test]
fn a_store_whose_reads_do_not_see_writes_is_recognized() {
    let worker = Worker::new(&[]);
    worker.make_stale();
    let refused = worker.send("POST", "/v1/files", &[TUS, EMPTY], b"");
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(worker.log().iter().any(|line| line.contains("consistent_read")), "{:?}", worker.log());
}
