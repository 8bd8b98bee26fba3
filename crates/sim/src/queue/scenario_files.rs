//! The files of a run.

use std::collections::BTreeMap;

use vod_uploader::queue::{ContentSample, FileId};
use vod_uploader::units::ByteCount;
use vod_uploader::vod::MediaKind;

use super::app::Credentials;
use super::calls::PlannedFile;
use super::simulation::Simulation;
use crate::world::{Content, ENDPOINT, Random};

/// Every file of a run, by name.
pub(crate) struct ScenarioFiles(BTreeMap<String, ScenarioFile>);

struct ScenarioFile {
    planned: PlannedFile,
    /// The ID in the list of the current queue.
    listed: Option<FileId>,
    /// Whether the file has to be uploaded in the end.
    is_wanted: bool,
}

impl ScenarioFiles {
    pub(crate) fn new(random: &mut Random, credentials: Credentials) -> Self {
        let files = (0..1 + random.below(4)).map(|index| {
            let planned = planned_file(random, index, credentials);
            (planned.new.name.clone(), ScenarioFile { planned, listed: None, is_wanted: true })
        });
        Self(files.collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Number of files that do not have to be uploaded.
    pub(crate) fn unwanted_count(&self) -> usize {
        self.0.values().filter(|file| !file.is_wanted).count()
    }

    /// Adds up to `count` files that have to be uploaded, are not uploaded and are not listed.
    pub(crate) fn add_to(&mut self, simulation: &mut Simulation, count: usize) {
        let missing: Vec<_> = self
            .0
            .iter_mut()
            .filter(|(_, file)| file.is_wanted && file.listed.is_none())
            .filter(|(name, _)| !simulation.has_succeeded(name))
            .take(count)
            .collect();
        for (_, file) in missing {
            // The list may still contain the file while it is canceled.
            file.listed = simulation.add(file.planned.clone()).ok();
        }
    }

    /// The files that have to be uploaded and are not.
    pub(crate) fn not_uploaded(&self, simulation: &Simulation) -> Vec<&String> {
        let is_missing = |(name, file): &(&String, &ScenarioFile)| {
            file.is_wanted && !simulation.has_succeeded(name)
        };
        self.0.iter().filter(is_missing).map(|(name, _)| name).collect()
    }

    /// The name and the ID of a listed file, if there is one.
    pub(crate) fn pick_listed(&self, random: &mut Random) -> Option<(String, FileId)> {
        let listed = self.0.iter().filter_map(|(name, file)| Some((name, file.listed?)));
        let listed: Vec<_> = listed.collect();
        if listed.is_empty() {
            return None;
        }
        let (name, id) = listed[random.index(listed.len())];
        Some((name.clone(), id))
    }

    pub(crate) fn set_wanted(&mut self, name: &str, is_wanted: bool) {
        self.0.get_mut(name).unwrap().is_wanted = is_wanted;
    }

    /// A file is removed from the list.
    pub(crate) fn unlist(&mut self, name: &str) {
        self.0.get_mut(name).unwrap().listed = None;
    }

    /// The list is empty.
    pub(crate) fn unlist_all(&mut self) {
        self.0.values_mut().for_each(|file| file.listed = None);
    }

    /// Names of the files that a later queue does not find again.
    pub(crate) fn without_fingerprint(&self) -> impl Iterator<Item = &String> {
        let has_fingerprint = |file: &ScenarioFile| {
            let new = &file.planned.new;
            let is_marked = new.last_modified_ms.is_some() || new.content_sample.is_some();
            new.size.is_some() && is_marked
        };
        self.0.iter().filter(move |(_, file)| !has_fingerprint(file)).map(|(name, _)| name)
    }
}

fn planned_file(random: &mut Random, index: u64, credentials: Credentials) -> PlannedFile {
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
        planned.new.endpoint = Some(ENDPOINT.into());
        planned.new.bucket = Some("my-bucket".into());
        planned.new.object = Some(format!("mine/{name}"));
    }
    debug_assert!(planned.new.size.is_none_or(|size| size == ByteCount(len)));
    planned
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
