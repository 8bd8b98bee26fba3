//! One run that follows from a seed: files, actions, faults, and its end.

use std::time::Duration;

use vod_uploader::queue::{FileId, QueueState};
use vod_uploader::units::ByteCount;

use super::actions::{BAD_CREDENTIALS, BAD_SOURCES, USER_ACTIONS, UserAction};
use super::scenario::Scenario;
use super::scenario_files::ScenarioFiles;
use super::simulation::Simulation;
use crate::world::Random;

/// The result of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Number of steps.
    pub steps: u64,
    /// Number of crashes of the queue.
    pub crashes: u32,
    /// Number of files that were uploaded.
    pub succeeded: u32,
    /// Number of files that were canceled or deleted.
    pub canceled: u32,
}

/// Runs the scenario of a seed.
///
/// # Panics
/// If an invariant is violated, or a file that was not canceled cannot be uploaded.
pub fn run_seed(seed: u64) -> Report {
    ScenarioRun::new(seed, false).run()
}

/// Runs the scenario of a seed and prints every step on standard error.
///
/// # Panics
/// As [`run_seed`].
pub fn trace_seed(seed: u64) -> Report {
    ScenarioRun::new(seed, true).run()
}

struct ScenarioRun {
    simulation: Simulation,
    random: Random,
    files: ScenarioFiles,
    report: Report,
    /// Whether nothing fails except the app.
    is_fault_free: bool,
}

impl ScenarioRun {
    fn new(seed: u64, is_traced: bool) -> Self {
        let mut random = Random::seeded(seed);
        let scenario = Scenario::new(&mut random);
        let mut simulation = scenario.simulation(random.below(u64::MAX));
        simulation.world.is_traced = is_traced;
        simulation.world.trace(|| format!("{scenario:#?}"));
        let files = ScenarioFiles::new(&mut random, scenario.credentials);
        let is_fault_free = scenario.is_fault_free();
        Self { simulation, random, files, report: Report::default(), is_fault_free }
    }

    fn run(mut self) -> Report {
        let held_back = self.random.index(self.files.len());
        self.add_files(self.files.len() - held_back);
        self.simulation.start();
        for _ in 0..self.random.below(ACTIONS_MAX) {
            let steps = self.random.below(STEPS_PER_ACTION_MAX);
            self.take_steps(steps);
            self.act();
        }
        self.end();
        self.report
    }

    fn take_steps(&mut self, steps: u64) {
        for _ in 0..steps {
            self.report.steps += 1;
            if !self.simulation.step() {
                return;
            }
        }
    }

    fn add_files(&mut self, count: usize) {
        self.files.add_to(&mut self.simulation, count);
    }

    /// Executes an action.
    fn act(&mut self) {
        let action = USER_ACTIONS[self.random.index(USER_ACTIONS.len())];
        self.simulation.world.trace(|| format!("action: {action:?}"));
        match action {
            UserAction::Crash => {
                self.crash();
                if self.random.chance(900) {
                    self.simulation.start();
                }
            }
            UserAction::Stop => drop(self.simulation.try_stop()),
            UserAction::Start => drop(self.simulation.try_start()),
            UserAction::StopAndStart => {
                if self.simulation.try_stop().is_ok() {
                    let steps = self.random.below(4);
                    self.take_steps(steps);
                    drop(self.simulation.try_start());
                }
            }
            UserAction::Clean => self.clean(),
            UserAction::AddFile => self.add_files(1),
            UserAction::BadSource => {
                let bad = BAD_SOURCES[self.random.index(BAD_SOURCES.len())];
                self.simulation.app.bad_source = Some(bad);
            }
            UserAction::BadCredential => {
                let bad = BAD_CREDENTIALS[self.random.index(BAD_CREDENTIALS.len())];
                self.simulation.app.bad_credential = Some(bad);
            }
            UserAction::AdvanceTime => {
                let seconds = [1, 10, 45, 250, 2_900, 4_000][self.random.index(6)];
                self.simulation.world.clock.advance(Duration::from_secs(seconds));
            }
            UserAction::DeleteMedia => {
                let media = &mut self.simulation.world.vod.media;
                let ids: Vec<_> = media.keys().cloned().collect();
                if !ids.is_empty() {
                    media.remove(&ids[self.random.index(ids.len())]);
                    self.simulation.allow_losses();
                }
            }
            UserAction::ChangeClock => {
                let ahead_min = [0, -20, 20][self.random.index(3)];
                self.simulation.world.store.clock_ahead_ms = ahead_min * 60 * 1_000;
            }
            UserAction::ToggleSupply => {
                self.simulation.app.supplies = !self.simulation.app.supplies;
            }
            UserAction::Cancel
            | UserAction::Delete
            | UserAction::Resume
            | UserAction::ClearCheckpoint
            | UserAction::RenewUnrequested => {
                if let Some((name, file)) = self.files.pick_listed(&mut self.random) {
                    self.simulation.world.trace(|| format!("{name} is file {}", file.0));
                    self.act_on_file(action, &name, file);
                }
            }
        }
    }

