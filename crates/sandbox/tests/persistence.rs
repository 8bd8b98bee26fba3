//! Persistence, counters, and the program.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed assumption fails the test")]

mod common;

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{Call, Keys, TestServer, pattern};
use serde_json::json;
use vod_uploader_sandbox::{Sandbox, SandboxConfig, StartError};

#[tokio::test]
async fn everything_survives_a_restart() {
    let server = TestServer::new().await;
    server.request("PUT", "object").body("stored").expect_success().await;
    let id = server.initiate("k").await;
    let one = server.upload_part("k", &id, 1, &pattern(102_400)).await;
    let keys = Keys::temporary(&server).await;
    let server = server.restart().await;
    assert_eq!(server.stored("object").await, b"stored");
    let two =
        server.part("k", &id, 2, b"end").keys(&keys).expect_success().await.headers["etag"].clone();
    server.complete("k", &id, &[(1, &one), (2, &two)]).expect_success().await;
    let server = server.restart().await;
    assert_eq!(server.stored("k").await, [&pattern(102_400)[..], b"end"].concat());
    assert_eq!(server.control("GET", "uploads", "").await.json(), json!([]));
}

#[tokio::test]
async fn a_killed_program_leaves_a_usable_data_directory() {
    let dir = tempfile::tempdir().unwrap();
    let mut program = Program::start(dir.path());
    let initiate = Call::new(program.address, "POST", "k").query("uploads", "");
    let id = initiate.expect_success().await.element("UploadId").unwrap();
    let part = |address: SocketAddr, number: &str| {
        let call = Call::new(address, "PUT", "k").query("partNumber", number);
        call.query("uploadId", &id).body(pattern(150_000))
    };
    part(program.address, "1").expect_success().await;
    // A body in progress when the program is killed is discarded.
    let mut half = tokio::net::TcpStream::connect(program.address).await.unwrap();
    let head = part(program.address, "2").head();
    let half_sent = [head.as_bytes(), &pattern(70_000)].concat();
    tokio::io::AsyncWriteExt::write_all(&mut half, &half_sent).await.unwrap();
    program.child.kill().unwrap();
    program.child.wait().unwrap();

    let program = Program::start(dir.path());
    let list = Call::new(program.address, "GET", "k").query("uploadId", &id).expect_success().await;
    assert_eq!(list.text().matches("<Part>").count(), 1);
    assert_eq!(std::fs::read_dir(dir.path().join("bodies")).unwrap().count(), 1);
    part(program.address, "2").expect_success().await;
}

#[tokio::test]
async fn replaced_and_aborted_bodies_are_removed_from_disk() {
    let server = TestServer::new().await;
    let id = server.initiate("k").await;
    server.upload_part("k", &id, 1, b"one").await;
    server.upload_part("k", &id, 1, b"two").await;
    server.upload_part("k", &id, 2, b"three").await;
    server.request("DELETE", "k").query("uploadId", &id).expect_success().await;
    server.request("PUT", "object").body("x").expect_success().await;
    server.request("PUT", "object").body("y").expect_success().await;
    let bodies = server.dir.path().join("bodies");
    // Removal continues after the response; a restart completes it.
    let _server = server.restart().await;
    assert_eq!(std::fs::read_dir(bodies).unwrap().count(), 1);
}

#[tokio::test]
async fn only_the_checksums_of_discarded_bodies_are_stored() {
    let server = TestServer::with(|config| config.discard_bodies = true).await;
    let id = server.initiate("k").await;
    let part = server.part("k", &id, 1, b"123456789").expect_success().await;
    assert_eq!(part.headers["etag"], "\"995DC9BBDF1939FA0000000000000009\"");
    assert_eq!(part.headers["x-oss-hash-crc64ecma"], "11051210869376104954");
    server.complete("k", &id, &[(1, &part.headers["etag"])]).expect_success().await;
    let head = server.request("HEAD", "k").expect_success().await;
    assert_eq!(head.headers["content-length"], "9");
    server.request("GET", "k").expect_error(400, "NotImplemented").await;
    assert_eq!(std::fs::read_dir(server.dir.path().join("bodies")).unwrap().count(), 0);
}

