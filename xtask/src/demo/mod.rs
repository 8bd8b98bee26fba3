//! `cargo xtask demo`: an upload that survives a crash of the host.

mod source;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use vod_uploader_wire::{Client, Request, tus};

use self::source::{FILE_BYTES, ThrottledReader};
use crate::command_error::CommandError;
use crate::components::{self, Built, Component};
use crate::data_dir;
use crate::ports::ANY_PORT;
use crate::report::{self, Table, mebibytes};
use crate::server::{self, Bodies, HostSetup, Log, Server};
use crate::workspace::Workspace;

pub(crate) const OPTIONS: &str = "[--data .data]";

pub(crate) const SUMMARY: &str = "\
Uploads 64 MiB, kills the host with SIGKILL halfway, restarts it, resumes, reads the object back
and compares it. Uses free ports and the directory demo in the data directory.";

/// Runs the demo.
///
/// # Errors
/// Returns an error if a step fails or the object differs from the file.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<ExitCode, CommandError> {
    let mut data = PathBuf::from(data_dir::DEFAULT);
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("data") => data = arguments.value()?.into(),
            other => return Err(other.unexpected().into()),
        }
    }
    let data = data_dir::open_empty(&data.join("demo"))?;
    let built = components::build(&Workspace::find()?, &[Component::Edge])?;
    let demo = Demo::new(&built, &data)?;
    let (mut table, sha256_of_object) = demo.run()?;
    let same = sha256_of_object == demo.sha256_of_file;
    table.row(["SHA-256 of file and object", if same { "equal" } else { "DIFFERENT" }]);
    table.lines().iter().for_each(|line| report::line(line));
    if same {
        return Ok(ExitCode::SUCCESS);
    }
    Err(CommandError::new(format!(
        "the object differs from the file: SHA-256 {sha256_of_object} instead of {}",
        demo.sha256_of_file
    )))
}

/// The file, the sandbox, and the settings of the hosts.
struct Demo<'a> {
    built: &'a Built,
    host_data: PathBuf,
    host_log: PathBuf,
    file: PathBuf,
    sha256_of_file: String,
    sandbox: Server,
}

impl<'a> Demo<'a> {
    fn new(built: &'a Built, data: &Path) -> Result<Self, CommandError> {
        report::progress(&format!("making a file of {}", mebibytes(FILE_BYTES)));
        let file = data.join("source.mp4");
        let sha256_of_file = source::make_file(&file).map_err(|cause| {
            CommandError::new(format!("{}: cannot be written ({cause})", file.display()))
        })?;
        let sandbox_data = data_dir::open(&data.join("sandbox"))?;
        let sandbox_log = data.join("sandbox.log");
        let log = Log::File(&sandbox_log);
        Ok(Self {
            built,
            host_data: data_dir::open(&data.join("host"))?,
            host_log: data.join("host.log"),
            file,
            sha256_of_file,
            sandbox: server::start_sandbox(built, ANY_PORT, &sandbox_data, Bodies::Keep, log)?,
        })
    }

    /// Returns the measurements and the SHA-256 of the object.
    fn run(&self) -> Result<(Table, String), CommandError> {
        let host = self.start_host(ANY_PORT)?;
        let begin = Instant::now();
        let client = Client::new(&host.origin);
        let upload = tus::Upload::create(&client, "/v1/files", "demo.mp4", FILE_BYTES)?;
        report::progress("uploading");
        let durable = self.send_first_half(&client, &upload)?;
        let peak_bytes = memory_peak_bytes(&client)?;
        let address = host.address()?;
        host.child.kill();
        report::progress(&format!(
            "killed the host with SIGKILL at {} durable",
            mebibytes(durable)
        ));

        let _host = self.start_host(address)?;
        let offset = upload.offset()?;
        report::progress(&format!("restarted it: the upload resumes at {offset}"));
        self.send_rest(&upload, offset)?;
        let time = begin.elapsed();
        report::progress("reading the object back");
        let status = client.get_json(&upload.target)?;
        let requests = self.sandbox().get_json("/_sandbox/requests")?;
        let sent = &requests["operations"]["UploadPart"];
        let parts_sent = number(sent, "requests")?;
        let sent_again = parts_sent.saturating_sub(self.parts_of_object(&status)?);

        let mut table = Table::default();
        table.row(["bytes", &FILE_BYTES.to_string()]);
        table.row(["bytes durable at the kill", &durable.to_string()]);
        table.row(["offset after the restart", &offset.to_string()]);
        table.row(["parts sent", &parts_sent.to_string()]);
        table.row(["parts sent twice", &sent_again.to_string()]);
        table.row(["bytes sent to the store", &number(sent, "bytes")?.to_string()]);
        table.row(["time", &format!("{:.1} s", time.as_secs_f64())]);
        let peak_bytes = peak_bytes.max(memory_peak_bytes(&client)?);
        table.row(["peak memory of the component", &mebibytes(peak_bytes)]);
        Ok((table, self.sha256_of_object(&status)?))
    }

