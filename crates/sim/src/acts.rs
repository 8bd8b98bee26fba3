//! What happens to a story from outside, between its steps.

use std::time::Duration;

use vod_uploader::queue::FileId;

use crate::app::{BadCredential, BadSource};
use crate::story::Story;

impl Story {
    /// One thing happens.
    pub(crate) fn act(&mut self) {
        let act = ACTS[self.random.index(ACTS.len())];
        self.world.tell_story(|| format!("act: {act:?}"));
        match act {
            Act::Crash => {
                self.crash();
                if self.random.chance(900) {
                    self.world.start();
                }
            }
            Act::Stop => drop(self.world.try_stop()),
            Act::Start => drop(self.world.try_start()),
            Act::StopAndStart => {
                if self.world.try_stop().is_ok() {
                    let steps = self.random.below(4);
                    self.take_steps(steps);
                    drop(self.world.try_start());
                }
            }
            Act::Cancel => self.with_file(|story, name, file| {
                if story.world.cancel(file).is_ok() {
                    story.give_up(name);
                }
            }),
            Act::Delete => self.with_file(|story, name, file| {
                story.world.delete(file).unwrap();
                let member = story.cast.get_mut(name).unwrap();
                member.listed = None;
                // Half of them are added again, as another file.
                member.is_wanted = story.random.chance(500);
                if member.is_wanted {
                    story.world.is_another(name);
                }
            }),
            Act::Clean => {
                self.world.clean();
                self.lose_unknown_files();
                self.cast.values_mut().for_each(|member| member.listed = None);
                self.begin_anew();
            }
            Act::Resume => self.with_file(|story, name, file| {
                if story.world.resume(file).is_ok() {
                    story.cast.get_mut(name).unwrap().is_wanted = true;
                }
            }),
            Act::ClearCheckpoint => {
                self.with_file(|story, _, file| drop(story.world.clear_checkpoint(file)));
            }
            Act::Add => self.list_files(1),
            Act::BadSource => {
                let bad = BAD_SOURCES[self.random.index(BAD_SOURCES.len())];
                self.world.app.bad_source = Some(bad);
            }
            Act::BadCredential => {
                let bad = BAD_CREDENTIALS[self.random.index(BAD_CREDENTIALS.len())];
                self.world.app.bad_credential = Some(bad);
            }
            Act::RenewUnasked => self.with_file(|story, _, file| {
                let listed = story.world.queue.list_files();
                let info = listed.into_iter().find(|info| info.id == file).unwrap();
                story.world.renew_unasked(&info);
            }),
            Act::TimePasses => {
                let passes = [1, 10, 45, 250, 2_900, 4_000][self.random.index(6)];
                self.world.now = self.world.now + Duration::from_secs(passes);
            }
            Act::MediaDeleted => {
                let ids: Vec<_> = self.world.vod.media.keys().cloned().collect();
                if !ids.is_empty() {
                    self.world.vod.media.remove(&ids[self.random.index(ids.len())]);
                    self.world.all_may_start_again();
                }
            }
            Act::ClockJumps => {
                let ahead = [0, -20, 20][self.random.index(3)];
                self.world.store.clock_ahead_ms = ahead * 60 * 1_000;
            }
            Act::FallsSilent => self.world.app.supplies = !self.world.app.supplies,
        }
    }

    /// A run is begun as often as not.
    fn begin_anew(&mut self) {
        self.list_files(usize::MAX);
        if self.random.chance(700) {
            self.world.start();
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
            self.world.tell_story(|| format!("{name} is file {}", file.0));
            act(self, &name, file);
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Act {
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
const ACTS: [Act; 27] = [
    Act::Crash,
    Act::Crash,
    Act::Crash,
    Act::Crash,
    Act::Stop,
    Act::Start,
    Act::Start,
    Act::StopAndStart,
    Act::StopAndStart,
    Act::Cancel,
    Act::Cancel,
    Act::Delete,
    Act::Clean,
    Act::Resume,
    Act::Resume,
    Act::ClearCheckpoint,
    Act::Add,
    Act::Add,
    Act::BadSource,
    Act::BadCredential,
    Act::BadCredential,
    Act::RenewUnasked,
    Act::TimePasses,
    Act::TimePasses,
    Act::MediaDeleted,
    Act::ClockJumps,
    Act::FallsSilent,
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
