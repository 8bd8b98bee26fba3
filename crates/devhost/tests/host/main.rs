//! `devhost` as a process, running the component in `tests/guest`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed assumption fails the test"
)]

mod disconnect;
mod isolation;
mod key_value;
mod outbound;
mod process;
mod startup;
mod support;
