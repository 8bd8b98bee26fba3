//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Runs a Spin application on this machine, without Spin.
#[derive(Debug, Parser)]
#[command(name = "devhost", version, args_override_self = true)]
pub(crate) struct Arguments {
    /// The application's Spin manifest.
    #[arg(long, default_value = "spin.toml")]
    pub(crate) manifest: PathBuf,

    /// The loopback address to serve on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:3000")]
    pub(crate) listen: SocketAddr,

    /// The folder for the key-value file and the compiled components. It is created.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,

    /// Sets an application variable, over the environment's `SPIN_VARIABLE_…`.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = parse_variable)]
    pub(crate) variables: Vec<Variable>,

    /// Allows one more outbound origin to every component, such as http://127.0.0.1:9000.
    #[arg(long, value_name = "URL")]
    pub(crate) allow_outbound: Vec<String>,

    /// The linear memory that one component instance may have, in bytes.
    #[arg(long, value_name = "N", default_value_t = 256 * 1024 * 1024)]
    pub(crate) component_memory_max_bytes: u64,

    /// How much to log to standard error.
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    pub(crate) log: LogLevel,
}

/// A variable from the command line. Its value does not show in `Debug`.
#[derive(Clone)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=…", self.name)
    }
}

/// The least severe event that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}

fn parse_variable(text: &str) -> Result<Variable, &'static str> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok(Variable { name: name.to_owned(), value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

    use super::*;

    #[test]
    fn a_variable_keeps_every_equals_sign_after_the_first_and_stays_out_of_debug() {
        let arguments = ["devhost", "--data", "d", "--variable", "key=c2VjcmV0PQ=="];
        let arguments = Arguments::try_parse_from(arguments).unwrap();
        assert_eq!(arguments.variables[0].name, "key");
        assert_eq!(arguments.variables[0].value, "c2VjcmV0PQ==");
        assert!(!format!("{arguments:?}").contains("c2VjcmV0"));
    }

    #[test]
    fn the_data_folder_has_to_be_given() {
        assert!(Arguments::try_parse_from(["devhost"]).is_err());
    }
}
