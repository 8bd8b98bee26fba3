//! Prints the trace of one run, or runs many:
//!
//! ```text
//! vod-uploader-sim [relay] --seed N          the storm of a seed, traced
//! vod-uploader-sim [relay] --seeds A..B      storms
//! vod-uploader-sim relay --expiry-seed N     the expiry storm of a seed, traced
//! vod-uploader-sim relay --scenario NAME [--crash-at N] [--orphans land|lost|linger]
//!                        [--instances N] [--fault-at N] [--fault failed|unconfirmed|silent]
//! vod-uploader-sim queue --seed N            the scenario of a seed of the queue, traced
//! vod-uploader-sim queue --seeds A..B        scenarios of the queue
//! ```

use std::ops::Range;
use std::panic::catch_unwind;
use std::process::ExitCode;

use vod_uploader_sim::queue::{run_seed, trace_seed};
use vod_uploader_sim::relay::{
    BASE_SCENARIOS, OperationFault, Orphans, Setting, expiry_storm, run, storm,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).map(String::as_str)
    };
    let is_queue = arguments.first().is_some_and(|argument| argument == "queue");
    if let Some(name) = option("--scenario") {
        let setting = Setting {
            instances: option("--instances").and_then(|count| count.parse().ok()).unwrap_or(1),
            crash_at: option("--crash-at").and_then(|point| point.parse().ok()),
            orphans: match option("--orphans") {
                Some("lost") => Orphans::Lost,
                Some("linger") => Orphans::Linger,
                _ => Orphans::Land,
            },
            fault_at: option("--fault-at").and_then(|number| number.parse().ok()).map(|number| {
                let fault = match option("--fault") {
                    Some("unconfirmed") => OperationFault::Unconfirmed,
                    Some("silent") => OperationFault::Silent,
                    _ => OperationFault::Failed,
                };
                (number, fault)
            }),
            is_traced: true,
            ..Setting::default()
        };
        return run_scenario(name, setting);
    }
    if let Some(seed) = option("--seed").and_then(|seed| seed.parse().ok()) {
        trace_one(seed, is_queue);
        return ExitCode::SUCCESS;
    }
    if let Some(seed) = option("--expiry-seed").and_then(|seed| seed.parse().ok()) {
        let (setting, scenario) = expiry_storm(seed);
        eprintln!("{:#?}", run(Setting { is_traced: true, ..setting }, &scenario));
        return ExitCode::SUCCESS;
    }
    match option("--seeds").and_then(parse_range) {
        Some(seeds) => run_seeds(seeds, is_queue),
        None => usage(),
    }
}

fn trace_one(seed: u64, is_queue: bool) {
    if is_queue {
        eprintln!("{:#?}", trace_seed(seed));
    } else {
        let (setting, scenario) = storm(seed);
        eprintln!("{:#?}", run(Setting { is_traced: true, ..setting }, &scenario));
    }
}

fn run_seeds(seeds: Range<u64>, is_queue: bool) -> ExitCode {
    let run_one = |seed: u64| {
        if is_queue {
            let _ = run_seed(seed);
        } else {
            let (setting, scenario) = storm(seed);
            let _ = run(setting, &scenario);
        }
    };
    let failed = seeds.filter(|seed| catch_unwind(|| run_one(*seed)).is_err());
    let failed = failed.inspect(|seed| eprintln!("seed {seed} fails")).count();
    eprintln!("{failed} seeds fail");
    ExitCode::from(u8::from(failed > 0))
}

fn run_scenario(name: &str, setting: Setting) -> ExitCode {
    let Some(scenario) = BASE_SCENARIOS.iter().find(|scenario| scenario.name == name) else {
        BASE_SCENARIOS.iter().for_each(|scenario| eprintln!("{}", scenario.name));
        return usage();
    };
    eprintln!("{:#?}", run(setting, scenario));
    ExitCode::SUCCESS
}

fn parse_range(text: &str) -> Option<Range<u64>> {
    let (from, to) = text.split_once("..")?;
    Some(from.parse().ok()?..to.parse().ok()?)
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: vod-uploader-sim [relay | queue] (--seed N | --seeds A..B | --scenario NAME)"
    );
    ExitCode::from(2)
}
