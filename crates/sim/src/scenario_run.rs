//! A whole scenario_run from one seed: files, what goes wrong with them, and how it ends.

use std::collections::BTreeMap;

use vod_uploader::queue::{ContentSample, FileId, QueueState};
use vod_uploader::units::ByteCount;
use vod_uploader::vod::MediaKind;

use crate::scenario::Scenario;
use crate::simulation::{PlannedFile, Simulation};
use crate::{Content, Credentials, Random};

/// What came of a scenario_run.
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

/// Plays the scenario_run of a seed to its end.
///
/// # Panics
/// Where something does not hold that must hold at every step, or a file that was not given up
/// cannot be brought to success.
pub fn simulate(seed: u64) -> Report {
    ScenarioRun::new(seed, false).play()
}

/// The same, and tells every step on standard error.
///
/// # Panics
/// As [`simulate`].
pub fn narrate(seed: u64) -> Report {
    ScenarioRun::new(seed, true).play()
}

/// A scenario_run as far as it has come.
pub(crate) struct ScenarioRun {
    pub(crate) simulation: Simulation,
    pub(crate) random: Random,
    /// Every file, by its name.
    pub(crate) cast: BTreeMap<String, ScenarioFile>,
    pub(crate) report: Report,
    /// Nothing fails but the app.
    pub(crate) is_fault_free: bool,
}

/// A file of a scenario_run.
pub(crate) struct ScenarioFile {
    pub(crate) planned: PlannedFile,
    /// Its id in the list of the present queue.
    pub(crate) listed: Option<FileId>,
    /// Whether it is to be uploaded in the end.
    pub(crate) is_wanted: bool,
}

impl ScenarioRun {
    fn new(seed: u64, narrates: bool) -> Self {
        let mut random = Random::seeded(seed);
        let setting = Scenario::drawn(&mut random);
        let mut simulation = setting.simulation(random.below(u64::MAX));
        simulation.narrates = narrates;
        simulation.write_trace(|| format!("{setting:#?}"));
        let cast = (0..1 + random.below(4))
            .map(|index| member(&mut random, index, setting.credentials))
            .map(|member| (member.planned.new.name.clone(), member))
            .collect();
        let is_fault_free = setting.is_fault_free();
        Self { simulation, random, cast, report: Report::default(), is_fault_free }
    }

    fn play(mut self) -> Report {
        let held_back = self.random.index(self.cast.len());
        self.list_files(self.cast.len() - held_back);
        self.simulation.start();
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
            if !self.simulation.step() {
                return;
            }
        }
    }

    /// Adds the files that are wanted, not uploaded and not in the list: so many of them.
    pub(crate) fn list_files(&mut self, count: usize) {
        let Self { simulation, cast, .. } = self;
        let missing: Vec<_> = cast
            .iter_mut()
            .filter(|(_, member)| member.is_wanted && member.listed.is_none())
            .filter(|(name, _)| !simulation.has_succeeded(name))
            .take(count)
            .collect();
        for (_, member) in missing {
            // It may still be in the list, being canceled on its way out.
            member.listed = simulation.add(member.planned.clone()).ok();
        }
    }

    /// The queue is gone, and another begins with the same files.
    pub(crate) fn crash(&mut self) {
        self.simulation.write_trace(|| "crash".into());
        self.report.crashes += 1;
        // The next queue may cut its parts otherwise.
        let part_size = PART_SIZES[self.random.index(PART_SIZES.len())];
        self.simulation.options.part_size = Some(ByteCount(part_size));
        self.simulation.crash();
        self.simulation.app.bad_source = None;
        self.simulation.app.bad_credential = None;
        self.cast.values_mut().for_each(|member| member.listed = None);
        self.lose_unknown_files();
        self.list_files(usize::MAX);
    }

    /// What is stored of a file that is not known again is not found again.
    pub(crate) fn lose_unknown_files(&mut self) {
        for (name, ScenarioFile { planned, .. }) in &self.cast {
            let new = &planned.new;
            let is_marked = new.last_modified_ms.is_some() || new.content_sample.is_some();
            if new.size.is_none() || !is_marked {
                self.simulation.start_again(name);
                self.is_fault_free = false;
            }
        }
    }

    /// Nothing goes wrong any more: every file that is wanted is uploaded, within bounds.
    fn end(&mut self) {
        self.simulation.write_trace(|| "nothing goes wrong any more".into());
        self.simulation.clear_faults();
        for _ in 0..ROUNDS_MAX {
            self.list_files(usize::MAX);
            self.simulation.run_to_completion();
            if self.wanted().is_empty() {
                break;
            }
        }
        assert!(self.wanted().is_empty(), "{:?} cannot be uploaded", self.wanted());
        let state = self.simulation.queue_state();
        assert!(matches!(state, QueueState::End | QueueState::Failure), "the queue is {state:?}");
        if self.is_fault_free && self.report.crashes == 0 {
            assert!(
                self.simulation.kv.values.is_empty(),
                "{:?} are left",
                self.simulation.kv.values.keys()
            );
            self.simulation.nothing_is_left_over();
        }
        self.report.given_up = self.cast.values().filter(|member| !member.is_wanted).count() as u32;
        self.report.succeeded = self.cast.len() as u32 - self.report.given_up;
    }

    /// The files that are still to be uploaded.
    fn wanted(&self) -> Vec<&String> {
        let is_wanted = |(name, member): &(&String, &ScenarioFile)| {
            member.is_wanted && !self.simulation.has_succeeded(name)
        };
        self.cast.iter().filter(is_wanted).map(|(name, _)| name).collect()
    }
}

fn member(random: &mut Random, index: u64, credentials: Credentials) -> ScenarioFile {
    let (extension, kind) = KINDS[random.index(KINDS.len())];
    let name = format!("{index}.{extension}");
    let len = LENGTHS[random.index(LENGTHS.len())];
    let mut planned = Simulation::file(&name, len);
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
            planned.new.content_sample = Some(ContentSample { first, last });
        }
        _ => {}
    }
    if credentials == Credentials::Direct {
        planned.new.endpoint = Some(crate::vod::ENDPOINT.into());
        planned.new.bucket = Some("my-bucket".into());
        planned.new.object = Some(format!("mine/{name}"));
    }
    debug_assert!(planned.new.size.is_none_or(|size| size == ByteCount(len)));
    ScenarioFile { planned, listed: None, is_wanted: true }
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
