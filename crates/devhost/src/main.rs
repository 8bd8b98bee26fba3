//! `devhost` runs a Spin application on this machine, without Spin.
//!
//! It reads `spin.toml`, compiles the components it names and serves their routes. A component sees
//! what it would see on Spin 4.1: `wasi:http@0.3.0` in and out, `spin:key-value@3.0.0`,
//! `spin:variables@3.0.0`, and the ambient `wasi:*` interfaces without files and sockets.
//!
//! ```text
//! devhost --manifest spin.toml --listen 127.0.0.1:3000 --data .data \
//!     --variable vod_endpoint=http://127.0.0.1:9000 --allow-outbound http://127.0.0.1:9000
//! ```
//!
//! When it serves, it prints one line to standard output, `listening http://127.0.0.1:3000`, with
//! the port it was given for port 0. The log goes to standard error: a line for each request, and
//! what the guests print. It holds no query strings, headers or variable values.
//!
//! # What it does as Spin does
//! * One instance serves up to 16 requests at once and up to 128 in all; an idle one ends after a
//!   second. A trap ends the instance and its requests, which get a 500, and nothing else.
//! * A client that goes away shows as a body stream that ends and a trailers future that fails; the
//!   guest keeps running, also after its response.
//! * Outbound requests go only where `allowed_outbound_hosts` says, over pooled connections.
//! * A key-value change is on disk when the call returns. Keys have up to 256 bytes, values up to
//!   1 MB.
//!
//! # What it adds
//! * `--component-memory-max-bytes` bounds the linear memory of an instance.
//! * `GET /_host/stats` shows counters as JSON, `POST /_host/stats/reset` zeroes them. No component
//!   sees these paths.
//! * With `VOD_EXIT_WITH_STDIN` in the environment, it exits when its standard input ends, so that
//!   it cannot outlive a parent that holds the other end of the pipe, however the parent ends.
//!
//! # What it does not do
//! It listens on loopback addresses only, speaks HTTP/1.1 without TLS, runs HTTP triggers only, and
//! refuses manifest settings it does not carry out instead of ignoring them. It puts no limit on
//! the processor time of a guest.

mod arguments;
mod bindings;
mod component;
mod guest_output;
mod instance;
mod key_value;
mod manifest;
mod outbound;
mod request_log;
mod route;
mod server;
mod startup;
mod stats;
mod variable_access;
mod variables;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if std::env::var_os("VOD_EXIT_WITH_STDIN").is_some() {
        std::thread::spawn(exit_with_stdin);
    }
    startup::init_logging(arguments.log);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(startup::run(arguments));
            // What a guest left running is not waited for: everything it was told is durable, is.
            runtime.shutdown_background();
            outcome
        }
        Err(cause) => Err(startup::StartupError::Runtime(cause)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("devhost: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Exits at once when standard input ends.
fn exit_with_stdin() {
    // An error means that no more input can come, as the end does.
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    std::process::exit(1);
}

/// The relay is bound by the processor: one thread for the sockets, one for a guest.
const WORKER_THREADS: usize = 2;
