//! A child process that serves HTTP and is killed when it is dropped.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A server of this machine that has said where it listens.
#[derive(Debug)]
pub struct Server {
    child: Child,
    origin: String,
}

impl Server {
    /// Starts `command`, whose standard error is added to `log`, and waits until it listens.
    ///
    /// # Panics
    /// Where it ends, or says nothing within a minute.
    #[must_use]
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(append(log))
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("its output is piped");
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody listens after the first line.
                let _ = sender.send(line);
            }
        });
        match receiver.recv_timeout(START_LIMIT) {
            Ok(line) => {
                let origin = line.strip_prefix("listening ").expect("the first line says where");
                Self { origin: origin.to_owned(), child }
            }
            Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                let log = std::fs::read_to_string(log).unwrap_or_default();
                panic!("the program did not begin to listen; its log: {log}");
            }
        }
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Ends it with SIGKILL and waits until it is gone.
    pub fn kill(&mut self) {
        // Both fail only for a process that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it still runs.
    #[must_use]
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn append(log: &Path) -> File {
    let path: PathBuf = log.to_owned();
    OpenOptions::new().create(true).append(true).open(path).expect("the log can be written")
}

/// The first start compiles the component.
const START_LIMIT: Duration = Duration::from_secs(60);