    fn act_on_file(&mut self, action: UserAction, name: &str, file: FileId) {
        match action {
            UserAction::Cancel => {
                if self.simulation.cancel(file).is_ok() {
                    self.files.set_wanted(name, false);
                }
            }
            UserAction::Delete => {
                self.simulation.delete(file).unwrap();
                self.files.unlist(name);
                // Half of the deleted files are added again, as other files.
                let is_wanted = self.random.chance(500);
                self.files.set_wanted(name, is_wanted);
                if is_wanted {
                    self.simulation.upload_again(name);
                }
            }
            UserAction::Resume => {
                if self.simulation.resume(file).is_ok() {
                    self.files.set_wanted(name, true);
                }
            }
            UserAction::ClearCheckpoint => drop(self.simulation.clear_checkpoint(file)),
            UserAction::RenewUnrequested => self.simulation.renew_unrequested(file),
            other => panic!("{other:?} is no action on a file"),
        }
    }

    /// Cleans the list, adds all files again, and starts most runs.
    fn clean(&mut self) {
        self.simulation.clean();
        self.lose_files_without_fingerprint();
        self.files.unlist_all();
        self.add_files(usize::MAX);
        if self.random.chance(700) {
            self.simulation.start();
        }
    }

    /// Crashes the queue. The next one has the same files.
    fn crash(&mut self) {
        self.report.crashes += 1;
        // The next queue may have another part size.
        let part_size = PART_SIZES[self.random.index(PART_SIZES.len())];
        self.simulation.options.part_size = Some(ByteCount(part_size));
        self.simulation.crash();
        self.simulation.app.bad_source = None;
        self.simulation.app.bad_credential = None;
        self.files.unlist_all();
        self.lose_files_without_fingerprint();
        self.add_files(usize::MAX);
    }

    /// What is stored of a file without a fingerprint is not found again.
    fn lose_files_without_fingerprint(&mut self) {
        for name in self.files.without_fingerprint() {
            self.simulation.lose_file(name);
            self.is_fault_free = false;
        }
    }

    /// Removes all faults. Every wanted file is uploaded in a bounded number of runs.
    fn end(&mut self) {
        self.simulation.world.trace(|| "no faults from now on".into());
        self.simulation.clear_faults();
        for _ in 0..RUNS_MAX {
            self.add_files(usize::MAX);
            self.simulation.run_to_completion();
            if self.files.not_uploaded(&self.simulation).is_empty() {
                break;
            }
        }
        let missing = self.files.not_uploaded(&self.simulation);
        assert!(missing.is_empty(), "{missing:?} cannot be uploaded");
        let state = self.simulation.queue_state();
        assert!(matches!(state, QueueState::End | QueueState::Failure), "the queue is {state:?}");
        if self.is_fault_free && self.report.crashes == 0 {
            self.simulation.check_nothing_left();
        }
        self.report.canceled = self.files.unwanted_count() as u32;
        self.report.succeeded = self.files.len() as u32 - self.report.canceled;
    }
}

/// The smallest part size in half of the cases.
const PART_SIZES: [u64; 4] = [102_400, 102_400, 131_072, 200_000];

const ACTIONS_MAX: u64 = 12;
const STEPS_PER_ACTION_MAX: u64 = 60;

/// Runs until every file is uploaded: a file may have several defects, and fails once for each.
const RUNS_MAX: u32 = 8;
