//! Compares the stored objects with the acknowledgments of the clients.

use std::collections::BTreeMap;

use serde_json::Value;
use vod_uploader_component_tests::sandbox::StoredObject;

use crate::expected_state::{Acknowledgment, ExpectedState, FileEntry};

/// The violations in the stored files, one sentence each.
pub(crate) fn files(
    expected: &ExpectedState,
    media: &[Value],
    objects: &[StoredObject],
) -> Vec<String> {
    let names = FileNames::new(media);
    let mut stored: BTreeMap<&str, Vec<&StoredObject>> = BTreeMap::new();
    let mut defects = Vec::new();
    for object in objects {
        match names.of_key(&object.key) {
            Some(name) => stored.entry(name).or_default().push(object),
            None => defects.push(format!("the object {} belongs to no file", object.key)),
        }
    }
    let files = expected.files();
    for (name, objects) in &stored {
        let Some(entry) = files.get(*name) else {
            defects.push(format!("an object of {name}, which no client sent"));
            continue;
        };
        defects.extend(objects.iter().filter_map(|object| incomplete(name, entry, object)));
        if entry.acknowledgment == Acknowledgment::Deleted {
            defects.push(format!("{name} was deleted before it was complete, and has an object"));
        }
    }
    for (name, entry) in &files {
        if entry.acknowledgment == Acknowledgment::Stored && !stored.contains_key(name.as_str()) {
            defects.push(format!("{name} was acknowledged and is lost"));
        }
    }
    defects
}

/// The names of the files, by the media IDs in the keys of their objects.
pub(crate) struct FileNames(BTreeMap<String, String>);

impl FileNames {
    /// Reads the names from the calls of VOD.
    pub(crate) fn new(media: &[Value]) -> Self {
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        let named = media.iter().map(|one| {
            let name = &one["parameters"]["FileName"];
            (text(&one["key"]), text(name))
        });
        Self(named.collect())
    }

    /// The name of the file that is stored under `key`.
    pub(crate) fn of_key(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

fn incomplete(name: &str, entry: &FileEntry, object: &StoredObject) -> Option<String> {
    let final_upload = (object.size, &object.crc64) == (entry.size, &entry.crc64);
    (!final_upload).then(|| {
        format!("{name} has {} bytes and should have {}: {}", object.size, entry.size, object.key)
    })
}
