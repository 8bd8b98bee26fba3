//! `cargo xtask bench`: the cost of the relay.

mod benchmark;
mod chunks;
mod load;
mod measurement;
mod peer;
mod relay;
mod report;
mod target;
mod usage;

use std::path::PathBuf;
use std::process::ExitCode;

use self::benchmark::Benchmark;
use crate::command_error::CommandError;
use crate::data_dir;

pub(crate) const OPTIONS: &str = "relay|chunks [--size-mib 512|384] [--json FILE] [--data .data] \
     [--baseline FILE]";

pub(crate) const SUMMARY: &str = "\
relay: CPU time, speed, memory, store requests and disk of the worker, compared with nginx.
chunks: the cost of 3 MiB chunks, compared with @tus/server and @tus/s3-store (npm).
With --baseline, both compare with the edge worker in that file, another build.
Fails if a threshold is missed. Needs Linux, and Node.js for the comparison.";

/// Runs the benchmark that the arguments name.
pub(crate) fn run(arguments: lexopt::Parser) -> Result<ExitCode, CommandError> {
    let options = Options::parse(arguments)?;
    if !cfg!(target_os = "linux") {
        return Err(CommandError::new("the benchmark reads /proc: run it on Linux"));
    }
    let Options { benchmark, size_bytes, json, data, baseline } = options;
    benchmark.run(size_bytes, &data, json.as_deref(), baseline.as_deref())
}

/// The command line of `bench`.
struct Options {
    benchmark: &'static Benchmark,
    /// Bytes that each workload relays in total.
    size_bytes: u64,
    /// The file for the numbers as JSON.
    json: Option<PathBuf>,
    data: PathBuf,
    /// Another build of the worker.
    baseline: Option<PathBuf>,
}

impl Options {
    fn parse(mut arguments: lexopt::Parser) -> Result<Self, CommandError> {
        use lexopt::prelude::*;

        let (mut benchmark, mut size_mib, mut json, mut baseline) = (None, None, None, None);
        let mut data = data_dir::DEFAULT.into();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("size-mib") => {
                    let size: u64 = arguments.value()?.parse()?;
                    if !(SIZE_MIB_MIN..=SIZE_MIB_MAX).contains(&size) {
                        return Err(CommandError::new(format!(
                            "--size-mib {size}: use {SIZE_MIB_MIN} to {SIZE_MIB_MAX}"
                        )));
                    }
                    size_mib = Some(size);
                }
                Long("json") => json = Some(arguments.value()?.into()),
                Long("baseline") => baseline = Some(arguments.value()?.into()),
                Long("data") => data = arguments.value()?.into(),
                Value(name) if benchmark.is_none() => {
                    benchmark = BENCHMARKS.iter().find(|known| name == known.name);
                }
                other => return Err(other.unexpected().into()),
            }
        }
        let benchmark = *benchmark.ok_or_else(|| {
            CommandError::new("no benchmark is named: use `cargo xtask bench relay` or `chunks`")
        })?;
        let size_bytes = size_mib.unwrap_or(benchmark.default_size_mib) * MEBIBYTE;
        Ok(Self { benchmark, size_bytes, json, data, baseline })
    }
}

const BENCHMARKS: [&Benchmark; 2] = [&relay::RELAY, &chunks::CHUNKS];

const MEBIBYTE: u64 = 1024 * 1024;

/// Below this, the CPU time cannot be measured.
const SIZE_MIB_MIN: u64 = 8;

/// 1 TiB: a typing error should not run for days.
const SIZE_MIB_MAX: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, CommandError> {
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
}