#[tokio::test]
async fn requests_and_bytes_are_counted_by_operation_and_part() {
    let server = TestServer::new().await;
    let id = server.initiate("k").await;
    server.upload_part("k", &id, 1, &[0; 1000]).await;
    server.upload_part("k", &id, 1, &[0; 500]).await;
    server.part("k", "gone", 2, &[0; 7]).expect_error(404, "NoSuchUpload").await;
    let count = server.count("UploadPart").await;
    assert_eq!(count["requests"], 3);
    assert_eq!(count["bytes"], 1507);
    assert_eq!(count["errors"], 1);
    assert_eq!(count["by_part"], json!({"1": 2, "2": 1}));
    assert_eq!(count["by_status"], json!({"200": 2, "404": 1}));
    let open = server.control("GET", "requests", "").await.json()["open_uploads"].clone();
    assert_eq!(open[0]["upload_id"], id.as_str());
    server.control("POST", "requests/reset", "").await;
    assert!(server.count("UploadPart").await.is_null());
}

#[tokio::test]
async fn an_upload_can_be_deleted_by_a_control_request() {
    let server = TestServer::new().await;
    let id = server.initiate("k").await;
    server.control("DELETE", &format!("uploads/{id}"), "").await;
    server.part("k", &id, 1, b"x").expect_error(404, "NoSuchUpload").await;
}

#[tokio::test]
async fn objects_can_be_read_without_a_signature() {
    let server = TestServer::new().await;
    server.request("PUT", "dir/a").body("123456789").expect_success().await;
    let listed = server.control("GET", "objects/sandbox-bucket", "").await.json();
    assert_eq!((&listed[0]["key"], &listed[0]["size"]), (&json!("dir/a"), &json!(9)));
    assert_eq!(listed[0]["crc64"], "11051210869376104954");
    let head = server.control("HEAD", "objects/sandbox-bucket/dir/a", "").await;
    assert_eq!(head.headers["content-length"], "9");
    assert_eq!(head.headers["x-oss-hash-crc64ecma"], "11051210869376104954");
}

#[tokio::test]
async fn an_invalid_control_request_is_rejected_with_a_reason() {
    let server = TestServer::new().await;
    for (path, body) in [
        ("clock", r#"{"offset": 5}"#),
        ("policy", "[]"),
        ("policy", r#"{"deny": ["ListPart"]}"#),
        ("faults", r#"{"operation":"*","kind":"status","status":99}"#),
        ("nonsense", "{}"),
    ] {
        let mut call = server.request("POST", "").signed(common::SignedBy::None).body(body);
        call.path = Some(format!("/_sandbox/{path}"));
        let response = call.send().await.unwrap();
        assert_eq!(response.status, 400, "{path}");
        assert!(response.json()["error"].is_string());
    }
}

#[tokio::test]
async fn a_sandbox_that_cannot_start_returns_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = SandboxConfig::in_dir(dir.path());
    config.listen = "0.0.0.0:0".parse().unwrap();
    let error = Sandbox::start(config.clone()).await.unwrap_err();
    assert!(matches!(error, StartError::NotLoopback(_)), "{error}");
    let running = Sandbox::start(SandboxConfig::in_dir(dir.path())).await.unwrap();
    config.listen = running.address();
    let error = Sandbox::start(config.clone()).await.unwrap_err();
    assert!(matches!(error, StartError::Listen(..)), "{error}");
    config.data_dir = "/dev/null/dir".into();
    let error = Sandbox::start(config).await.unwrap_err();
    assert!(matches!(error, StartError::DataDirectory(..)), "{error}");
}

#[test]
fn the_program_prints_its_address_and_exits_on_sigterm() {
    let dir = tempfile::tempdir().unwrap();
    let mut program = Program::start(dir.path());
    let pid = program.child.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    assert!(program.child.wait().unwrap().success());
}

#[test]
fn the_program_fails_with_one_line_of_error() {
    let failed = |arguments: &[&str]| {
        let program = Command::new(env!("CARGO_BIN_EXE_sandbox")).args(arguments).output().unwrap();
        assert_eq!(program.status.code(), Some(1));
        assert!(program.stdout.is_empty());
        String::from_utf8(program.stderr).unwrap()
    };
    let error = failed(&["--listen", "127.0.0.1:0", "--data", "/dev/null/dir"]);
    assert!(error.starts_with("sandbox: cannot use the data directory /dev/null/dir"), "{error}");
    assert_eq!(error.lines().count(), 1);
    let error = failed(&["--listen", "0.0.0.0:0", "--data", "/dev/null/dir"]);
    assert!(error.contains("not a loopback address"), "{error}");
}

/// The program as a process, killed when dropped.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    fn start(dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sandbox"))
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout: &mut dyn Read = child.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening http://").unwrap().parse().unwrap();
        Self { child, address }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
