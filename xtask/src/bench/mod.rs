//! `cargo xtask bench`: what the relay costs.

mod chunks;
mod listener;
mod load;
mod measurement;
mod nginx;
mod process;
mod relay;
mod results;
mod sink;
mod temporary_files;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::data_folder;
use crate::failure::Failure;

pub(crate) const OPTIONS: &str = "relay|chunks [--size-mib 512|384] [--json FILE] [--data .data]";

pub(crate) const SUMMARY: &str = "\
relay: CPU time, speed, memory, store requests and disk of the worker, beside nginx.
chunks: what 3 MiB chunks cost it and its store, beside @tus/server with @tus/s3-store (npm).
Fails when a bar is missed. Reads /proc, so it needs Linux.";

/// Runs the benchmark that the arguments name.
///
/// # Errors
/// Something cannot be started or an upload fails.
pub(crate) fn run(arguments: lexopt::Parser) -> Result<ExitCode, Failure> {
    let options = Options::parse(arguments)?;
    if !cfg!(target_os = "linux") {
        return Err(Failure::new("the benchmark reads /proc: run it on Linux"));
    }
    match options.what {
        What::Relay => relay::run(&options),
        What::Chunks => chunks::run(&options),
    }
}

/// The command line of `bench`.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    what: What,
    /// Bytes that each row of the table relays, over all its uploads.
    size_bytes: u64,
    /// Where the numbers are written to as JSON.
    json: Option<PathBuf>,
    data: PathBuf,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Relay,
    Chunks,
}

impl What {
    fn named(name: &str) -> Option<Self> {
        match name {
            "relay" => Some(Self::Relay),
            "chunks" => Some(Self::Chunks),
            _ => None,
        }
    }

    const fn default_size_bytes(self) -> u64 {
        match self {
            Self::Relay => 512 * MEBIBYTE,
            Self::Chunks => 384 * MEBIBYTE,
        }
    }
}

impl Options {
    fn parse(mut arguments: lexopt::Parser) -> Result<Self, Failure> {
        use lexopt::prelude::*;

        let (mut what, mut size_bytes, mut json) = (None, None, None);
        let mut data = data_folder::DEFAULT.into();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("size-mib") => {
                    let mebibytes: u64 = arguments.value()?.parse()?;
                    if !(SIZE_MIB_MIN..=SIZE_MIB_MAX).contains(&mebibytes) {
                        return Err(Failure::new(format!(
                            "--size-mib {mebibytes}: use {SIZE_MIB_MIN} to {SIZE_MIB_MAX}"
                        )));
                    }
                    size_bytes = Some(mebibytes * MEBIBYTE);
                }
                Long("json") => json = Some(arguments.value()?.into()),
                Long("data") => data = arguments.value()?.into(),
                Value(name) if what.is_none() => what = Some(name.string()?),
                other => return Err(other.unexpected().into()),
            }
        }
        let Some(what) = what.as_deref().and_then(What::named) else {
            let message = "what to measure is missing: use `cargo xtask bench relay` or `chunks`";
            return Err(Failure::new(message));
        };
        let size_bytes = size_bytes.unwrap_or_else(|| what.default_size_bytes());
        Ok(Self { what, size_bytes, json, data })
    }
}

const MEBIBYTE: u64 = 1024 * 1024;

/// Below this, a row is over before its CPU time can be told.
const SIZE_MIB_MIN: u64 = 8;

/// 1 TiB: a slip of the keyboard should not run for days.
const SIZE_MIB_MAX: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, Failure> {
        Options::parse(lexopt::Parser::from_args(arguments))
    }

    #[test]
    fn the_size_is_in_mebibytes_and_bounded() {
        assert_eq!(parse(&["relay"]).unwrap().size_bytes, 536_870_912);
        assert_eq!(parse(&["chunks"]).unwrap().size_bytes, 402_653_184);
        let options = parse(&["relay", "--size-mib", "64", "--json=o.json"]).unwrap();
        assert_eq!((options.size_bytes, options.json), (67_108_864, Some("o.json".into())));
        assert!(parse(&["relay", "--size-mib=7"]).is_err());
        assert!(parse(&["relay", "--size-mib=many"]).is_err());
    }

    #[test]
    fn what_to_measure_has_to_be_named() {
        for arguments in [vec![], vec!["relays"], vec!["relay", "chunks"]] {
            assert!(parse(&arguments).is_err(), "{arguments:?}");
        }
    }
}
