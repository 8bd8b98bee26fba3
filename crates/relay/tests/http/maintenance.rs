//! The requests of an operator.

use crate::support::Worker;

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const LENGTH: (&str, &str) = ("upload-length", "5");
const KEY: (&str, &str) = ("operator_key", "key-of-the-operator");
const AUTHORIZED: (&str, &str) = ("authorization", "Bearer key-of-the-operator");
const REMOTE: (&str, &str) = ("spin-client-addr", "192.0.2.1:1");
const PATH: &str = "/v1/maintenance/expire";

#[test]
fn an_operator_deletes_expired_uploads_and_learns_what_is_left() {
    let worker = Worker::new(&[KEY, ("expire_after_s", "60")]);
    let expire = || {
        let reply = worker.send("POST", PATH, &[REMOTE, AUTHORIZED], b"");
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    };
    let created: Vec<_> = (0..3)
        .map(|_| worker.send("POST", "/v1/files", &[TUS, LENGTH], b"").location().to_owned())
        .collect();
    let report = expire();
    assert_eq!((&report["deleted"], &report["has_more"]), (&0.into(), &false.into()), "{report}");

    worker.pass_seconds(3_600);
    let report = expire();
    assert_eq!((&report["deleted"], &report["failed"]), (&3.into(), &0.into()), "{report}");
    assert_eq!(report["has_more"], false);
    for location in &created {
        assert_eq!(worker.send("HEAD", location, &[TUS], b"").status, 404);
    }
    let left: Vec<_> = worker
        .keys()
        .into_iter()
        .filter(|key| key.contains(".u.") || key.contains(".m."))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn one_cleanup_is_bounded_and_the_next_ones_continue() {
    let worker = Worker::new(&[KEY, ("expire_after_s", "60")]);
    for _ in 0..450 {
        assert_eq!(worker.send("POST", "/v1/files", &[TUS, LENGTH], b"").status, 201);
    }
    worker.pass_seconds(3_600);
    let mut deleted = Vec::new();
    loop {
        let report = worker.send("POST", PATH, &[REMOTE, AUTHORIZED], b"").json();
        deleted.push(report["deleted"].as_u64().unwrap());
        if report["has_more"] == false {
            break;
        }
        assert!(deleted.len() < 20, "{deleted:?}");
    }
    assert_eq!(deleted.iter().sum::<u64>(), 450);
    assert!(deleted.iter().all(|deleted| *deleted <= 200), "{deleted:?}");
}

#[test]
fn only_the_operator_may_clean_up() {
    let worker = Worker::new(&[KEY]);
    for headers in [&[REMOTE][..], &[REMOTE, ("authorization", "Bearer another-key-of-some")]] {
        let reply = worker.send("POST", PATH, headers, b"");
        reply.assert_problem(401, "operator-required");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        assert!(!reply.text().contains("key-of-the-operator"));
    }
    assert_eq!(worker.send("GET", PATH, &[AUTHORIZED], b"").status, 405);
    assert!(worker.keys().is_empty());
}
