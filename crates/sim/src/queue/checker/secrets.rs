//! No secret is printed or stored.

use std::fmt::Debug;

use vod_uploader::oss::Request;
use vod_uploader::queue::{FileInfo, Queue};

use crate::world::{KeyValueStore, SECRET, TOKEN};

/// The queue is printed at every change of a file's state, and otherwise after this many steps:
/// printing it at every step would take longer than everything else.
const STEPS_UNPRINTED_MAX: u64 = 64;

/// UploadAuths that are remembered.
const AUTHS_MAX: usize = 4;

/// The secrets of a run.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// The UploadAuths that were passed last.
    auths: Vec<String>,
    /// The states of the files when the queue was printed last.
    printed_states: Vec<&'static str>,
    steps: u64,
}

impl Secrets {
    pub(super) fn add(&mut self, auth: &str) {
        if self.auths.len() == AUTHS_MAX {
            self.auths.remove(0);
        }
        self.auths.push(auth.to_owned());
    }

    pub(super) fn queue_created(&mut self) {
        self.printed_states.clear();
    }

    /// Checks that a value is printed without a secret.
    pub(super) fn check(&self, value: &impl Debug) {
        let printed = format!("{value:?}");
        let mut secrets = [SECRET, TOKEN].into_iter().chain(self.auths.iter().map(String::as_str));
        assert!(!secrets.any(|secret| printed.contains(secret)), "{printed}");
    }

    /// Checks that a request is printed without its signature.
    pub(super) fn check_request(request: &Request) {
        let printed = format!("{request:?}");
        let signature = request.header("authorization").unwrap_or(SECRET);
        let signature = signature.rsplit("Signature=").next().unwrap_or(SECRET);
        assert!(!printed.contains(signature), "a signature is printed: {printed}");
    }

    /// Checks the queue, the list of files, and what is stored.
    pub(super) fn check_state(
        &mut self,
        queue: &Queue,
        files: &[FileInfo],
        kv: &mut KeyValueStore,
    ) {
        self.steps += 1;
        let states: Vec<_> = files.iter().map(|info| info.state.name()).collect();
        if states != self.printed_states || self.steps.is_multiple_of(STEPS_UNPRINTED_MAX) {
            self.check(queue);
            self.check(&files);
            self.printed_states = states;
        }
        if kv.take_has_changed() {
            for value in kv.values.values() {
                let has =
                    |text: &str| value.windows(text.len()).any(|part| part == text.as_bytes());
                assert!(!has(SECRET) && !has(TOKEN), "a secret is stored");
            }
        }
    }
}
