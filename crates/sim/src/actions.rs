//! What happens to a scenario_run from outside, between its steps.

use std::time::Duration;

use vod_uploader::queue::FileId;

use crate::app::{BadCredential, BadSource};
use crate::scenario_run::ScenarioRun;

impl ScenarioRun {
    /// One thing happens.
    pub(crate) fn act(&mut self) {
        let act = USER_ACTIONS[self.random.index(USER_ACTIONS.len())];
        self.simulation.write_trace(|| format!("act: {act:?}"));
        match act {
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
            UserAction::Cancel => self.with_file(|scenario_run, name, file| {
                if scenario_run.simulation.cancel(file).is_ok() {
                    scenario_run.give_up(name);
                }
            }),
            UserAction::Delete => self.with_file(|scenario_run, name, file| {
                scenario_run.simulation.delete(file).unwrap();
                let member = scenario_run.cast.get_mut(name).unwrap();
                member.listed = None;
                // Half of them are added again, as another file.
                member.is_wanted = scenario_run.random.chance(500);
                if member.is_wanted {
                    scenario_run.simulation.is_another(name);
                }
            }),
            UserAction::Clean => {
                self.simulation.clean();
                self.lose_unknown_files();
                self.cast.values_mut().for_each(|member| member.listed = None);
                self.begin_anew();
            }
            UserAction::Resume => self.with_file(|scenario_run, name, file| {
                if scenario_run.simulation.resume(file).is_ok() {
                    scenario_run.cast.get_mut(name).unwrap().is_wanted = true;
                }
            }),
            UserAction::ClearCheckpoint => {
                self.with_file(|scenario_run, _, file| {
                    drop(scenario_run.simulation.clear_checkpoint(file))
                });
            }
            UserAction::Add => self.list_files(1),
            UserAction::BadSource => {
                let bad = BAD_SOURCES[self.random.index(BAD_SOURCES.len())];
                self.simulation.app.bad_source = Some(bad);
            }
            UserAction::BadCredential => {
                let bad = BAD_CREDENTIALS[self.random.index(BAD_CREDENTIALS.len())];
                self.simulation.app.bad_credential = Some(bad);
            }
            UserAction::RenewUnasked => self.with_file(|scenario_run, _, file| {
                let listed = scenario_run.simulation.queue.list_files();
                let info = listed.into_iter().find(|info| info.id == file).unwrap();
                scenario_run.simulation.renew_unasked(&info);
            }),
            UserAction::TimePasses => {
                let passes = [1, 10, 45, 250, 2_900, 4_000][self.random.index(6)];
                self.simulation.now = self.simulation.now + Duration::from_secs(passes);
            }
            UserAction::MediaDeleted => {
                let ids: Vec<_> = self.simulation.vod.media.keys().cloned().collect();
                if !ids.is_empty() {
                    self.simulation.vod.media.remove(&ids[self.random.index(ids.len())]);
                    self.simulation.all_may_start_again();
                }
            }
            UserAction::ClockJumps => {
                let ahead = [0, -20, 20][self.random.index(3)];
                self.simulation.store.clock_ahead_ms = ahead * 60 * 1_000;
            }
            UserAction::FallsSilent => self.simulation.app.supplies = !self.simulation.app.supplies,
        }
    }

    /// A run is begun as often as not.
    fn begin_anew(&mut self) {
        self.list_files(usize::MAX);
        if self.random.chance(700) {
            self.simulation.start();
        }
    }

    fn give_up(&mut self, name: &str) {
        self.cast.get_mut(name).unwrap().is_wanted = false;
    }

    /// Does something with a file of the list, where there is one.
    fn with_file(&mut self, act: impl FnOnce(&mut Self, &str, FileId)) {
        let listed: Vec<_> = self
            .cast
            .iter()
            .filter_map(|(name, member)| Some((name.clone(), member.listed?)))
            .collect();
        if !listed.is_empty() {
            let (name, file) = listed[self.random.index(listed.len())].clone();
            self.simulation.write_trace(|| format!("{name} is file {}", file.0));
            act(self, &name, file);
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum UserAction {
    Crash,
    Stop,
    Start,
    StopAndStart,
    Cancel,
    Delete,
    Clean,
    Resume,
    ClearCheckpoint,
    Add,
    BadSource,
    BadCredential,
    RenewUnasked,
    TimePasses,
    MediaDeleted,
    ClockJumps,
    FallsSilent,
}

/// What happens, as often as it is here.
const USER_ACTIONS: [UserAction; 27] = [
    UserAction::Crash,
    UserAction::Crash,
    UserAction::Crash,
    UserAction::Crash,
    UserAction::Stop,
    UserAction::Start,
    UserAction::Start,
    UserAction::StopAndStart,
    UserAction::StopAndStart,
    UserAction::Cancel,
    UserAction::Cancel,
    UserAction::Delete,
    UserAction::Clean,
    UserAction::Resume,
    UserAction::Resume,
    UserAction::ClearCheckpoint,
    UserAction::Add,
    UserAction::Add,
    UserAction::BadSource,
    UserAction::BadCredential,
    UserAction::BadCredential,
    UserAction::RenewUnasked,
    UserAction::TimePasses,
    UserAction::TimePasses,
    UserAction::MediaDeleted,
    UserAction::ClockJumps,
    UserAction::FallsSilent,
];

const BAD_SOURCES: [BadSource; 4] =
    [BadSource::ElsewhereBegun, BadSource::Broken, BadSource::TooLong, BadSource::TooShort];

const BAD_CREDENTIALS: [BadCredential; 5] = [
    BadCredential::Garbage,
    BadCredential::Swapped,
    BadCredential::ForOtherObject,
    BadCredential::WithoutMediaId,
    BadCredential::Unknown,
];
