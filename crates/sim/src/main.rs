//! Tells the story of a seed step by step, or plays those of many: `cargo run -p vod-uploader-sim
//! -- SEED`, or `-- FROM..TO`.

use std::panic::catch_unwind;
use std::process::ExitCode;

use vod_uploader_sim::{narrate, simulate};

fn main() -> ExitCode {
    let argument = std::env::args().nth(1).unwrap_or_default();
    if let Ok(seed) = argument.parse() {
        eprintln!("{:#?}", narrate(seed));
        return ExitCode::SUCCESS;
    }
    let range = argument
        .split_once("..")
        .and_then(|(from, to)| Some(from.parse::<u64>().ok()?..to.parse::<u64>().ok()?));
    let Some(range) = range else {
        eprintln!("usage: vod-uploader-sim SEED, or FROM..TO");
        return ExitCode::from(2);
    };
    let failed = range.filter(|seed| catch_unwind(|| simulate(*seed)).is_err());
    let failed = failed.inspect(|seed| eprintln!("seed {seed} fails")).count();
    eprintln!("{failed} stories fail");
    ExitCode::from(u8::from(failed > 0))
}
