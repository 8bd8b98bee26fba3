//! `cargo xtask`: builds, runs, tests and measures this checkout.
//!
//! | command | what it does |
//! |---|---|
//! | `up` | builds, starts the sandbox and the host with the edge worker, serves until stopped |
//! | `demo` | uploads 64 MiB, kills the host halfway, resumes, compares |
//! | `test` | format, lints, documentation and every test |
//! | `bench` | measures the worker and, for comparison, nginx and @tus/server |
//! | `check-config` | prints which variables of the worker are invalid |
//! | `sim` | prints the trace of one simulated run, or simulates many |
//! | `mutants` | checks that tests fail if the upload code is changed |
//! | `compose` | plugs `uploader.wasm` into a component |
//! | `docs` | writes the page of the WIT package and the site of `docs/` |
//! | `conformance` | checks a server against tus or the IETF draft |
//!
//! cargo builds only what has changed. All child processes end with this process, even if it is
//! killed.

mod bench;
mod check_config;
mod child;
mod command_error;
mod components;
mod compose;
mod conformance;
mod data_dir;
mod demo;
mod docs;
mod lint;
mod mutants;
mod ports;
mod report;
mod seal_key;
mod server;
mod sim;
mod stop_signal;
mod target;
mod test;
mod tool;
mod up;
mod watchdog;
mod workspace;

use std::process::ExitCode;

use crate::command_error::CommandError;
use crate::watchdog::Watchdog;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(watchdog::COMMAND) {
        watchdog::watch(&arguments.next().unwrap_or_default());
        return ExitCode::SUCCESS;
    }
    let outcome = stop_signal::end_children_on_signals().and_then(|()| {
        let _watchdog = Watchdog::start()?;
        run()
    });
    match outcome {
        Ok(code) => code,
        Err(command_error) => {
            eprintln!("xtask: {command_error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, CommandError> {
    let mut arguments = lexopt::Parser::from_env();
    let asks_for_help = std::env::args_os().any(|word| word == "--help" || word == "-h");
    let name = match arguments.next()? {
        Some(lexopt::Arg::Value(name)) if !asks_for_help => name.to_string_lossy().into_owned(),
        Some(option) if !asks_for_help => return Err(option.unexpected().into()),
        _ => {
            report::line(&usage());
            return Ok(ExitCode::SUCCESS);
        }
    };
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        let names: Vec<_> = COMMANDS.iter().map(|command| command.name).collect();
        return Err(CommandError::new(format!(
            "there is no command {name:?}: use one of {}",
            names.join(", ")
        )));
    };
    (command.run)(arguments)
}

fn usage() -> String {
    let mut text = "usage: cargo xtask COMMAND [OPTION]…\n".to_owned();
    for command in COMMANDS {
        text.push_str(&format!("\n  {} {}\n", command.name, command.options));
        for line in command.summary.lines() {
            text.push_str(&format!("      {line}\n"));
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// One command of `cargo xtask`.
struct Command {
    name: &'static str,
    options: &'static str,
    summary: &'static str,
    run: fn(lexopt::Parser) -> Result<ExitCode, CommandError>,
}

const COMMANDS: &[Command] = &[
    Command { name: "up", options: up::OPTIONS, summary: up::SUMMARY, run: up::run },
    Command { name: "demo", options: demo::OPTIONS, summary: demo::SUMMARY, run: demo::run },
    Command { name: "test", options: test::OPTIONS, summary: test::SUMMARY, run: test::run },
    Command {
        name: "compose",
        options: compose::OPTIONS,
        summary: compose::SUMMARY,
        run: compose::run,
    },
    Command { name: "bench", options: bench::OPTIONS, summary: bench::SUMMARY, run: bench::run },
    Command {
        name: "check-config",
        options: check_config::OPTIONS,
        summary: check_config::SUMMARY,
        run: check_config::run,
    },
    Command { name: "sim", options: sim::OPTIONS, summary: sim::SUMMARY, run: sim::run },
    Command {
        name: "mutants",
        options: mutants::OPTIONS,
        summary: mutants::SUMMARY,
        run: mutants::run,
    },
    Command { name: "docs", options: docs::OPTIONS, summary: docs::SUMMARY, run: docs::run },
    Command {
        name: "conformance",
        options: conformance::OPTIONS,
        summary: conformance::SUMMARY,
        run: conformance::run,
    },
];
