//! `sandbox`: the emulator of OSS and VOD as a program.
//!
//! With `VOD_EXIT_WITH_STDIN` in the environment, it exits when its standard input ends, so that it
//! never outlives the parent process that holds the other end of the pipe.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use vod_uploader_sandbox::{Sandbox, SandboxConfig};

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::var_os("VOD_EXIT_WITH_STDIN").is_some() {
        std::thread::spawn(exit_with_stdin);
    }
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A strict emulator of Alibaba Cloud OSS and ApsaraVideo VOD on a loopback address.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Loopback address and port; port 0 selects a free port
    #[arg(long, default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// Directory of all data; created if absent
    #[arg(long)]
    data: PathBuf,
    /// Store only lengths and checksums of bodies
    #[arg(long)]
    discard_bodies: bool,
    /// The ID of the long-lived access key
    #[arg(long, default_value = "sandbox-key")]
    access_key_id: String,
    /// The secret of the long-lived access key
    #[arg(long, default_value = "sandbox-secret")]
    access_key_secret: String,
    /// An existing bucket (repeatable); VOD stores into the first
    #[arg(long, default_value = "sandbox-bucket")]
    bucket: Vec<String>,
    /// The region, without the prefix oss-
    #[arg(long, default_value = "cn-shanghai")]
    region: String,
    /// Lifetime of credentials issued by VOD, in seconds
    #[arg(long, default_value_t = 3600)]
    token_ttl_secs: i64,
    /// A host name bound to a bucket (repeatable)
    #[arg(long, value_name = "NAME=BUCKET", value_parser = name_and_bucket)]
    cname_host: Vec<(String, String)>,
    /// Write a line for each request to standard error
    #[arg(long)]
    log: bool,
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    // Before the first line of output: its reader may send a signal immediately.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let sandbox = Sandbox::start(SandboxConfig {
        listen: arguments.listen,
        data_dir: arguments.data,
        discard_bodies: arguments.discard_bodies,
        access_key_id: arguments.access_key_id,
        access_key_secret: arguments.access_key_secret,
        buckets: arguments.bucket,
        region: arguments.region,
        token_ttl_secs: arguments.token_ttl_secs,
        cname_hosts: arguments.cname_host.into_iter().collect(),
        log: arguments.log,
    })
    .await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening {}", sandbox.origin())?;
    stdout.flush()?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    sandbox.stop().await;
    Ok(())
}

/// Exits when standard input ends.
fn exit_with_stdin() {
    // After an error no more input can arrive, as after the end.
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    std::process::exit(1);
}

fn name_and_bucket(text: &str) -> Result<(String, String), String> {
    let (name, bucket) = text.split_once('=').ok_or_else(|| "expected NAME=BUCKET".to_owned())?;
    Ok((name.to_ascii_lowercase(), bucket.to_owned()))
}
