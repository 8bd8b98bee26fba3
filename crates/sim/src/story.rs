//! A whole story from one seed: files, what goes wrong with them, and how it ends.

use std::collections::BTreeMap;

use vod_uploader::queue::{Edges, FileId, QueueState};
use vod_uploader::units::ByteCount;
use vod_uploader::vod::MediaKind;

use crate::setting::Setting;
use crate::world::{PlannedFile, World};
use crate::{Content, Credentials, Random};

/// What came of a story.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Steps that were taken.
    pub steps: u64,
    /// Queues that ended at once.
    pub crashes: u32,
    /// Files that were uploaded whole.
    pub succeeded: u32,
    /// Files that were given up.
    pub given_up: u32,
}

/// Plays the story of a seed to its end.
///
/// # Panics
/// Where something does not hold that must hold at every step, or a file that was not given up
/// cannot be brought to success.
pub fn simulate(seed: u64) -> Report {
    Story::new(seed, false).play()
}

/// The same, and tells every step on standard error.
///
/// # Panics
/// As [`simulate`].
pub fn narrate(seed: u64) -> Report {
    Story::new(seed, true).play()
}

/// A story as far as it has come.
pub(crate) struct Story {
    pub(crate) world: World,
    pub(crate) random: Random,
    /// Every file, by its name.
    pub(crate) cast: BTreeMap<String, Member>,
    pub(crate) report: Report,
    /// Nothing fails but the app.
    pub(crate) is_gentle: bool,
}

/// A file of a story.
pub(crate) struct Member {
    pub(crate) planned: PlannedFile,
    /// Its id in the list of the present queue.
    pub(crate) listed: Option<FileId>,
    /// Whether it is to be uploaded in the end.
    pub(crate) is_wanted: bool,
}

impl Story {
    fn new(seed: u64, narrates: bool) -> Self {
        let mut random = Random::seeded(seed);
        let setting = Setting::drawn(&mut random);
        let mut world = setting.world(random.below(u64::MAX));
        world.narrates = narrates;
        world.tell_story(|| format!("{setting:#?}"));
        let cast = (0..1 + random.below(4))
            .map(|index| member(&mut random, index, setting.credentials))
            .map(|member| (member.planned.new.name.clone(), member))
            .collect();
        let is_gentle = setting.is_gentle();
        Self { world, random, cast, report: Report::default(), is_gentle }
    }

    fn play(mut self) -> Report {
        let held_back = self.random.index(self.cast.len());
        self.list_files(self.cast.len() - held_back);
        self.world.start();
        for _ in 0..self.random.below(ACTS_MAX) {
            let steps = self.random.below(STEPS_OF_ACT_MAX);
            self.take_steps(steps);
            self.act();
        }
        self.end();
        self.report
    }

    pub(crate) fn take_steps(&mut self, steps: u64) {
        for _ in 0..steps {
            self.report.steps += 1;
            if !self.world.step() {
                return;
            }
        }
    }

    /// Adds the files that are wanted, not uploaded and not in the list: so many of them.
    pub(crate) fn list_files(&mut self, count: usize) {
        let Self { world, cast, .. } = self;
        let missing: Vec<_> = cast
            .iter_mut()
            .filter(|(_, member)| member.is_wanted && member.listed.is_none())
            .filter(|(name, _)| !world.has_succeeded(name))
            .take(count)
            .collect();
        for (_, member) in missing {
            // It may still be in the list, being canceled on its way out.
            member.listed = world.add(member.planned.clone()).ok();
        }
    }

    /// The queue is gone, and another begins with the same files.
    pub(crate) fn crash(&mut self) {
        self.world.tell_story(|| "crash".into());
        self.report.crashes += 1;
        // The next queue may cut its parts otherwise.
        let part_size = PART_SIZES[self.random.index(PART_SIZES.len())];
        self.world.options.part_size = Some(ByteCount(part_size));
        self.world.crash();
        self.world.app.bad_source = None;
        self.world.app.bad_credential = None;
        self.cast.values_mut().for_each(|member| member.listed = None);
        self.lose_unknown_files();
        self.list_files(usize::MAX);
    }