    fn start_host(&self, listen: SocketAddr) -> Result<Server, CommandError> {
        let setup = HostSetup {
            listen,
            data: &self.host_data,
            sandbox_origin: &self.sandbox.origin,
            cors_origins: "*",
            allow_outbound: &[],
            log: Log::File(&self.host_log),
        };
        server::start_devhost(self.built, &setup)
    }

    /// Sends the file slowly in a thread, which continues after this returns. Returns the number of
    /// durable bytes once it is at least half of the file.
    fn send_first_half(&self, client: &Client, upload: &tus::Upload) -> Result<u64, CommandError> {
        let mut throttled = ThrottledReader::new(source::open_at(&self.file, 0)?);
        let sender = upload.clone();
        // It fails when the host is killed, as intended.
        let sending = thread::spawn(move || sender.append(0, FILE_BYTES, &mut throttled).map(drop));
        let deadline = Instant::now() + HALF_LIMIT;
        loop {
            let bytes_durable = number(&client.get_json(&upload.target)?, "bytes_durable")?;
            if bytes_durable >= FILE_BYTES / 2 {
                return Ok(bytes_durable);
            }
            if sending.is_finished() {
                let end = sending.join().unwrap_or(Ok(()));
                let why = end.err().map_or("no error".to_owned(), |failure| failure.to_string());
                return Err(CommandError::new(format!(
                    "the upload ended before half of it: {why}"
                )));
            }
            if Instant::now() > deadline {
                return Err(CommandError::new(format!(
                    "only {bytes_durable} bytes were durable after {} s",
                    HALF_LIMIT.as_secs()
                )));
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn send_rest(&self, upload: &tus::Upload, offset: u64) -> Result<(), CommandError> {
        let mut rest = source::open_at(&self.file, offset)?;
        let end = upload.append(offset, FILE_BYTES - offset, &mut rest)?;
        if end == FILE_BYTES {
            Ok(())
        } else {
            Err(CommandError::new(format!("the upload stopped at {end} of {FILE_BYTES} bytes")))
        }
    }

    fn sha256_of_object(&self, status: &Value) -> Result<String, CommandError> {
        let (bucket, object) = (text(status, "bucket")?, text(status, "object")?);
        let get = Request::new("GET", &format!("/_sandbox/objects/{bucket}/{object}"));
        let object = self.sandbox().expect_success(&get)?.body;
        Ok(source::hex(Sha256::new_with_prefix(object)))
    }

    fn parts_of_object(&self, status: &Value) -> Result<u64, CommandError> {
        let bucket = text(status, "bucket")?;
        let objects = self.sandbox().get_json(&format!("/_sandbox/objects/{bucket}"))?;
        let objects = objects.as_array().map(Vec::as_slice).unwrap_or_default();
        let object = objects.iter().find(|object| object["key"] == status["object"]);
        object
            .ok_or_else(|| CommandError::new("the sandbox does not list the object"))
            .and_then(|object| number(object, "parts"))
    }

    fn sandbox(&self) -> Client {
        Client::new(&self.sandbox.origin)
    }
}

fn memory_peak_bytes(host: &Client) -> Result<u64, CommandError> {
    number(&host.get_json("/_host/stats")?, "component_memory_peak_bytes")
}

fn number(object: &Value, name: &str) -> Result<u64, CommandError> {
    object[name]
        .as_u64()
        .ok_or_else(|| CommandError::new(format!("the response has no number {name}")))
}

fn text<'v>(object: &'v Value, name: &str) -> Result<&'v str, CommandError> {
    object[name]
        .as_str()
        .ok_or_else(|| CommandError::new(format!("the response has no text {name}")))
}

const HALF_LIMIT: Duration = Duration::from_secs(60);

const POLL_INTERVAL: Duration = Duration::from_millis(10);
