//! A child process that serves HTTP and is killed when it is dropped.
//!
//! The child also exits if this process is killed: it exits at the end of its standard input, a
//! pipe whose other end only this process has. `PR_SET_PDEATHSIG` is unsuitable, because it acts
//! when the *thread* that started the child ends, and each test has its own thread.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A local server that listens.
#[derive(Debug)]
pub struct Server {
    /// Keeps its standard input open.
    child: Child,
    origin: String,
}

impl Server {
    /// Starts `command`, whose standard error is added to `log`, and waits until it listens.
    ///
    /// # Panics
    /// If it exits, or does not listen within a minute.
    #[must_use]
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let mut child = command
            .env("VOD_EXIT_WITH_STDIN", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(append(log))
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("its output is piped");
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // The receiver is dropped after the first line.
                let _ = sender.send(line);
            }
        });
        match receiver.recv_timeout(START_LIMIT) {
            Ok(line) => {
                let origin = line.strip_prefix("listening ").expect("an origin in the first line");
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

    /// Its origin: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Kills it with SIGKILL and waits until it has exited.
    pub fn kill(&mut self) {
        // Both fail only if the process has already exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Returns true if it is running.
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

#[cfg(test)]
mod tests {
    use std::env;
    use std::net::TcpStream;

    use super::*;
    use crate::binaries::Binaries;
    use crate::wait;

    /// Runs itself again as a process that starts both servers and is then killed.
    #[test]
    fn servers_end_if_the_process_that_started_them_is_killed() {
        if let Some(dir) = env::var_os(DIR) {
            return start_servers_and_wait(Path::new(&dir));
        }
        let dir = tempfile::tempdir().unwrap();
        let name = "process::tests::servers_end_if_the_process_that_started_them_is_killed";
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let addresses: Vec<String> = lines
            .filter_map(|line| Some(line.split_once("http://")?.1.to_owned()))
            .take(2)
            .collect();
        assert!(addresses.iter().all(|address| TcpStream::connect(address).is_ok()));
        assert_eq!(addresses.len(), 2);
        process.kill().unwrap();
        process.wait().unwrap();
        for address in addresses {
            wait::until("the server ends", || TcpStream::connect(&address).err());
        }
    }

    fn start_servers_and_wait(dir: &Path) {
        let binaries = Binaries::find();
        let mut sandbox = Command::new(&binaries.sandbox);
        let mut host = Command::new(&binaries.devhost);
        host.arg("--manifest").arg(&binaries.manifest);
        let mut servers = Vec::new();
        for (command, name) in [(&mut sandbox, "sandbox"), (&mut host, "host")] {
            command.args(["--listen", "127.0.0.1:0"]).arg("--data").arg(dir.join(name));
            servers.push(Server::start(command, &dir.join(format!("{name}.log"))));
        }
        for server in &servers {
            #[expect(clippy::print_stdout, reason = "the parent process reads it")]
            {
                println!("{}", server.origin());
            }
        }
        loop {
            thread::park();
        }
    }

    /// The environment variable that makes the test the process to be killed: its directory.
    const DIR: &str = "VOD_TEST_SERVERS_OF_A_KILLED_PROCESS";
}
