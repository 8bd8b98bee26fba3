//! All child processes end with `xtask`, even if it is killed.

#![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Replaces cargo. It prints the ID of a process in another session, then its own.
const CARGO: &str = r#"#!/bin/sh
case $1 in
metadata) echo '{ "target_directory": "/nonexistent" }' ;;
*)
    setsid sleep 1000 &
    echo $!
    echo $$
    wait
    ;;
esac
"#;

#[test]
fn children_and_their_descendants_end_if_xtask_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let cargo = directory.path().join("cargo");
    fs::write(&cargo, CARGO).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("conformance")
        .env("CARGO", &cargo)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(xtask.stdout.take().unwrap()).lines();
    let processes: Vec<String> = lines.take(2).map(Result::unwrap).collect();
    assert_eq!(processes.len(), 2);
    assert!(processes.iter().all(|process| is_running(process)));
    xtask.kill().unwrap();
    xtask.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while processes.iter().any(|process| is_running(process)) {
        assert!(Instant::now() < deadline, "one of {processes:?} is still running");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a process runs; a zombie, which has ended but is not collected, does not.
fn is_running(process: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(process).join("stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}