    /// What is stored of a file that is not known again is not found again.
    pub(crate) fn lose_unknown_files(&mut self) {
        for (name, Member { planned, .. }) in &self.cast {
            let new = &planned.new;
            let is_marked = new.last_modified_ms.is_some() || new.edges.is_some();
            if new.size.is_none() || !is_marked {
                self.world.start_again(name);
                self.is_gentle = false;
            }
        }
    }

    /// Nothing goes wrong any more: every file that is wanted is uploaded, within bounds.
    fn end(&mut self) {
        self.world.tell_story(|| "nothing goes wrong any more".into());
        self.world.calm_down();
        for _ in 0..ROUNDS_MAX {
            self.list_files(usize::MAX);
            self.world.bring_to_end();
            if self.wanted().is_empty() {
                break;
            }
        }
        assert!(self.wanted().is_empty(), "{:?} cannot be uploaded", self.wanted());
        let state = self.world.queue_state();
        assert!(matches!(state, QueueState::End | QueueState::Failure), "the queue is {state:?}");
        if self.is_gentle && self.report.crashes == 0 {
            assert!(self.world.kv.values.is_empty(), "{:?} are left", self.world.kv.values.keys());
            self.world.nothing_is_left_over();
        }
        self.report.given_up = self.cast.values().filter(|member| !member.is_wanted).count() as u32;
        self.report.succeeded = self.cast.len() as u32 - self.report.given_up;
    }

    /// The files that are still to be uploaded.
    fn wanted(&self) -> Vec<&String> {
        let is_wanted = |(name, member): &(&String, &Member)| {
            member.is_wanted && !self.world.has_succeeded(name)
        };
        self.cast.iter().filter(is_wanted).map(|(name, _)| name).collect()
    }
}

fn member(random: &mut Random, index: u64, credentials: Credentials) -> Member {
    let (extension, kind) = KINDS[random.index(KINDS.len())];
    let name = format!("{index}.{extension}");
    let len = LENGTHS[random.index(LENGTHS.len())];
    let mut planned = World::file(&name, len);
    planned.content = Content::salted(len, index as u8 * 7 + 1);
    planned.new.kind = Some(kind);
    match random.below(10) {
        0 => planned.new.size = None,
        1 => planned.new.last_modified_ms = None,
        2 => {
            planned.new.last_modified_ms = None;
            let edge = len.min(65_536);
            let first = planned.content.range(0, edge).to_vec();
            let last = planned.content.range(len - edge, len).to_vec();
            planned.new.edges = Some(Edges { first, last });
        }
        _ => {}
    }
    if credentials == Credentials::Direct {
        planned.new.endpoint = Some(crate::vod::ENDPOINT.into());
        planned.new.bucket = Some("my-bucket".into());
        planned.new.object = Some(format!("mine/{name}"));
    }
    debug_assert!(planned.new.size.is_none_or(|size| size == ByteCount(len)));
    Member { planned, listed: None, is_wanted: true }
}

const KINDS: [(&str, MediaKind); 5] = [
    ("mp4", MediaKind::Video),
    ("mov", MediaKind::Video),
    ("mp3", MediaKind::Audio),
    ("png", MediaKind::Image),
    ("srt", MediaKind::Auxiliary),
];

/// Around the limits of one PutObject and of one part, and a few parts.
const LENGTHS: [u64; 10] =
    [1, 50_000, 102_399, 102_400, 102_401, 204_800, 250_000, 307_201, 450_000, 716_800];

/// As often as not, the smallest that there is.
const PART_SIZES: [u64; 4] = [102_400, 102_400, 131_072, 200_000];

const ACTS_MAX: u64 = 12;
const STEPS_OF_ACT_MAX: u64 = 60;

/// So often the list is started before every file is uploaded: a file may be wrong in a few ways at
/// once, and fails once for each.
const ROUNDS_MAX: u32 = 8;
