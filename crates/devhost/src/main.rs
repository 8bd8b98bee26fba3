//! `devhost` runs a Spin application on this machine, without Spin.
//!
//! It reads `spin.toml`, compiles the components and serves their routes. A component has the same
//! imports as on Spin 4.1: `wasi:http@0.3.0` in and out, `spin:key-value@3.0.0`,
//! `spin:variables@3.0.0`, and the ambient `wasi:*` interfaces without files and sockets.
//!
//! ```text
//! devhost --manifest spin.toml --listen 127.0.0.1:3000 --data .data \
//!     --variable vod_endpoint=http://127.0.0.1:9000 --allow-outbound http://127.0.0.1:9000
//! ```
//!
//! When it is ready, it prints one line to standard output, `listening http://127.0.0.1:3000`, with
//! the actual port. The log goes to standard error: a line for each request, and the output of the
//! guests. It contains no query strings, headers or variable values.
//!
//! # Behavior shared with Spin
//! * One instance serves up to 16 concurrent requests and up to 128 in total; an idle one ends
//!   after a second. A trap ends only the instance and its requests, which get a 500.
//! * If a client disconnects, the body stream ends and the trailers future fails; the guest
//!   continues to run, also after its response.
//! * Outbound requests are limited to `allowed_outbound_hosts` and use pooled connections.
//! * A key-value change is on disk when the call returns. Keys have up to 256 bytes, values up to
//!   1 MB.
//!
//! # Additions
//! * `--component-memory-max-bytes` limits the linear memory of an instance.
//! * `GET /_host/stats` returns counters as JSON, `POST /_host/stats/reset` resets them. Requests
//!   for these paths never reach a component.
//! * With `VOD_EXIT_WITH_STDIN` in the environment, it exits when its standard input ends, so that
//!   it never outlives the parent process that holds the other end of the pipe.
//!
//! # Limitations
//! It listens on loopback addresses only, supports HTTP/1.1 without TLS and HTTP triggers only, and
//! rejects unsupported manifest settings instead of ignoring them. It does not limit the processor
//! time of a guest.

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
            // Guest tasks that still run are aborted: everything reported as durable is on disk.
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

/// Exits when standard input ends.
fn exit_with_stdin() {
    // After an error no more input can arrive, as after the end.
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    std::process::exit(1);
}

/// The load is CPU-bound: one thread for the sockets, one for a guest.
const WORKER_THREADS: usize = 2;
