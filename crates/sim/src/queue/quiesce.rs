//! How a simulation is brought to its end, once nothing goes wrong any more.

use std::time::Duration;

use vod_uploader::queue::{FileState, QueueState};

use crate::simulation::Simulation;

impl Simulation {
    /// Nothing goes wrong any more.
    pub fn clear_faults(&mut self) {
        self.store.faults.clear();
        self.vod.faults.clear();
        self.vod.mix = None;
        self.kv.mix = None;
        self.kv.fails_at = None;
        self.pace = Duration::from_millis(1);
        self.vod.life = Duration::from_secs(3_000);
        if self.options.retry_count == Some(0) {
            // A call that is not tried again is not signed again by a corrected clock either.
            self.store.clock_ahead_ms = 0;
        }
        self.app.token_life = Duration::from_secs(3_000);
        self.app.supplies = true;
        self.app.bad_source = None;
        self.app.bad_credential = None;
    }

    /// Starts the list and answers whatever the files wait for, once.
    ///
    /// # Panics
    /// Where a file waits all the same.
    pub fn run_to_completion(&mut self) {
        if !matches!(self.queue_state(), QueueState::Start | QueueState::Expire) {
            self.start();
        }
        self.run();
        for _ in 0..ANSWERS_MAX {
            if !self.has_turns() {
                break;
            }
            self.answer_all();
            self.run();
        }
        assert!(!self.has_turns(), "a file waits: {:#?}", self.queue.list_files());
        self.answer_all();
        self.run();
    }

    /// True where every file of the list is uploaded whole.
    #[must_use]
    pub fn is_all_uploaded(&self) -> bool {
        self.queue.list_files().iter().all(|info| info.state == FileState::Success)
    }

    fn answer_all(&mut self) {
        for info in self.queue.list_files() {
            self.app_answers_state(&info);
        }
    }

    fn has_turns(&self) -> bool {
        let listed = self.queue.list_files();
        listed.iter().any(|info| matches!(info.state, FileState::Uploading(_)))
    }
}

/// So often a file's credential or source is asked for in one round.
const ANSWERS_MAX: u32 = 6;
